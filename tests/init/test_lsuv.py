"""LSUV in one pass against the paper's own procedure, and what it must leave alone."""

import copy

import pytest
import torch
from torch import nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init import Stream, lsuv
from firstlight.init.lsuv import unit_variance


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape):
    return torch.randn(*shape, generator=seeded(1))


class Residual(nn.Module):
    """Convolutions of every kind, batch norm, dropout, a shared layer and a skip connection."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2, groups=2)
        self.drop = nn.Dropout(0.5)
        self.twice = nn.Linear(4, 4)
        self.head = nn.Linear(4, 5)
        self.unused = nn.Linear(7, 3)

    def forward(self, x, scale=1.0):
        x = self.norm(self.stem(x * scale)).relu_()
        x = x + self.depthwise(self.grouped(x).relu())
        x = self.drop(self.up(x)).mean(dim=(2, 3))
        return self.head(self.twice(torch.tanh(self.twice(x))))


MODELS = {
    "mlp": (
        lambda: nn.Sequential(nn.Linear(6, 20), nn.Tanh(), nn.Linear(20, 9), nn.Linear(9, 2)),
        noise(64, 6),
    ),
    "residual": (Residual, noise(16, 3, 8, 8)),
    "transformer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True),
        noise(16, 5, 8),
    ),
}
every_model = pytest.mark.parametrize("name", MODELS)


def build(name):
    torch.manual_seed(0)
    make, batch = MODELS[name]
    model = make()
    for module in model.modules():
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)
    return model, batch


def evaluation_mode(model):
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    return model


def first_output(model, layer, batch):
    """Output of the first call of ``layer`` in a pass, or None if it is not called."""
    outputs = []
    handle = layer.register_forward_hook(lambda _layer, _args, output: outputs.append(output))
    with torch.no_grad():
        model(batch)
    handle.remove()
    return outputs[0] if outputs else None


def layers_of(model):
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    return {name: m for name, m in model.named_modules() if isinstance(m, kinds)}


@every_model
def test_one_pass_does_what_many_do(name):
    model, batch = build(name)
    slow = evaluation_mode(copy.deepcopy(model))
    expected = {}
    for prefix, layer in layers_of(slow).items():  # as published: a pass for each layer
        output = first_output(slow, layer, batch)
        if output is not None:
            expected[f"{prefix}.weight"] = output.std(correction=0).item()
            layer.weight.data /= output.std(correction=0)
    measured = unit_variance(model, batch)
    assert measured == pytest.approx(expected, rel=1e-4)
    for ours, reference in zip(model.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-6)


@every_model
def test_every_output_has_variance_one(name):
    model, batch = build(name)
    measured = lsuv(model, batch, generator=seeded())
    for prefix, layer in layers_of(evaluation_mode(model)).items():
        if f"{prefix}.weight" in measured:
            std = first_output(model, layer, batch).std(correction=0)
            assert std.item() == pytest.approx(1, abs=1e-4)
        if layer.bias is not None:
            assert not layer.bias.any()


def test_weights_are_scaled_orthonormal_group_by_group():
    model, batch = build("residual")
    measured = lsuv(model, batch, generator=seeded())
    assert list(measured) == [
        f"{name}.weight" for name in ("stem", "grouped", "depthwise", "up", "twice", "head")
    ]
    for prefix, layer in layers_of(model).items():
        std = measured.get(f"{prefix}.weight", 1.0)  # the unused layer stays orthonormal
        for block in layer.weight.detach().chunk(getattr(layer, "groups", 1)):
            if isinstance(layer, nn.ConvTranspose2d):
                block = block.transpose(0, 1)
            values = torch.linalg.svdvals(block.flatten(1)) * std
            torch.testing.assert_close(values, torch.ones_like(values), rtol=1e-4, atol=1e-4)


def snapshot(model):
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    modes = [m.training for m in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    return hooks, modes, state, grads, torch.get_rng_state()


def assert_same(before, after, changed=()):
    """Compare two snapshots, but for the parameters of the modules named in ``changed``."""
    assert before[:2] == after[:2]
    for name, value in before[2].items():
        assert torch.equal(value, after[2][name]) or name.split(".")[0] in changed, name
    for a, b in zip(before[3], after[3], strict=True):
        assert (a is None and b is None) or torch.equal(a, b)
    assert torch.equal(before[4], after[4])


def prepared():
    """A model with a past: gradients, running statistics, mixed modes, a hook."""
    model, batch = build("residual")
    model(batch).sum().backward()
    model.drop.eval()
    model.head.register_forward_hook(lambda *_: None)
    for layer in layers_of(model).values():
        if layer.bias is not None:
            nn.init.ones_(layer.bias)
    return model, batch


def test_nothing_else_changes():
    model, batch = prepared()
    buffers = dict(model.named_buffers())
    before = snapshot(model)
    lsuv(model, batch, generator=seeded())
    assert_same(before, snapshot(model), changed=layers_of(model))
    assert all(buffer is buffers[name] for name, buffer in model.named_buffers())


class Failing(nn.Module):
    def forward(self, _):
        torch.randn(3)  # and it draws at random before it fails
        raise KeyError("broken layer")


@pytest.mark.parametrize("generator", [None, seeded()])
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda model, _: setattr(model, "drop", Failing()), KeyError, "broken layer"),
        (lambda _, batch: batch.zero_(), FirstlightError, "'stem.weight' is constant"),
        (lambda _, batch: batch.fill_(torch.nan), FirstlightError, "'stem.weight' is not fin"),
        (lambda model, _: nn.init.zeros_(model.norm.weight), FirstlightError, "'grouped"),
    ],
)
def test_an_error_changes_nothing(spoil, error, message, generator):
    model, batch = prepared()
    batch = batch.clone()
    spoil(model, batch)
    before = snapshot(model)
    source = generator or torch.default_generator
    state = source.get_state()
    with pytest.raises(error, match=message):
        lsuv(model, batch, generator=generator)
    assert_same(before, snapshot(model))
    assert torch.equal(source.get_state(), state)


def test_batches():
    results = []
    for batch in (noise(16, 3, 8, 8), (noise(16, 3, 8, 8),), {"x": noise(16, 3, 8, 8)}):
        model, _ = build("residual")
        results.append(lsuv(model, batch, generator=seeded()))
    assert results[0] == results[1] == results[2]
    model, batch = build("residual")
    scaled = lsuv(model, {"x": batch, "scale": 3.0}, generator=seeded())
    assert scaled["stem.weight"] == pytest.approx(3 * results[0]["stem.weight"], rel=1e-5)


def test_seed():
    draws = []
    for seed in (0, 0, 1):
        model, batch = build("mlp")
        lsuv(model, batch, generator=seeded(seed))
        draws.append(model[0].weight)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_frozen_and_embedding_weights_are_left_alone():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 6)
            self.frozen = nn.Linear(6, 6).requires_grad_(False)
            self.free = nn.Linear(6, 6)
            self.head = nn.Linear(6, 11, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, tokens):
            return self.head(self.free(self.frozen(self.embedding(tokens))))

    model = Tied()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measured = lsuv(model, torch.arange(11), generator=seeded())
    assert list(measured) == ["free.weight"]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == (not name.startswith("free")), name


def test_tied_layers_are_scaled_once():
    model = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5))
    model[2].weight = model[0].weight
    x = noise(40, 5)
    assert list(lsuv(model, x, generator=seeded())) == ["0.weight"]
    assert model[0](x).std(correction=0).item() == pytest.approx(1, abs=1e-5)


def test_chosen_weights_only():
    model, batch = build("mlp")
    before = copy.deepcopy(model)
    assert list(unit_variance(model, batch, {"2.weight"})) == ["2.weight"]
    assert torch.equal(model[0].weight, before[0].weight)
    assert not torch.equal(model[2].weight, before[2].weight)


def test_biases_count_where_they_are_not_zero():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    nn.init.constant_(model[0].bias, 5.0)  # the same for all units: shifts, does not spread
    nn.init.zeros_(model[1].bias)
    unit_variance(model, noise(50, 4))
    assert model(noise(50, 4)).std(correction=0).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_precision(dtype):
    model, batch = build("mlp")
    model, batch = model.to(dtype), batch.to(dtype)
    lsuv(model, batch, generator=seeded())
    tolerance = max(1e-6, 8 * torch.finfo(dtype).eps)
    assert model(batch).float().std(correction=0).item() == pytest.approx(1, abs=tolerance)


def lazy():
    return nn.Sequential(nn.Linear(6, 6), nn.LazyLinear(3))


def parametrized():
    return nn.Sequential(nn.Linear(6, 6), nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.ReLU(), "found no trainable Linear"),
        (lambda: nn.Linear(3, 3).requires_grad_(False), "found no trainable Linear"),
        (lazy, r"cannot write '1\.weight'"),
        (parametrized, r"cannot write '1\.weight'"),
        (lambda: nn.Linear(3, 3, device="meta"), r"lsuv \(weight\) .* meta device"),
    ],
)
def test_models_that_cannot_be_initialized(make, message):
    model = make()
    state = {
        name: value.clone()
        for name, value in model.state_dict().items()
        if not nn.parameter.is_lazy(value) and not value.is_meta
    }
    with pytest.raises(OptionError, match=message):
        lsuv(model, noise(8, 6))
    for name, value in state.items():
        assert torch.equal(value, model.state_dict()[name])


@pytest.mark.parametrize("generator", [0, 5, Stream(1)])
def test_a_generator_is_torchs(generator):
    model = nn.Linear(3, 3)
    before = model.weight.clone()
    with pytest.raises(OptionError, match=r"must be a torch\.Generator or None"):
        lsuv(model, noise(8, 3), generator=generator)
    assert torch.equal(model.weight, before)


def test_a_masked_transformer_encoder():
    """In evaluation mode its fast path would nest the input and pass the layers by."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.TransformerEncoder(layer, 2)
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[:, 4:] = True
    batch = {"src": torch.randn(4, 6, 8), "src_key_padding_mask": mask}
    measured = lsuv(model, batch)
    linears = [f"layers.{i}.linear{k}.weight" for i in (0, 1) for k in (1, 2)]
    assert list(measured) == linears


def test_a_pass_that_draws_is_repeatable():
    class Noisy(nn.Sequential):
        def forward(self, x):
            return super().forward(nn.functional.dropout(x, 0.5, training=True))

    scales = [
        lsuv(Noisy(nn.Linear(8, 8)), torch.ones(32, 8), generator=torch.Generator().manual_seed(0))
        for _ in range(2)
    ]
    assert scales[0] == scales[1]
