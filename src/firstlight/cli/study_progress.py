"""How far a study is, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.table import Column

from firstlight.cli.fit_progress import level
from firstlight.cli.shown_progress import ShownProgress

if TYPE_CHECKING:
    from firstlight.fields.studying.result import StudyRun
    from firstlight.fields.training import Moment


class StudyProgressBar(ShownProgress):
    """One bar over all runs, with the one in progress; a line for each where no one looks.

    Attributes:
        runs: how many the study has.
        done: how many of them are finished, now or before.
    """

    def __init__(self, console: Console, name: str) -> None:
        self.runs = self.done = 0
        self._label = ""
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
            task=f"reading {name}",
        )

    def prepare(self, text: str) -> None:
        """Say what is done before the first run."""
        self._progress.update(self._task, description=text)

    def begin(self, runs: int) -> None:
        """Set the length of the bar."""
        self.runs = runs
        self._progress.update(self._task, total=runs)

    def run(self, label: str) -> None:
        """Name the run in progress."""
        self._label = label
        self._progress.update(self._task, description=label)

    def show(self, moment: "Moment") -> None:
        """Show where the run is."""
        if self._console.is_terminal:
            text = f"{self._label}: step {moment.step}, {level(moment.psnr)}"
            self._progress.update(self._task, description=text)

    def finish(self, label: str, run: "StudyRun", before: bool) -> None:
        """Count a run; name it where it has collapsed, or where no bar can be seen."""
        self.done += 1
        self._progress.update(self._task, completed=self.done)
        if before:
            return
        if run.stopped == "collapsed" or not self._console.is_terminal:
            self.note(f"{self.done}/{self.runs} {label}: {outcome(run)}")

    def skip(self, runs: int) -> None:
        """Shorten the bar."""
        self.begin(self.runs - runs)


def outcome(run: "StudyRun") -> str:
    """What a run has come to, in words."""
    text = f"{level(run.psnr)} after {run.steps} steps"
    if run.held_out_psnr is not None:
        text += f", {level(run.held_out_psnr)} held out"
    return f"collapsed; {text}" if run.stopped == "collapsed" else text
