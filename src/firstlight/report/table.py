"""The comparison as a table in the terminal."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.console import Group as RenderGroup
from rich.table import Table
from rich.text import Text

from firstlight.report.group import Group, Row, groups
from firstlight.report.notation import ASCII, measure, p_value, points, seconds, span
from firstlight.report.palette import INK
from firstlight.report.verdict import failures, sentences, setting

if TYPE_CHECKING:
    from firstlight.comparison import Comparison

_HEADS = {
    "accuracy_epoch_1": "epoch\n1",
    "accuracy_epoch_10": "epoch\n10",
    "accuracy_max": "maximum",
    "auc": "AUC",
}

#: The room for a scheme's name.
_NAME = 28

#: What a narrow terminal does without, in this order.
_DISPENSABLE = (
    "other intervals",
    "seconds",
    "auc",
    "accuracy_epoch_1",
    "accuracy_epoch_10",
    "runs",
    "difference's interval",
    "p",
    "maximum's interval",
)

_NOTES = (
    "Means over finished runs, in %; ± is half the 95 % t interval over seeds.",
    "Δ: maximum less the baseline's, in points, paired by seed, [95 % interval].",
    "p: paired t test, corrected for the number of schemes (Holm); *: below 5 %.",
    "The intervals are not corrected: one may leave out 0 although p is above 5 %.",
)


def table(comparison: "Comparison") -> RenderableType:
    """Lay out ``comparison`` for the terminal: one table per model, data set and optimizer.

    Accuracies are in percent, means are over the runs that finished, and the number behind ± is
    half the 95 % interval. The best mean of a column is bold, among the schemes with the fewest
    failed runs. The table fits itself to the terminal's width and to what the terminal can
    write; the narrowest terminal gets a few lines for each scheme instead.

    Args:
        comparison: what ``firstlight.compare`` returned.

    Returns:
        A Rich renderable.
    """
    return _Tables(groups(comparison))


@dataclass(frozen=True)
class _Tables:
    groups: tuple[Group, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write = _ascii if options.ascii_only else Text
        for group in self.groups:
            yield write(group.title, "bold")
            yield write(setting(group), "dim")
            yield _fitting(group, console, options)
            for sentence in sentences(group):
                yield write(sentence)
            for line in failures(group.runs):
                yield write(f"Failed: {line}")
            yield Text()
        yield from (write(line, "dim") for line in _NOTES)


@dataclass(frozen=True)
class _Column:
    name: str
    head: str
    cell: Callable[[Row], Text]
    justify: Literal["left", "right"] = "right"


def _ascii(text: str, style: str = "") -> Text:
    return Text(text.translate(ASCII), style)


def _fitting(group: Group, console: Console, options: ConsoleOptions) -> RenderableType:
    """Build the richest grid that fits the terminal; where none does, one block per scheme."""
    roomy = options.update(max_width=10_000)
    for count in range(len(_DISPENSABLE) + 1):
        grid = _grid(group, _DISPENSABLE[:count], ascii_only=options.ascii_only)
        if console.measure(grid, options=roomy).maximum <= options.max_width:
            return grid
    return _blocks(group, ascii_only=options.ascii_only)


def _blocks(group: Group, *, ascii_only: bool) -> RenderableType:
    """Write all that is known of each scheme in lines below its name."""
    write = _ascii if ascii_only else Text
    name, *columns = _columns(group, write, ())
    lines = [Text()]
    for row in group.rows:
        lines.append(name.cell(row))
        for column in columns:
            value = column.cell(row)
            if row.is_baseline and column.name == "difference":
                lines.append(write("  baseline"))
            elif value.plain.strip():
                lines.append(write(f"  {' '.join(column.head.split())} ").append_text(value))
    return RenderGroup(*lines, Text())


def _grid(group: Group, without: tuple[str, ...], *, ascii_only: bool) -> Table:
    write = _ascii if ascii_only else Text
    gap = (0, 0 if without else 1, 0, 0)
    grid = Table(box=box.SIMPLE_HEAD, padding=gap, pad_edge=False, show_edge=False)
    columns = [column for column in _columns(group, write, without) if column.name not in without]
    lines = max(column.head.count("\n") for column in columns)
    for column in columns:
        is_scheme = column.name == "scheme"
        grid.add_column(
            write("\n" * (lines - column.head.count("\n")) + column.head),
            justify=column.justify,
            no_wrap=not is_scheme,
            overflow="fold",
            max_width=_NAME + 2 if is_scheme else None,
        )
    for row in group.rows:
        grid.add_row(*(column.cell(row) for column in columns))
    return grid


def _columns(group: Group, write: Callable[..., Text], without: tuple[str, ...]) -> list[_Column]:
    columns = [_Column("scheme", "scheme", lambda row: _scheme(row, write), "left")]
    if any(row.failed for row in group.rows):
        columns.append(_Column("runs", "runs", lambda row: write(_runs(row))))
    columns += [
        _Column(metric, _HEADS[metric], _measure(group, metric, write, without))
        for metric in group.metrics
    ]
    delta = f"Δ {group.baseline if len(group.baseline) < 16 else 'baseline'}"
    columns.append(_Column("difference", delta, _difference(write, without)))
    if not all(math.isnan(row.p) for row in group.rows):
        columns.append(_Column("p", "p ", lambda row: write(_p(row))))
    columns.append(_Column("seconds", "s", lambda row: write(seconds(row.seconds))))
    return columns


def _scheme(row: Row, write: Callable[..., Text]) -> Text:
    marker, colour = row.style.marker, row.style.light
    glyph = marker.ascii if write is _ascii else marker.glyph
    # Ink is the terminal's own colour of writing, whatever that is.
    return Text.assemble((glyph, "" if colour == INK[0] else colour), " ", _folded(row.scheme))


def _folded(scheme: str) -> str:
    """Break a scheme with many options before an option."""
    lines = [""]
    for part in re.findall(r"[^:]*:|[^:]+", scheme):
        if lines[-1] and len(lines[-1]) + len(part) > _NAME:
            lines.append("")
        lines[-1] += part
    return "\n  ".join(lines)


def _runs(row: Row) -> str:
    return f"{len(row.finished)}/{len(row.runs)}"


def _measure(
    group: Group, metric: str, write: Callable[..., Text], without: tuple[str, ...]
) -> Callable[[Row], Text]:
    # The interval of the maximum stays longer than the others: that measure decides.
    whose = "maximum's interval" if metric == "accuracy_max" else "other intervals"
    interval = metric != "auc" and whose not in without
    best = group.best(metric)

    def mean(row: Row) -> str:
        return measure(row.measures[metric], metric, interval=False)

    def cell(row: Row) -> Text:
        # What is printed alike is bold alike.
        is_best = best is not None and mean(row) == mean(best)
        text = measure(row.measures[metric], metric, interval=interval)
        return write(text, "bold" if is_best else "")

    return cell


def _difference(write: Callable[..., Text], without: tuple[str, ...]) -> Callable[[Row], Text]:
    def cell(row: Row) -> Text:
        if row.is_baseline:
            return write("baseline", "dim")
        interval = "" if "difference's interval" in without else span(row.difference)
        return write(f"{points(row.difference.mean)} {interval}".rstrip())

    return cell


def _p(row: Row) -> str:
    # The blank keeps the decimals below each other.
    return " " if row.is_baseline else p_value(row.p) + ("*" if row.significant else " ")
