"""A study as a table in the terminal."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from firstlight.report.terminal import NONE, TableColumn, richest_table, writer

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Over, Study, StudyRow

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
class _Page:
    study: "Study"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write = writer(options)
        yield write(self.study.signal, "bold")
        yield write(_setting(self.study), "dim")
        yield richest_table(
            _columns(self.study),
            self.study.rows,
            lambda row: "bold" if row.auto else "",
            _DISPENSABLE,
            console,
            options,
        )
        for choice in self.study.choices:
            yield write(f"{choice.name}: {choice.line}")
        for line in _faults(self.study):
            yield write(line)
        for line in _notes(self.study):
            yield write(line, "dim")


def _columns(study: "Study") -> "list[TableColumn[StudyRow]]":
    columns = [
        TableColumn("row", "\nrow", _label, "left"),
        TableColumn("parameters", "para-\nmeters", lambda row: f"{row.parameters:,}"),
        TableColumn("rate", "learning\nrate", lambda row: f"{row.learning_rate:g}"),
    ]
    if study.target_psnr is not None:
        head = f"steps to\n{study.target_psnr:g} dB"
        columns.append(TableColumn("steps", head, lambda row: over(row.reached, "{:.0f}")))
    columns.append(TableColumn("seconds", "\ns", lambda row: _seconds(row.seconds)))
    columns.append(TableColumn("psnr", "PSNR\ndB", lambda row: over(row.psnr, "{:.2f}")))
    if study.held_out:
        columns.append(
            TableColumn("held_out", "held out\ndB", lambda row: over(row.held_out, "{:.2f}"))
        )
    if any(row.expected is not None for row in study.rows):
        columns.append(
            TableColumn("expected", "expected\ndB", lambda row: _number(row.expected, ".2f"))
        )
    if any(row.runs[0].start is not None for row in study.rows):
        columns.append(TableColumn("above", "above\nNyquist", _above))
        columns.append(TableColumn("condition", "condition\nat start", _condition))
    return columns


def over(value: "Over | None", how: str) -> str:
    """Write a median and its range.

    Example:
        >>> from firstlight.fields.studying.result import Over
        >>> over(Over(3.0, 1.0, math.inf), "{:.0f}"), over(None, "{:.0f}")
        ('3 (1–∞)', '–')
    """
    if value is None:
        return NONE
    median, low, high = (how.format(each) if math.isfinite(each) else _inf(each) for each in value)
    if value.median == math.inf:  # most seeds never got there
        median = NONE
    return median if low == high else f"{median} ({low}{NONE}{high})"


def _inf(value: float) -> str:
    return "∞" if value > 0 else "-∞"


def _label(row: "StudyRow") -> str:
    return f"{row.label} ({row.alpha:.2f})" if row.auto and row.alpha is not None else row.label


def _seconds(value: "Over | None") -> str:
    return NONE if value is None else f"{value.median:.{0 if value.median >= 10 else 1}f}"


def _number(value: float | None, how: str) -> str:
    return NONE if value is None else format(value, how)


def _above(row: "StudyRow") -> str:
    """The initial function's share above the sampling's limit, along the worst coordinate."""
    start = row.runs[0].start
    shares = [] if start is None else [each.above for each in start.spectra]
    known = [share for share in shares if share is not None]
    if not known:
        return NONE
    return f"{100 * max(known):#.2g}".rstrip(".") + " %" if max(known) >= 1e-4 else "<0.01 %"


def _condition(row: "StudyRow") -> str:
    for snapshot in row.runs[0].snapshots:
        if snapshot.step == 0 and snapshot.kernel is not None:
            value = snapshot.kernel.condition
            return f"{value:,.0f}" if 10 <= value < 1e5 else f"{value:.2g}".replace("inf", "∞")
    return NONE


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
        lines.append(f"Medians, and (least{NONE}largest), over seeds.")
    if len(study.learning_rates) > 1:
        lines.append("Learning rates: the best of the same list for each row, on another seed.")
    if any(row.expected is not None for row in study.rows):
        lines.append("Expected: what the kernel computes for held-out samples before training.")
    return lines
