"""What a study tells of itself while it runs."""

from typing import Protocol

from firstlight.fields.studying.result import StudyRun
from firstlight.fields.training import Moment


class StudyProgress(Protocol):
    """What is told how far a study is."""

    def begin(self, runs: int) -> None:
        """Say how many runs there are."""

    def run(self, label: str) -> None:
        """Name the run that begins."""

    def show(self, moment: Moment) -> None:
        """Show where it is."""

    def finish(self, label: str, run: StudyRun, before: bool) -> None:
        """Count a run; ``before``: it was finished by an earlier call."""

    def skip(self, runs: int) -> None:
        """Count runs that are not needed."""

    def note(self, line: str) -> None:
        """Say a line."""


class Silent:
    """Tells nobody."""

    def begin(self, runs: int) -> None:
        """Say nothing."""

    def run(self, label: str) -> None:
        """Say nothing."""

    def show(self, moment: Moment) -> None:
        """Say nothing."""

    def finish(self, label: str, run: StudyRun, before: bool) -> None:
        """Say nothing."""

    def skip(self, runs: int) -> None:
        """Say nothing."""

    def note(self, line: str) -> None:
        """Say nothing."""


class OneFit:
    """The progress of one fit within a study: its lines are kept with its run, not said."""

    def __init__(self, progress: StudyProgress) -> None:
        self._progress = progress

    def note(self, line: str) -> None:
        """Say nothing."""

    def show(self, moment: Moment) -> None:
        """Show where the fit is."""
        self._progress.show(moment)
