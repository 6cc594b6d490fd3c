"""Signs that a fit goes nowhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.fields.collapse import Collapse


def watched(errors, variance=1.0, every=1):
    watch = Collapse(variance)
    lines = [watch.look(number * every, error) for number, error in enumerate(errors)]
    return watch, lines


@pytest.mark.parametrize("error", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_fatal(error):
    watch, lines = watched([0.5, error])
    assert watch.fatal
    assert "not a number at step 1: take a smaller learning_rate" in lines[1]


def test_before_the_first_step_the_learning_rate_is_not_at_fault():
    watch, (line,) = watched([math.nan])
    assert watch.fatal
    assert "learning_rate" not in line
    assert "take a smaller alpha" in line


def test_stuck_at_the_mean_is_told_once():
    watch, lines = watched([2.0] + [0.999] * 600)
    assert [number for number, line in enumerate(lines) if line] == [200]
    assert "no better than the signal's mean" in lines[200]
    assert "take a larger alpha" in lines[200]
    assert watch.notes == [lines[200]]
    assert not watch.fatal


def test_looks_that_are_far_apart_are_stuck_as_well():
    _, lines = watched([2.0, 1.0, 1.0, 1.0], every=150)
    assert [bool(line) for line in lines] == [False, False, True, False]


def test_a_fit_that_does_not_even_reach_the_mean_has_the_wrong_rate():
    _, lines = watched([2.0] * 300)
    assert "worse than the signal's mean: take another learning_rate" in lines[200]


def test_a_fit_that_moves_or_a_constant_signal_is_not_stuck():
    assert watched([2.0] + [0.9] * 400)[0].notes == []
    assert watched([1e-9] * 400, variance=0.0)[0].notes == []


def test_the_third_jump_is_told_and_no_other():
    # down to 40 dB, then five times 10 dB up and back
    errors = [1e-4] + [1e-3, 1e-3, 1e-4, 1e-4] * 5
    watch, lines = watched(errors, variance=1e9)
    assert [number for number, line in enumerate(lines) if line] == [9]
    assert "jumped up 3 times, last at step 9" in lines[9]
    assert watch.notes == [lines[9]]


def test_a_small_fall_is_no_jump():
    assert watched([1e-4, 3.9e-4] * 20)[0].notes == []  # 5.9 dB


def test_a_fit_stalls_after_1000_steps_and_10_looks_without_a_tenth_of_a_decibel():
    falling = [0.9**number for number in range(50)]
    assert not watched(falling + [falling[-1]] * 999)[0].stalled
    assert watched(falling + [falling[-1]] * 1000)[0].stalled
    slowly = [10 ** (-0.0001 * number) for number in range(2000)]  # 1 dB in 1000 steps
    assert not watched(slowly)[0].stalled
    assert not watched([1.0] + [1.0] * 9, every=500)[0].stalled
    assert watched([1.0] + [1.0] * 10, every=500)[0].stalled


def test_a_perfect_fit_is_no_fault():
    watch, _ = watched([1e-3, 0.0, 0.0, 0.0])
    assert (watch.notes, watch.fatal) == ([], False)


@given(st.lists(st.floats(0, 1e30), max_size=40), st.floats(0, 10))
def test_no_finite_error_is_fatal(errors, variance):
    assert not watched(errors, variance, every=20)[0].fatal
