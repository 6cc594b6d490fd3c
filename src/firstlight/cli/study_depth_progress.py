"""How far a depth study is, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from firstlight.cli.shown_progress import ShownProgress

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow


class DepthBar(ShownProgress):
    """One bar over networks and starts, with the update of the one in progress.

    Attributes:
        cells: how many networks and starts the study has.
        done: how many of them are finished, now or before.
    """

    def __init__(self, console: Console) -> None:
        self.cells = self.done = self._steps = 0
        self._label = ""
        super().__init__(
            console,
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("starts,", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            # last: the end of a long name is what a narrow terminal can do without
            TextColumn(
                "{task.description}",
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            task="loading",
        )

    def begin(self, cells: int, steps: int) -> None:
        """Set the length of the bar."""
        self.cells, self._steps = cells, steps
        self._progress.update(self._task, total=cells)

    def cell(self, label: str) -> None:
        """Name what is in progress."""
        self._label = label
        self._progress.update(self._task, description=escape(label))

    def step(self, step: int) -> None:
        """Show the update, and move the bar by its share."""
        if self._console.is_terminal:
            text = escape(f"step {step} of {self._steps}, {self._label}")
            share = self.done + step / self._steps
            self._progress.update(self._task, description=text, completed=share)

    def finish(self, label: str, row: "DepthRow", before: bool) -> None:
        """Count it; name it where it failed, or where no bar can be seen."""
        self.done += 1
        self._progress.update(self._task, completed=self.done)
        if not before and (row.found.failure or not self._console.is_terminal):
            self.note(f"{self.done}/{self.cells} {label}: {outcome(row)}")


def outcome(row: "DepthRow") -> str:
    """What it has come to, in words."""
    if row.found.failure:
        return row.found.failure
    if row.best_rate is None:
        spread, gradient = row.median("spread_ratio"), row.median("gradient_ratio")
        return f"spread {spread:.2g}, gradient {gradient:.2g}"
    text = f"{100 * row.accuracy.mean:.1f} % at {row.best_rate:g}"
    return f"{text}, {row.diverged} diverged" if row.diverged else text
