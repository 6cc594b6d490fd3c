"""Runs in some order, somewhere: what every executor is given and gives back."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from firstlight.comparison.track import Track
from firstlight.sweeps.job import Job

Row = dict[str, Any]


@dataclass(frozen=True)
class Lost:
    """No result: the worker or the node of a run is gone.

    Attributes:
        reason: as far as it is known.
    """

    reason: str


@dataclass(frozen=True)
class Context:
    """What a run needs besides its job, in whichever process it is.

    Attributes:
        cpus: processor threads that it may use.
        data_root: folder of downloaded data.
        paths: folders in which a user's own code is looked for.
        track: trackers that follow it.
    """

    cpus: int = 1
    data_root: str | None = None
    paths: tuple[str, ...] = ()
    track: Track | None = None


class Executor(Protocol):
    """Runs jobs in this process, in others, or on other machines."""

    #: as in "2 workers"
    name: str

    def run(self, queue: "deque[Job]", context: Context) -> Iterator[tuple[Job, Row | Lost]]:
        """Take jobs from the queue until it is empty; yield what came of each.

        The caller may add jobs to the queue while it is yielded to.
        """
        ...

    def close(self) -> None:
        """End what still runs, and give back what was taken."""
