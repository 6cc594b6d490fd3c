"""Runs one after the other, in this process."""

from collections import deque
from collections.abc import Iterator

from firstlight.errors import FirstlightError
from firstlight.sweeps.execution import Context, Lost, Row
from firstlight.sweeps.job import Job
from firstlight.sweeps.run_job import run_job


class InProcess:
    """The executor that needs nothing; a run that takes this process with it ends the sweep."""

    name = "this process"

    def run(self, queue: "deque[Job]", context: Context) -> Iterator[tuple[Job, Row | Lost]]:
        """Run the jobs of ``queue``."""
        while queue:
            job = queue.popleft()
            yield job, self._outcome(job, context)

    @staticmethod
    def _outcome(job: Job, context: Context) -> Row | Lost:
        try:
            return run_job(job, context)
        except FirstlightError as error:  # as its data cannot be read; others may have theirs
            return Lost(str(error))

    def close(self) -> None:
        """Nothing was taken."""
