"""Measures of one signal against the obvious computation on all of it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight import theory
from firstlight.auditing.flat import Flat, flat
from firstlight.auditing.signal import scale, signal

NEVER = Flat()


def drawn(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple),
    st.booleans(),
    st.integers(0, 99),
)
def test_shares_of_units_are_those_of_the_flattened_signal(shape, convolves, seed):
    z = drawn(shape, seed)
    axis = 1 if convolves else -1
    rows = z.movedim(axis, -1).reshape(-1, z.shape[axis])
    found = signal(z, axis, Flat(low=0.0), Flat(-1.0, 1.0))
    assert (found.units, found.observations) == (rows.shape[1], rows.shape[0])
    assert torch.allclose(found.on_share, (rows > 0).double().mean(0))
    assert found.dead == pytest.approx(float((rows <= 0).all(0).double().mean()))
    assert found.saturated == pytest.approx(float((rows.abs() >= 1).double().mean()))
    for alpha in (0.1, 0.3):
        assert found.skewed(alpha) == pytest.approx(theory.skewed_share(rows, alpha))


def test_a_sample_behind_a_convolution_is_one_pattern_over_all_positions():
    z = drawn((6, 4, 5, 5), 0)
    rows = z.flatten(1)
    found = signal(z, 1, NEVER, NEVER)
    assert found.samples == 6
    assert found.oui == pytest.approx(theory.oui(rows))
    unit = rows / rows.norm(dim=1, keepdim=True)
    cosines = (unit @ unit.T)[~torch.eye(6, dtype=torch.bool)]
    assert found.correlation == pytest.approx(float(cosines.mean()), abs=1e-6)


def test_every_position_of_a_sequence_is_one_pattern():
    z = drawn((3, 7, 16), 1)
    found = signal(z, -1, NEVER, NEVER)
    assert (found.samples, found.observations) == (21, 21)
    assert found.oui == pytest.approx(theory.oui(z.reshape(21, 16)))


def test_effective_rank_is_the_number_of_equal_directions():
    rows = torch.zeros(8, 8)
    rows[:5, :5] = torch.eye(5)
    assert signal(rows, -1, NEVER, NEVER).effective_rank == pytest.approx(5, rel=1e-6)
    alike = torch.ones(8, 8)
    assert signal(alike, -1, NEVER, NEVER).effective_rank == pytest.approx(1, rel=1e-3)
    assert signal(alike, -1, NEVER, NEVER).correlation == pytest.approx(1)


def test_one_sample_has_nothing_to_be_compared_with():
    found = signal(drawn((1, 8), 2), -1, NEVER, NEVER)
    assert (found.oui, found.effective_rank, found.correlation) == (None, None, None)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_scale_is_right_in_every_dtype(dtype):
    x = drawn((64, 33), 3).to(dtype)
    found = scale(x)
    assert found.mean == pytest.approx(float(x.double().mean()), abs=1e-6)
    assert found.second == pytest.approx(float(x.double().square().mean()), rel=1e-5)


def test_scale_holds_where_squares_leave_float32():
    found = scale(torch.full((4,), 1e30))
    assert found.finite
    assert found.second == pytest.approx(1e60)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_single_bad_number_is_seen(value):
    x = torch.zeros(1000)
    x[123] = value
    assert not scale(x).finite


@pytest.mark.parametrize(
    ("name", "slope", "low", "high"),
    [
        ("relu", 0.05, 0.0, math.inf),
        ("tanh", 0.05, -2.178, 2.178),  # 1 - tanh^2 = 0.05
        ("sigmoid", 0.05, -4.357, 4.357),  # s (1 - s) = 0.0125
        ("hardtanh", 0.05, -1.0, 1.0),
        ("leaky_relu", 1e-3, -math.inf, math.inf),
        ("sin", 0.05, -math.inf, math.inf),
        ("softplus", 0.05, -3.272, math.inf),  # sigmoid(z) = 0.05 sigmoid(1)
    ],
)
def test_flat_ends_are_where_the_slope_says(name, slope, low, high):
    found = flat(name, slope)
    assert found.low == pytest.approx(low, rel=0.01, abs=1e-3)
    assert found.high == pytest.approx(high, rel=0.01, abs=1e-3)


def test_an_activation_that_cannot_be_differentiated_is_flat_nowhere():
    assert flat(lambda x: (x > 0).to(x.dtype), 0.05) == NEVER


def test_the_picture_has_a_row_for_each_sample():
    z = torch.tensor([[1.0, -1.0, 2.0], [-1.0, -1.0, 3.0]])
    assert signal(z, -1, NEVER, NEVER).picture == ("101", "001")
