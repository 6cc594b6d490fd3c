"""Each family's forward pass against its formula, number by number in float64."""

import cmath
import math

import numpy as np
import pytest
import torch
from network_cases import CASES

from firstlight.fields.networks.finer import variable_sine
from firstlight.fields.networks.multiplicative_filter import MultiplicativeFilter
from firstlight.fields.networks.sinc import sine_quotient
from firstlight.fields.networks.stack import Stack

PLACES = (torch.rand(5, 2, generator=torch.Generator().manual_seed(2)) * 2 - 1).tolist()


def numbers(module):
    return {key: value.double().tolist() for key, value in module.state_dict().items()}


def linear(weight, bias, x):
    """W x + b by loops."""
    return [
        sum(w * each for w, each in zip(row, x, strict=True)) + b
        for row, b in zip(weight, bias, strict=True)
    ]


def layered(state, x, depth, function, prefix="", start=0):
    for number in range(start, depth):
        bias = state.get(f"{prefix}layers.{number}.bias")
        weight = state[f"{prefix}layers.{number}.weight"]
        x = linear(weight, bias or [0.0] * len(weight), x)
        if number < depth - 1:
            x = [function(z, number) for z in x]
    return x


def sine(network, state, x):
    omegas = network.factors()
    return layered(state, x, network.depth, lambda z, k: math.sin(omegas[k] * z))


def gauss(network, state, x):
    return layered(state, x, network.depth, lambda z, _: math.exp(-((network.sigma * z) ** 2)))


def sinc(network, state, x):
    def function(z, _):
        u = math.pi * network.omega * z
        return math.sin(u) / u if u else 1.0

    return layered(state, x, network.depth, function)


def finer(network, state, x):
    def function(z, _):
        return math.sin(network.omega * (abs(z) + 1) * z)

    return layered(state, x, network.depth, function)


def wire(network, state, x):
    def wavelet(z):
        return cmath.exp(1j * network.omega * z - abs(network.sigma * z) ** 2)

    x = [wavelet(z) for z in linear(state["first.weight"], state["first.bias"], x)]
    for number in range(network.depth - 1):
        weight = [[complex(*w) for w in row] for row in state[f"layers.{number}.weight"]]
        bias = [complex(*b) for b in state[f"layers.{number}.bias"]]
        x = linear(weight, bias, x)
        if number < network.depth - 2:
            x = [wavelet(z) for z in x]
    return [z.real for z in x]


def fourier_features(network, state, x):
    v = [(each + 1) / 2 for each in x]
    phases = [
        2 * math.pi * sum(b * each for b, each in zip(row, v, strict=True))
        for row in state["frequencies"]
    ]
    waves = [math.sin(phase) for phase in phases] + [math.cos(phase) for phase in phases]
    return layered(state, waves, network.depth, lambda z, _: max(z, 0), "stack.")


def filtered(state, number, x):
    name = f"filters.{number}"
    waves = [
        math.sin(z) for z in linear(state[f"{name}.wave.weight"], state[f"{name}.wave.bias"], x)
    ]
    if f"{name}.mu" not in state:
        return waves
    bells = [
        math.exp(-gamma / 2 * sum((a - b) ** 2 for a, b in zip(x, mu, strict=True)))
        for gamma, mu in zip(state[f"{name}.gamma"], state[f"{name}.mu"], strict=True)
    ]
    return [wave * bell for wave, bell in zip(waves, bells, strict=True)]


def multiplicative_filter(network, state, x):
    h = filtered(state, 0, x)
    for number in range(network.depth - 2):
        mixed = linear(state[f"layers.{number}.weight"], state[f"layers.{number}.bias"], h)
        h = [a * b for a, b in zip(mixed, filtered(state, number + 1, x), strict=True)]
    return linear(state["last.weight"], state["last.bias"], h)


def tuner(network, state, x):
    x = [math.sin(z) for z in linear(state["frequencies"], state["phases"], x)]
    for number, bounds in enumerate(state["bounds"]):
        weight = [
            [min(max(w, -b), b) for w, b in zip(row, bounds, strict=True)]
            for row in state[f"layers.{number}.weight"]
        ]
        z = linear(weight, state[f"layers.{number}.bias"], x)
        x = [math.sin(network.omega * each) for each in z]
    last = network.depth - 2
    return linear(state[f"layers.{last}.weight"], state[f"layers.{last}.bias"], x)


SLOW = {
    "sine": sine,
    "gauss": gauss,
    "sinc": sinc,
    "finer": finer,
    "wire": wire,
    "fourier_features": fourier_features,
    "multiplicative_filter": multiplicative_filter,
    "tuner": tuner,
}


@pytest.mark.parametrize("name", [name for name in CASES if name != "hash_grid"])
def test_forward_is_the_published_formula(name):
    network = CASES[name]
    module = network.build(2, 3, seed=1)
    state = numbers(module)
    y = module(torch.tensor(PLACES)).detach().double()
    expected = torch.tensor(
        [SLOW[network.family](network, state, x) for x in PLACES], dtype=torch.float64
    )
    # float32 phases of up to 300 radians have 3e-5 radians
    assert torch.allclose(y, expected, rtol=2e-3, atol=1e-3 * float(expected.abs().max()))


def test_stack_multiplies_by_its_factor_within_the_product():
    stack = Stack([2, 8, 8, 3], [30.0, 7.0], torch.sin).to_empty(device="cpu")
    torch.manual_seed(0)
    for parameter in stack.parameters():
        torch.nn.init.uniform_(parameter, -0.5, 0.5)
    x = torch.tensor(PLACES)
    slow = stack.double()
    wanted = x.double()
    for layer, factor in zip(slow.layers, (30.0, 7.0), strict=False):
        wanted = torch.sin(factor * (wanted @ layer.weight.t() + layer.bias))
    wanted = wanted @ slow.layers[-1].weight.t() + slow.layers[-1].bias
    assert torch.allclose(slow(x.double()), wanted, rtol=1e-12)
    assert torch.allclose(stack.float()(x).double(), wanted, atol=1e-4)


def test_stack_without_biases():
    stack = Stack([2, 4, 1], [3.0], torch.relu, bias=False).to_empty(device="cpu")
    for layer in stack.layers:
        torch.nn.init.ones_(layer.weight)
    assert stack(torch.tensor([[1.0, 2.0]])).tolist() == [[36.0]]
    assert len(list(stack.parameters())) == 2


def test_sinc_and_its_derivatives_are_exact_everywhere():
    u = torch.cat(
        (torch.linspace(-30, 30, 4001), torch.logspace(-30, 0, 400), torch.tensor([0.0, -0.0]))
    ).requires_grad_()
    y = sine_quotient(u)
    (slope,) = torch.autograd.grad(y.sum(), u, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), u)
    # mean of cos(u t), -t sin(u t), -t^2 cos(u t) over t from 0 to 1
    points, shares = np.polynomial.legendre.leggauss(60)
    t = torch.from_numpy((points + 1) / 2)
    share = torch.from_numpy(shares / 2)
    phase = u.detach().double()[:, None] * t
    assert torch.allclose(y.detach().double(), phase.cos() @ share, atol=1e-6)
    assert torch.allclose(slope.detach().double(), -(phase.sin() * t) @ share, atol=3e-6)
    assert torch.allclose(bend.double(), -(phase.cos() * t * t) @ share, atol=4e-5)


@pytest.mark.parametrize("through_period", [False, True])
def test_finer_gradient_holds_the_period_constant_unless_asked(through_period):
    z = torch.linspace(-1, 1, 21, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(variable_sine(z, 30.0, through_period).sum(), z)
    inner = (2 if through_period else 1) * z.detach().abs() + 1
    phase = 30 * (z.detach().abs() + 1) * z.detach()
    assert torch.allclose(slope, 30 * inner * torch.cos(phase))


def test_gabor_filter_of_many_neurons_has_the_published_gamma_law():
    network = MultiplicativeFilter(width=4000, depth=3, filter="gabor", shape=5.0, rate=2.0)
    module = network.build(2, 1, seed=0)
    gamma = module.filters[1].gamma.detach().double()
    shape = 5.0 / 2  # shared by two filters
    assert gamma.min() > 0
    assert gamma.mean().item() == pytest.approx(shape / 2, rel=0.05)
    assert gamma.var().item() == pytest.approx(shape / 4, rel=0.1)
    share = module.filters[1].wave.weight.detach() / gamma.float().sqrt()[:, None]
    bound = 256 / math.sqrt(2) / math.sqrt(2)
    assert share.abs().max().item() == pytest.approx(bound, rel=1e-2)
    assert module.filters[1].mu.abs().max().item() == pytest.approx(1, rel=1e-2)
