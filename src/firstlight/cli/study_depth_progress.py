"""How far a depth study is, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import TimeElapsedColumn
from rich.table import Column

from firstlight.cli.runs_bar import RunsBar

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow


class DepthBar(RunsBar):
    """One bar over networks and starts, with the update of the one in progress."""

    def __init__(self, console: Console) -> None:
        self._label, self._steps = "", 0
        elapsed = TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7))
        super().__init__(console, elapsed, task="loading", unit="starts,")

    def begin(self, cells: int, steps: int) -> None:
        """Set the length of the bar."""
        self._steps = steps
        self.set_length(cells)

    def cell(self, label: str) -> None:
        """Name what is in progress."""
        self._label = label
        self.describe(label)

    def step(self, step: int) -> None:
        """Show the update, and move the bar by its share."""
        if self._console.is_terminal:
            self.describe(f"step {step} of {self._steps}, {self._label}")
            self._progress.update(self._task, completed=self.done + step / self._steps)

    def finish(self, label: str, row: "DepthRow", before: bool) -> None:
        """Count it; name it where it failed, or where no bar can be seen."""
        fault = bool(row.found.failure)
        self.count(label, lambda: outcome(row), before=before, fault=fault)


def outcome(row: "DepthRow") -> str:
    """What it has come to, in words."""
    if row.found.failure:
        return row.found.failure
    if row.best_rate is None:
        spread, gradient = row.median("spread_ratio"), row.median("gradient_ratio")
        return f"spread {spread:.2g}, gradient {gradient:.2g}"
    text = f"{100 * row.accuracy.mean:.1f} % at {row.best_rate:g}"
    return f"{text}, {row.diverged} diverged" if row.diverged else text
