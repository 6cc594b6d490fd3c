"""Fixed points of maps and rates of approach, against maps whose answers are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.theory.standstill import contraction_length, first_standstill

starts = st.floats(-6, 6).map(lambda e: 10**e)


@given(starts, st.floats(0.0, 0.99), st.floats(0.01, 100))
def test_straight_lines(start, slope, shift):
    got = first_standstill(lambda q: slope * q + shift, start, 1e9)
    assert got == pytest.approx(shift / (1 - slope), rel=1e-9)


@given(starts)
def test_the_next_of_several(start):
    # fixed points 0.01, 1 and 100; the middle one repels
    def advance(q):
        x = math.log(max(q, 1e-300))
        return q * math.exp(-0.01 * x * (x * x - math.log(100) ** 2))

    if not 0.99 < start < 1.01:
        expected = 0.01 if start < 1 else 100
        assert first_standstill(advance, start, 1e9) == pytest.approx(expected, rel=1e-9)


def test_a_start_of_next_to_nothing_grows():
    assert first_standstill(lambda q: 2 * q / (1 + q), 1e-20, 1e9) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("advance", "expected"),
    [
        (lambda q: 0.9 * q, 0.0),
        (lambda q: q / (1 + q), 0.0),  # critical: it dies out ever more slowly
        (lambda q: q, 1.0),
        (lambda q: q + 1e-3, math.inf),
        (lambda q: q + 1e-6, math.inf),
        (lambda q: 1.5 * q, math.inf),
        (lambda q: q * 0.5 + 1e-16, 2e-16),
    ],
)
def test_ends(advance, expected):
    assert first_standstill(advance, 1.0, 1e9) == pytest.approx(expected, rel=1e-9, abs=0)


@given(st.floats(1e-6, 0.999), st.sampled_from([1, -1]))
def test_contraction_length(slope, sign):
    steps = contraction_length(sign * slope, 1e-6)
    assert abs(slope) ** steps == pytest.approx(1 / math.e)


def test_contraction_at_the_ends():
    assert contraction_length(0.0, 1e-6) == 0.0
    assert contraction_length(1 - 1e-7, 1e-6) == math.inf
    assert contraction_length(-3.0, 1e-6) == math.inf
