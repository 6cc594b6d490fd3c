"""Gains against closed forms and arbitrary-precision quadrature."""

import math

import mpmath as mp
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from firstlight.errors import OptionError
from firstlight.theory import ACTIVATIONS, gain

_SELU = (mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717"))


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def _clip(x, low, high):
    return max(low, min(high, x))


#: Each activation written out a second time, from its definition.
DEFINITIONS = {
    "linear": lambda x: x,
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: _clip(x, 0, 6),
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "celu": lambda x: x if x > 0 else mp.expm1(x),
    "selu": lambda x: _SELU[0] * (x if x > 0 else _SELU[1] * mp.expm1(x)),
    "gelu": lambda x: x * mp.ncdf(x),
    "gelu_tanh": lambda x: (
        x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)))
    ),
    "silu": lambda x: x * _sigmoid(x),
    "swish": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "hardswish": lambda x: x * _clip(x + 3, 0, 6) / 6,
    "sigmoid": _sigmoid,
    "hardsigmoid": lambda x: _clip(x + 3, 0, 6) / 6,
    "tanh": mp.tanh,
    "hardtanh": lambda x: _clip(x, -1, 1),
    "softsign": lambda x: x / (1 + abs(x)),
    "sin": mp.sin,
    "erf": mp.erf,
    "arctan": lambda x: 2 / mp.pi * mp.atan(mp.pi * x / 2),
    "gudermannian": lambda x: mp.asin(mp.tanh(x)),
    "algebraic": lambda x: x / mp.sqrt(1 + x * x),
}


def moments(f):
    """E[f(z)] and E[f(z)^2] by quadrature with 20 digits."""
    panels = [-12, -6, -3, -1, 0, 1, 3, 6, 12]
    with mp.workdps(20):
        mean = mp.quad(lambda z: f(z) * mp.npdf(z), panels, maxdegree=5)
        return mean, mp.quad(lambda z: f(z) ** 2 * mp.npdf(z), panels, maxdegree=5)


def test_every_name_is_checked():
    assert set(DEFINITIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_against_high_precision(name):
    mean, second_moment = moments(DEFINITIONS[name])
    assert gain(name) == pytest.approx(float(1 / mp.sqrt(second_moment)), rel=1e-9)
    zero_sum = float(1 / mp.sqrt(second_moment - mean**2))
    assert gain(name, zero_sum=True) == pytest.approx(zero_sum, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", math.sqrt(2)),
        ("leaky_relu", math.sqrt(2 / (1 + 0.01**2))),
        ("sin", 1 / math.sqrt(-math.expm1(-2) / 2)),
        ("erf", 1 / math.sqrt(2 / math.pi * math.asin(2 / 3))),
        ("selu", 1.0),
        ("tanh", 1.5925374),
        ("gelu", 1.5335304),
        ("silu", 1.6765325),
    ],
)
def test_known_constants(name, expected):
    assert gain(name) == pytest.approx(expected, rel=1e-6)


def test_zero_sum_rows_do_not_pass_the_mean():
    assert gain("relu", zero_sum=True) == pytest.approx(1 / math.sqrt(0.5 - 0.5 / math.pi))
    shifted = gain(lambda x: torch.tanh(x) + 5, zero_sum=True)
    assert shifted == pytest.approx(gain("tanh"), rel=1e-9)


@given(st.floats(0.01, 100), st.floats(0.0, 1.0))
def test_scale_and_slope(scale, slope):
    expected = math.sqrt(2 / (1 + slope**2)) / scale
    got = gain(lambda x: scale * torch.where(x > 0, x, slope * x))
    assert got == pytest.approx(expected, rel=1e-9)


def test_modules_are_left_as_they_were():
    prelu = nn.PReLU(init=0.5)
    assert gain(prelu) == pytest.approx(math.sqrt(2 / 1.25), rel=1e-7)
    assert prelu.weight.dtype == torch.float32
    assert prelu.training
    assert gain(nn.ReLU(inplace=True)) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("rleu", "must be one of linear, .*got 'rleu'"),
        (3, "name or a callable"),
        (torch.ones_like, "constant"),
        (torch.zeros_like, "constant"),
        (torch.log, "not finite"),
        (lambda x: torch.exp(x * x), "grows or oscillates"),
        (lambda x: torch.softmax(x, 0), "each element alone"),
        (torch.rand_like, "each element alone"),
        (nn.GLU(), "cannot be evaluated"),
        (nn.PReLU(3), "cannot be evaluated"),
        (nn.ReLU, "cannot be evaluated"),
    ],
)
def test_errors(activation, message):
    with pytest.raises(OptionError, match=message):
        gain(activation)
