"""Asking a table of results: which rows, and which measure by which two names."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from firstlight.comparison.statistics import band
from firstlight.errors import OptionError

_CONDITION = re.compile(r"\s*(\w+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*")
_ORDERED = {">", "<", ">=", "<="}


class Cell(NamedTuple):
    """A mean over runs with its 95 % interval; NaN for the ends of one run's.

    Attributes:
        mean: over runs.
        low: end of the interval of Student's t.
        high: its other end.
        n: runs that it is of.
        failed: runs that diverged, crashed or were lost.
    """

    mean: float
    low: float
    high: float
    n: int
    failed: int = 0


def select(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Return the rows for which all conditions hold.

    Args:
        frame: one row per run.
        conditions: as in "optimizer=adamw", "scheme=default,harmonic", "seed<3", "status!=ok"; a
            comma separates values of which any may hold. An empty value stands for a missing one.

    Raises:
        OptionError: no condition, no such column, or a value that it cannot have.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"scheme": ["a", "b", "b"], "seed": [0, 0, 1]})
        >>> select(frame, ["scheme=b", "seed<1"]).values.tolist()
        [['b', 0]]
    """
    for text in conditions:
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise OptionError(
                f"expected a condition as in seed<3 or scheme=lsuv,zero; got {text!r}"
            )
        name, operator, value = found.groups()
        frame = frame[_holds(column(frame, name), operator, value, text)]
    return frame


def pivot(
    frame: pd.DataFrame, rows: Sequence[str], columns: str, value: str = "accuracy_max"
) -> pd.DataFrame:
    """Return a table of ``Cell``: the mean of ``value`` over all runs that fall into it.

    Diverged runs have no measure: they are left out of means, and counted beside them.

    Args:
        frame: one row per run.
        rows: names whose values stand at the side.
        columns: name whose values stand at the top.
        value: what is averaged.

    Raises:
        OptionError: no such column, no number, or runs of several forms in one mean.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"model": "mlp", "scheme": ["a", "a", "b"],
        ...                       "status": "ok", "auc": [1.0, 3.0, 5.0]})
        >>> pivot(frame, ["model"], "scheme", "auc").loc["mlp", "a"].mean
        2.0
    """
    for name in (*rows, columns):
        if is_curve(column(frame, name)):
            raise OptionError(f"{name} is a curve, which no row or column can stand for")
    if not pd.api.types.is_numeric_dtype(column(frame, value)):
        raise OptionError(f"{value} is no number; a pivot averages one")
    if not rows or len({*rows, columns}) < len(rows) + 1:
        raise OptionError("rows and columns of a pivot must be names that differ")
    if "form" in frame and "form" not in (*rows, columns) and frame["form"].nunique() > 1:
        raise OptionError(
            f"runs of the forms {', '.join(frame['form'].unique())} would be averaged; add form to "
            "rows, or choose one as in --where form=tuned"
        )
    if "tuning" in frame and "tuning" not in (*rows, columns) and frame["tuning"].nunique() > 1:
        raise OptionError(
            "runs that tune are judged on other data; add tuning to rows, or choose as in "
            "--where tuning=true"
        )
    groups = frame.groupby([*rows, columns], sort=False, dropna=False, observed=True)
    cells = {key: _cell(part, value) for key, part in groups}
    names = [*rows, columns]
    index = pd.MultiIndex.from_tuples(list(cells), names=names)
    table = pd.Series(list(cells.values()), index=index, dtype=object).unstack(columns, sort=False)
    # rows and columns stand as in the results, not by the alphabet
    return table.reindex(columns=[c for c in frame[columns].unique() if c in table.columns])


def _cell(runs: pd.DataFrame, value: str) -> Cell:
    good = runs[runs["status"] == "ok"] if "status" in runs else runs
    failed = len(runs) - len(good)
    numbers = good[value].dropna().to_numpy(dtype=float)
    if not len(numbers):
        return Cell(float("nan"), float("nan"), float("nan"), 0, failed)
    mean, low, high = (float(part) for part in band(numbers))
    return Cell(mean, low, high, len(numbers), failed)


def is_curve(values: pd.Series) -> bool:
    """Return whether a column has a value for each epoch of a run."""
    if not pd.api.types.is_object_dtype(values):
        return False
    first = next(iter(values.dropna()), None)
    return hasattr(first, "__len__") and not isinstance(first, str)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by name.

    Raises:
        OptionError: there is none.
    """
    if name not in frame.columns:
        raise OptionError(f"no column is called {name!r}; there are {', '.join(frame.columns)}")
    return frame[name]


def _holds(values: pd.Series, operator: str, value: str, text: str) -> pd.Series:
    if is_curve(values):
        raise OptionError(f"{text!r}: a curve has no one value to compare with")
    if operator in _ORDERED:
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise OptionError(f"{text!r}: only numbers have an order")
        limit = _value(values, value, text)
        if limit is None:
            raise OptionError(f"{text!r}: expected a number after {operator}")
        numbers = values.astype("Float64")
        held = {
            ">": numbers > limit,
            "<": numbers < limit,
            ">=": numbers >= limit,
            "<=": numbers <= limit,
        }[operator]
        return held.fillna(False).astype(bool)
    wanted = [_value(values, part.strip(), text) for part in value.split(",")]
    held = values.isin([each for each in wanted if each is not None])
    held |= values.isna() if None in wanted else False
    held = held.fillna(False).astype(bool)
    return ~held if operator == "!=" else held


def _value(column: pd.Series, text: str, condition: str) -> Any:
    """Read a value as the column's kind has it; None is a missing one."""
    if text == "":
        return None
    if pd.api.types.is_bool_dtype(column):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise OptionError(f"{condition!r}: expected true or false, got {text!r}")
    if pd.api.types.is_numeric_dtype(column):
        try:
            return float(text)
        except ValueError:
            raise OptionError(f"{condition!r}: expected a number, got {text!r}") from None
    return text
