"""Gaussian expectations against closed forms, wherever the kink or step lies."""

import math

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import norm

from firstlight.errors import OptionError
from firstlight.theory import gaussian_expectation

places = st.floats(-4, 4) | st.floats(-0.01, 0.01)
variances = st.floats(-6, 2).map(lambda exponent: 10**exponent)


@given(places)
def test_kink_anywhere(k):
    expected = (1 + k * k) * norm.sf(k) - k * norm.pdf(k)
    got = gaussian_expectation(lambda z: torch.relu(z - k) ** 2)
    assert got == pytest.approx(expected, rel=1e-8, abs=1e-12)


@given(places)
@example(1e-9)
@example(1 + 1e-7)
def test_step_anywhere(k):
    got = gaussian_expectation(lambda z: (z > k).double())
    assert got == pytest.approx(norm.sf(k), rel=1e-9, abs=1e-10)


@given(places, st.floats(-3, 3), st.floats(-2, 2))
def test_corner_anywhere(k, above, below):
    # (a relu(z - k) + b relu(k - z) + 1)^2, whose slope jumps at k by 2 (a + b)
    def corner(z):
        return (above * torch.relu(z - k) + below * torch.relu(k - z) + 1) ** 2

    def one_side(slope, k):
        tail = norm.sf(k)
        return (
            slope**2 * ((1 + k * k) * tail - k * norm.pdf(k))
            + 2 * slope * (norm.pdf(k) - k * tail)
            + tail
        )

    expected = one_side(above, k) + one_side(below, -k)
    assert gaussian_expectation(corner) == pytest.approx(expected, rel=1e-9)


@given(variances)
def test_variance_of_the_input(q):
    got = gaussian_expectation(lambda h: torch.sin(h) ** 2, q)
    assert got == pytest.approx(-math.expm1(-2 * q) / 2, rel=1e-9)


@given(st.integers(0, 8), variances)
def test_moments(k, q):
    moment = 0.0 if k % 2 else math.prod(range(1, k, 2)) * q ** (k / 2)
    got = gaussian_expectation(lambda h: h**k, q)
    assert got == pytest.approx(moment, rel=1e-9, abs=1e-11 * (8 * q) ** (k / 2))


def test_fast_oscillation():
    assert gaussian_expectation(lambda z: torch.cos(1000 * z) ** 2) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize("variance", [0.0, -1.0, math.inf, math.nan])
def test_bad_variance(variance):
    with pytest.raises(OptionError, match="variance"):
        gaussian_expectation(torch.square, variance)


@pytest.mark.parametrize(
    "f", [lambda z: torch.exp(z * z), lambda z: torch.exp(0.499 * z * z), torch.log]
)
def test_no_finite_expectation(f):
    with pytest.raises(OptionError, match=r"converge|not finite"):
        gaussian_expectation(f)
