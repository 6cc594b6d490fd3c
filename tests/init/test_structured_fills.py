"""Orthogonal, SIREN, diagonal plus noise, edge of chaos, looks-linear, ZerO and constant."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import hadamard
from torch import nn

from firstlight import theory
from firstlight.errors import OptionError
from firstlight.init import (
    blumenfeld_,
    diagonal_plus_noise_,
    edge_of_chaos_,
    looks_linear_,
    orthogonal_,
    siren_,
    zero_,
)

sides = st.integers(1, 12)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@given(st.lists(sides, min_size=2, max_size=4), st.floats(0.1, 10))
def test_orthogonal(shape, gain):
    weight = orthogonal_(torch.empty(shape, dtype=torch.float64), gain=gain, generator=seeded())
    values = torch.linalg.svdvals(weight.flatten(1))
    torch.testing.assert_close(values, torch.full_like(values, gain))


def test_orthogonal_takes_a_gain_by_name():
    tanh = orthogonal_(torch.empty(5, 4), gain="tanh", generator=seeded())
    unit = orthogonal_(torch.empty(5, 4), generator=seeded())
    torch.testing.assert_close(tanh, unit * theory.gain("tanh"))


@pytest.mark.parametrize(
    ("first", "omega", "alpha", "bound"),
    [
        (True, 30.0, 1.0, 1 / 300),
        (True, 10.0, 2.5, 2.5 / 300),
        (False, 30.0, 1.0, math.sqrt(6 / 300) / 30),
        (False, 10.0, 2.5, 2.5 * math.sqrt(6 / 300) / 10),
    ],
)
def test_siren_bounds(first, omega, alpha, bound):
    weight = siren_(
        torch.empty(200, 100, 3), first=first, omega=omega, alpha=alpha, generator=seeded()
    )
    scaled = weight.flatten().numpy() / bound
    assert np.abs(scaled).max() <= 1 + 1e-6
    assert stats.kstest(scaled, stats.uniform(-1, 2).cdf).pvalue > 0.01


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.5])
def test_siren_networks(alpha):
    """Before the sine, layer by layer, values are N(0, s) with s = alpha^2 (1 - exp(-2 s'))."""
    generator = seeded(1)
    x = torch.rand(500, 2, generator=generator) * 2 - 1
    variance = math.inf
    for layer in range(5):
        weight = torch.empty(500, x.shape[1])
        siren_(weight, first=layer == 0, alpha=alpha, generator=generator)
        z = 30 * x @ weight.T
        if layer > 0:
            variance = alpha**2 * -math.expm1(-2 * variance)
            assert z.var() == pytest.approx(variance, rel=0.05)
        x = torch.sin(z)
    if alpha == 2.5:  # so wide a Gaussian is uniform on the circle: arcsine at any depth
        assert stats.kstest(x.flatten().numpy(), stats.arcsine(-1, 2).cdf).statistic < 0.02


@pytest.mark.parametrize("shape", [(60, 60), (150, 60), (60, 150), (64, 24, 3), (24, 32, 3, 2)])
@pytest.mark.parametrize("activation", ["tanh", "erf"])
def test_diagonal_plus_noise(shape, activation):
    depth, omega = 40, theory.critical_gain(activation)
    weight = diagonal_plus_noise_(
        torch.empty(shape, dtype=torch.float64),
        depth=depth,
        activation=activation,
        generator=seeded(),
    )
    diagonal = torch.zeros(shape, dtype=torch.float64)
    centre = [size // 2 for size in shape[2:]]
    for i in range(shape[0]):
        diagonal[(i, i % shape[1], *centre)] = omega
    fan_in = math.prod(shape[1:])
    noise = (weight - diagonal).flatten().numpy() * math.sqrt(fan_in)
    sigma = theory.noise_scale(depth, omega)
    assert stats.kstest(noise, stats.norm(scale=sigma).cdf).pvalue > 0.01


def test_fewer_outputs_than_inputs_pass_the_last_by_noise_alone():
    weight = diagonal_plus_noise_(
        torch.empty(3, 9), depth=10**6, activation="tanh", generator=seeded()
    )
    assert weight[:, 3:].abs().max() < 0.01
    assert weight.diagonal().min() > 0.99


def test_diagonal_plus_noise_carries_a_signal_through_a_thousand_layers():
    generator, width, depth = seeded(), 64, 1000
    x = torch.randn(32, width, generator=generator)
    for _ in range(depth):
        weight = torch.empty(width, width)
        diagonal_plus_noise_(weight, depth=depth, activation="tanh", generator=generator)
        x = torch.tanh(x @ weight.T)
    assert x.std() == pytest.approx(0.051, rel=0.2)  # 5.9e-5 at the edge of chaos


def test_negative_rate_sets_the_noise():
    weight = diagonal_plus_noise_(
        torch.empty(200, 200), depth=9, activation="tanh", negative_rate=0.01, generator=seeded()
    )
    noise = (weight - torch.eye(200)).std() * math.sqrt(200)
    assert noise == pytest.approx(theory.noise_scale(9, 1.0, 0.01), rel=0.02)


def test_edge_of_chaos():
    weight = edge_of_chaos_(
        torch.empty(200, 50, 3), activation="tanh", bias_variance=0.05, generator=seeded()
    )
    scaled = weight.flatten().numpy() * math.sqrt(150)
    expected = stats.norm(scale=math.sqrt(theory.edge_of_chaos("tanh", 0.05)))
    assert stats.kstest(scaled, expected.cdf).pvalue > 0.01


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
def test_looks_linear_blocks(half_out, half_in, kernel):
    def filled(out, inputs, position):
        weight = torch.empty(out, inputs, kernel)
        return looks_linear_(weight, position=position, gain=0.7, generator=seeded())

    block = orthogonal_(torch.empty(half_out, half_in, kernel), gain=0.7, generator=seeded())
    first = torch.cat([block, -block])
    assert torch.equal(filled(2 * half_out, half_in, "first"), first)
    assert torch.equal(filled(half_out, 2 * half_in, "last"), torch.cat([block, -block], dim=1))
    hidden = torch.cat([first, -first], dim=1)
    assert torch.equal(filled(2 * half_out, 2 * half_in, "hidden"), hidden)


def test_looks_linear_network_is_linear():
    generator = seeded()
    layers = [nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 6)]
    for layer, position in zip(layers, ["first", "hidden", "hidden", "last"], strict=True):
        looks_linear_(layer.weight, position=position, generator=generator)
        nn.init.zeros_(layer.bias)
    network = nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())][:-1])
    x, y = torch.randn(2, 32, 6, generator=generator)
    torch.testing.assert_close(network(x + y), network(x) + network(y), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network(x).norm(dim=1), x.norm(dim=1))


@pytest.mark.parametrize(
    ("shape", "position"),
    [((3, 4), "hidden"), ((4, 3), "hidden"), ((3, 4), "first"), ((4, 3), "last")],
)
def test_looks_linear_needs_halves(shape, position):
    weight = torch.full(shape, 7.0)
    with pytest.raises(OptionError, match="must be even, got 3"):
        looks_linear_(weight, position=position)
    assert (weight == 7).all()


@given(st.integers(1, 40), st.integers(1, 40), st.lists(st.integers(1, 4), max_size=3))
def test_zero(m, n, kernel):
    weight = zero_(torch.empty(m, n, *kernel, dtype=torch.float64)).numpy()
    matrix = np.eye(m, n)
    if m > n:
        k = math.ceil(math.log2(m))
        matrix = np.eye(m, 2**k) @ hadamard(2**k) @ np.eye(2**k, n) * 2 ** (-(k - 1) / 2)
    expected = np.zeros(weight.shape)
    expected[(..., *(size // 2 for size in kernel))] = matrix
    np.testing.assert_allclose(weight, expected, rtol=1e-15)


@given(sides, sides, st.lists(st.integers(1, 4), max_size=3))
def test_blumenfeld_makes_every_output_the_mean(m, n, kernel):
    weight = blumenfeld_(torch.empty(m, n, *kernel, dtype=torch.float64))
    centre = weight[(..., *(size // 2 for size in kernel))]
    assert (centre == 1 / n).all()
    assert weight.count_nonzero() == m * n
