"""A study as a table in the terminal."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Over, Study, StudyRow

_NONE = "\N{EN DASH}"
#: What a terminal without Unicode gets instead.
_ASCII = str.maketrans({_NONE: "-", "∞": "inf"})
#: What a narrow terminal does without, in this order.
_DISPENSABLE = ("rate", "seconds", "parameters", "condition", "above", "psnr", "expected")


def study_table(study: "Study") -> RenderableType:
    """Lay out a study for the terminal: one line for each row, medians and ranges over seeds.

    Args:
        study: what ``firstlight.fields.study`` returned.

    Returns:
        A Rich renderable, which fits itself to the terminal's width.
    """
    return _Page(study)


@dataclass(frozen=True)
class _Column:
    name: str
    head: str
    cell: "Callable[[StudyRow], str]"
    justify: Literal["left", "right"] = "right"


@dataclass(frozen=True)
class _Page:
    study: "Study"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def write(text: str, style: str = "") -> Text:
            return Text(text.translate(_ASCII) if options.ascii_only else text, style)

        yield write(self.study.signal, "bold")
        yield write(_setting(self.study), "dim")
        yield _fitting(self.study, console, options, write)
        for choice in self.study.choices:
            yield write(f"{choice.name}: {choice.line}")
        for line in _faults(self.study):
            yield write(line)
        for line in _notes(self.study):
            yield write(line, "dim")


def _fitting(
    study: "Study", console: Console, options: ConsoleOptions, write: Callable[..., Text]
) -> Table:
    """The richest table that fits."""
    roomy = options.update(max_width=10_000)
    for count in range(len(_DISPENSABLE) + 1):
        table = _table(study, _DISPENSABLE[:count], write)
        if console.measure(table, options=roomy).maximum <= options.max_width:
            break
    return table


def _table(study: "Study", without: tuple[str, ...], write: Callable[..., Text]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    columns = [column for column in _columns(study) if column.name not in without]
    for column in columns:
        table.add_column(write(column.head), justify=column.justify, overflow="fold")
    for row in study.rows:
        style = "bold" if row.auto else ""
        table.add_row(*(write(column.cell(row), style) for column in columns))
    return table


def _columns(study: "Study") -> list[_Column]:
    columns = [
        _Column("row", "\nrow", _label, "left"),
        _Column("parameters", "para-\nmeters", lambda row: f"{row.parameters:,}"),
        _Column("rate", "learning\nrate", lambda row: f"{row.learning_rate:g}"),
    ]
    if study.target_psnr is not None:
        head = f"steps to\n{study.target_psnr:g} dB"
        columns.append(_Column("steps", head, lambda row: over(row.reached, "{:.0f}")))
    columns.append(_Column("seconds", "\ns", lambda row: _seconds(row.seconds)))
    columns.append(_Column("psnr", "PSNR\ndB", lambda row: over(row.psnr, "{:.2f}")))
    if study.held_out:
        columns.append(
            _Column("held_out", "held out\ndB", lambda row: over(row.held_out, "{:.2f}"))
        )
    if any(row.expected is not None for row in study.rows):
        columns.append(
            _Column("expected", "expected\ndB", lambda row: _number(row.expected, ".2f"))
        )
    if any(row.runs[0].start is not None for row in study.rows):
        columns.append(_Column("above", "above\nNyquist", _above))
        columns.append(_Column("condition", "condition\nat start", _condition))
    return columns


def over(value: "Over | None", how: str) -> str:
    """Write a median and its range.

    Example:
        >>> from firstlight.fields.studying.result import Over
        >>> over(Over(3.0, 1.0, math.inf), "{:.0f}"), over(None, "{:.0f}")
        ('3 (1–∞)', '–')
    """
    if value is None:
        return _NONE
    median, low, high = (how.format(each) if math.isfinite(each) else _inf(each) for each in value)
    if value.median == math.inf:  # most seeds never got there
        median = _NONE
    return median if low == high else f"{median} ({low}{_NONE}{high})"


def _inf(value: float) -> str:
    return "∞" if value > 0 else "-∞"


def _label(row: "StudyRow") -> str:
    return f"{row.label} ({row.alpha:.2f})" if row.auto and row.alpha is not None else row.label


def _seconds(value: "Over | None") -> str:
    return _NONE if value is None else f"{value.median:.{0 if value.median >= 10 else 1}f}"


def _number(value: float | None, how: str) -> str:
    return _NONE if value is None else format(value, how)


def _above(row: "StudyRow") -> str:
    """The initial function's share above the sampling's limit, along the worst coordinate."""
    start = row.runs[0].start
    shares = [] if start is None else [each.above for each in start.spectra]
    known = [share for share in shares if share is not None]
    if not known:
        return _NONE
    return f"{100 * max(known):#.2g}".rstrip(".") + " %" if max(known) >= 1e-4 else "<0.01 %"


def _condition(row: "StudyRow") -> str:
    for snapshot in row.runs[0].snapshots:
        if snapshot.step == 0 and snapshot.kernel is not None:
            value = snapshot.kernel.condition
            return f"{value:,.0f}" if 10 <= value < 1e5 else f"{value:.2g}".replace("inf", "∞")
    return _NONE


def _setting(study: "Study") -> str:
    seeds = f"{len(study.seeds)} seeds" if len(study.seeds) > 1 else "one seed"
    held_out = f", {study.held_out:,} held out" if study.held_out else ""
    return f"{study.samples:,} samples fitted{held_out}; {seeds}, at most {study.steps:,} steps"


def _faults(study: "Study") -> list[str]:
    """Rows of which runs have collapsed."""
    found = []
    for row in study.rows:
        broken = [run.seed for run in row.runs if run.stopped == "collapsed"]
        if broken:
            seeds = ", ".join(map(str, broken))
            found.append(f"{row.label}: the loss was not a number any more, seed {seeds}")
    return found


def _notes(study: "Study") -> list[str]:
    lines = []
    if len(study.seeds) > 1:
        lines.append(f"Medians, and (least{_NONE}largest), over seeds.")
    if len(study.learning_rates) > 1:
        lines.append("Learning rates: the best of the same list for each row, on another seed.")
    if any(row.expected is not None for row in study.rows):
        lines.append("Expected: what the kernel computes for held-out samples before training.")
    return lines
