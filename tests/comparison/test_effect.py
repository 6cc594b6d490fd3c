import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from firstlight.comparison.effect import effect, standardized, wins
from firstlight.comparison.estimate import estimate

DIFFERENCES = st.lists(st.integers(-360, 360).map(lambda right: right / 360), max_size=12)


@pytest.mark.parametrize(
    ("pairs", "correction"),
    # gamma(m / 2) / (sqrt(m / 2) gamma((m - 1) / 2)) for m = 2 and 4
    [(3, 1 / math.sqrt(math.pi)), (5, math.sqrt(2 / math.pi))],
)
def test_the_correction_worked_by_hand(pairs, correction):
    values = np.arange(1.0, pairs + 1)
    raw = values.mean() / values.std(ddof=1)
    assert effect(values).mean == pytest.approx(correction * raw)


def test_it_is_unbiased_and_its_interval_holds_the_truth():
    generator = np.random.default_rng(0)
    truth, pairs = 0.8, 6
    found = [effect(generator.normal(truth, 1, pairs)) for _ in range(1500)]
    means = np.array([one.mean for one in found])
    assert abs(means.mean() - truth) < 4 * means.std() / math.sqrt(len(means))
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert abs(held - 0.95) < 4 * math.sqrt(0.95 * 0.05 / len(found))


@given(DIFFERENCES, st.randoms(), st.floats(1e-3, 1e3))
def test_neither_order_nor_unit_counts_and_the_sign_turns_it_round(values, random, unit):
    found = effect(values)
    mixed = [unit * value for value in random.sample(values, len(values))]
    assert effect(mixed)[:3] == pytest.approx(found[:3], rel=1e-6, abs=1e-9, nan_ok=True)
    turned = effect([-value for value in values])
    expected = (-found.mean, -found.high, -found.low)
    assert turned[:3] == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


@given(DIFFERENCES.filter(lambda values: len(set(values)) > 1 and len(values) > 2))
def test_the_ends_are_where_the_tails_are_rare_and_zero_is_out_where_p_is_low(values):
    found, test = effect(values), estimate(values)
    assert found.low < found.mean < found.high
    if abs(test.p - 0.05) > 1e-6:
        assert (test.p < 0.05) == (found.low > 0 or found.high < 0)
    root = math.sqrt(len(values))
    t = root * standardized(values)
    if abs(t) < 100:
        below = [stats.nct.cdf(t, len(values) - 1, root * end) for end in (found.low, found.high)]
        assert below == pytest.approx([0.975, 0.025], abs=1e-6)


def test_almost_no_spread_is_a_large_effect_with_a_wide_interval():
    # where the spread is tiny T is the parameter over s: chi quantiles of two degrees of freedom
    found = effect([1.0, 1.0 + 1e-6, 1.0 + 2e-6])
    chi = np.sqrt(-2 * np.log([0.975, 0.025]) / 2)
    assert found[1:3] == pytest.approx(tuple(1e6 * chi), rel=1e-4)
    assert math.isfinite(found.mean)
    near = effect([1.0, 1.0 + 0.0116, 1.0 + 0.0232])  # t = 151: SciPy's noncentral t has digits
    assert near[1:3] == pytest.approx(tuple(1.0116 / 0.0116 * chi), rel=2e-2)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [0.5] * 4, [1.0, math.nan, 2.0]])
def test_too_little_or_no_spread_has_no_effect_size(values):
    assert all(math.isnan(part) for part in effect(values))


def test_schemes_that_agree_have_no_effect():
    found = effect([0.0, 0.0, 0.0])
    assert found.mean == 0
    assert math.isnan(found.low)
    assert math.isnan(standardized([0.0, 0.0, 0.0]))


@given(DIFFERENCES)
def test_wins_are_counted_with_ties_half(values):
    if not values:
        assert math.isnan(wins(values))
        return
    counted = sum(1.0 if value > 0 else 0.5 if value == 0 else 0.0 for value in values)
    assert wins(values) == pytest.approx(counted / len(values))


def test_equal_differences_are_won_all_the_same():
    assert wins([0.25] * 3) == 1.0
    assert math.isnan(wins([0.25, math.nan]))
