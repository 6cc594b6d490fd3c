"""Noise scale and critical gain against arbitrary precision and the published values."""

import math

import mpmath as mp
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.theory import critical_gain, log_negative_rate, negative_rate, noise_scale

PUBLISHED = {10: 0.692, 20: 0.418, 50: 0.258, 100: 0.185, 200: 0.133, 1000: 0.0608, 10000: 0.0194}


def log_rate_of_a_product(depth, omega, sigma):
    """Log probability that ``depth`` factors N(omega, sigma^2) have a negative product."""
    with mp.workdps(50):
        q = mp.erfc(mp.mpf(omega) / sigma / mp.sqrt(2)) / 2
        return mp.log(-mp.expm1(depth * mp.log1p(-2 * q)) / 2)


@pytest.mark.parametrize(("depth", "expected"), PUBLISHED.items())
def test_published_values(depth, expected):
    digits = 3 if depth < 1000 else 4
    assert round(noise_scale(depth, 1.0), digits) == pytest.approx(expected, abs=1.01e-3 / 2)


@given(st.integers(1, 10**6), st.floats(0.1, 10))
@example(1, 1.0)
@example(10**6, 1.0)
def test_noise_gives_the_target_rate(depth, omega):
    sigma = noise_scale(depth, omega)
    assert float(log_rate_of_a_product(depth, omega, sigma)) == pytest.approx(
        log_negative_rate(depth), rel=1e-11
    )


@given(st.integers(1, 10**6), st.floats(-300, -0.302))
@example(100, math.log10(math.exp(-40)))
def test_noise_gives_any_rate(depth, exponent):
    p = 10**exponent
    sigma = noise_scale(depth, 1.0, p)
    expected = pytest.approx(math.log(p), rel=1e-11, abs=1e-11)
    assert float(log_rate_of_a_product(depth, 1.0, sigma)) == expected


@given(st.integers(1, 6000))
def test_negative_rate(depth):
    assert negative_rate(depth) == pytest.approx(min(0.4, 2.05 * math.exp(-0.133 * depth)))
    assert negative_rate(depth) == math.exp(log_negative_rate(depth))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", 1),
        ("erf", math.sqrt(math.pi) / 2),
        ("arctan", 1),
        ("softsign", 1),
        ("algebraic", 1),
        ("gudermannian", 1),
        (lambda x: torch.tanh(4 * x), 0.25),
        (torch.nn.Tanh(), 1),
    ],
)
def test_critical_gain(activation, expected):
    assert critical_gain(activation) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("relu", "not odd"),
        ("sigmoid", "not odd"),
        ("gelu", "not odd"),
        (torch.nn.functional.tanhshrink, "slope above 0"),
        (lambda x: -torch.tanh(x), "slope above 0"),
        (lambda x: torch.from_numpy(x.detach().numpy().copy()), "cannot be differentiated"),
        ("tahn", "must be one of"),
    ],
)
def test_critical_gain_errors(activation, message):
    with pytest.raises(OptionError, match=message):
        critical_gain(activation)


@pytest.mark.parametrize("depth", [0, -3, 2.5, "10", None])
def test_bad_depth(depth):
    for function in (negative_rate, log_negative_rate, lambda d: noise_scale(d, 1.0)):
        with pytest.raises(OptionError, match="depth"):
            function(depth)


@pytest.mark.parametrize("rate", [0.0, 0.5, -0.1, 1.0, math.nan])
def test_bad_rate(rate):
    with pytest.raises(OptionError, match="negative_rate"):
        noise_scale(10, 1.0, rate)


@pytest.mark.parametrize("omega", [0.0, -1.0, math.inf, math.nan])
def test_bad_omega(omega):
    with pytest.raises(OptionError, match="omega"):
        noise_scale(10, omega)
