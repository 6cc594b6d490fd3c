import math

import pytest

from firstlight.comparison import statistics
from firstlight.report.group import METRICS, groups


def test_one_group_for_each_model_data_and_optimizer(make):
    comparison = make.of(
        make.sweep().results
        + make.sweep(optimizer="sgd").results
        + make.sweep(model="small_vit").results
        + make.sweep(data="mnist").results
    )
    assert [(group.model, group.data, group.optimizer) for group in groups(comparison)] == [
        ("mlp", "digits", "adamw"),
        ("mlp", "digits", "sgd"),
        ("small_vit", "digits", "adamw"),
        ("mlp", "mnist", "adamw"),
    ]


def test_rows_carry_the_statistics_of_the_comparison(make):
    comparison = make.with_failures()
    (group,) = groups(comparison)
    for metric in ("accuracy_epoch_1", "accuracy_epoch_10", "accuracy_max", "auc"):
        table = comparison.summary(metric).set_index("scheme")
        for row in group.rows:
            expected = tuple(table.loc[row.scheme, ["mean", "low", "high"]])
            found = row.measures[metric]
            assert (found.mean, found.low, found.high) == pytest.approx(expected, nan_ok=True)
    table = comparison.summary("accuracy_max").set_index("scheme")
    for row in group.rows:
        record = table.loc[row.scheme]
        found = (row.difference.mean, row.difference.low, row.difference.high, row.p)
        expected = record[["difference", "difference_low", "difference_high", "p_holm"]]
        assert found == pytest.approx(tuple(expected), nan_ok=True)
        assert row.significant == record.significant
        strength = row.strength
        found = (*strength.effect[:3], strength.wins, strength.p_flip, strength.seeds_needed)
        expected = record[["effect", "effect_low", "effect_high", "wins", "p_flip", "seeds_needed"]]
        assert found == pytest.approx(tuple(expected), nan_ok=True)
        assert (len(row.finished), len(row.failed)) == (record.n, record.failed)
        assert row.is_baseline == (row.scheme == "default")


def test_the_best_scheme_comes_first_and_what_never_finished_last(make):
    (group,) = groups(make.with_failures())
    means = [row.measures["accuracy_max"].mean for row in group.rows]
    # sinusoidal has the second highest mean, but of two of its three runs
    assert means[:4] == sorted(means[:4], reverse=True)
    assert [row.scheme for row in group.rows[4:]] == ["sinusoidal", "lsuv"]
    assert means[4] > means[1]
    assert math.isnan(means[-1])
    assert group.rows[-1].scheme == "lsuv"
    for metric in ("accuracy_max", "accuracy_epoch_1", "accuracy_epoch_10", "auc"):
        (best,) = make.with_failures().best(metric)["scheme"]
        assert group.best(metric).scheme == best
    assert group.best("accuracy_max") is group.rows[0]


def test_the_survivors_of_a_risky_scheme_are_not_the_best(make):
    runs = [make.run("default", seed, accuracy=[0.5 + 0.01 * seed]) for seed in range(2)]
    runs += [make.run("risky", 0, accuracy=[0.9])]
    runs += [make.run("risky", 1, accuracy=[], status="diverged")]
    (group,) = groups(make.of(runs))
    assert [row.scheme for row in group.rows] == ["default", "risky"]
    assert group.best("accuracy_max").scheme == "default"
    assert group.repeated
    (single,) = groups(make.of(runs[::2]))
    assert not single.repeated


def test_a_run_of_fewer_than_ten_epochs_has_no_epoch_10(make):
    (short,) = groups(make.sweep(epochs=9))
    (long,) = groups(make.sweep(epochs=10))
    assert short.metrics == ("accuracy_epoch_1", "accuracy_max", "auc")
    assert long.metrics == ("accuracy_epoch_1", "accuracy_epoch_10", "accuracy_max", "auc")


def test_every_measure_of_the_statistics_is_shown():
    assert sorted(METRICS) == sorted(statistics.METRICS)


def test_no_best_scheme_where_no_run_finished(make):
    crashed = [make.run("default", seed, accuracy=[], status="crashed") for seed in range(3)]
    (group,) = groups(make.of(tuple(crashed)))
    assert group.best("accuracy_max") is None
    assert math.isnan(group.rows[0].seconds)
