"""Expectations over two Gaussians against closed forms and integrals in another order."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from firstlight.errors import OptionError
from firstlight.theory import ACTIVATIONS, gaussian_expectation, pair_expectation
from firstlight.theory.activations import derivative, elementwise

correlations = st.floats(-1, 1) | st.floats(-17, -1).map(lambda e: 1 - 10**e)
variances = st.floats(-4, 2).map(lambda e: 10**e)


def expectation(*arguments):
    return pair_expectation.pair_expectation(*arguments)


@settings(max_examples=40)
@given(correlations, variances)
@example(1.0, 1.0)
@example(-1.0, 1.0)
@example(0.0, 30.0)
def test_closed_forms(c, q):
    angle = math.acos(c)
    relu = q / (2 * math.pi) * (math.sin(angle) + (math.pi - angle) * c)
    assert expectation(torch.relu, c, q) == pytest.approx(relu, abs=1e-13 * q)
    step = (math.pi - angle) / (2 * math.pi)
    assert expectation(lambda h: (h > 0).double(), c, q) == pytest.approx(step, abs=1e-12)
    sine = (math.exp(-q * (1 - c)) - math.exp(-q * (1 + c))) / 2
    assert expectation(torch.sin, c, q) == pytest.approx(sine, abs=1e-12)
    erf = 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q))
    assert expectation(torch.erf, c, q) == pytest.approx(erf, abs=1e-12)
    cube = 9 * c + 6 * c**3
    assert expectation(lambda h: h**3, c, q) == pytest.approx(cube * q**3, abs=1e-11 * q**3)


@pytest.mark.parametrize("c", [-0.9, -0.2, 0.5, 0.99, 1 - 1e-7])
@pytest.mark.parametrize("k", [0.0, 0.37, -1.234])
def test_kinks_anywhere(c, k):
    spread = math.sqrt(1 - c * c)

    def inner(x):  # E[relu(v - k) | u = x], v ~ N(c x, 1 - c^2)
        m = c * x - k
        return m * norm.cdf(m / spread) + spread * norm.pdf(m / spread)

    def outer(x):
        return (x - k) * inner(x) * norm.pdf(x)

    near = sorted({k, *np.clip([k / c - 9 * spread, k / c, k / c + 9 * spread], k, 9.0)})
    expected, _ = quad(outer, k, 9, points=near[1:-1], epsabs=1e-13, epsrel=1e-12, limit=500)
    assert expectation(lambda h: torch.relu(h - k), c) == pytest.approx(expected, abs=1e-11)
    assert expectation(lambda h: (h > k).double(), c) == pytest.approx(corner(k, c), abs=1e-10)


def corner(k, c):
    """P(u > k, v > k) for standard normal u and v of correlation c."""
    spread = math.sqrt(1 - c * c)
    near = [place for place in (k / c - 9 * spread, k / c, k / c + 9 * spread) if k < place < k + 2]
    with mp.workdps(20):
        tail = mp.quad(
            lambda x: mp.npdf(x) * mp.ncdf((c * x - k) / spread), [k, *near, 2 + k, 9 + k]
        )
    return float(tail)


@pytest.mark.parametrize("sharp", [3.0, 30.0, 3000.0])
@pytest.mark.parametrize("place", [0.123, 0.77, -1.456])
@pytest.mark.parametrize("c", [0.5, 0.999])
def test_sharp_features_anywhere(sharp, place, c):
    # erf(k (h - s)) is 2 P(h + e > s) - 1 for a normal e of variance 1 / (2 k^2)
    q = 9.0
    total = q + 0.5 / sharp**2
    both = [corner(place / math.sqrt(total), shared * q / total) for shared in (1, c)]
    got = pair_expectation.separation(lambda h: torch.erf(sharp * (h - place)), c, q)
    assert got == pytest.approx(4 * (both[0] - both[1]), abs=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("q", [0.01, 1.3, 300.0])
def test_independent_inputs_give_a_product(name, q):
    for f in (elementwise(name), derivative(elementwise(name))):
        size = gaussian_expectation(lambda h, f=f: f(h) ** 2, q)
        mean = gaussian_expectation(f, q)
        assert expectation(f, 0.0, q) == pytest.approx(mean**2, abs=1e-11 * size)


@pytest.mark.parametrize(
    "f",
    [
        lambda h: torch.relu(h - 0.37) + 2 * torch.relu(-h - 1.234) + (h > 0.777).double(),
        torch.floor,
        lambda h: torch.tanh(300 * h),
        lambda h: torch.tanh(20 * (h - 0.123)),
        lambda h: torch.sin(8 * h),
    ],
)
@pytest.mark.parametrize("q", [0.02, 1.0])
def test_functions_with_features_that_nobody_names(f, q):
    size = gaussian_expectation(lambda h: f(h) ** 2, q)
    mean = gaussian_expectation(f, q)
    assert expectation(f, 0.0, q) == pytest.approx(mean**2, abs=1e-11 * size)
    for c in (0.7,):  # C(c) + C(-c) is even part alone, by another path through the code
        even = expectation(lambda h: (f(h) + f(-h)) / 2, c, q)
        both = (expectation(f, c, q) + expectation(f, -c, q)) / 2
        assert both == pytest.approx(even, abs=1e-10 * size)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
def test_digits_next_to_one(gap):
    c = 1 - gap
    gap = 1 - c
    with mp.workdps(30):
        angle = mp.acos(1 - mp.mpf(gap))
        relu = (1 - (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / mp.pi) / 2
        sine = mp.exp(-1) * (mp.sinh(1) - mp.sinh(1 - mp.mpf(gap)))
    got = pair_expectation.separation(torch.relu, c)
    assert got == pytest.approx(float(relu), rel=1e-12 + 1e-16 / gap)
    assert pair_expectation.separation(torch.sin, c) == pytest.approx(
        float(sine), rel=1e-12 + 1e-16 / gap
    )


@pytest.mark.parametrize("q", [1e-12, 1e-4, 0.5])
@pytest.mark.parametrize("c", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_covariance_by_slopes(c, q):
    got = pair_expectation.covariance_by_slopes(lambda h: -torch.sin(h), c, q)
    cosine = math.exp(-q) * 2 * math.sinh(q * c / 2) ** 2  # exp(-q) (cosh(q c) - 1)
    assert got == pytest.approx(cosine, rel=1e-8)
    relu = q / (2 * math.pi) * (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c - 1)
    got = pair_expectation.covariance_by_slopes(lambda h: (h > 0).double(), c, q)
    assert got == pytest.approx(relu, abs=1e-12 * q)


@pytest.mark.parametrize(
    ("f", "c", "q", "message"),
    [
        (torch.tanh, 1.1, 1.0, "correlation"),
        (torch.tanh, math.nan, 1.0, "correlation"),
        (torch.tanh, 0.5, 0.0, "variance"),
        (torch.log, 0.5, 1.0, "not finite"),
        (lambda h: torch.sin(1e4 * h), 0.5, 1.0, "oscillates"),
    ],
)
def test_errors(f, c, q, message):
    with pytest.raises(OptionError, match=message):
        expectation(f, c, q)
