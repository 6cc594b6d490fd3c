"""Noise scales and flip probabilities against arbitrary precision and the published values."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.theory import (
    flip_probability,
    log_flip_probability,
    log_negative_rate,
    negative_rate,
    noise_scale,
)

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


@given(st.integers(1, 10**6), st.floats(0.1, 10), st.floats(-2, 2).map(lambda e: 10**e))
@example(10**6, 1.0, 0.01)
@example(1, 1.0, 100.0)
def test_flip_probability_against_arbitrary_precision(depth, omega, sigma):
    expected = log_rate_of_a_product(depth, omega, sigma)
    got = log_flip_probability(depth, omega, sigma)
    assert got == pytest.approx(float(expected), rel=1e-13, abs=1e-12)
    assert flip_probability(depth, omega, sigma) == pytest.approx(
        float(mp.exp(expected)), rel=1e-11, abs=1e-300
    )


@given(st.integers(1, 10**6), st.floats(-300, math.log10(0.499)), st.floats(0.1, 10))
@example(1, -300.0, 1.0)
@example(10**6, -300.0, 1.0)
@example(10**6, math.log10(0.499), 1.0)
def test_the_noise_scale_is_its_inverse(depth, exponent, omega):
    p = 10**exponent
    back = flip_probability(depth, omega, noise_scale(depth, omega, p))
    assert back == pytest.approx(p, rel=1e-11)


@pytest.mark.parametrize("log_q", [-99.9, -100.1])
@pytest.mark.parametrize("depth", [1, 10**9])
def test_both_ways_to_tiny_probabilities_meet(depth, log_q):
    with mp.workdps(40):
        sigma = float(1 / mp.findroot(lambda t: mp.log(mp.erfc(t / mp.sqrt(2)) / 2) - log_q, 14))
    expected = log_rate_of_a_product(depth, 1.0, sigma)
    assert log_flip_probability(depth, 1.0, sigma) == pytest.approx(float(expected), rel=1e-13)


def test_simulated_products():
    rng = np.random.default_rng(0)
    for depth, sigma in ((3, 0.8), (10, 0.6), (30, 0.4)):
        product = rng.normal(1.0, sigma, (100_000, depth)).prod(1)
        expected = flip_probability(depth, 1.0, sigma)
        assert (product < 0).mean() == pytest.approx(expected, abs=0.008)


def test_depth_of_a_million_underflows_to_zero():
    assert flip_probability(10**6, 1.0, 0.01) == 0.0
    assert log_flip_probability(10**6, 1.0, 0.01) == pytest.approx(-4991.708, abs=0.001)


@pytest.mark.parametrize(
    ("depth", "omega", "sigma", "message"),
    [(0, 1.0, 1.0, "depth"), (3, 0.0, 1.0, "omega"), (3, 1.0, 0.0, "noise_scale")],
)
def test_bad_flip(depth, omega, sigma, message):
    for function in (flip_probability, log_flip_probability):
        with pytest.raises(OptionError, match=message):
            function(depth, omega, sigma)
