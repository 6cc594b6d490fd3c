"""Physics-informed networks as a table in the terminal."""

import math
import statistics
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult

from firstlight.report.terminal import NONE, open_table, writer

if TYPE_CHECKING:
    from firstlight.physics.study_result import PinnRow, PinnStudy

#: More seeds than this have no column each.
_COLUMNS = 6


def pinn_table(study: "PinnStudy") -> Any:
    """Lay out a study for the terminal: relative L2 error of each seed, median and interval.

    Args:
        study: what ``firstlight.physics.study`` returned.

    Returns:
        A Rich renderable.
    """
    return _Page(study)


class _Page:
    def __init__(self, study: "PinnStudy") -> None:
        self._study = study

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write, study = writer(options), self._study
        yield write(f"{study.problem}: {study.equation}", "bold")
        yield write(_setting(study), "dim")
        table = open_table()
        heads, rows = _cells(study)
        for place, head in enumerate(heads):
            if place:
                table.add_column(write(head), justify="right", overflow="fold")
            else:
                table.add_column(write(head), no_wrap=True)  # names are for copying
        best = min(row.error.median for row in study.rows)
        for row, cells in zip(study.rows, rows, strict=True):
            bold = len(study.rows) > 1 and row.error.median == best and math.isfinite(best)
            table.add_row(*(write(cell, "bold" if bold else "") for cell in cells))
        yield table
        for line in [*_faults(study), *_notes(study)]:
            yield write(line, "dim")


def _cells(study: "PinnStudy") -> tuple[list[str], list[list[str]]]:
    heads = ["\nstart", "learning\nrate"]
    each = 1 < len(study.seeds) <= _COLUMNS
    if each:
        heads += [f"\nseed {seed}" for seed in study.seeds]
    zeros = any(row.step_zero for row in study.rows)
    heads += ["relative L2\nerror", "\ninterval", "\nloss", "\nsteps", "\ns"]
    if zeros:
        heads.append("loss at\nstep 0")
    return heads, [_row(row, each, zeros) for row in study.rows]


def _row(row: "PinnRow", each: bool, zeros: bool) -> list[str]:
    error, middle = row.error, row.middle
    cells = [row.scheme, f"{row.learning_rate:g}"]
    if each:
        cells += [_number(run.error) for run in row.runs]
    interval = f"{_number(error.low)}{NONE}{_number(error.high)}" if error.coverage else NONE
    cells += [_number(error.median), interval, _number(middle.loss)]
    cells += [str(middle.steps), f"{middle.seconds:.0f}"]
    if zeros:
        cells.append(
            NONE if row.step_zero is None else _number(statistics.median(row.step_zero.losses))
        )
    return cells


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
