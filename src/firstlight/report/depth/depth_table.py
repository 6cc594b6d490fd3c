"""A depth study as tables in the terminal, one for each network."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy

_NONE = "\N{EN DASH}"
#: What a terminal without Unicode gets instead.
_ASCII = str.maketrans({_NONE: "-"})
#: What a narrow terminal does without, in this order.
_DISPENSABLE = ("apart", "theory", "chi", "rates")


def depth_table(study: "DepthStudy") -> RenderableType:
    """Lay out a depth study for the terminal: a table for each network, a line for each start.

    Args:
        study: what ``firstlight.studies.depth_study`` returned.

    Returns:
        A Rich renderable, which fits itself to the terminal's width.
    """
    return _Page(study)


@dataclass(frozen=True)
class _Column:
    name: str
    head: str
    cell: "Callable[[DepthRow], str]"
    justify: Literal["left", "right"] = "right"


@dataclass(frozen=True)
class _Page:
    study: "DepthStudy"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def write(text: str, style: str = "") -> Text:
            return Text(text.translate(_ASCII) if options.ascii_only else text, style)

        yield write(_setting(self.study), "dim")
        for rows in self.study.groups():
            yield write("")
            yield write(network_name(rows[0]), "bold")
            yield _fitting(self.study, rows, console, options, write)
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


def _fitting(
    study: "DepthStudy",
    rows: "tuple[DepthRow, ...]",
    console: Console,
    options: ConsoleOptions,
    write: Callable[..., Text],
) -> Table:
    """The richest table that fits."""
    roomy = options.update(max_width=10_000)
    for count in range(len(_DISPENSABLE) + 1):
        table = _table(study, rows, _DISPENSABLE[:count], write)
        if console.measure(table, options=roomy).maximum <= options.max_width:
            break
    return table


def _table(
    study: "DepthStudy",
    rows: "tuple[DepthRow, ...]",
    without: tuple[str, ...],
    write: Callable[..., Text],
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    columns = [column for column in _columns(study) if column.name not in without]
    for column in columns:
        table.add_column(write(column.head), justify=column.justify, overflow="fold")
    best = max((row.accuracy.mean for row in rows if row.found.runs), default=math.nan)
    for row in rows:
        style = "bold" if row.found.runs and row.accuracy.mean == best else ""
        table.add_row(*(write(column.cell(row), style) for column in columns))
    return table


def _columns(study: "DepthStudy") -> list[_Column]:
    columns = [
        _Column("start", "\nstart", lambda row: row.start.label, "left"),
        _Column("spread", "spread\nlast/first", _median("spread_ratio")),
        _Column("apart", "samples apart\nlast/first", _median("apart_ratio")),
        _Column("gradient", "gradient\nfirst/last", _median("gradient_ratio")),
        _Column("chi", "chi\nmeasured", _median("chi", ".3f")),
        _Column("theory", "chi\nmean field", _median("chi_mean_field", ".3f")),
    ]
    if study.options["steps"]:
        columns += [
            _Column("accuracy", "accuracy\n%", _accuracy),
            _Column("rate", "best\nrate", _rate),
            _Column("rates", f"rates within\n{study.within:g} points", _rates(study)),
        ]
    return columns


def _median(what: str, how: str = ".2g") -> "Callable[[DepthRow], str]":
    def cell(row: "DepthRow") -> str:
        value = row.median(what)
        return _NONE if value is None else format(value, how)

    return cell


def _accuracy(row: "DepthRow") -> str:
    if not row.found.runs:
        return _NONE
    mean, low, high, _ = row.accuracy
    text = f"{100 * mean:.1f}"
    return text if math.isnan(low) else f"{text} \N{PLUS-MINUS SIGN} {50 * (high - low):.1f}"


def _rate(row: "DepthRow") -> str:
    return _NONE if row.best_rate is None else f"{row.best_rate:g}"


def _rates(study: "DepthStudy") -> "Callable[[DepthRow], str]":
    def cell(row: "DepthRow") -> str:
        """First and last of the rates that train, and how many they are of those tried."""
        rates = row.trained_rates(study.within, study.chance)
        if not rates:
            return _NONE
        ends = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g}{_NONE}{rates[-1]:g}"
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
            "chose; 95 % interval of the mean over seeds."
        )
        lines.append(
            "Rates within: those whose mean test accuracy is as near to that of the start's best; "
            "none where that is chance."
        )
    return lines
