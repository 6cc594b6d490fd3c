"""What a fit tells of itself while it runs."""

from typing import Protocol

from firstlight.fields.training import Moment


class Progress(Protocol):
    """What is told how far a fit is."""

    def note(self, line: str) -> None:
        """Say a line."""

    def show(self, moment: Moment) -> None:
        """Show where the fit is."""


class Silent:
    """Tells nobody."""

    def note(self, line: str) -> None:
        """Say nothing."""

    def show(self, moment: Moment) -> None:
        """Show nothing."""
