import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firstlight.comparison.power import power_of, seeds_needed
from firstlight.errors import OptionError


@pytest.mark.parametrize(
    ("effect", "power", "seeds"),
    # G*Power and R's pwr.t.test(d, power, type = "paired") give these
    [(0.2, 0.8, 199), (0.5, 0.8, 34), (0.8, 0.8, 15), (1.0, 0.8, 10), (0.5, 0.9, 44)],
)
def test_seeds_as_in_published_tables(effect, power, seeds):
    assert seeds_needed(effect, 1.0, power) == seeds
    assert seeds_needed(-3 * effect, 3.0, power) == seeds


@pytest.mark.parametrize(("effect", "seeds", "tests"), [(1.5, 5, 1), (2.0, 6, 5), (0.0, 4, 1)])
def test_power_is_how_often_a_simulated_test_rejects(effect, seeds, tests):
    runs = np.random.default_rng(3).normal(effect, 1, (20_000, seeds))
    rejected = (stats.ttest_1samp(runs, 0, axis=1).pvalue < 0.05 / tests).mean()
    expected = power_of(effect, seeds, tests)
    assert abs(rejected - expected) < 4 * math.sqrt(expected * (1 - expected) / 20_000)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 20), st.floats(0.3, 0.99), st.integers(1, 30))
def test_no_fewer_seeds_would_do(effect, power, tests):
    seeds = seeds_needed(effect, 1.0, power, tests)
    assert power_of(effect, seeds, tests) >= power
    if seeds > 2:
        assert power_of(effect, seeds - 1, tests) < power


def test_a_million_seeds_are_counted_by_the_normal_distribution():
    quantiles = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    assert seeds_needed(1e-4, 1.0) == math.ceil((quantiles / 1e-4) ** 2)
    # the correction to it is about two seeds
    assert seeds_needed(0.01, 1.0) == pytest.approx((quantiles / 0.01) ** 2, abs=3)


def test_large_effects_have_power_where_scipys_noncentral_t_has_none_left():
    powers = [power_of(effect, 2, tests=1000) for effect in (1e2, 1e3, 1e4, 1e5, 1e6)]
    assert powers == sorted(powers)
    assert powers[-1] == pytest.approx(1, abs=1e-2)
    assert seeds_needed(1e6, 1e-6) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"difference": 0.0}, "difference's size must be a number above 0"),
        ({"difference": math.nan}, "difference must be a finite number"),
        ({"spread": 0.0}, "spread must be a number above 0"),
        ({"power": 1.0}, "power must be above the level 0.05 and below 1"),
        ({"power": 0.05}, "power must be above the level 0.05 and below 1"),
        ({"tests": 0}, "tests must be a whole number from 1"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments, message):
    with pytest.raises(OptionError, match=message):
        seeds_needed(**{"difference": 0.1, "spread": 1.0} | arguments)
