"""What a depth study tells of itself while it runs."""

from typing import Protocol

from firstlight.studies.depth_result import DepthRow


class DepthProgress(Protocol):
    """What is told how far a depth study is."""

    def begin(self, cells: int, steps: int) -> None:
        """Say how many networks and starts there are, and how many updates each gets."""

    def cell(self, label: str) -> None:
        """Name the network and start that is next."""

    def step(self, step: int) -> None:
        """Say how many updates it has had."""

    def finish(self, label: str, row: DepthRow, before: bool) -> None:
        """Count it; ``before``: it was finished by an earlier call."""

    def note(self, line: str) -> None:
        """Say a line."""


class Silent:
    """Tells nobody."""

    def begin(self, cells: int, steps: int) -> None:
        """Say nothing."""

    def cell(self, label: str) -> None:
        """Say nothing."""

    def step(self, step: int) -> None:
        """Say nothing."""

    def finish(self, label: str, row: DepthRow, before: bool) -> None:
        """Say nothing."""

    def note(self, line: str) -> None:
        """Say nothing."""
