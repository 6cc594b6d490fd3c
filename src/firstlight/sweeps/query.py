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
        n: runs.
    """

    mean: float
    low: float
    high: float
    n: int


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
        frame = frame[_holds(_column(frame, name), operator, value, text)]
    return frame


def pivot(
    frame: pd.DataFrame, rows: Sequence[str], columns: str, value: str = "accuracy_max"
) -> pd.DataFrame:
    """Return a table of ``Cell``: the mean of ``value`` over all runs that fall into it.

    Only finished runs count; diverged ones have no measure and are left out of means.

    Args:
        frame: one row per run.
        rows: names whose values stand at the side.
        columns: name whose values stand at the top.
        value: what is averaged.

    Raises:
        OptionError: no such column, or no number.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"model": "mlp", "scheme": ["a", "a", "b"],
        ...                       "status": "ok", "auc": [1.0, 3.0, 5.0]})
        >>> pivot(frame, ["model"], "scheme", "auc").loc["mlp", "a"].mean
        2.0
    """
    for name in (*rows, columns):
        _column(frame, name)
    if not pd.api.types.is_numeric_dtype(_column(frame, value)):
        raise OptionError(f"{value} is no number; a pivot averages one")
    if not rows or len({*rows, columns}) < len(rows) + 1:
        raise OptionError("rows and columns of a pivot must be names that differ")
    good = frame[frame["status"] == "ok"] if "status" in frame else frame
    groups = good.groupby([*rows, columns], sort=False, dropna=False, observed=True)[value]
    table = groups.apply(_cell).unstack(columns, sort=False)
    # rows and columns stand as in the results, not by the alphabet
    return table.reindex(columns=[c for c in good[columns].unique() if c in table.columns])


def _cell(values: pd.Series) -> Any:
    numbers = values.dropna().to_numpy(dtype=float)
    if not len(numbers):
        return Cell(float("nan"), float("nan"), float("nan"), 0)
    mean, low, high = (float(part) for part in band(numbers))
    return Cell(mean, low, high, len(numbers))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise OptionError(f"no column is called {name!r}; there are {', '.join(frame.columns)}")
    return frame[name]


def _holds(column: pd.Series, operator: str, value: str, text: str) -> pd.Series:
    if pd.api.types.is_object_dtype(column) and column.map(lambda v: hasattr(v, "__len__")).any():
        first = next(iter(column.dropna()), None)
        if not isinstance(first, str):
            raise OptionError(f"{text!r}: a curve has no one value to compare with")
    if operator in _ORDERED:
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise OptionError(f"{text!r}: only numbers have an order")
        limit = _value(column, value, text)
        numbers = column.astype("Float64")
        held = {
            ">": numbers > limit,
            "<": numbers < limit,
            ">=": numbers >= limit,
            "<=": numbers <= limit,
        }[operator]
        return held.fillna(False).astype(bool)
    wanted = [_value(column, part.strip(), text) for part in value.split(",")]
    held = column.isin([each for each in wanted if each is not None])
    held |= column.isna() if None in wanted else False
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
