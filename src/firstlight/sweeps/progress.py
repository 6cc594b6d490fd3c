"""What a sweep tells while it works, to whoever shows it."""

import logging
from typing import Protocol

from firstlight.sweeps.execution import Lost, Row
from firstlight.sweeps.job import Job


class SweepProgress(Protocol):
    """Follows a sweep; every method is called in the sweep's own process."""

    def begin(self, runs: int, before: int, where: str) -> None:
        """So many runs are known by now, of which so many were finished before."""

    def finish(self, job: Job, outcome: Row | Lost, again: bool) -> None:
        """A run ended, or was lost; ``again``: it is tried once more."""

    def note(self, text: str) -> None:
        """Something that a reader of the results should know."""


class Silent:
    """Shows nothing; notes go to the log called firstlight."""

    def begin(self, runs: int, before: int, where: str) -> None:
        """Show nothing."""

    def finish(self, job: Job, outcome: Row | Lost, again: bool) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Log ``text`` as a warning."""
        logging.getLogger("firstlight").warning(text)
