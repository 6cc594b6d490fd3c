"""How far a study of starts is, on the terminal or line by line in a log."""

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.table import Column

from firstlight.cli.shown_progress import ShownProgress

if TYPE_CHECKING:
    from firstlight.physics.result import Look, PinnRun


class PinnProgressBar(ShownProgress):
    """One bar over all runs, with the one in progress; a line for each where no one looks.

    Attributes:
        runs: how many the study has.
        done: how many of them are finished, now or before.
    """

    def __init__(self, console: Console, name: str) -> None:
        self.runs = self.done = 0
        self._label, self._steps = "", 1
        super().__init__(
            console,
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("runs", table_column=Column(no_wrap=True)),
            # last: the end of a long name is what a narrow terminal can do without
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            task=f"getting {name} ready",
        )

    def begin(self, runs: int) -> None:
        """Set the length of the bar."""
        self.runs = runs
        self._progress.update(self._task, total=runs)

    def run(self, label: str, steps: int) -> None:
        """Name the run in progress."""
        self._label, self._steps = label, steps
        self._progress.update(self._task, description=label)

    def show(self, look: "Look") -> None:
        """Show where the run is: the loss never without the error."""
        text = f"{self._label}: step {look.step}/{self._steps}, {told(look.loss, look.error)}"
        part = self.done + look.step / self._steps
        self._progress.update(self._task, description=text, completed=min(part, self.done + 1))

    def finish(self, label: str, run: "PinnRun", before: bool) -> None:
        """Count a run; name it where it has collapsed, or where no bar can be seen."""
        self.done += 1
        self._progress.update(self._task, completed=self.done)
        if before:
            return
        if run.stopped == "collapsed" or not self._console.is_terminal:
            how = "" if run.stopped == "finished" else f", {run.stopped}"
            outcome = f"{told(run.loss, run.error)}, {run.steps} steps, {run.seconds:.0f} s{how}"
            self.note(f"{self.done}/{self.runs} {label}: {outcome}")


def told(loss: float, error: float) -> str:
    """A loss and its error in words.

    Example:
        >>> from firstlight.cli.pinn_progress import told
        >>> told(1.2e-4, 0.0312), told(math.inf, math.inf)
        ('loss 1.2e-04, error 3.1e-02', 'loss not a number')
    """
    if not math.isfinite(loss):
        return "loss not a number"
    return f"loss {loss:.1e}, error {error:.1e}"
