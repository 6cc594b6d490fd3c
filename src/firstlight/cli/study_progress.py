"""How far a study is, on the terminal or line by line in a log."""

from typing import TYPE_CHECKING

from rich.console import Console

from firstlight.cli.fit_progress import level
from firstlight.cli.runs_bar import RunsBar

if TYPE_CHECKING:
    from firstlight.fields.studying.result import StudyRun
    from firstlight.fields.training import Moment


class StudyProgressBar(RunsBar):
    """One bar over all runs, with the one in progress; a line for each where no one looks."""

    def __init__(self, console: Console, name: str) -> None:
        self._label = ""
        super().__init__(console, task=f"reading {name}")

    def prepare(self, text: str) -> None:
        """Say what is done before the first run."""
        self.describe(text)

    def begin(self, runs: int) -> None:
        """Set the length of the bar."""
        self.set_length(runs)

    def run(self, label: str) -> None:
        """Name the run in progress."""
        self._label = label
        self.describe(label)

    def show(self, moment: "Moment") -> None:
        """Show where the run is."""
        if self._console.is_terminal:
            self.describe(f"{self._label}: step {moment.step}, {level(moment.psnr)}")

    def finish(self, label: str, run: "StudyRun", before: bool) -> None:
        """Count a run; name it where it has collapsed, or where no bar can be seen."""
        fault = run.stopped == "collapsed"
        self.count(label, lambda: outcome(run), before=before, fault=fault)

    def skip(self, runs: int) -> None:
        """Shorten the bar."""
        self.set_length(self.runs - runs)


def outcome(run: "StudyRun") -> str:
    """What a run has come to, in words."""
    text = f"{level(run.psnr)} after {run.steps} steps"
    if run.held_out_psnr is not None:
        text += f", {level(run.held_out_psnr)} held out"
    return f"collapsed; {text}" if run.stopped == "collapsed" else text
