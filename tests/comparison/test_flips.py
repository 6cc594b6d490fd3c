import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firstlight.comparison.flips import EXACT, flip_test, smallest_p

STEPS = st.lists(st.integers(-40, 40), min_size=1, max_size=7)


@given(STEPS)
def test_is_the_share_of_all_sign_patterns(steps):
    # whole numbers, so that ties between sums are exact; the test gets them as fractions
    found = flip_test([step / 360 for step in steps])
    sums = [
        abs(sum(s * step for s, step in zip(signs, steps, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(steps))
    ]
    assert found == sum(total >= abs(sum(steps)) for total in sums) / len(sums)
    assert found >= smallest_p(len(steps))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(0, 99))
def test_agrees_with_scipys_permutation_test(pairs, seed):
    differences = np.random.default_rng(seed).normal(0.5, 1, pairs)
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert flip_test(differences) == pytest.approx(expected.pvalue)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.randoms())
def test_order_and_sign_do_not_count(values, random):
    p = flip_test(values)
    assert flip_test(random.sample(values, len(values))) == p
    assert flip_test([-value for value in values]) == p
    assert 0 < p <= 1


def test_the_smallest_p_is_that_of_all_pairs_won():
    for pairs in (1, 3, 5, 6, EXACT):
        assert flip_test([0.25] * pairs) == smallest_p(pairs)  # equal ones too
    assert flip_test([0.25] * 40) == smallest_p(40)  # no draw of 10,000 is of one sign
    assert smallest_p(5) > 0.05 > smallest_p(6)


def test_a_draw_is_near_all_flips():
    values = np.random.default_rng(1).normal(0.2, 1, EXACT + 2)
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    exact = (np.abs(sums) >= abs(values.sum()) - 1e-9).mean()
    assert 0.01 < exact < 0.9
    assert abs(flip_test(values) - exact) < 4 * math.sqrt(exact * (1 - exact) / 10_000)


@pytest.mark.parametrize(
    ("values", "p"), [([], math.nan), ([1.0, math.nan], math.nan), ([0.0, 0.0], 1.0), ([3.0], 1.0)]
)
def test_what_says_nothing(values, p):
    assert flip_test(values) == pytest.approx(p, nan_ok=True)


def test_it_errs_no_more_often_than_it_says():
    generator = np.random.default_rng(2)
    skewed = generator.standard_t(2, (2000, 7))  # symmetric, far from normal
    rejected = np.mean([flip_test(row) < 0.05 for row in skewed])
    assert rejected <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 2000)
    assert rejected > 0.01
