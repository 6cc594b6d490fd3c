"""Kernels of sine networks against real wide networks, and against the spectra and variances."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.fields import Sine
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.theory import SineKernel, sine_spectrum, sine_variance

SQRT6 = math.sqrt(6)
STEPS = [[0.0, 0.0], [0.02, 0.0], [0.0, -0.05], [0.06, 0.03], [0.1, 0.1], [0.3, -0.2]]


def pairs(count, inputs=2, seed=0):
    """Places, and the same ones moved by each of STEPS: (count, steps + 1, inputs)."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(-1, 1, (count, 1, inputs))
    base *= math.sqrt(inputs / 3 / np.square(base).sum(-1).mean())  # as all of [-1, 1]^d
    steps = np.array([[0.0, 0.0], *STEPS])[:, :inputs]
    return base + steps, steps[1:]


CASES = [
    {"layers": 1, "alpha": 1.5},
    {"layers": 2, "alpha": 1.0},
    {"layers": 3, "alpha": 2.0},
    {"layers": 4, "alpha": 1.5, "omega_0": 60.0},
    {"layers": 3, "alpha": 1.5, "weight_scale": math.sqrt(3)},
    {"layers": 3, "alpha": 1.2, "bias_scale": 0.6},
    {"layers": 2, "alpha": 1.5, "distribution": "normal"},
    {"layers": 2, "alpha": 1.5, "inputs": 1},
]


@pytest.mark.parametrize("case", CASES)
def test_covariance_of_wide_networks(case):
    """Last sine layers of 2048 neurons, drawn here: first phases are uniform."""
    kernel = SineKernel(**{"inputs": 2, **case})
    width, seeds, total = 2048, 2, 0.0
    places, steps = pairs(16, kernel.inputs)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        bound = kernel.omega_0 * kernel.alpha / kernel.inputs
        if kernel.distribution == "normal":
            weight = rng.normal(0, bound / math.sqrt(3), (kernel.inputs, width))
        else:
            weight = rng.uniform(-bound, bound, (kernel.inputs, width))
        h = np.sin(places @ weight + rng.uniform(-math.pi, math.pi, width))
        scale = kernel.alpha * kernel.weight_scale / math.sqrt(width)
        for _ in range(1, kernel.layers):
            weight = rng.uniform(-scale, scale, (width, width))
            h = np.sin(h @ weight + kernel.bias_scale * rng.normal(size=width))
        total += (h[:, :1] * h[:, 1:]).mean((0, 2)) / seeds
    # the last weights are U(-c_w / sqrt(n) / omega, ...), of variance c_w^2 / (3 n omega^2)
    last = kernel.weight_scale**2 / 3 / kernel.omega**2
    np.testing.assert_allclose(kernel.covariance(steps) / last, total, atol=0.02)


@pytest.mark.parametrize("start", ["siren", "gradient_control"])
@pytest.mark.parametrize(
    ("depth", "alpha", "omega_0", "distribution"),
    [(2, 1.5, 30.0, "uniform"), (3, 1.0, 60.0, "normal"), (4, 2.0, 30.0, "uniform")],
)
def test_covariance_of_networks_that_are_built(start, depth, alpha, omega_0, distribution):
    """The last layer's weights included: many outputs are many draws of them."""
    outputs, seeds, found = 256, 4, 0.0
    network = Sine(
        width=1024,
        depth=depth,
        alpha=alpha,
        omega_0=omega_0,
        distribution=distribution,
        start=start,
    )
    places, steps = pairs(16)
    for seed in range(seeds):
        with torch.no_grad():
            flat = torch.tensor(places, dtype=torch.float32).reshape(-1, 2)
            built = network.build(2, outputs, seed)
            built.layers[-1].bias.zero_()  # a constant for all places, which is not the kernel's
            values = built(flat)
        values = values.double().numpy().reshape(*places.shape[:2], outputs)
        found += (values[:, :1] * values[:, 1:]).mean((0, 2)) / seeds
    expected = sine_kernel(network, 2).covariance(steps)
    np.testing.assert_allclose(found, expected, atol=0.06 * expected[0])


def jacobian_parts(network, places):
    """<df/dw, df'/dw> over the weights of each layer, for each base and each step."""
    values = network(torch.tensor(places, dtype=torch.float32).reshape(-1, places.shape[-1]))
    parameters = list(network.parameters())
    rows = [torch.autograd.grad(value, parameters, retain_graph=True) for value in values[:, 0]]
    parts = []
    for layer in range(len(parameters) // 2):
        one = torch.stack(
            [torch.cat([row[2 * layer].flatten(), row[2 * layer + 1]]) for row in rows]
        )
        one = one.double().reshape(*places.shape[:2], -1)
        parts.append((one[:, :1] * one[:, 1:]).sum(-1).mean(0).numpy())
    return parts


@pytest.mark.parametrize(
    ("start", "depth", "alpha", "omega_0"),
    [
        ("siren", 3, 1.0, 30.0),
        ("siren", 4, 1.5, 30.0),
        ("siren", 4, 2.0, 60.0),
        # without biases phases are as good as uniform where omega_0 alpha is large
        ("gradient_control", 3, 1.0, 60.0),
        ("gradient_control", 4, 1.5, 30.0),
    ],
)
def test_tangent_of_wide_networks_layer_by_layer(start, depth, alpha, omega_0):
    width, seeds = 512, 2
    network = Sine(width=width, depth=depth, alpha=alpha, omega_0=omega_0, start=start)
    kernel = sine_kernel(network, 2)
    places, steps = pairs(7)
    found = 0.0
    for seed in range(seeds):
        found += np.array(jacobian_parts(network.build(2, 1, seed), places)) / seeds
    parts = kernel._parts(kernel._moments(steps))
    counts = [count for _, count in parts][::-1]
    expected = np.array([part for part, _ in parts][::-1])
    assert counts == [width * 3, *[width**2] * (depth - 2), width]
    for one, other in zip(found / (2 * width), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=0.15 * other[0])
        assert one[0] == pytest.approx(other[0], rel=0.15)
    # Adam moves all weights alike: a layer counts by the root of its part
    rates = np.sqrt(np.array(counts) * found[:, 0]) / found[:, 0]
    whole = (rates[:, None] * found).sum(0)
    np.testing.assert_allclose(kernel.tangent(steps), whole / whole[0], atol=0.06)


def test_the_first_layer_counts_little_in_a_wide_network():
    """Its weights are few: 3 n of them beside n^2, each with a gradient of the same size."""
    shares = []
    for width in (64, 256, 1024):
        kernel = SineKernel(layers=3, inputs=2, width=width)
        parts = [float(part[0]) for part, _ in kernel._parts(kernel._moments(np.zeros((1, 2))))]
        shares.append(parts[-1] / sum(parts))
    assert shares[0] == pytest.approx(4 * shares[1], rel=0.1)
    assert shares[1] == pytest.approx(4 * shares[2], rel=0.1)


KERNELS = st.builds(
    SineKernel,
    layers=st.integers(1, 6),
    inputs=st.integers(1, 4),
    width=st.integers(1, 1000),
    omega_0=st.floats(1, 300),
    alpha=st.floats(0.5, 4),
    weight_scale=st.floats(0.5, 4),
    bias_scale=st.floats(0, 2),
    distribution=st.sampled_from(["uniform", "normal"]),
)


@settings(max_examples=50)
@given(KERNELS, st.integers(0, 99))
def test_kernels_are_positive_semidefinite_and_largest_at_0(kernel, seed):
    points = np.random.default_rng(seed).uniform(-0.3, 0.3, (25, kernel.inputs))
    differences = points[:, None] - points[None]
    for matrix in kernel.both(differences):
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-9, atol=1e-15)
        top = matrix[0, 0]
        np.testing.assert_allclose(np.diag(matrix), top)
        assert (np.abs(matrix) <= top * (1 + 1e-9)).all()
        assert np.linalg.eigvalsh(matrix).min() > -1e-9 * top * len(points)
    assert kernel.tangent(np.zeros(kernel.inputs)) == pytest.approx(1.0)


@given(KERNELS)
def test_both_are_the_two(kernel):
    places = np.random.default_rng(0).uniform(-1, 1, (3, 4, kernel.inputs))
    covariance, tangent = kernel.both(places)
    assert covariance.shape == tangent.shape == (3, 4)
    np.testing.assert_array_equal(covariance, kernel.covariance(places))
    np.testing.assert_array_equal(tangent, kernel.tangent(places))


@given(KERNELS)
def test_the_variance_is_the_recursions(kernel):
    scale, bias = kernel.alpha * kernel.weight_scale, kernel.bias_scale
    own = 0.5  # of one sine at a uniform phase
    if kernel.layers > 1:
        variance = scale**2 / 3 * 0.5 + bias**2
        for _ in range(kernel.layers - 2):
            variance = sine_variance(scale, variance, bias)
        own = (1 - math.exp(-2 * variance)) / 2
    found = float(kernel.covariance(np.zeros((1, kernel.inputs)))[0])
    assert found == pytest.approx(kernel.weight_scale**2 / 3 / kernel.omega**2 * own)


@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.parametrize("extra", [{}, {"weight_scale": math.sqrt(3)}, {"bias_scale": 0.5}])
def test_the_covariance_has_the_spectrum_of_uniform_phases(layers, inputs, extra):
    points, alpha = 96, 1.5
    kernel = SineKernel(layers=layers, inputs=inputs, alpha=alpha, **extra)
    x = -1 + 2 * np.arange(points) / points
    differences = np.zeros((points, points, inputs))
    differences[..., 0] = x[:, None] - x
    last = kernel.weight_scale**2 / 3 / kernel.omega**2
    covariance = kernel.covariance(differences) / last
    waves = np.exp(-2j * np.pi * np.outer(np.arange(points), np.arange(points)) / points)
    power = np.einsum("ki,ij,kj->k", waves, covariance, waves.conj()).real / points**2
    power = power[: points // 2 + 1]
    power[1:-1] *= 2
    if "weight_scale" in extra:  # there it is the whole scale, alpha included
        extra = {"weight_scale": alpha * extra["weight_scale"]}
    expected = sine_spectrum(
        points, layers=layers, alpha=alpha, inputs=inputs, phase=math.pi, window="none", **extra
    )
    np.testing.assert_allclose(power, expected, rtol=1e-6, atol=1e-12)


def test_it_decays_faster_with_alpha_omega_0_and_depth():
    step = np.array([[0.05, 0.0]])
    kernels = [
        SineKernel(layers=3, inputs=2),
        SineKernel(layers=5, inputs=2),
        SineKernel(layers=5, inputs=2, alpha=1.5),
        SineKernel(layers=5, inputs=2, alpha=1.5, omega_0=60.0),
    ]
    levels = [float(kernel.tangent(step)[0]) for kernel in kernels]
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("layers", [1, 4, 199, 255])
@pytest.mark.parametrize("alpha", [1e-30, 1e-3, 1.0, 4.0, 100.0, 1e30])
def test_no_alpha_and_no_depth_is_too_large_for_float64(layers, alpha):
    kernel = SineKernel(layers=layers, inputs=1, alpha=alpha, width=16384, bias_scale=0.135)
    covariance, tangent = kernel.both(np.linspace(0, 1, 50)[:, None])
    assert np.isfinite(covariance).all()
    assert tangent[0] == pytest.approx(1, rel=1e-9)
    assert np.abs(tangent).max() <= 1 + 1e-9


@pytest.mark.parametrize("layers", [1, 2, 5, 40])
@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_the_tangent_is_the_sum_of_its_parts(layers, alpha):
    kernel = SineKernel(layers=layers, inputs=2, alpha=alpha, bias_scale=0.3)
    steps = np.array([[0.0, 0.0], [0.01, 0.0], [0.2, 0.1]])
    parts = kernel._parts(kernel._moments(steps))
    whole = sum(math.sqrt(count / part[0]) * part for part, count in parts)
    np.testing.assert_allclose(kernel.tangent(steps), whole / whole[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers"),
        ({"inputs": 0}, "inputs"),
        ({"width": 0.5}, "width"),
        ({"omega_0": -1.0}, "omega_0"),
        ({"omega": 0.0}, "omega"),
        ({"alpha": math.nan}, "alpha"),
        ({"weight_scale": 0.0}, "weight_scale"),
        ({"bias_scale": -0.1}, "bias_scale"),
        ({"distribution": "cauchy"}, "distribution must be one of uniform, normal"),
    ],
)
def test_errors(options, message):
    with pytest.raises(OptionError, match=message):
        SineKernel(**{"layers": 2, "inputs": 1, **options})


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_differences_have_the_inputs_last(shape):
    with pytest.raises(OptionError, match=r"differences must have the shape \(\.\.\., 2\)"):
        SineKernel(layers=2, inputs=2).covariance(np.zeros(shape))
