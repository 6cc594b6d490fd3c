"""Results as CSV, LaTeX, Markdown or a table for the terminal."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from firstlight.errors import check_choice

#: Columns that are percentages, of which a reader wants points.
_SHARES = ("accuracy",)
#: Columns of which less is better.
_COSTS = ("loss", "train_loss", "seconds")


def pivot_text(table: pd.DataFrame, value: str, form: str) -> str:
    """Return a pivot of cells (mean, low, high, n, failed) as text.

    CSV holds numbers, one line per cell; the others hold "mean ± half of the interval", accuracies
    in percent, and mark the best mean of a row in bold: the largest, of a loss or of seconds the
    smallest.

    Args:
        table: as ``firstlight.sweeps.query.pivot`` returns it.
        value: what was averaged.
        form: csv, latex or markdown.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"a": [(0.5, 0.4, 0.6, 3, 0)], "b": [(0.25, 0.2, 0.3, 3, 0)]},
        ...                      index=pd.Index(["mlp"], name="model"))
        >>> print(pivot_text(table, "accuracy_max", "markdown"))
        | model   | a               | b          |
        |:--------|:----------------|:-----------|
        | mlp     | **50.0 ± 10.0** | 25.0 ± 5.0 |
    """
    check_choice(form, ("csv", "latex", "markdown"), "format")
    if form == "csv":
        return _long(table, value).to_csv(index=False)
    bold = {"latex": r"\textbf{%s}", "markdown": "**%s**"}[form]
    words = _worded(table, value, lambda text: bold % text)
    return _latex(words) if form == "latex" else _markdown(words)


def rows_text(frame: pd.DataFrame, form: str) -> str:
    """Return rows as text; curves stay in the Parquet files.

    Args:
        frame: one row per run.
        form: csv, latex or markdown.

    Example:
        >>> import pandas as pd
        >>> print(rows_text(pd.DataFrame({"scheme": ["zero"], "auc": [0.25]}), "csv"), end="")
        scheme,auc
        zero,0.25
    """
    check_choice(form, ("csv", "latex", "markdown"), "format")
    if form == "csv":
        return frame.to_csv(index=False)
    words = frame.astype(object).map(_number)
    return _latex(words) if form == "latex" else _markdown(words)


def pivot_words(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a pivot with words for cells, its side as columns; for the terminal."""
    return _worded(table, value, lambda text: text)


def _worded(table: pd.DataFrame, value: str, bold: Callable[[str], str]) -> pd.DataFrame:
    share = value.startswith(_SHARES)
    rows = []
    for _, row in table.iterrows():
        means = [cell[0] for cell in row if isinstance(cell, tuple)]
        choose = min if value.startswith(_COSTS) else max
        best = choose((mean for mean in means if not math.isnan(mean)), default=math.nan)
        rows.append(
            [_cell(cell, share, bold, best if len(means) > 1 else math.nan) for cell in row]
        )
    words = pd.DataFrame(rows, columns=[str(name) for name in table.columns], dtype=object)
    side = table.index.to_frame(index=False).astype(object).map(_number)
    return pd.concat([side, words], axis=1)


def _cell(cell: Any, share: bool, bold: Callable[[str], str], best: float) -> str:
    if not isinstance(cell, tuple):
        return "-"
    mean, _, high, n, failed = cell
    if not n:
        return f"- ({failed} failed)" if failed else "-"
    scale, digits = (100, ".1f") if share else (1, ".4g")
    text = f"{scale * mean:{digits}}"
    if not math.isnan(high):
        text += f" ± {scale * (high - mean):{'.1f' if share else '.2g'}}"
    text += f" ({failed} failed)" if failed else ""
    return bold(text) if mean == best else text


def _number(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def _long(table: pd.DataFrame, value: str) -> pd.DataFrame:
    side = table.index.to_frame(index=False)
    parts = []
    for name in table.columns:
        cells = [
            cell if isinstance(cell, tuple) else (math.nan,) * 3 + (0, 0) for cell in table[name]
        ]
        numbers = pd.DataFrame(cells, columns=[value, "low", "high", "n", "failed"])
        parts.append(
            pd.concat([side, pd.Series(name, side.index, name=table.columns.name), numbers], axis=1)
        )
    return pd.concat(parts, ignore_index=True)


def _markdown(words: pd.DataFrame) -> str:
    escaped = words.astype(object).map(lambda value: str(value).replace("|", r"\|"))
    return escaped.to_markdown(index=False, disable_numparse=True)


def _latex(words: pd.DataFrame) -> str:
    """A table for booktabs, with what TeX reads as commands escaped."""
    escaped = words.astype(object).map(_tex)
    escaped.columns = [_tex(str(name)) for name in words.columns]
    return escaped.to_latex(index=False, escape=False)


def _tex(value: Any) -> str:
    text, before, after = str(value), "", ""
    if text.startswith(r"\textbf{") and text.endswith("}"):
        text, before, after = text[8:-1], r"\textbf{", "}"
    for char, name in (
        ("\\", r"\textbackslash "), ("&", r"\&"), ("%", r"\%"), ("$", r"\$"), ("#", r"\#"),
        ("_", r"\_"), ("{", r"\{"), ("}", r"\}"), ("~", r"\textasciitilde "),
        ("^", r"\textasciicircum "), ("±", r"$\pm$"), ("<", r"$<$"), (">", r"$>$"),
        ("|", r"\textbar "),
    ):  # fmt: skip
        text = text.replace(char, name)
    return before + text + after
