"""A bar over the runs of a study, and a line for each where no one looks."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn
from rich.table import Column

from firstlight.cli.shown_progress import ShownProgress


class RunsBar(ShownProgress):
    """One bar over all runs, with the one in progress.

    Args:
        console: where it is shown.
        columns: what stands between the count and the run in progress.
        unit: what is counted.
        task: what is being done at first.

    Attributes:
        runs: how many the study has.
        done: how many of them are finished, now or before.
    """

    def __init__(
        self, console: Console, *columns: ProgressColumn, task: str, unit: str = "runs"
    ) -> None:
        self.runs = self.done = 0
        super().__init__(
            console,
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn(unit, table_column=Column(no_wrap=True)),
            *columns,
            # last: the end of a long name is what a narrow terminal can do without
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            task=task,
        )

    def set_length(self, runs: int) -> None:
        """Say how many runs there are."""
        self.runs = runs
        self._progress.update(self._task, total=runs)

    def describe(self, text: str) -> None:
        """Say what is being done."""
        self._progress.update(self._task, description=text)

    def count(self, label: str, outcome: Callable[[], str], *, before: bool, fault: bool) -> None:
        """Count a run; say how it ended where that was a fault, or where no bar can be seen.

        Args:
            label: its name.
            outcome: what it has come to, in words.
            before: whether it was finished in an earlier call, of which nothing is said.
            fault: whether it ended as it should not.
        """
        self.done += 1
        self._progress.update(self._task, completed=self.done)
        if not before and (fault or not self._console.is_terminal):
            self.note(f"{self.done}/{self.runs} {label}: {outcome()}")
