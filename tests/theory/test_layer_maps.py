"""One layer's maps against closed forms, Hermite series and simulated wide layers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from firstlight.errors import OptionError
from firstlight.theory import MeanField, gain, squared_slope
from firstlight.theory.layer_maps import LayerMaps

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(180)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

SMOOTH = {
    "tanh": np.tanh,
    "sigmoid": expit,
    "silu": lambda h: h * expit(h),
    "softplus": lambda h: np.logaddexp(0, h),
}
SLOPES = {
    "tanh": lambda h: np.cosh(h) ** -2.0,
    "sigmoid": lambda h: expit(h) * expit(-h),
    "silu": lambda h: expit(h) * (1 + h * expit(-h)),
    "softplus": expit,
}


def hermite_coefficients(f, q, count=60):
    """Coefficients on normalised Hermite polynomials, by their recursion."""
    values = f(math.sqrt(q) * NODES)
    previous, current, result = np.zeros_like(NODES), np.ones_like(NODES), []
    for k in range(count):
        result.append(float(WEIGHTS @ (values * current)))
        following = (NODES * current - math.sqrt(k) * previous) / math.sqrt(k + 1)
        previous, current = current, following
    return np.array(result)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("zero_sum", [False, True])
@pytest.mark.parametrize("q", [0.05, 0.4])
def test_smooth_activations_against_hermite_series(name, zero_sum, q):
    layer = LayerMaps(name, 1.7, 0.3, zero_sum)
    power = hermite_coefficients(SMOOTH[name], q) ** 2
    slopes = hermite_coefficients(SLOPES[name], q) ** 2
    if zero_sum:
        power[0] = 0.0
    orders = np.arange(len(power))
    total = 1.7 * power.sum() + 0.3
    assert layer.variance(q) == pytest.approx(total, rel=1e-10)
    for c in (-1.0, -0.6, 0.0, 0.3, 0.9, 1.0):
        expected = (1.7 * (power @ c**orders) + 0.3) / total
        assert layer.correlation(c, q) == pytest.approx(expected, abs=1e-9)
        assert layer.chi(q, c) == pytest.approx(1.7 * (slopes @ c**orders), abs=1e-9)


@settings(max_examples=40)
@given(st.floats(-1, 1), st.floats(1e-6, 100), st.floats(0, 2))
def test_relu_in_closed_form(c, q, bias):
    angle = math.acos(c)
    product = q / (2 * math.pi) * (math.sin(angle) + (math.pi - angle) * c)
    layer = LayerMaps("relu", 1.6, bias)
    total = 0.8 * q + bias
    assert layer.variance(q) == pytest.approx(total)
    assert layer.correlation(c, q) == pytest.approx((1.6 * product + bias) / total, abs=1e-9)
    assert layer.chi(q, c) == pytest.approx(1.6 * (math.pi - angle) / (2 * math.pi), abs=1e-9)
    mean2 = q / (2 * math.pi)
    layer, total = LayerMaps("relu", 1.6, bias, zero_sum=True), 1.6 * (q / 2 - mean2) + bias
    assert layer.variance(q) == pytest.approx(total)
    expected = (1.6 * (product - mean2) + bias) / total
    assert layer.correlation(c, q) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("zero_sum", [False, True])
@pytest.mark.parametrize("name", ["tanh", "relu", "gelu", "hardswish"])
def test_simulated_wide_layers(name, zero_sum):
    """Two inputs through one random layer, with the slopes as autograd has them."""
    from firstlight.theory.activations import derivative, elementwise

    generator = torch.Generator().manual_seed(0)
    n, c, q = 600, 0.6, 1.4
    layer = LayerMaps(name, 1.8, 0.2, zero_sum)
    f, slope = elementwise(name), derivative(elementwise(name))
    even = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n) * math.sqrt(q)
    found = []
    for _ in range(8):
        u, v = (even[torch.randperm(n, generator=generator)] for _ in range(2))
        v = c * u + math.sqrt(1 - c * c) * v
        weight = torch.randn(1500, n, dtype=torch.float64, generator=generator)
        if zero_sum:
            weight -= weight.mean(1, keepdim=True)
        weight *= math.sqrt(1.8 / n)
        bias = torch.randn(1500, dtype=torch.float64, generator=generator) * math.sqrt(0.2)
        y, z = weight @ f(u) + bias, weight @ f(v) + bias
        back = weight.T @ torch.randn(1500, 20, dtype=torch.float64, generator=generator)
        gradients = [slope(h)[:, None] * back for h in (u, v)]
        grown, mixed = ((gradients[0] * g).sum() / 20 for g in gradients)
        found.append([float(part) / 1500 for part in (y @ y, y @ z, grown, mixed)])
    power, product, grown, mixed = np.mean(found, 0).tolist()
    assert power == pytest.approx(layer.variance(q), rel=0.06)
    assert product / power == pytest.approx(layer.correlation(c, q), abs=0.04)
    assert grown == pytest.approx(layer.chi(q), rel=0.04)
    assert mixed == pytest.approx(layer.chi(q, c), rel=0.04)


@pytest.mark.parametrize("name", ["relu", "elu", "gelu", "sigmoid"])
@pytest.mark.parametrize("zero_sum", [False, True])
@pytest.mark.parametrize("q", [0.001, 3.0])
def test_slope_of_the_correlation_map_is_chi(name, zero_sum, q):
    layer, step = LayerMaps(name, 1.3, 0.1, zero_sum), 1e-4
    for c in (-0.7, 0.0, 0.9):
        rise = layer.correlation(c + step, q) - layer.correlation(c - step, q)
        slope = layer.chi(q, c) * q / layer.variance(q)
        assert rise / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "relu"])
@pytest.mark.parametrize("zero_sum", [False, True])
def test_small_variances(name, zero_sum):
    """Down to 0 the map is what its slope at 0 says, f(0) or not."""
    layer = LayerMaps(name, 2.0, 0.0, zero_sum)
    f0 = 0.0 if zero_sum else 2.0 * layer._at_zero**2
    passed = layer.chi(0.0) * (1 - 1 / math.pi) if name == "relu" and zero_sum else layer.chi(0.0)
    for q in (1e-25, 1e-12, 1e-7):
        assert layer.variance(q) == pytest.approx(f0 + passed * q, rel=1e-5, abs=0)
        if f0 == 0 and name != "relu":
            assert [layer.correlation(c, q) for c in (-1, 0.3, 1)] == pytest.approx(
                [-1, 0.3, 1], abs=1e-5
            )
    assert layer.variance(0.0) == f0


def test_ends_are_exact():
    for name in ("tanh", "relu", "gelu", "hardswish"):
        assert LayerMaps(name, 1.5, 0.1).correlation(1.0, 2.0) == 1.0
        assert LayerMaps(name, 1.5, 0.1, zero_sum=True).correlation(1.0, 2.0) == 1.0
    assert LayerMaps("tanh", 1.5).correlation(-1.0, 2.0) == -1.0
    assert LayerMaps("tanh", 1.5).correlation(0.0, 2.0) == pytest.approx(0, abs=1e-15)
    assert LayerMaps(torch.nn.PReLU(), 1.5, zero_sum=True).variance(1e-5) > 0


@given(st.sampled_from(["relu", "gelu", "tanh", "selu"]), st.booleans())
def test_gain_keeps_the_variance(name, zero_sum):
    layer = LayerMaps(name, gain(name, zero_sum=zero_sum) ** 2, 0.0, zero_sum)
    assert layer.variance(1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("q", [0.0, 1e-9, 0.7, 50.0])
def test_squared_slope(q):
    assert squared_slope("relu", q) == pytest.approx(0.5)
    assert squared_slope("sin", q) == pytest.approx((1 + math.exp(-2 * q)) / 2)
    assert squared_slope("erf", q) == pytest.approx(4 / math.pi / math.sqrt(1 + 4 * q))
    assert squared_slope(torch.nn.Tanh(), q) == squared_slope("tanh", q)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("tahn", 1.0), "must be one of"),
        (("tanh", 0.0), "weight_variance"),
        (("tanh", 1.0, -0.1), "bias_variance"),
        ((torch.nn.GLU(), 1.0), "cannot be evaluated"),
    ],
)
def test_bad_options(options, message):
    for kind in (LayerMaps, MeanField):
        with pytest.raises(OptionError, match=message):
            kind(*options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.variance(-1.0), "q must be 0 or more"),
        (lambda m: m.correlation(1.5, 1.0), "correlation"),
        (lambda m: m.chi(1.0, -1.5), "correlation"),
        (lambda _: LayerMaps(torch.zeros_like, 1.0).correlation(0.5, 1.0), "no signal"),
        (lambda _: squared_slope("relu", -1.0), "variance"),
        (lambda _: squared_slope("rleu", 1.0), "must be one of"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(OptionError, match=message):
        call(LayerMaps("tanh", 1.0))
