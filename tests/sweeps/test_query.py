import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.comparison.statistics import band
from firstlight.errors import OptionError
from firstlight.report.export import pivot_text, rows_text
from firstlight.sweeps.query import pivot, select

FRAME = pd.DataFrame(
    {
        "model": ["mlp", "mlp", "mlp", "vit_b&16", "vit_b&16", "mlp"],
        "scheme": ["default", "default", "zero", "default", "zero", "zero"],
        "seed": pd.array([0, 1, 0, 0, 0, 1], dtype="Int64"),
        "train_size": pd.array([100, 100, None, 50, 50, None], dtype="Int64"),
        "match_variance": [True, False, True, False, True, False],
        "status": ["ok", "ok", "ok", "ok", "ok", "diverged"],
        "accuracy_max": [0.5, 0.7, 0.1, 0.9, 0.2, np.nan],
    }
)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("scheme=zero", [2, 4, 5]),
        ("scheme!=zero", [0, 1, 3]),
        ("scheme=zero,default", [0, 1, 2, 3, 4, 5]),
        ("seed<1", [0, 2, 3, 4]),
        ("seed >= 1", [1, 5]),
        ("train_size=", [2, 5]),
        ("train_size!=", [0, 1, 3, 4]),
        ("train_size>50", [0, 1]),
        ("match_variance=true", [0, 2, 4]),
        ("accuracy_max>0.45", [0, 1, 3]),
        ("model=vit_b&16", [3, 4]),
    ],
)
def test_conditions(condition, kept):
    assert select(FRAME, [condition]).index.tolist() == kept


def test_all_conditions_must_hold():
    assert select(FRAME, ["scheme=zero", "seed<1", "model=mlp"]).index.tolist() == [2]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("scheme", "expected a condition"),
        ("speed=1", "no column is called 'speed'"),
        ("scheme<b", "only numbers have an order"),
        ("match_variance<1", "only numbers have an order"),
        ("match_variance=maybe", "expected true or false"),
        ("seed=one", "expected a number"),
        ("seed<", "expected a number after <"),
    ],
)
def test_conditions_that_cannot_be(condition, words):
    with pytest.raises(OptionError, match=words):
        select(FRAME, [condition])


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1)), min_size=1, max_size=20))
def test_cells_are_means_with_their_intervals(values):
    frame = pd.DataFrame(values, columns=["scheme", "auc"]).assign(model="m", status="ok")
    table = pivot(frame, ["model"], "scheme", "auc")
    for scheme, part in frame.groupby("scheme"):
        cell = table.loc["m", scheme]
        mean, low, high = band(part["auc"].to_numpy())
        assert (cell.mean, cell.n) == (pytest.approx(float(mean)), len(part))
        assert np.allclose([cell.low, cell.high], [low, high], equal_nan=True)


def test_diverged_runs_are_left_out_of_means():
    table = pivot(FRAME, ["model"], "scheme")
    assert table.loc["mlp", "zero"][3:] == (1, 1)
    assert "10.0 (1 failed)" in pivot_text(table, "accuracy_max", "markdown")
    lost = FRAME.assign(status="diverged")
    assert "- (2 failed)" in pivot_text(pivot(lost, ["model"], "scheme"), "auc", "markdown")
    assert table.loc["mlp", "default"].mean == pytest.approx(0.6)


def test_runs_of_two_forms_are_not_averaged():
    both = pd.concat([FRAME.assign(form="published"), FRAME.assign(form="tuned")])
    with pytest.raises(OptionError, match="published, tuned would be averaged; add form to rows"):
        pivot(both, ["model"], "scheme")
    assert pivot(both, ["form"], "scheme").loc["tuned", "default"].n == 3
    assert pivot(both[both["form"] == "tuned"], ["model"], "scheme").loc["mlp", "zero"].n == 1


def test_the_smallest_loss_is_the_best():
    table = pd.DataFrame({"a": [(0.5, 0.4, 0.6, 3, 0)], "b": [(0.25, 0.2, 0.3, 3, 0)]}, index=["m"])
    assert "**0.25" in pivot_text(table, "loss_final", "markdown")
    assert "**50.0" in pivot_text(table, "accuracy_final", "markdown")


def test_csv_holds_numbers_and_can_be_read_again():
    table = pivot(FRAME, ["model"], "scheme")
    found = pd.read_csv(io.StringIO(pivot_text(table, "accuracy_max", "csv")))
    assert list(found.columns) == ["model", "scheme", "accuracy_max", "low", "high", "n", "failed"]
    row = found[(found["model"] == "mlp") & (found["scheme"] == "default")].iloc[0]
    assert (row["accuracy_max"], row["n"]) == (pytest.approx(0.6), 2)
    assert row["low"] < 0.6 < row["high"]


def test_latex_escapes_what_tex_reads_as_commands():
    text = pivot_text(pivot(FRAME, ["model"], "scheme"), "accuracy_max", "latex")
    assert r"vit\_b\&16" in text
    assert r"\textbf{60.0 $\pm$" in text
    assert r"\textbf{90.0}" in text
    listed = rows_text(pd.DataFrame({"a_b": ["50 %", "x^2 ~ {y}"]}), "latex")
    assert r"a\_b" in listed
    assert r"50 \%" in listed
    assert r"x\textasciicircum 2 \textasciitilde  \{y\}" in listed


def test_markdown_marks_the_best_of_a_row():
    text = pivot_text(pivot(FRAME, ["model"], "scheme"), "accuracy_max", "markdown")
    assert "| **90.0**" in text
    assert "20.0" in text
    piped = pd.DataFrame({"reason": ["a | b"]})
    assert r"a \| b" in rows_text(piped, "markdown")
    assert r"a \textbar  b" in rows_text(piped, "latex")


def test_runs_that_tune_are_not_averaged_with_others():
    both = pd.concat([FRAME.assign(tuning=False), FRAME.assign(tuning=True)])
    with pytest.raises(OptionError, match="runs that tune are judged on other data"):
        pivot(both, ["model"], "scheme")
    assert len(pivot(both, ["model", "tuning"], "scheme")) == 4
