"""sigma_z to 1e-10 against arbitrary precision, from one layer to a million, for any rate."""

import math

import mpmath as mp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.theory import log_negative_rate, noise_scale

DEPTHS = [1, 2, 10, 13, 100, 10**3, 10**4, 10**5, 10**6]
RATES = [1e-300, 1e-100, 1e-20, 1e-8, 0.01, 0.1, 0.4, 0.499]
OMEGAS = [1.0, math.sqrt(math.pi) / 2, 1e-4, 37.5]


def sigma(depth, omega, log_rate, near):
    """-omega / Phi^-1(q), q = (1 - (1 - 2p)^(1/depth)) / 2, with 50 digits of log q."""
    with mp.workdps(50):
        # 1 - 2p has as many digits as p has zeros, and log1p has no need of them
        q = -mp.expm1(mp.log1p(-2 * mp.exp(log_rate)) / depth) / 2
        target = mp.log(q)
        t = mp.findroot(lambda t: mp.log(mp.erfc(t / mp.sqrt(2)) / 2) - target, omega / near)
        assert abs(mp.log(mp.erfc(t / mp.sqrt(2)) / 2) - target) < mp.mpf(10) ** -40
        return float(omega / t)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("rate", RATES)
def test_given_rates(depth, rate):
    found = noise_scale(depth, 1.0, rate)
    with mp.workdps(50):
        log_rate = mp.log(mp.mpf(rate))
    assert found == pytest.approx(sigma(depth, 1.0, log_rate, found), rel=1e-10)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("omega", OMEGAS)
def test_the_depth_s_own_rate_and_other_gains(depth, omega):
    found = noise_scale(depth, omega)
    with mp.workdps(50):
        log_rate = min(mp.log(mp.mpf("0.4")), mp.log(mp.mpf("2.05")) - mp.mpf("0.133") * depth)
    assert float(log_rate) == pytest.approx(log_negative_rate(depth), rel=1e-13)
    assert found == pytest.approx(sigma(depth, omega, log_rate, found), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**6), st.floats(-300, math.log10(0.499)), st.floats(-3, 3))
def test_anywhere_between(depth, exponent, log_omega):
    rate, omega = 10**exponent, 10**log_omega
    found = noise_scale(depth, omega, rate)
    with mp.workdps(50):
        log_rate = mp.log(mp.mpf(rate))
    assert found == pytest.approx(sigma(depth, omega, log_rate, found), rel=1e-10)


@pytest.mark.parametrize("rate", [0.5, 0.75, 1, 0, 0.0, -1e-300, -0.1, math.nan, math.inf, "0.1"])
def test_rates_out_of_range(rate):
    with pytest.raises(OptionError, match="negative_rate") as caught:
        noise_scale(10, 1.0, rate)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("depth", [0, -1, 2.5, math.nan, "10", None, 10**10])
def test_depths_out_of_range(depth):
    with pytest.raises(OptionError, match="depth") as caught:
        noise_scale(depth, 1.0)
    assert "\n" not in str(caught.value)
