"""The edge of chaos against closed forms, and against its own definition by iteration."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import expit

from firstlight.errors import OptionError
from firstlight.theory import edge_of_chaos

# The trapezoidal rule, which is all a smooth function under a Gaussian needs.
NODES = np.linspace(-9, 9, 4001)
WEIGHTS = np.exp(-0.5 * NODES**2)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

SMOOTH = {
    "tanh": (np.tanh, lambda h: np.cosh(h) ** -2.0),
    "silu": (
        lambda h: h * expit(h),
        lambda h: expit(h) * (1 + h * expit(-h)),
    ),
}


def expectation(f, q):
    return float(WEIGHTS @ f(math.sqrt(q) * NODES))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("linear", 1),
        ("tanh", 1),
        ("sin", 1),
        ("hardtanh", 1),
        ("softsign", 1),
        ("erf", math.pi / 4),
        ("relu", 2),
        ("leaky_relu", 2 / (1 + 0.01**2)),
        ("selu", 2 / 1.0507009873554805**2 / (1 + 1.6732632423543772**2)),
        (lambda x: torch.tanh(3 * x), 1 / 9),
        (torch.nn.Tanh(), 1),
    ],
)
def test_without_biases(activation, expected):
    assert edge_of_chaos(activation) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("bias_variance", [1e-4, 0.01, 0.05, 0.5, 2.0])
def test_closed_forms(bias_variance):
    # sin: E f^2 = (1 - e^-2q)/2 and E f'^2 = (1 + e^-2q)/2; erf: the arcsine kernel
    q = brentq(lambda q: q - math.tanh(q) - bias_variance, 1e-9, 100, xtol=1e-14)
    assert edge_of_chaos("sin", bias_variance) == pytest.approx(2 / (1 + math.exp(-2 * q)))

    def erf_weights(q):
        return math.pi / 4 * math.sqrt(1 + 4 * q)

    def erf_excess(q):
        squares = 2 / math.pi * math.asin(2 * q / (1 + 2 * q))
        return q - erf_weights(q) * squares - bias_variance

    expected = erf_weights(brentq(erf_excess, 1e-9, 100, xtol=1e-14))
    assert edge_of_chaos("erf", bias_variance) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "bias_variance"), [("tanh", 0.05), ("tanh", 1.0), ("silu", 1.0), ("silu", 3.0)]
)
@pytest.mark.parametrize("start", [0.3, 20.0])
def test_variance_settles_where_distances_stand_still(name, bias_variance, start):
    f, slope = SMOOTH[name]
    weights = edge_of_chaos(name, bias_variance)
    q = start
    for _ in range(3000):
        q = weights * expectation(lambda h: f(h) ** 2, q) + bias_variance
    chi = weights * expectation(lambda h: slope(h) ** 2, q)
    assert chi == pytest.approx(1, abs=1e-5)


def test_known_point_of_tanh():
    assert edge_of_chaos("tanh", 0.05) == pytest.approx(1.76, abs=0.002)


@pytest.mark.parametrize(
    ("activation", "bias_variance", "message"),
    [
        ("relu", 0.1, "no edge of chaos"),
        ("gelu", 0.0, r"from a bias variance of about 0\.2"),
        ("silu", 0.0, "no edge of chaos"),
        ("softplus", 0.0, "no edge of chaos"),
        (torch.sign, 0.0, "flat"),
        ("tanh", -0.1, "bias_variance"),
        ("tanh", math.nan, "bias_variance"),
        ("than", 0.0, "must be one of"),
    ],
)
def test_errors(activation, bias_variance, message):
    with pytest.raises(OptionError, match=message):
        edge_of_chaos(activation, bias_variance)


@pytest.mark.parametrize("bias_variance", [0.0, 0.1, 1.0])
def test_rows_of_sum_zero(bias_variance):
    # ReLU: Var f = q (1 - 1 / pi) / 2 < q E f'^2 = q / 2, so biases give it a fixed point
    assert edge_of_chaos("relu", bias_variance, zero_sum=True) == pytest.approx(2.0)
    # odd activations have no mean to lose
    expected = edge_of_chaos("tanh", bias_variance)
    assert edge_of_chaos("tanh", bias_variance, zero_sum=True) == pytest.approx(expected)
    shifted = edge_of_chaos(lambda h: torch.tanh(h) + 3, bias_variance, zero_sum=True)
    assert shifted == pytest.approx(expected)


def test_variance_of_rows_of_sum_zero_settles():
    f, slope = SMOOTH["silu"]
    weights, q = edge_of_chaos("silu", 1.0, zero_sum=True), 5.0
    for _ in range(500):
        mean = expectation(f, q)
        q = weights * expectation(lambda h, mean=mean: (f(h) - mean) ** 2, q) + 1.0
    assert weights * expectation(lambda h: slope(h) ** 2, q) == pytest.approx(1, abs=1e-6)


def test_hint_holds():
    assert edge_of_chaos("gelu", 0.25) == pytest.approx(2, abs=0.1)
