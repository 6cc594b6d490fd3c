"""Spread after many layers: against the map gone through step by step, and against networks."""

import math

import pytest
import torch

from firstlight.errors import OptionError
from firstlight.theory import (
    ACTIVATIONS,
    ODD_SIGMOIDS,
    noise_for_spread,
    noise_scale,
    spread_after,
)
from firstlight.theory.layer_maps import LayerMaps


def step_by_step(depth, activation, sigma):
    maps, omega = LayerMaps(activation, 1.0), ODD_SIGMOIDS[activation]
    variance, first = 1.0, None
    for _ in range(depth):
        variance = maps.variance((omega**2 + sigma**2) * variance)
        first = variance if first is None else first
    return math.sqrt(variance / first)


@pytest.mark.parametrize("activation", ODD_SIGMOIDS)
@pytest.mark.parametrize(("depth", "sigma"), [(1, 0.3), (2, 1.0), (13, 0.6), (60, 0.0), (60, 0.25)])
def test_against_the_map_step_by_step(activation, depth, sigma):
    found = spread_after(depth, activation, sigma)
    assert found == pytest.approx(step_by_step(depth, activation, sigma), rel=1e-3)


@pytest.mark.parametrize("name", ["tanh", "softsign"])
def test_against_a_network(name):
    """Its units are mixed less than a mean field has it, as the diagonal keeps each apart."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 300, generator=generator)
    spreads = []
    for _ in range(100):
        weight = torch.eye(300) + 0.25 / math.sqrt(300) * torch.randn(300, 300, generator=generator)
        x = ACTIVATIONS[name](x @ weight.T)
        spreads.append(float(x.std()))
    assert spreads[-1] / spreads[0] == pytest.approx(spread_after(100, name, 0.25), rel=0.25)


@pytest.mark.parametrize("activation", [*ODD_SIGMOIDS, lambda x: 3 * torch.tanh(x / 2)])
@pytest.mark.parametrize("depth", [50, 1000, 10**6])
def test_the_least_noise_for_a_spread(activation, depth):
    for spread in (0.04, 0.2):
        sigma = noise_for_spread(depth, activation, spread)
        if sigma > 0:
            assert spread_after(depth, activation, sigma) == pytest.approx(spread, rel=1e-5)
            assert spread_after(depth, activation, sigma * 0.98) < spread
        else:
            assert spread_after(depth, activation, 0.0) >= spread


def test_a_scale_on_x_divides_the_noise():
    assert noise_for_spread(500, "erf(4x)") == pytest.approx(noise_for_spread(500, "erf") / 4)


def test_the_published_noise_is_enough_for_all_but_softsign():
    short = {
        name
        for name in ODD_SIGMOIDS
        if noise_for_spread(1000, name) > noise_scale(1000, ODD_SIGMOIDS[name])
    }
    assert short == {"softsign"}


@pytest.mark.parametrize("spread", [0, -1, 0.5, math.nan, "0.1"])
def test_bad_spreads(spread):
    with pytest.raises(OptionError, match="spread must"):
        noise_for_spread(10, "tanh", spread)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, "tanh", 0.1), "depth"), ((3, "sin", 0.1), "odd sig"), ((3, "tanh", -0.1), "sigma must")],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(OptionError, match=message):
        spread_after(*arguments)
