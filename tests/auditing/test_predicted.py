"""What theory predicts of a network against what the audit measures in it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import firstlight


class Function(nn.Module):
    """A function of each element as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


#: Activations, and the standard deviation of weights times the root of the inputs.
ACTIVATIONS = {
    "tanh": (torch.tanh, 1.3),
    "erf": (torch.erf, 1.1),
    "arctan": (torch.atan, 1.2),
    "relu": (functional.relu, 2**0.5),
    "gelu": (functional.gelu, 1.5),
    "silu": (functional.silu, 1.7),
}


def random_net(function, width: int, depth: int, gain: float, seed: int) -> nn.Sequential:
    """Independent normal weights, no biases to speak of."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for _ in range(depth):
        layer = nn.Linear(width, width)
        nn.init.normal_(layer.weight, std=gain / width**0.5, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, Function(function)]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def batch(samples: int, width: int, seed: int, mean: float = 0.0):
    generator = torch.Generator().manual_seed(1000 + seed)
    x = torch.randn(samples, width, generator=generator) + mean
    return x, torch.randint(10, (samples,), generator=generator)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mean", [0.5, 1.0])
def test_skewed_share_of_the_first_layer(mean, seed):
    net = random_net(functional.relu, 1024, 1, 2**0.5, seed)
    one = firstlight.audit(net, batch(2048, 1024, seed, mean)).activations[0]
    assert one.skewed_10 == pytest.approx(one.skewed_10_predicted, abs=0.03)
    assert one.skewed_30 == pytest.approx(one.skewed_30_predicted, abs=0.03)
    assert 0.5 < one.skewed_10 < 0.9  # the bar is not met by all or nothing


@pytest.mark.parametrize("seed", range(2))
def test_skewed_share_behind_a_relu(seed):
    # N(0, 1) through ReLU: inputs of mean 0.4, not Gaussian, as in Table 1 of arXiv 2505.12909
    net = nn.Sequential(nn.ReLU(), *random_net(functional.relu, 1024, 1, 1.0, seed))
    one = firstlight.audit(net, batch(2048, 1024, seed)).activations[1]
    assert one.skewed_10 == pytest.approx(one.skewed_10_predicted, abs=0.03)
    assert one.skewed_30 == pytest.approx(one.skewed_30_predicted, abs=0.03)
    assert 0.6 < one.skewed_10 < 0.8


def test_biases_count():
    net = random_net(functional.relu, 1024, 1, 1.0, 0)
    nn.init.normal_(net[0].bias, std=1.0, generator=torch.Generator().manual_seed(5))
    one = firstlight.audit(net, batch(1024, 1024, 0, 0.5)).activations[0]
    assert one.skewed_30 == pytest.approx(one.skewed_30_predicted, abs=0.03)
    assert one.skewed_30 > 0.3


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_factor_of_wide_nets(name, seed):
    function, gain = ACTIVATIONS[name]
    net = random_net(function, 512, 5, gain, seed)
    found = firstlight.audit(net, batch(64, 512, seed)).activations
    pairs = [(one.chi, one.chi_predicted) for one in found if one.chi is not None]
    assert len(pairs) == 4
    for measured, predicted in pairs:
        assert measured == pytest.approx(predicted, rel=0.1)
