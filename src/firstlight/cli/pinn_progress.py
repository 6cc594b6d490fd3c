"""How far a study of physics-informed networks is, on the terminal or line by line in a log."""

import math
from typing import TYPE_CHECKING

from rich.console import Console

from firstlight.cli.runs_bar import RunsBar

if TYPE_CHECKING:
    from firstlight.physics.result import Look, PinnRun


class PinnProgressBar(RunsBar):
    """One bar over all runs, with the one in progress; a line for each where no one looks."""

    def __init__(self, console: Console, name: str) -> None:
        self._label, self._steps = "", 1
        super().__init__(console, task=f"getting {name} ready")

    def begin(self, runs: int) -> None:
        """Set the length of the bar."""
        self.set_length(runs)

    def run(self, label: str, steps: int) -> None:
        """Name the run in progress."""
        self._label, self._steps = label, steps
        self.describe(label)

    def show(self, look: "Look") -> None:
        """Show where the run is: the loss never without the error."""
        self.describe(
            f"{self._label}: step {look.step}/{self._steps}, {told(look.loss, look.error)}"
        )
        part = self.done + look.step / self._steps
        self._progress.update(self._task, completed=min(part, self.done + 1))

    def finish(self, label: str, run: "PinnRun", before: bool) -> None:
        """Count a run; name it where it has collapsed, or where no bar can be seen."""
        fault = run.stopped == "collapsed"
        self.count(label, lambda: _outcome(run), before=before, fault=fault)


def _outcome(run: "PinnRun") -> str:
    how = "" if run.stopped == "finished" else f", {run.stopped}"
    return f"{told(run.loss, run.error)}, {run.steps} steps, {run.seconds:.0f} s{how}"


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
