"""Runs on a Ray cluster: this machine's, or any other."""

import os
import warnings
from collections import deque
from collections.abc import Iterator
from typing import Any

from firstlight.errors import FirstlightError
from firstlight.sweeps.execution import Context, Lost, Row
from firstlight.sweeps.job import Job
from firstlight.sweeps.run_job import run_job

#: Runs that wait at the cluster beside those that are trained: a cluster that can grow sees them.
_WAITING = 8


class OnRay:
    """The executor of a cluster; every node must have firstlight, and see the data.

    Args:
        address: "local" starts Ray here, "auto" finds the one that runs here, ray://HOST:PORT is
            another machine's.
        cpus: of one run.
        gpus: of one run, or a share of one.
        workers: runs at once of "local".

    Raises:
        FirstlightError: Ray is not installed, or no cluster answers.
    """

    def __init__(
        self, address: str, cpus: int = 1, gpus: float = 0, workers: int | None = None
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError as error:
            raise FirstlightError("Ray is needed: pip install 'firstlight[ray]'") from error
        self.name = f"Ray ({address})"
        self._ray, self._cpus, self._gpus = ray, cpus, gpus
        self._running: dict[Any, Job] = {}
        options: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
        if address == "local":
            options |= {"include_dashboard": False}
            options |= {"num_cpus": cpus * workers} if workers else {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what will be another way in later versions
                ray.init(address=address, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())
            raise FirstlightError(f"no Ray cluster at {address!r}: {why:.200}") from error
        self._check()

    def _check(self) -> None:
        """Refuse runs that no node can ever take."""
        wanted = {"CPU": self._cpus, "GPU": self._gpus}
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(all(has.get(k, 0) >= v for k, v in wanted.items()) for has in nodes):
            most = {k: max((has.get(k, 0) for has in nodes), default=0) for k in wanted}
            self._ray.shutdown()
            raise FirstlightError(
                f"a run wants {self._cpus} CPU and {self._gpus:g} GPU of a node; the largest have "
                f"{most['CPU']:g} CPU, {most['GPU']:g} GPU: mend resources in the spec"
            )

    def run(self, queue: "deque[Job]", context: Context) -> Iterator[tuple[Job, Row | Lost]]:
        """Run the jobs of ``queue``."""
        ray = self._ray
        # lost runs are tried again by the sweep, which counts them
        remote = ray.remote(num_cpus=self._cpus, num_gpus=self._gpus, max_retries=0)(run_job)
        running = self._running
        while queue or running:
            while queue and len(running) < self._at_once() + _WAITING:
                job = queue.popleft()
                running[remote.remote(job, context)] = job
            (ready,), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(ready), self._outcome(ready)

    def close(self) -> None:
        """Cancel what still runs and leave the cluster; one that was started here ends."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _at_once(self) -> int:
        has = self._ray.cluster_resources()
        free = [has.get("CPU", 0) // self._cpus]
        if self._gpus:
            free.append(has.get("GPU", 0) // self._gpus)
        return max(1, int(min(free)))

    def _outcome(self, reference: Any) -> Row | Lost:
        try:
            return self._ray.get(reference)
        except FirstlightError as error:  # Ray's errors of a task are of the task's type, too
            return Lost(str(getattr(error, "cause", error)))
        except self._ray.exceptions.RayError as error:
            first, _, _ = " ".join(str(error).split()).partition(". ")
            return Lost(f"{type(error).__name__}: {first:.200}")
