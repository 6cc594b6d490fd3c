"""The search for the largest weight scale that loses little, against a fine grid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.fields.alpha.boundary import crossing, search


def single_peak(best, left, right):
    """Quadratic on both sides of its best."""
    return lambda alpha: -(left if alpha < best else right) * math.log(alpha / best) ** 2


@given(
    st.floats(1.0, 3.0), st.floats(2, 40), st.floats(20, 100), st.floats(1, 3), st.floats(0.2, 1)
)
def test_it_is_near_the_boundary_of_a_fine_grid(best, left, right, start, tolerance):
    level = single_peak(best, left, right)
    levels = search(level, start, tolerance, 4.0)
    found = crossing(levels, tolerance)
    grid = np.linspace(1, 4, 3001)
    inside = grid[[level(alpha) >= level(best) - tolerance for alpha in grid]]
    # the best may lie between two looks, which lets a little more through
    assert 0.93 * inside[-1] < found < 1.15 * inside[-1]
    assert list(levels) == sorted(levels)
    assert len(levels) < 14


def test_it_goes_down_no_farther_than_it_gains():
    looked = []

    def level(alpha):
        looked.append(alpha)
        return single_peak(1.5, 20, 40)(alpha)

    search(level, 2.5, 0.3, 4.0)
    assert looked[0] == 2.5
    assert min(looked) > 1.0


def test_it_stays_within_one_and_the_most():
    assert min(search(lambda alpha: -alpha, 1.3, 0.3, 4.0)) == 1.0
    levels = search(lambda alpha: alpha, 1.3, 0.3, 4.0)
    assert crossing(levels, 0.3) == max(levels) == 4.0


def test_a_level_that_is_no_number_is_beyond():
    levels = search(lambda alpha: 20.0 if alpha < 2 else -math.inf, 1.5, 0.3, 4.0)
    assert 1.5 <= crossing(levels, 0.3) < 2


def test_nothing_is_found_where_no_level_is_a_number():
    assert set(search(lambda _: -math.inf, 1.5, 0.3, 4.0).values()) == {-math.inf}


@pytest.mark.parametrize(("tolerance", "expected"), [(0.0, 2.0), (0.5, 2.25), (2.0, 3.0)])
def test_the_crossing_is_on_a_line_between_two_looks(tolerance, expected):
    assert crossing({1.0: 9.0, 2.0: 10.0, 3.0: 8.0}, tolerance) == pytest.approx(expected)
