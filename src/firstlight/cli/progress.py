"""How far a comparison has come, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from firstlight.cli.shown_progress import ShownProgress

if TYPE_CHECKING:
    from firstlight.comparison import RunResult, RunSpec


class Bar(ShownProgress):
    """One bar over the epochs of all runs, with the time left; plain lines where no one looks.

    Attributes:
        runs: how many runs the comparison has.
        done: how many of them are finished, now or before.
    """

    def __init__(self, console: Console) -> None:
        self.runs = self.done = 0
        self._epochs = 0  # of the current run
        super().__init__(
            console,
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("epochs,", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("gone,", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("left", table_column=Column(no_wrap=True)),
            # last: the end of a long name is what a narrow terminal can do without
            TextColumn(
                "{task.description}",
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            task="loading",
            speed_estimate_period=300,  # short runs of unlike length would make it jump
        )

    def begin(self, runs: int, epochs: int) -> None:
        """Set the length of the bar."""
        self.runs = runs
        self._progress.update(self._task, total=epochs)

    def load(self, result: "RunResult") -> None:
        """Shorten the bar: what was done before says nothing about the time left."""
        self.done += 1
        total = self._progress.tasks[0].total or 0
        self._progress.update(self._task, total=total - result.spec.epochs)

    def run(self, spec: "RunSpec") -> None:
        """Name the run in progress."""
        self._epochs = 0
        self._progress.update(self._task, description=escape(f"run {self.done + 1}: {_name(spec)}"))

    def epoch(self) -> None:
        """Move the bar."""
        self._epochs += 1
        self._progress.advance(self._task)

    def finish(self, result: "RunResult") -> None:
        """Count the run; name it where it failed, or where no bar can be seen."""
        self.done += 1
        self._progress.advance(self._task, result.spec.epochs - self._epochs)
        if result.status == "ok":
            outcome = f"{100 * result.accuracy[-1]:.1f} %"
        else:
            outcome = f"{result.status}: {result.reason}"
        if result.status != "ok" or not self._console.is_terminal:
            self.note(f"{self.done}/{self.runs} {_name(result.spec)}: {outcome}")


def _name(spec: "RunSpec") -> str:
    purpose = f"tuning at {spec.learning_rate:g}" if spec.held_out else f"seed {spec.seed}"
    return f"{spec.model}, {spec.data}, {spec.optimizer}, {spec.scheme}, {purpose}"
