import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from firstlight.comparison.effect import effect
from firstlight.comparison.power import seeds_needed
from firstlight.comparison.statistics import band, estimate, holm, runs_frame, summary_frame
from firstlight.errors import OptionError

ACCURACY = st.integers(0, 360).map(lambda right: right / 360)


@given(st.lists(st.tuples(ACCURACY, ACCURACY), min_size=2, max_size=8))
def test_differences_are_scipys_paired_t_test(pairs):
    one, other = np.array(pairs).T
    difference = one - other
    found = estimate(list(difference))
    assert found.mean == pytest.approx(difference.mean())
    if len({round(d * 360) for d in difference}) == 1:
        assert found.low == found.high == found.mean
        assert found.p == 1 if round(difference[0] * 360) == 0 else math.isnan(found.p)
        return
    assert found.p == pytest.approx(stats.ttest_rel(one, other).pvalue, rel=1e-6)
    low, high = stats.t.interval(0.95, len(pairs) - 1, difference.mean(), stats.sem(difference))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_an_interval_worked_by_hand():
    # mean 3, s = sqrt(2.5), t(0.975, 4) = 2.7764451: half width 2.7764451 * sqrt(2.5 / 5)
    found = estimate([1, 2, 3, 4, 5])
    assert found[:3] == pytest.approx((3, 3 - 1.9632432, 3 + 1.9632432), abs=1e-6)


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 99))
def test_a_band_is_the_interval_of_every_epoch(runs, epochs, seed):
    values = np.random.default_rng(seed).integers(0, 5, (runs, epochs)) / 4
    mean, low, high = band(values)
    assert mean.shape == low.shape == high.shape == (epochs,)
    for epoch, column in enumerate(values.T):
        middle = sum(column) / runs
        assert mean[epoch] == pytest.approx(middle)
        if runs == 1:
            assert np.isnan([low[epoch], high[epoch]]).all()
            continue
        spread = (sum((value - middle) ** 2 for value in column) / (runs - 1)) ** 0.5
        half = stats.t.isf(0.025, runs - 1) * spread / runs**0.5
        assert (low[epoch], high[epoch]) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_equal_values_but_for_rounding_have_no_width():
    mean, low, high = band(np.array([[0.1 + 0.2, 1.0], [0.3, 2.0]]))
    assert low[0] == high[0] == mean[0]
    assert low[1] < mean[1] < high[1]


@pytest.mark.parametrize(
    ("values", "mean"), [([], math.nan), ([2.0], 2.0), ([1.0, math.nan], math.nan)]
)
def test_too_little_is_not_an_interval(values, mean):
    found = estimate(values)
    assert found.mean == pytest.approx(mean, nan_ok=True)
    assert all(math.isnan(part) for part in found[1:])


def test_holm_worked_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04; never falling
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.03, math.nan, 0.02])[0::2] == pytest.approx([0.04, 0.04])
    assert math.isnan(holm([0.03, math.nan])[1])


@given(st.lists(st.floats(0, 1)))
def test_holm_rejects_what_the_step_down_procedure_rejects(p):
    adjusted = holm(p)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if (len(p) - rank) * p[index] >= level:
                break
            rejected.add(index)
        assert {i for i, value in enumerate(adjusted) if value < level} == rejected


def group(result, curves, **changes):
    """Make one run per scheme and seed from the final accuracies."""
    return [
        result(accuracy=(accuracy / 2, accuracy), scheme=scheme, seed=seed, **changes)
        for scheme, accuracies in curves.items()
        for seed, accuracy in enumerate(accuracies)
    ]


def test_a_group_worked_by_hand(result):
    runs = group(
        result, {"default": (0.5, 0.6, 0.7), "zero": (0.6, 0.8, 0.9), "lsuv": (0.5, 0.7, 0.6)}
    )
    frame = summary_frame(runs).set_index("scheme")
    assert frame.loc["default", ["n", "failed", "mean"]].tolist() == pytest.approx([3, 0, 0.6])
    # differences 0.1, 0.2, 0.2: mean 1/6, s = 0.057735, half width 4.302653 * s / sqrt(3)
    columns = ["difference", "difference_low", "difference_high"]
    assert frame.loc["zero", columns].tolist() == pytest.approx(
        [1 / 6, 1 / 6 - 0.143422, 1 / 6 + 0.143422], abs=1e-5
    )
    # t = 5 on 2 degrees of freedom: p = 1 - 5 / sqrt(27)
    assert frame.loc["zero", "p"] == pytest.approx(1 - 5 / math.sqrt(27))
    assert frame.loc["zero", "p_holm"] == pytest.approx(2 * (1 - 5 / math.sqrt(27)))
    assert frame.loc["lsuv", "difference"] == pytest.approx(0)
    assert not frame["significant"].any()
    assert frame.loc["default", [*columns, "p", "p_holm"]].isna().all()
    assert (frame["baseline"] == "default").all()


def test_a_clear_difference_is_significant_and_groups_are_apart(result):
    clear = {"zero": (0.5, 0.6, 0.7), "lsuv": (0.8, 0.901, 1.0)}
    runs = group(result, clear) + group(result, {"zero": (0.5,), "lsuv": (0.9,)}, optimizer="sgd")
    frame = summary_frame(runs, "auc")
    assert frame["baseline"].tolist() == ["zero"] * 4
    assert frame["optimizer"].tolist() == ["adamw", "adamw", "sgd", "sgd"]
    assert frame["significant"].tolist() == [False, True, False, False]
    assert frame["mean"].tolist() == pytest.approx([0.9, 1.5 * 2.701 / 3, 0.75, 1.35])
    assert frame.loc[3, "difference"] == pytest.approx(0.6)
    assert frame.loc[2:, ["low", "high", "p", "p_holm"]].isna().all(axis=None)


def test_pairs_are_by_seed_and_failures_are_counted(result):
    runs = group(result, {"default": (0.1, 0.2, 0.4), "zero": (0.3, 0.4, 0.9)})
    runs[0] = result(accuracy=(0.9,), status="diverged", reason="loss became nan", seed=0)
    runs[4] = result(accuracy=(), status="crashed", reason="x", scheme="zero", seed=1)
    frame = summary_frame(list(reversed(runs))).set_index("scheme")
    assert frame.loc["default", ["n", "failed"]].tolist() == [2, 1]
    assert frame.loc["default", "reasons"] == "seed 0: diverged: loss became nan"
    assert frame.loc["default", "mean"] == pytest.approx(0.3)
    assert frame.loc["zero", "reasons"] == "seed 1: crashed: x"
    assert frame.loc["zero", "difference"] == pytest.approx(0.5)  # seed 2 alone
    assert math.isnan(frame.loc["zero", "p"])


def test_a_scheme_without_a_finished_run_is_a_row(result):
    runs = [result(), result(accuracy=(), status="crashed", reason="x", scheme="zero")]
    row = summary_frame(runs).iloc[1]
    assert (row["n"], row["failed"]) == (0, 1)
    assert row[["mean", "difference", "p"]].isna().all()
    assert not row["significant"]


def test_equal_differences_are_not_called_significant(result):
    runs = group(
        result, {"default": (0.1, 0.2, 0.3), "zero": (0.2, 0.3, 0.4), "lsuv": (0.1, 0.2, 0.3)}
    )
    frame = summary_frame(runs).set_index("scheme")
    assert not frame["significant"].any()
    assert frame.loc["zero", "difference"] == pytest.approx(0.1)
    assert frame.loc["lsuv", "p_holm"] == 1


def test_epoch_ten_is_nan_in_a_shorter_run(result):
    runs = [result(accuracy=[i / 20 for i in range(n)], seed=n) for n in (9, 12)]
    assert math.isnan(summary_frame(runs, "accuracy_epoch_10").loc[0, "mean"])
    frame = runs_frame(runs)
    assert frame["accuracy_epoch_10"].tolist() == pytest.approx([math.nan, 0.45], nan_ok=True)


def test_a_frame_of_runs_has_all_of_each(result):
    done = result(accuracy=(0.25, 0.75, 0.5), seed=3)
    failed = result(accuracy=(), status="crashed", reason="x", scheme="zero")
    frame = runs_frame([done, failed])
    row = frame.iloc[0]
    assert row[["scheme", "seed", "epochs", "status"]].tolist() == ["default", 3, 3, "ok"]
    measures = ["accuracy_epoch_1", "accuracy_max", "auc", "accuracy_final", "loss_final"]
    assert row[measures].tolist() == [0.25, 0.75, 1.5, 0.5, 0.5]
    assert (row["accuracy"], row["seconds_total"]) == ([0.25, 0.75, 0.5], 3.0)
    assert frame.iloc[1][measures].isna().all()
    assert frame.iloc[1]["reason"] == "x"
    assert frame.dtypes[measures].eq(float).all()


def test_a_frame_of_runs_says_how_each_was_trained(result):
    changes = {"batch_size": 7, "weight_decay": 0.5, "match_variance": True, "precision": "bf16"}
    made = result(**changes, train_size=None)
    made = made.model_copy(update={"versions": {"torch": "2.4", "numpy": "1.26"}})
    frame = runs_frame([made, result()])
    assert frame.loc[0, list(changes)].to_dict() == changes
    assert frame.loc[0, ["torch_version", "numpy_version"]].tolist() == ["2.4", "1.26"]
    assert frame["train_size"].isna().tolist() == [True, False]
    assert frame.loc[1, "train_size"] == 200


def test_a_summary_says_how_large_a_difference_is_and_how_many_seeds_it_needs(result):
    runs = group(
        result,
        {
            "default": (0.5, 0.6, 0.7),
            "zero": (0.6, 0.8, 0.9),
            "lsuv": (0.5, 0.7, 0.6),
            "near": (0.52, 0.61, 0.75),
            "even": (0.6, 0.7, 0.8),
        },
    )
    runs += group(result, {"default": (0.5,), "zero": (0.6,)}, optimizer="sgd")
    frame = summary_frame(runs)
    table = frame[frame["optimizer"] == "adamw"].set_index("scheme")
    found = effect([0.1, 0.2, 0.2])
    columns = ["p_flip", "effect", "effect_low", "effect_high", "wins"]
    assert table.loc["zero", columns].tolist() == pytest.approx([0.25, *found[:3], 1.0])
    assert table.loc["lsuv", ["p_flip", "wins"]].tolist() == [1.0, 0.5]
    assert math.isnan(table.loc["lsuv", "seeds_needed"])  # no difference but for rounding
    # three tests: even has none, its differences being equal
    assert math.isnan(table.loc["even", "p"])
    spread = np.std([0.02, 0.01, 0.05], ddof=1)
    assert table.loc["near", "seeds_needed"] == seeds_needed(0.08 / 3, spread, tests=3)
    assert table.loc["even", ["p_flip", "wins"]].tolist() == [0.25, 1.0]
    assert table.loc["even", ["effect", "seeds_needed"]].isna().all()
    assert table.loc["default", [*columns, "seeds_needed"]].isna().all()
    single = frame.iloc[-1]
    assert single[["p_flip", "wins"]].tolist() == [1.0, 1.0]
    assert single[["effect", "seeds_needed"]].isna().all()
    assert frame.dtypes[[*columns, "seeds_needed"]].eq(float).all()


def test_an_unknown_metric_is_refused(result):
    with pytest.raises(OptionError, match="metric must be one of accuracy_max"):
        summary_frame([result()], "accuracy")
