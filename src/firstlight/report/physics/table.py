"""Physics-informed networks as a table in the terminal."""

import math
import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult

from firstlight.report.terminal import NONE, TableColumn, richest_table, writer

if TYPE_CHECKING:
    from firstlight.physics.study_result import PinnRow, PinnStudy

#: More seeds than this have no column each.
_COLUMNS = 6
#: What a narrow terminal does without, in this order.
_DISPENSABLE = ("seconds", "steps", "rate", "seeds", "zero", "interval", "loss")


def pinn_table(study: "PinnStudy") -> Any:
    """Lay out a study for the terminal: relative L2 error of each seed, median and interval.

    Args:
        study: what ``firstlight.physics.study`` returned.

    Returns:
        A Rich renderable, which fits itself to the terminal's width.
    """
    return _Page(study)


class _Page:
    def __init__(self, study: "PinnStudy") -> None:
        self._study = study

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write, study = writer(options), self._study
        yield write(f"{study.problem}: {study.equation}", "bold")
        yield write(_setting(study), "dim")
        best = min(row.error.median for row in study.rows)

        def style(row: "PinnRow") -> str:
            leads = row.error.median == best and math.isfinite(best)
            return "bold" if leads and len(study.rows) > 1 else ""

        yield richest_table(_columns(study), study.rows, style, _DISPENSABLE, console, options)
        for line in [*_faults(study), *_notes(study)]:
            yield write(line, "dim")


def _columns(study: "PinnStudy") -> "list[TableColumn[PinnRow]]":
    columns: list[TableColumn[PinnRow]] = [
        TableColumn("start", "\nstart", lambda row: row.scheme, "left"),
        TableColumn("rate", "learning\nrate", lambda row: f"{row.learning_rate:g}"),
    ]
    if 1 < len(study.seeds) <= _COLUMNS:
        for place, seed in enumerate(study.seeds):
            columns.append(TableColumn("seeds", f"\nseed {seed}", _error_at(place)))
    columns += [
        TableColumn("error", "relative L2\nerror", lambda row: _number(row.error.median)),
        TableColumn("interval", "\ninterval", _interval),
        TableColumn("loss", "\nloss", lambda row: _number(row.middle.loss)),
        TableColumn("steps", "\nsteps", lambda row: str(row.middle.steps)),
        TableColumn("seconds", "\ns", lambda row: f"{row.middle.seconds:.0f}"),
    ]
    if any(row.step_zero for row in study.rows):
        columns.append(TableColumn("zero", "loss at\nstep 0", _before))
    return columns


def _error_at(place: int) -> "Callable[[PinnRow], str]":
    return lambda row: _number(row.runs[place].error)


def _interval(row: "PinnRow") -> str:
    error = row.error
    return f"{_number(error.low)}{NONE}{_number(error.high)}" if error.coverage else NONE


def _before(row: "PinnRow") -> str:
    return NONE if row.step_zero is None else _number(statistics.median(row.step_zero.losses))


def _number(value: float) -> str:
    """Two digits, as numbers over many powers of ten are read best."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "nan"
    return f"{value:.2g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.1e}"


def _setting(study: "PinnStudy") -> str:
    options = study.options
    points = options["training points"]
    drawn = ", ".join(f"{points[name]:,} {name}" for name in points if points[name])
    return (
        f"{options['depth']} hidden {options['activation']} layers of width {options['width']} "
        f"({study.parameters:,} parameters), {options['precision']}; points: {drawn}; "
        f"Adam {options['adam_steps']}, then L-BFGS {options['lbfgs_steps']}"
    )


def _faults(study: "PinnStudy") -> list[str]:
    return [
        f"{row.scheme}, seed {run.seed}: {note}"
        for row in study.rows
        for run in row.runs
        for note in run.notes
    ]


def _notes(study: "PinnStudy") -> list[str]:
    lines = ["Error against the reference solution, of the network with the least training loss."]
    if len(study.seeds) > 1:
        chance = 100 * study.rows[0].error.coverage
        lines.append(
            f"Medians over {len(study.seeds)} seeds; an interval of order statistics holds the "
            f"true one with a chance of {chance:.0f} %. Loss, steps and s: the middle run's."
        )
    if len(study.learning_rates) > 1:
        lines.append("Learning rates: the one of least loss for each start, on another seed.")
    return lines
