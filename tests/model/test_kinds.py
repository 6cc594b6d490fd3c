"""Views of single layers against what the real layer computes."""

import itertools

import pytest
import torch
from torch import nn
from zoo import ZOO
from zoo.entry import load

import firstlight
from firstlight.model import views
from firstlight.model.kinds import Kept, describe

needs = {
    name: pytest.mark.skipif(not ZOO[entry].available, reason=f"needs {name}")
    for name, entry in (("timm", "timm_vit"), ("transformers", "hf_bert_mlm"))
}


def by_mark(module, local):
    """The views of one tensor by their marks, such as "f"."""
    return {
        view.name.removeprefix(local).strip("[]"): view.weight
        for view in views(module)
        if view.name.startswith(local)
    }


def conv1d(inputs, outputs):
    return load("transformers.pytorch_utils").Conv1D(outputs, inputs)


@pytest.mark.parametrize(
    "build",
    [nn.Linear, pytest.param(conv1d, marks=needs["transformers"])],
    ids=["linear", "conv1d"],
)
def test_rows_are_output_units_and_columns_are_inputs(build):
    layer, x = build(6, 4), torch.randn(3, 6)
    (view,) = views(layer)
    assert view.shape == (4, 6)
    layer.bias.data.zero_()
    view.weight[1] = 0
    assert not layer(x)[:, 1].any()
    assert bool(layer(x)[:, 0].all())
    view.weight[:, 2] = 0
    torch.testing.assert_close(layer(x), layer(x + torch.eye(6)[2]))


def test_bilinear_rows_see_every_product():
    layer, a, b = nn.Bilinear(3, 4, 5, bias=False), torch.randn(2, 3), torch.randn(2, 4)
    (view,) = views(layer)
    assert (view.shape, view.fan_in) == ((5, 3, 4), 12)
    products = torch.einsum("ni,nj->nij", a, b).flatten(1)
    torch.testing.assert_close(layer(a, b), products @ view.weight.flatten(1).T)


LSTM, GRU, RNN = ("LSTM", "LSTMCell"), ("GRU", "GRUCell"), ("RNN", "RNNCell")


def step(kind, x, state, w, u, relu=False):
    """One step of a recurrent layer without biases, written out gate by gate."""
    h, c = state
    if kind in LSTM:
        i, f, o = (torch.sigmoid(x @ w[k].T + h @ u[k].T) for k in "ifo")
        c = f * c + i * torch.tanh(x @ w["g"].T + h @ u["g"].T)
        return o * torch.tanh(c), c
    if kind in GRU:
        r, z = (torch.sigmoid(x @ w[k].T + h @ u[k].T) for k in "rz")
        n = torch.tanh(x @ w["n"].T + r * (h @ u["n"].T))
        return (1 - z) * n + z * h, c
    total = x @ w[""].T + h @ u[""].T
    return (total.relu() if relu else total.tanh()), c


@pytest.mark.parametrize("kind", [*LSTM, *GRU, *RNN, "relu"])
def test_gates_are_what_their_marks_say(kind):
    torch.manual_seed(0)
    name, options = ("RNN", {"nonlinearity": "relu"}) if kind == "relu" else (kind, {})
    layer, x = getattr(nn, name)(3, 5, bias=False, **options), torch.randn(4, 2, 3)
    end = "" if name.endswith("Cell") else "_l0"
    w, u = by_mark(layer, f"weight_ih{end}"), by_mark(layer, f"weight_hh{end}")
    h, c = torch.randn(2, 5), torch.randn(2, 5)
    with torch.no_grad():
        expected = [(h, c)]
        for part in x:
            expected.append(step(name, part, expected[-1], w, u, kind == "relu"))
        if end:
            start = (h[None], c[None]) if name == "LSTM" else h[None]
            torch.testing.assert_close(layer(x, start)[0][-1], expected[-1][0])
        else:
            once = layer(x[0], (h, c) if name == "LSTMCell" else h)
            torch.testing.assert_close(once[0] if name == "LSTMCell" else once, expected[1][0])


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_projected_lstm_and_both_directions():
    layer = nn.LSTM(3, 8, proj_size=2, bidirectional=True)
    shapes = {view.name: view.shape for view in views(layer)}
    assert shapes["weight_hr_l0"] == shapes["weight_hr_l0_reverse"] == (2, 8)
    assert shapes["weight_hh_l0[f]"] == shapes["weight_hh_l0_reverse[o]"] == (8, 2)
    assert len(shapes) == 2 * (4 + 4 + 1)


@pytest.mark.parametrize("layer", [nn.LSTM(3, 4, 2, bidirectional=True), nn.LSTMCell(3, 4)])
def test_forget_bias_is_the_sum_of_two(layer):
    firstlight.initialize(layer, "harmonic", forget_bias=1.5)
    biases = {k: v.detach() for k, v in layer.named_parameters() if k.startswith("bias_ih")}
    for name, bias in biases.items():
        total = (bias + getattr(layer, name.replace("_ih", "_hh")).detach()).view(4, 4)
        assert total[1].tolist() == [1.5] * 4
        assert not total[[0, 2, 3]].any()


def coefficients(layer, x, channel, position):
    """What one output is made of: its non-zero coefficients, sorted."""
    x = x.requires_grad_()
    (found,) = torch.autograd.grad(layer(x)[(0, channel, *position)], x)
    found = found[found != 0]
    return found.sort().values


def phase_rows(layer, channel):
    """The row of ``channel`` in the view of every phase (or in the one view), sorted."""
    each = layer.out_channels // layer.groups
    depthwise = views(layer)[0].depthwise
    for view in views(layer):
        mark = view.name.removeprefix("weight")
        if depthwise or layer.groups == 1:
            row = channel
        elif not mark.startswith(f"[{channel // each}]"):
            continue
        else:
            row = channel % each
        yield view.weight[row].flatten().sort().values


TRANSPOSED = [
    (nn.ConvTranspose1d, {"kernel_size": 4, "stride": 2, "padding": 1}),
    (nn.ConvTranspose1d, {"kernel_size": 5, "stride": 3}),
    (nn.ConvTranspose1d, {"kernel_size": 2, "stride": 3, "output_padding": 1}),
    (nn.ConvTranspose1d, {"kernel_size": 5, "stride": 2, "dilation": 3}),
    (nn.ConvTranspose1d, {"kernel_size": 6, "stride": 4, "dilation": 2}),
    (nn.ConvTranspose1d, {"kernel_size": 3, "stride": 3, "groups": 2, "padding": 1}),
    (nn.ConvTranspose1d, {"kernel_size": 5, "stride": 2, "groups": 4}),
    (nn.ConvTranspose2d, {"kernel_size": (3, 4), "stride": (2, 3), "padding": (1, 0)}),
    (nn.ConvTranspose2d, {"kernel_size": (4, 1), "stride": (2, 1), "groups": 2}),
    (nn.ConvTranspose2d, {"kernel_size": 3, "stride": 2, "dilation": (1, 2)}),
    (nn.ConvTranspose3d, {"kernel_size": 2, "stride": (2, 1, 2)}),
    (nn.ConvTranspose3d, {"kernel_size": 3, "stride": (1, 2, 1)}),
]


@pytest.mark.parametrize(("kind", "options"), TRANSPOSED)
def test_an_output_of_a_transposed_convolution_is_a_row_of_one_phase(kind, options):
    torch.manual_seed(0)
    layer = kind(4, 8, bias=False, **options)
    size = 9 if layer.weight.ndim < 5 else 4
    x, axes = torch.zeros(1, 4, *[size] * (layer.weight.ndim - 2)), []
    for k, s, d, p in zip(
        layer.kernel_size, layer.stride, layer.dilation, layer.padding, strict=True
    ):
        first = d * (k - 1)  # from here on every tap has an input
        last = min(first + s - 1, (size - 1) * s)
        assert last - first == s - 1  # a whole period of phases
        axes.append(range(first - p, last - p + 1))
    used = set()
    for position in itertools.product(*axes):
        for channel in (0, 7):
            found = coefficients(layer, x, channel, position)
            rows = list(phase_rows(layer, channel))
            same = [i for i, row in enumerate(rows) if torch.equal(row, found)]
            assert len(same) == (1 if len(found) else 0)
            used.update(same)
    assert used == set(range(len(rows)))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (nn.Conv1d, {"kernel_size": 3, "groups": 2}),
        (nn.Conv1d, {"kernel_size": 3, "groups": 4}),
        (nn.Conv2d, {"kernel_size": (3, 2), "groups": 2, "dilation": 2, "stride": 2}),
        (nn.Conv3d, {"kernel_size": 2}),
    ],
)
def test_an_output_of_a_convolution_is_a_row_of_its_group(kind, options):
    layer = kind(4, 8, bias=False, **options)
    x = torch.zeros(1, 4, *[6] * (layer.weight.ndim - 2))
    for channel in (0, 3, 4, 7):
        (row,) = phase_rows(layer, channel)
        found = coefficients(layer, x, channel, (0,) * (layer.weight.ndim - 2))
        assert torch.equal(found, row)


def _norms():
    llama, gemma = "transformers.models.llama.modeling_llama", "transformers.models.gemma."
    for module, name, neutral in (
        (llama, "LlamaRMSNorm", 1.0),
        (gemma + "modeling_gemma", "GemmaRMSNorm", 0.0),
        ("transformers.models.t5.modeling_t5", "T5LayerNorm", 1.0),
        ("transformers.models.qwen3_next.modeling_qwen3_next", "Qwen3NextRMSNorm", 0.0),
        ("timm.layers", "LayerNorm2d", 1.0),
        ("timm.layers", "RmsNorm", 1.0),
        ("timm.layers", "RmsNorm2d", 1.0),
        ("timm.layers", "BatchNormAct2d", 1.0),
        ("timm.layers.grn", "GlobalResponseNorm", 0.0),
    ):
        mark = needs[module.partition(".")[0]]
        yield pytest.param(module, name, neutral, id=name, marks=mark)


@pytest.mark.parametrize(("module", "name", "neutral"), list(_norms()))
def test_norms_of_other_libraries_get_their_neutral_weight(module, name, neutral):
    norm = getattr(load(module), name)(8)
    nn.init.constant_(norm.weight, 0.3)
    model = nn.Sequential(nn.Linear(8, 8), norm)
    firstlight.initialize(model, "harmonic")
    assert norm.weight.tolist() == [neutral] * 8


@needs["timm"]
def test_a_frozen_norm_keeps_its_statistics():
    norm = load("torchvision.ops").FrozenBatchNorm2d(4)
    assert all(isinstance(t, Kept) for t in describe(norm, nn.Module(), "norm").values())


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_a_padding_row_is_kept_even_when_the_table_is_asked_for(kind):
    model = nn.Sequential(kind(9, 8, padding_idx=2), nn.Linear(8, 8))
    nn.init.constant_(model[0].weight, 0.25)
    linear = model[1].weight.clone()
    firstlight.initialize(model, "he_normal", include="0.weight")
    table = model[0].weight.detach()
    assert torch.equal(table[2], torch.full((8,), 0.25))
    assert not (table[[0, 1, 3, 8]] == 0.25).any()
    assert torch.equal(linear, model[1].weight)
