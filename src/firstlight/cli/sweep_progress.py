"""How far a sweep has come, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

from firstlight.cli.runs_bar import RunsBar

if TYPE_CHECKING:
    from firstlight.sweeps.job import Job


class SweepBar(RunsBar):
    """One bar over all runs; a line for each that crashed or was lost."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            task="checking",
        )

    def begin(self, runs: int, before: int, where: str) -> None:
        """Set the length; a sweep with tuning begins twice, and knows more runs then."""
        self.set_length(runs)
        self.done = max(self.done, before)
        self._progress.update(self._task, completed=self.done)
        self.describe(f"in {where}" if where == "this process" else f"on {where}")

    def finish(self, job: "Job", outcome: Any, again: bool) -> None:
        """Count a run, and say so where it failed or no bar can be seen."""
        label, words = job.label, said(outcome)
        if again:
            self.note(f"{label}: {words}; tried again")
            return
        lost = not isinstance(outcome, dict)
        fault = lost or outcome["status"] != "ok"
        self.count(label, lambda: words, before=False, fault=fault)


def said(outcome: Any) -> str:
    """Return what came of a run in a few words."""
    if not isinstance(outcome, dict):
        return f"lost: {outcome.reason}"
    if outcome["status"] == "ok":
        return f"{100 * outcome['accuracy_final']:.1f} %"
    return f"{outcome['status']}: {outcome['reason']}"
