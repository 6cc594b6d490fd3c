"""A test for every row of the table of what the direct rival fails at (shared/peers.md)."""

from itertools import pairwise

import pytest
import torch
from largest import Largest
from torch import nn
from zoo import ZOO
from zoo.entry import load, normal

import firstlight
from firstlight import FirstlightError
from firstlight.model.trace.measure import measure

MIB = 2**20


def needs(name):
    return pytest.mark.skipif(not ZOO[name].available, reason=f"needs {ZOO[name].needs}")


def build(name):
    torch.manual_seed(0)
    return ZOO[name].build()


def state(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def check_same(model, before):
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def check_predictions(model, scheme, example, **options):
    """Every predicted second moment holds on the batch; at least half of them are predicted."""
    plan = firstlight.plan(model, scheme, example=example, **options)
    predicted = plan.predictions
    plan.apply()
    measured = measure(model, example)
    assert [p.path for p in predicted] == [m.path for m in measured]
    pairs = [(p, m) for p, m in zip(predicted, measured, strict=True) if p.second_moment]
    assert len(pairs) >= len(measured) / 2 > 0
    for p, m in pairs:
        assert m.second_moment == pytest.approx(p.second_moment, rel=0.2), p.path
    return measured


def resnet50():
    return load("torchvision.models").resnet50(weights=None)


@pytest.mark.parametrize("scheme", ["harmonic", "sinusoidal", "he_normal"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(resnet50, id="resnet50", marks=needs("torchvision_resnet18")),
        pytest.param(
            lambda: nn.Sequential(*[nn.Linear(2048, 2048) for _ in range(3)]), id="linears"
        ),
    ],
)
def test_no_copy_of_a_weight_is_made(make, scheme):
    """The times stand in ``make bench``; here, that no temporary is as large as a weight."""
    model = make()
    assert max(p.nbytes for p in model.parameters()) > 8 * MIB
    with Largest(model) as largest:
        firstlight.initialize(model, scheme)
    assert 0 < largest.bytes <= 4 * MIB


def test_the_check_of_copies_can_fail():
    model = nn.Linear(2048, 2048)
    with Largest(model) as largest:
        model.weight.detach().clone()
    assert largest.bytes == 16 * MIB


@needs("timm_vit")
def test_timm_norms_are_seen_and_the_mlp_is_not_starved():
    model = build("timm_vit")
    plan = firstlight.plan(model, "he_normal")
    assert plan["blocks.0.norm2.weight"].kind == "norm weight"
    assert plan["blocks.0.mlp.fc1.weight"].reads == "norm"
    assert plan["blocks.0.mlp.fc1.weight"].gain > 0.5
    measured = check_predictions(model, "he_normal", ZOO["timm_vit"].example())
    assert all(0.1 < m.second_moment < 10 for m in measured)


@needs("hf_bert_mlm")
def test_bert_tables_keep_one_size_and_stay_tied():
    model = build("hf_bert_mlm")
    firstlight.initialize(model, "he_normal")
    tables = model.bert.embeddings
    names = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    sizes = [float(getattr(tables, name).weight.detach().std()) for name in names]
    assert max(sizes) < 1.6 * min(sizes)
    assert model.cls.predictions.decoder.weight is tables.word_embeddings.weight


@needs("hf_gpt2")
def test_gpt2_weights_stored_in_by_out_are_filled_by_their_own_fans():
    model = build("hf_gpt2")
    before = state(model)
    plan = firstlight.plan(model, "he_normal")
    assert plan["transformer.h.0.mlp.c_fc.weight"].shape == (128, 32)
    plan.apply()
    block = model.transformer.h[0]
    for layer in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
        inputs = layer.weight.shape[0]
        assert float(layer.weight.detach().std()) == pytest.approx((2 / inputs) ** 0.5, rel=0.1)
    written = {n for n in before if not torch.equal(before[n], model.state_dict()[n])}
    assert len([n for n in written if n.endswith("weight")]) >= 8


def test_an_lstm_is_filled_and_the_padding_row_stays():
    model = build("lstm_language_model")
    model.embedding.weight.data[0] = 0.5
    before = state(model)
    firstlight.initialize(model, "he_normal", forget_bias=1.0)
    assert torch.equal(model.embedding.weight, before["embedding.weight"])
    for name, value in model.lstm.named_parameters():
        assert not torch.equal(value, before[f"lstm.{name}"])
    recurrent = model.lstm.weight_hh_l0.detach().view(4, 32, 32)
    torch.testing.assert_close(recurrent @ recurrent.mT, torch.eye(32).expand(4, -1, -1))


class Siren(nn.Module):
    def __init__(self, width=256):
        super().__init__()
        sizes = [2, width, width, width, 1]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.sin(30 * layer(x))
        return self.layers[-1](x)


def test_a_siren_starts_where_its_paper_says():
    """Inputs of the hidden sines: omega W x with variance 1, predicted and measured."""
    x = torch.rand(512, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model = Siren()
    plan = firstlight.plan(model, example=x)
    assert {plan[f"layers.{i}.weight"].scheme for i in range(4)} == {"siren"}
    # what the sine reads is W x + b: omega stands inside of the activation
    measured = check_predictions(model, "auto", x)
    for site in measured[1:]:
        assert site.second_moment * 900 == pytest.approx(1, rel=0.25)


def test_the_stride_of_a_transposed_convolution_counts():
    torch.manual_seed(0)
    layers = [nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1) for _ in range(3)]
    model = nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())])
    plan = firstlight.plan(model, "he_normal")
    assert {row.fan_in for row in plan if row.name.startswith("2.weight")} == {64 * 2 * 2}
    measured = check_predictions(model, "he_normal", normal(8, 64, 8, 8)())
    assert all(1 < site.second_moment < 3 for site in measured)


def test_a_meta_model_is_refused_by_name_with_what_to_do():
    model = build("meta_device")
    plan = firstlight.plan(model, "harmonic")
    assert "0.weight" in plan.blocked
    for write in (plan.apply, lambda: firstlight.initialize(model, "harmonic")):
        with pytest.raises(FirstlightError, match=r"0\.weight .*meta device.*to_empty"):
            write()


@pytest.mark.parametrize("name", ["weight_norm", "weight_norm_old"])
def test_weight_norm_is_written(name):
    model, x = build(name), ZOO[name].example()
    plain = nn.Sequential(
        nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5)
    )
    torch.testing.assert_close(
        firstlight.initialize(model, "harmonic")(x), firstlight.initialize(plain, "harmonic")(x)
    )


@pytest.fixture
def mesh(tmp_path):
    from torch import distributed

    if not distributed.is_available() or not distributed.is_gloo_available():
        pytest.skip("needs gloo")
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield distributed.device_mesh.init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def test_a_dtensor_is_written(mesh):
    from torch.distributed.tensor import Shard, distribute_tensor

    model, plain = nn.Linear(16, 8), nn.Linear(16, 8)
    model.weight = nn.Parameter(distribute_tensor(model.weight.detach(), mesh, [Shard(0)]))
    firstlight.initialize(model, "harmonic")
    firstlight.initialize(plain, "harmonic")
    assert torch.equal(model.weight.full_tensor(), plain.weight)


@pytest.mark.parametrize("scheme", ["auto", "harmonic", "he_normal"])
def test_what_is_frozen_stays(scheme):
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    nn.init.constant_(layer.norm1.weight, 0.7)
    layer.norm1.requires_grad_(False)
    layer.self_attn.requires_grad_(False)
    before = state(layer)
    firstlight.initialize(layer, scheme)
    kept = {n: v for n, v in before.items() if n.startswith(("norm1", "self_attn"))}
    assert len(kept) == 6
    assert all(torch.equal(v, layer.state_dict()[n]) for n, v in kept.items())


@pytest.mark.parametrize("scheme", ["auto", "harmonic", "lsuv"])
def test_a_batch_of_the_wrong_shape_changes_nothing(scheme):
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))
    before, wrong = state(model), torch.randn(4, 5)
    plan = firstlight.plan(model, scheme, example=wrong)
    assert plan.trace.how.startswith("torch.fx (the example cannot be run: RuntimeError")
    assert "\n" not in plan.trace.how
    check_same(model, before)
    if scheme == "lsuv":
        with pytest.raises(FirstlightError) as caught:
            plan.apply()
        assert "\n" not in str(caught.value)
        check_same(model, before)
