import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firstlight.comparison.holm import holm
from firstlight.comparison.ranks import _alike, friedman, nemenyi, rank, wilcoxon
from firstlight.errors import OptionError

TABLES = st.tuples(st.integers(1, 9), st.integers(2, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 6), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def frame(table):
    """One row for each setting and scheme; None is a failure."""
    rows = [
        (f"setting {at}", f"scheme {number}", value)
        for at, values in enumerate(table)
        for number, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["setting", "scheme", "value"])


@settings(max_examples=25, deadline=None)
@given(TABLES, st.randoms())
def test_average_ranks_are_scipys_and_the_order_of_rows_does_not_count(table, random):
    rows = frame(table)
    found = rank(rows)
    expected = stats.rankdata(-np.array(table), axis=1).mean(axis=0)
    for number, average in enumerate(expected):
        assert found.mean[f"scheme {number}"] == pytest.approx(average)
    assert list(found.mean.values()) == sorted(found.mean.values())
    mixed = rank(rows.iloc[random.sample(range(len(rows)), len(rows))])
    assert mixed.mean == pytest.approx(found.mean)
    assert mixed.friedman == pytest.approx(found.friedman, nan_ok=True)
    assert sorted(mixed.pairs["p_holm"]) == pytest.approx(sorted(found.pairs["p_holm"]))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_wilcoxon_with_ties_is_scipys(differences):
    found = wilcoxon(differences, [0.0] * len(differences))
    expected = stats.wilcoxon(differences, zero_method="zsplit").pvalue if any(differences) else 1
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("seed", "count"), [(0, 12), (1, 16), (2, 25)])
def test_tests_are_scipys(seed, count):
    table = np.random.default_rng(seed).normal(size=(count, 5)) + 0.4 * np.arange(5)
    found = rank(frame(table))
    assert found.friedman == pytest.approx(stats.friedmanchisquare(*table.T).pvalue)
    columns = {f"scheme {number}": column for number, column in enumerate(table.T)}
    assert len(found.pairs) == 10
    for row in found.pairs.itertuples():
        expected = stats.wilcoxon(columns[row.scheme], columns[row.other]).pvalue
        assert row.p == pytest.approx(expected)
        assert found.mean[row.scheme] <= found.mean[row.other]
    assert found.pairs["p_holm"].tolist() == pytest.approx(holm(list(found.pairs["p"])))


def test_demsars_example():
    """Four variants of C4.5 on 14 data sets, his table 6: average ranks, chi2 9.28, CD 1.25."""
    table = [
        (0.763, 0.768, 0.771, 0.798),
        (0.599, 0.591, 0.590, 0.569),
        (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657),
        (0.882, 0.888, 0.886, 0.898),
        (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685),
        (0.583, 0.583, 0.563, 0.625),
        (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000),
        (0.940, 0.962, 0.965, 0.962),
        (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.9751, 0.975),  # printed alike, ranked 2 and 3
        (0.957, 0.978, 0.946, 0.970),
    ]
    found = rank(frame(table))
    order = [found.mean[f"scheme {number}"] for number in range(4)]
    assert order == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=1e-3)
    assert found.critical_difference == pytest.approx(1.25, abs=0.01)
    # his 9.28 is without the correction for ties, which makes chi2 larger
    assert found.friedman < stats.chi2.sf(9.28, 3) < 0.05
    # every distance is below 1.25, so that one bar joins all
    assert found.alike_by_nemenyi() == [tuple(found.mean)]


def test_nemenyis_quantiles_are_the_published_ones():
    published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for schemes, q in enumerate(published, start=2):
        found = nemenyi(schemes, 10) / math.sqrt(schemes * (schemes + 1) / 60)
        assert found == pytest.approx(q, abs=1e-3)


def test_failures_share_the_last_rank():
    found = rank(frame([(0.5, math.nan, math.nan), (0.5, 0.9, math.nan)]))
    assert found.mean == {"scheme 0": 1.5, "scheme 1": 1.75, "scheme 2": 2.75}
    assert found.left_out == ()


def test_a_failure_is_the_largest_difference_and_two_are_a_tie():
    down = [1.0, 2.0, 3.0, 4.0, 5.0]
    up = [0.9, 1.8, 2.7, 3.6, -math.inf]
    finite = [0.9, 1.8, 2.7, 3.6, -99.0]
    assert wilcoxon(down, up) == wilcoxon(down, finite) == 0.0625
    assert wilcoxon([*down, -math.inf], [*up, -math.inf]) == wilcoxon([*down, 7.0], [*finite, 7.0])
    assert wilcoxon([1.0, -math.inf] * 10, [1.0, -math.inf] * 10) == 1.0


def test_settings_that_say_nothing_are_left_out():
    rows = frame([(0.5, 0.6, 0.7), (0.5, 0.6, 0.7), (math.nan,) * 3, (0.9, 0.1, 0.2)])
    rows = rows.drop(index=4)  # scheme 1 was never run in setting 1
    found = rank(rows)
    assert found.settings == ("setting 0", "setting 3")
    assert found.left_out == ("setting 1", "setting 2")
    assert found.mean == {"scheme 2": 1.5, "scheme 0": 2.0, "scheme 1": 2.5}


def test_two_schemes_and_ties_throughout():
    found = rank(frame([(1, 1), (2, 2)]))
    assert math.isnan(found.friedman)
    assert found.pairs["p"].tolist() == [1.0]
    assert friedman(np.ones((4, 3))) == 1.0


def test_clear_differences_are_told_apart_by_enough_settings():
    generator = np.random.default_rng(5)
    table = generator.normal(0, 0.1, (20, 4)) + np.array([0, 1, 1.01, 3])
    found = rank(frame(table))
    joined = {"scheme 1", "scheme 2"}
    assert [set(members) for members in found.alike_by_wilcoxon()] == [joined]
    few = rank(frame(table[:5]))  # no p below 2^-4
    assert few.alike_by_wilcoxon() == [tuple(few.mean)]


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, 14)))))
def test_sets_are_the_largest_without_a_pair_told_apart(case):
    size, chosen = case
    names = list("abcdef"[:size])
    pairs = list(itertools.combinations(names, 2))
    apart = {pair for number, pair in enumerate(pairs) if number in chosen}
    alike = [
        set(members)
        for count in range(2, size + 1)
        for members in itertools.combinations(names, count)
        if not set(itertools.combinations(members, 2)) & apart
    ]
    largest = [members for members in alike if not any(members < other for other in alike)]
    found = _alike(names, apart)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"scheme": ["a"], "value": [1.0]}), "setting is missing"),
        (pd.concat([frame([(1, 2)])] * 2), "got several for setting 0 and scheme 0"),
        (frame([(1,), (2,)]), "got 1 schemes"),
        (frame([(math.nan, math.nan)]), "0 of 1 settings"),
        (frame([]), "0 of 0 settings"),
    ],
)
def test_a_frame_that_cannot_be_ranked_is_refused(rows, message):
    with pytest.raises(OptionError, match=message):
        rank(rows)
