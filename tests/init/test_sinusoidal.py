import math

import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight import OptionError
from firstlight.init import sinusoidal_
from firstlight.init.sinusoidal import sinusoidal_variance

sizes = st.integers(1, 70)


@given(m=sizes, n=sizes)
def test_closed_form_is_the_matrix_variance(m, n):
    assert sinusoidal_variance(m, n) == pytest.approx(reference.sinusoidal(m, n).var(), abs=1e-12)


@given(m=st.integers(1, 60), n=st.integers(3, 60))
def test_float64_is_the_published_formula(m, n):
    slow = reference.sinusoidal(m, n)
    amplitude = math.sqrt(2 / (m + n) / slow.var())
    fast = sinusoidal_(torch.empty(m, n, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(fast, amplitude * slow, atol=1e-13 * amplitude)


@pytest.mark.parametrize(
    ("mode", "variance"),
    [("fan_avg", 2 / (32 + 45)), ("fan_in", 1 / 45), ("fan_out", 1 / 32)],
)
def test_variance_follows_mode_of_the_flattened_matrix(mode, variance):
    w = sinusoidal_(torch.empty(32, 5, 3, 3, dtype=torch.float64), mode=mode)
    assert float(w.var(correction=0)) == pytest.approx(variance, rel=1e-12)
    twice = sinusoidal_(torch.empty(32, 5, 3, 3, dtype=torch.float64), mode=mode, gain=2.0)
    torch.testing.assert_close(twice, 2 * w)


@pytest.mark.parametrize(
    ("shape", "rank", "zero_rows", "constant_rows", "twins"),
    [
        ((64, 147), 64, 0, 0, 0),
        ((64, 576), 64, 0, 0, 0),
        ((256, 64), 64, 2, 4, 254),
        ((768, 768), 383, 2, 2, 766),
        ((96, 9), 9, 0, 10, 54),
    ],
)
def test_published_defects_are_kept(shape, rank, zero_rows, constant_rows, twins):
    """The formula stays exact under its own name, with what we measured it to lack."""
    w = sinusoidal_(torch.empty(shape, dtype=torch.float64)).numpy()
    unit = w / np.abs(w).max()
    assert np.linalg.matrix_rank(unit, tol=1e-9) == rank
    assert (np.abs(unit).max(1) == 0).sum() == zero_rows
    assert (np.ptp(unit, axis=1) < 1e-12).sum() == constant_rows
    live = unit[np.abs(unit).max(1) > 0]
    cosines = np.abs(live @ live.T) / np.outer(*[np.linalg.norm(live, axis=1)] * 2)
    np.fill_diagonal(cosines, 0)
    assert (cosines.max(1) > 1 - 1e-9).sum() == twins


@pytest.mark.parametrize("shape", [(64, 147), (300, 8190), (1000, 4095), (8192, 8192)])
def test_float32_is_exact_at_any_size(shape):
    m, n = shape
    w = sinusoidal_(torch.empty(shape))
    rows = np.unique(np.linspace(1, m, 40).astype(int))
    amplitude = math.sqrt(2 / (m + n) / sinusoidal_variance(m, n))
    error = np.abs(w[rows - 1].double().numpy() - amplitude * reference.sinusoidal(m, n, rows))
    assert error.max() <= 3e-7 * amplitude
    sums, norms = w.sum(1, dtype=torch.float64).abs(), w.double().norm(dim=1)
    vanishing = torch.arange(1, m + 1) % n != 0
    assert bool((sums <= 1e-6 * norms)[vanishing].all())


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_constant_shapes_are_refused_and_left_alone(shape):
    w = torch.full(shape, 7.0)
    with pytest.raises(OptionError, match="constant"):
        sinusoidal_(w)
    assert bool((w == 7).all())
