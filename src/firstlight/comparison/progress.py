"""What a comparison tells while it works, to whoever shows it."""

import logging
from typing import Protocol

from firstlight.comparison.spec import RunResult, RunSpec


class Progress(Protocol):
    """Follows a comparison; every method is called in the thread that trains."""

    def begin(self, runs: int, epochs: int) -> None:
        """The comparison starts: so many runs, with so many epochs in all."""

    def load(self, result: RunResult) -> None:
        """A run was found on disk and is not trained."""

    def run(self, spec: RunSpec) -> None:
        """The training of ``spec`` starts."""

    def epoch(self) -> None:
        """The run finished another epoch."""

    def finish(self, result: RunResult) -> None:
        """The run ended, as ``result`` says; it is on disk where the comparison has a folder."""

    def note(self, text: str) -> None:
        """Something that a reader of the results should know."""


class Silent:
    """Shows nothing; notes go to the log called firstlight."""

    def begin(self, runs: int, epochs: int) -> None:
        """Show nothing."""

    def load(self, result: RunResult) -> None:
        """Show nothing."""

    def run(self, spec: RunSpec) -> None:
        """Show nothing."""

    def epoch(self) -> None:
        """Show nothing."""

    def finish(self, result: RunResult) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Log ``text`` as a warning."""
        logging.getLogger("firstlight").warning(text)
