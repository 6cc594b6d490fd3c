"""The arcsine law against SciPy's, sampled sines, and sinusoidal weights."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import arcsine, kurtosis

from firstlight.errors import OptionError
from firstlight.init import sinusoidal_
from firstlight.theory import ArcsineLaw

amplitudes = st.floats(-3, 3).map(lambda e: 10**e)


@given(amplitudes, st.floats(-1.2, 1.2))
def test_against_scipy(a, place):
    law, same = ArcsineLaw(a), arcsine(loc=-a, scale=2 * a)
    if abs(place) < 0.999999 or abs(place) > 1:
        assert law.density(place * a) == pytest.approx(same.pdf(place * a), rel=1e-9)
    assert law.cdf(place * a) == pytest.approx(same.cdf(place * a), abs=1e-7)
    assert law.variance == pytest.approx(same.var())
    assert law.kurtosis == pytest.approx(3 + same.stats("k"))
    assert law.entropy == pytest.approx(same.entropy())
    assert ArcsineLaw.of_variance(law.variance).amplitude == pytest.approx(a)


@given(amplitudes, st.floats(0, 1))
def test_quantile_inverts(a, p):
    law = ArcsineLaw(a)
    assert law.cdf(law.quantile(p)) == pytest.approx(p, abs=1e-8)


def test_the_ends():
    law = ArcsineLaw(2.0)
    assert [law.density(x) for x in (-2.0, 2.0, -2.1, 2.1)] == [math.inf, math.inf, 0.0, 0.0]
    assert [law.cdf(x) for x in (-3.0, -2.0, 0.0, 2.0, 3.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [law.quantile(p) for p in (0.0, 0.5, 1.0)] == [-2.0, 0.0, 2.0]


def test_kinds_of_values():
    law, places = ArcsineLaw(2.0), [[0.5, -1.0], [1.5, 0.0]]
    got = law.cdf(torch.tensor(places, dtype=torch.float16))
    assert got.dtype == torch.float64
    np.testing.assert_allclose(got.numpy(), law.cdf(np.array(places)))
    assert type(law.cdf(1)) is float
    assert law.cdf(1) == pytest.approx(2 / 3)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000, 10**6])
def test_expected_maximum(n):
    with mp.workdps(30):
        panels = [*mp.linspace(0, min(1, mp.mpf(60) / n), 9), *([1] if n > 60 else [])]
        gap = mp.pi * mp.quad(lambda v: (1 - v) ** n * mp.sin(mp.pi * v), panels)
    assert 1 - ArcsineLaw(1.0).expected_maximum(n) == pytest.approx(float(gap), abs=3e-16)
    assert ArcsineLaw(3.0).expected_maximum(n) == pytest.approx(3 * float(1 - gap), rel=1e-14)


def test_simulated_sines():
    rng = np.random.default_rng(0)
    x = 0.3 * np.sin(rng.uniform(0, 2 * np.pi, (20_000, 8)))
    law = ArcsineLaw(0.3)
    assert x.max(1).mean() == pytest.approx(law.expected_maximum(8), abs=5e-4)
    assert x.var() == pytest.approx(law.variance, rel=0.01)
    assert np.abs(x).mean() == pytest.approx(law.mean_absolute, rel=0.01)
    assert kurtosis(x.ravel(), fisher=False) == pytest.approx(law.kurtosis, rel=0.01)
    counts, edges = np.histogram(x, bins=12, range=(-0.36, 0.36))
    np.testing.assert_allclose(counts / x.size, law.shares(edges), atol=0.004)


def test_sinusoidal_weights_follow_it():
    weight = sinusoidal_(torch.empty(128, 576)).double().numpy()
    law = ArcsineLaw.of_variance(weight.var())
    counts, edges = np.histogram(weight, bins=20, range=(-law.amplitude, law.amplitude))
    np.testing.assert_allclose(counts / weight.size, law.shares(edges), atol=0.01)
    assert weight.max() == pytest.approx(law.amplitude, rel=1e-6)


def test_shares_of_everything():
    law = ArcsineLaw(0.7)
    assert law.shares([-1, 1]).tolist() == [1.0]
    assert law.shares(np.linspace(-0.7, 0.7, 51)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ArcsineLaw(0.0), "amplitude"),
        (lambda: ArcsineLaw.of_variance(-1.0), "variance"),
        (lambda: ArcsineLaw().quantile(1.1), "p must lie"),
        (lambda: ArcsineLaw().quantile(math.nan), "p must lie"),
        (lambda: ArcsineLaw().shares([1.0, 0.0]), "ascending"),
        (lambda: ArcsineLaw().shares([1.0]), "ascending"),
        (lambda: ArcsineLaw().expected_maximum(0), "draws"),
        (lambda: ArcsineLaw().cdf("zero"), "a number, an array or a tensor"),
    ],
)
def test_errors(call, message):
    with pytest.raises(OptionError, match=message):
        call()
