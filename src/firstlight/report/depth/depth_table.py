"""A depth study as tables in the terminal, one for each network."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table

from firstlight.report.terminal import NONE, TableColumn, richest_table, writer

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy

#: What a narrow terminal does without, in this order.
_DISPENSABLE = ("apart", "theory", "chi", "rates")


def depth_table(study: "DepthStudy") -> RenderableType:
    """Lay out a depth study for the terminal: a table for each network, a line for each start.

    Args:
        study: what ``firstlight.studies.depth_study`` returned.

    Returns:
        A Rich renderable, which fits itself to the terminal's width. Intervals are
        ``DepthRow.interval``.
    """
    return _Page(study)


@dataclass(frozen=True)
class _Page:
    study: "DepthStudy"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write = writer(options)
        yield write(_setting(self.study), "dim")
        for rows in self.study.groups():
            yield write("")
            yield write(network_name(rows[0]), "bold")
            yield _table(self.study, rows, console, options)
            for line in _faults(rows):
                yield write(line)
        yield write("")
        for line in _notes(self.study):
            yield write(line, "dim")


def network_name(row: "DepthRow") -> str:
    """The network in words.

    Example:
        >>> from firstlight.studies import depth_study
        >>> found = depth_study(widths=[(8, 4)], depths=[5], schemes=["orthogonal"], seeds=1,
        ...                     steps=0)
        >>> network_name(found.rows[0])
        'width 8, 4 in turn, 5 hidden layers, tanh'
    """
    shape = row.network
    widths = ", ".join(map(str, shape.widths)) + (" in turn" if len(shape.widths) > 1 else "")
    size = f", {row.train_size:,} training samples" if row.train_size else ""
    layers = "layers" if shape.depth > 1 else "layer"
    return f"width {widths}, {shape.depth} hidden {layers}, {shape.activation}{size}"


def _table(
    study: "DepthStudy", rows: "tuple[DepthRow, ...]", console: Console, options: ConsoleOptions
) -> Table:
    best = max((row.accuracy.mean for row in rows if row.found.runs), default=math.nan)

    def style(row: "DepthRow") -> str:
        return "bold" if row.found.runs and row.accuracy.mean == best else ""

    return richest_table(_columns(study), rows, style, _DISPENSABLE, console, options)


def _columns(study: "DepthStudy") -> "list[TableColumn[DepthRow]]":
    columns = [
        TableColumn("start", "\nstart", lambda row: row.start.label, "left"),
        TableColumn("spread", "spread\nlast/first", _median("spread_ratio")),
        TableColumn("apart", "samples apart\nlast/first", _median("apart_ratio")),
        TableColumn("gradient", "gradient\nfirst/last", _median("gradient_ratio")),
        TableColumn("chi", "chi\nmeasured", _median("chi", ".3f")),
        TableColumn("theory", "chi\nmean field", _median("chi_mean_field", ".3f")),
    ]
    if study.options["steps"]:
        columns += [
            TableColumn("accuracy", "accuracy\n%", _accuracy),
            TableColumn("rate", "best\nrate", _rate),
            TableColumn("rates", f"rates within\n{study.within:g} points", _rates(study)),
        ]
    return columns


def _median(what: str, how: str = ".2g") -> "Callable[[DepthRow], str]":
    def cell(row: "DepthRow") -> str:
        value = row.median(what)
        return NONE if value is None else format(value, how)

    return cell


def _accuracy(row: "DepthRow") -> str:
    if not row.found.runs:
        return NONE
    text, (low, high) = f"{100 * row.accuracy.mean:.1f}", row.interval
    return text if math.isnan(low) else f"{text} ({100 * low:.1f}{NONE}{100 * high:.1f})"


def _rate(row: "DepthRow") -> str:
    return NONE if row.best_rate is None else f"{row.best_rate:g}"


def _rates(study: "DepthStudy") -> "Callable[[DepthRow], str]":
    def cell(row: "DepthRow") -> str:
        """First and last of the rates that train, and how many they are of those tried."""
        rates = row.trained_rates(study.within, study.chance)
        if not rates:
            return NONE
        ends = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g}{NONE}{rates[-1]:g}"
        return f"{ends} ({len(rates)} of {len(row.rates)})"

    return cell


def _setting(study: "DepthStudy") -> str:
    options = study.options
    count = len(options["seeds"])
    seeds = f"{count} seeds" if count > 1 else "one seed"
    if not options["steps"]:
        return f"{study.data}; {seeds}, before training"
    return (
        f"{study.data}; {seeds}, {options['steps']:,} steps of {options['optimizer']}, batches of "
        f"{options['batch_size']}; chance is {100 * study.chance:.1f} %"
    )


def _faults(rows: "tuple[DepthRow, ...]") -> list[str]:
    found = [f"{row.start.label}: {row.found.failure}" for row in rows if row.found.failure]
    for row in rows:
        if row.diverged:
            runs = len(row.found.runs)
            found.append(f"{row.start.label}: {row.diverged} of {runs} runs diverged; they count 0")
    return found


def _notes(study: "DepthStudy") -> list[str]:
    lines = ["Spread, gradient and chi: medians over seeds, before training."]
    if study.options["steps"]:
        lines.append(
            "Accuracy: test set, after the last step, at the rate that held-out training samples "
            "chose; 95 % interval of the mean over seeds, cut off at 0 and 100."
        )
        lines.append(
            "Rates within: those whose mean test accuracy is as near to that of the start's best; "
            "none where that is chance."
        )
    return lines
