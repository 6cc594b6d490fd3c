"""Sine networks: harmonics, variances and spectra against FFTs of simulated SIRENs."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.theory import (
    MeanField,
    sine,
    sine_gradient_factor,
    sine_harmonics,
    sine_spectrum,
    sine_variance,
)

SQRT6 = math.sqrt(6)


@given(st.floats(-60, 60), st.integers(-80, 80))
def test_harmonics_are_bessel_functions(amplitude, order):
    got = float(sine_harmonics(amplitude, order))
    assert got == pytest.approx(float(mp.besselj(order, amplitude)), rel=1e-9, abs=1e-14)


@given(st.floats(0, 25), st.floats(-4, 4))
def test_harmonics_are_fourier_coefficients(amplitude, phase):
    t = 2 * np.pi * np.arange(256) / 256
    wave = np.sin(amplitude * np.sin(t) + phase)
    orders = np.arange(-60, 61)
    series = sine_harmonics(amplitude, orders) @ np.sin(orders[:, None] * t + phase)
    np.testing.assert_allclose(series, wave, atol=1e-10)
    # harmonic k of a sine at every phase: J_k^2 in both signs together
    phases = 2 * np.pi * np.arange(8)[:, None] / 8
    waves = np.sin(amplitude * np.sin(t) + phases)
    power = 2 * (np.abs(np.fft.rfft(waves) / 256) ** 2).mean(0)
    expected = sine_harmonics(amplitude, [1, 2, 3, 20]) ** 2
    np.testing.assert_allclose(power[[1, 2, 3, 20]], expected, atol=1e-12)


@given(st.floats(0.1, 5), st.floats(0, 50), st.floats(0, 2))
def test_recursion_is_mean_field_theory_of_the_sine(scale, variance, bias):
    field = MeanField("sin", scale**2 / 3, bias**2)
    got = sine_variance(scale, variance, bias)
    assert got == pytest.approx(field.variance(variance), rel=1e-9, abs=1e-15)
    assert sine_gradient_factor(scale, variance) == pytest.approx(field.chi(variance), rel=1e-9)


def test_gradient_control_and_siren():
    assert sine_gradient_factor(math.sqrt(3), 0.0) == pytest.approx(1.0)
    variance = 1.0
    for _ in range(100):
        variance = sine_variance(SQRT6, variance)
    assert variance == pytest.approx(0.7968121300200199)  # s = 1 - exp(-2 s)
    # weight scaling by alpha multiplies gradients by nearly alpha^2 per layer
    assert sine_gradient_factor(2 * SQRT6, 8.0) == pytest.approx(4.0, rel=1e-6)


def siren(x, rng, *, layers, width, kappa, scale, phase=0.0, bias=0.0, last=64):
    """Activations of the last sine layer of one random network, shape (last, points)."""
    z = kappa * rng.uniform(-1, 1, (width, 1)) * x + rng.uniform(-phase, phase, (width, 1))
    for layer in range(1, layers):
        rows = last if layer == layers - 1 else width
        weight = rng.uniform(-1, 1, (rows, width)) * scale / math.sqrt(width)
        z = weight @ np.sin(z) + bias * rng.normal(size=(rows, 1))
    return np.sin(z)


def simulated_spectrum(points, networks, window, **options):
    turn = np.arange(points) / points
    rng = np.random.default_rng(0)
    waves = [siren(2 * turn - 1, rng, **options) for _ in range(networks)]
    weight = np.sqrt(2 / 3) * (1 - np.cos(2 * np.pi * turn)) if window == "hann" else 1.0
    power = np.abs(np.fft.rfft(np.array(waves) * weight) / points) ** 2
    power[..., 1 : (points + 1) // 2] *= 2
    return power.mean(1)  # per network


CASES = [
    {"layers": 1, "phase": math.pi},
    {"layers": 1, "window": "none"},
    {"layers": 2, "phase": math.pi},
    {"layers": 2, "alpha": 2.0},
    {"layers": 2, "inputs": 2, "weight_scale": math.sqrt(3), "bias_scale": 0.4, "window": "none"},
    {"layers": 3, "alpha": 1.5, "phase": 1.0},
    {"layers": 4, "omega": 10.0},
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("points", [128, 129])
def test_spectra_of_simulated_networks(case, points):
    expected = sine_spectrum(points, **case)
    alpha = case.get("alpha", 1.0)
    found = simulated_spectrum(
        points,
        networks=150,
        window=case.get("window", "hann"),
        layers=case["layers"],
        width=192,
        kappa=case.get("omega", 30.0) * alpha / case.get("inputs", 1),
        scale=case.get("weight_scale", alpha * SQRT6),
        phase=case.get("phase", 0.0),
        bias=case.get("bias_scale", 0.0),
    )
    assert expected.shape == (points // 2 + 1,)
    bands = [slice(0, 1), slice(1, 3), slice(3, 6), slice(6, 10), slice(10, 16), slice(16, 30)]
    for band in (*bands, slice(30, None)):
        got = found[:, band].sum(1)
        error = 4.5 * got.std() / math.sqrt(len(got))
        assert got.mean() == pytest.approx(expected[band].sum(), abs=error + 1e-6, rel=0.02)


def test_power_adds_up_to_the_mean_square():
    # at uniform phase every place has E sin^2 = (1 - exp(-2 s)) / 2
    s = 0.5 * 2
    expected = (1 - math.exp(-2 * s)) / 2
    for window in ("hann", "none"):
        power = sine_spectrum(200, layers=2, phase=math.pi, window=window)
        assert power.sum() == pytest.approx(expected)
        power = sine_spectrum(200, layers=1, phase=math.pi, window=window)
        assert power.sum() == pytest.approx(0.5)


def test_blocks_of_lags_give_the_same(monkeypatch):
    whole = sine_spectrum(100, layers=3)
    monkeypatch.setattr(sine, "_AT_ONCE", 700)
    np.testing.assert_allclose(sine_spectrum(100, layers=3), whole, rtol=1e-12)


def test_weight_scaling_raises_high_frequencies():
    shares = []
    for alpha in (1.0, 1.5, 2.5):
        power = sine_spectrum(512, layers=4, alpha=alpha)
        shares.append(power[30:].sum() / power.sum())
    assert shares[0] < 0.02 < 0.2 < shares[1] < shares[2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sine_spectrum(1), "points"),
        (lambda: sine_spectrum(20_000), "points"),
        (lambda: sine_spectrum(64, layers=0), "layers"),
        (lambda: sine_spectrum(64, omega=0.0), "omega"),
        (lambda: sine_spectrum(64, alpha=-1.0), "alpha"),
        (lambda: sine_spectrum(64, inputs=0), "inputs"),
        (lambda: sine_spectrum(64, phase=-1.0), "phase"),
        (lambda: sine_spectrum(64, window="han"), "must be one of none, hann"),
        (lambda: sine_harmonics(1.0, 0.5), "whole"),
        (lambda: sine_harmonics(math.nan, 1), "amplitude"),
        (lambda: sine_variance(0.0, 1.0), "weight_scale"),
        (lambda: sine_variance(1.0, -1.0), "variance"),
        (lambda: sine_gradient_factor(1.0, -1.0), "variance"),
    ],
)
def test_errors(call, message):
    with pytest.raises(OptionError, match=message):
        call()
