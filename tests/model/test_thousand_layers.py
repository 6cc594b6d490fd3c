"""A thousand layers: signals and gradients come through, where the edge of chaos loses them."""

import pytest
import torch
from torch import nn

import firstlight

ACTIVATIONS = {
    "tanh": nn.Tanh,
    "erf": firstlight.nn.Erf,
    "softsign": nn.Softsign,
    "arctan": firstlight.nn.Arctan,
}
DEPTH, SAMPLES = 1000, 16


def network(activation, width):
    layers = [part for _ in range(DEPTH) for part in (nn.Linear(width, width), activation())]
    return nn.Sequential(*layers)


def passed(model, width, seed):
    """Last spread over the first layer's, and the size of a gradient on the data over its own."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(SAMPLES, width, generator=generator).requires_grad_()
    first = model[1](model[0](x))
    last = model[2:](first)
    gradient = torch.randn(last.shape, generator=generator)
    (back,) = torch.autograd.grad(last, x, gradient)
    return float(last.detach().std() / first.detach().std()), float(back.norm() / gradient.norm())


def started(scheme, name, width, seed, **options):
    model = network(ACTIVATIONS[name], width)
    return passed(firstlight.initialize(model, scheme, seed=seed, **options), width, seed)


def check(spread, gradient):
    assert spread >= 0.03
    assert 0.03 <= gradient <= 3


@pytest.mark.parametrize("activation", ["tanh", "erf", "arctan"])
@pytest.mark.parametrize(("width", "seed"), [(16, 0), (64, 1), (256, 2)])
def test_diagonal_plus_noise(activation, width, seed):
    check(*started("diagonal_plus_noise", activation, width, seed))


@pytest.mark.parametrize(("width", "seed"), [(16, 3), (16, 4), (64, 5), (256, 6)])
def test_the_isometric_diagonal_passes_softsign_too(width, seed):
    check(*started("isometric_diagonal", "softsign", width, seed))


def test_the_published_noise_is_too_little_for_softsign():
    """Its signal falls as 1 / depth and not as its root: the isometric diagonal takes more."""
    spread, _ = started("diagonal_plus_noise", "softsign", 64, 9)
    assert spread < 0.01
    assert spread == pytest.approx(
        firstlight.theory.spread_after(1000, "softsign", 0.0608), rel=0.3
    )


@pytest.mark.parametrize("seed", range(2))
def test_the_edge_of_chaos_does_not_at_width_16(seed):
    spread, gradient = started("edge_of_chaos", "tanh", 16, seed, activation="tanh")
    assert spread < 1e-6
    assert gradient < 1e-6
