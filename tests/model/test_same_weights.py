"""One seed gives one set of weights: whatever the order, the wrapper, the device's layout."""

import pytest
import torch
from torch import nn

import firstlight

SCHEMES = ["auto", "harmonic", "he_normal", "orthogonal", "sinusoidal"]


class Net(nn.Module):
    def __init__(self, order=("first", "second", "head"), extra=False):
        super().__init__()
        sizes = {"first": (8, 16), "second": (16, 16), "head": (16, 4)}
        for name in order:
            setattr(self, name, nn.Linear(*sizes[name]))
        self.extra = nn.Linear(16, 16) if extra else None

    def forward(self, x):
        x = torch.relu(self.first(x))
        if self.extra is not None:
            x = torch.relu(self.extra(x))
        return self.head(torch.relu(self.second(x)))


def weights(model):
    return {name: p.detach() for name, p in model.named_parameters()}


def start(model, scheme):
    torch.manual_seed(3)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)  # what was there before must not matter
    return weights(firstlight.initialize(model, scheme, seed=5))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_neither_the_order_nor_a_new_layer_matters(scheme):
    plain = start(Net(), scheme)
    for other in (Net(("head", "second", "first")), Net(extra=True)):
        found = start(other, scheme)
        assert all(torch.equal(found[name], value) for name, value in plain.items())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_compiled_and_wrapped_models_get_the_same(scheme):
    plain = start(Net(), scheme)
    inner = Net()
    start(torch.compile(inner, backend="eager"), scheme)
    assert all(torch.equal(weights(inner)[name], value) for name, value in plain.items())
    part = Net()
    part.second = torch.compile(part.second, backend="eager")
    found = {n.replace("_orig_mod.", ""): v for n, v in start(part, scheme).items()}
    assert all(torch.equal(found[name], value) for name, value in plain.items())
    parallel = Net()
    start(nn.DataParallel(parallel), scheme)
    assert all(torch.equal(weights(parallel)[name], value) for name, value in plain.items())


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("he_normal", [-0.362299502, 0.467780799]), ("harmonic", [0.198260069, -0.448945642])],
)
def test_the_weights_are_the_recorded_ones(scheme, expected):
    """Recorded on Linux, x86-64; sines may differ in the last place elsewhere."""
    first = firstlight.initialize(Net(), scheme, seed=5).first.weight.detach()[0, :2]
    torch.testing.assert_close(first, torch.tensor(expected), atol=1e-6, rtol=0)
