"""What a study of starts tells of itself while it runs."""

from typing import Protocol

from firstlight.physics.result import Look, PinnRun


class PinnProgress(Protocol):
    """What is told how far a study is."""

    def begin(self, runs: int) -> None:
        """Say how many runs there are."""

    def run(self, label: str, steps: int) -> None:
        """Name the run that begins, and its steps."""

    def show(self, look: Look) -> None:
        """Show where it is."""

    def finish(self, label: str, run: PinnRun, before: bool) -> None:
        """Count a run; ``before``: it was finished by an earlier call."""

    def note(self, line: str) -> None:
        """Say a line."""


class Silent:
    """Tells nobody."""

    def begin(self, runs: int) -> None:
        """Say nothing."""

    def run(self, label: str, steps: int) -> None:
        """Say nothing."""

    def show(self, look: Look) -> None:
        """Say nothing."""

    def finish(self, label: str, run: PinnRun, before: bool) -> None:
        """Say nothing."""

    def note(self, line: str) -> None:
        """Say nothing."""
