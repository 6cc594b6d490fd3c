"""The executor that a user asked for."""

import os

from firstlight.errors import OptionError, whole_number
from firstlight.sweeps.execution import Executor
from firstlight.sweeps.in_process import InProcess
from firstlight.sweeps.on_ray import OnRay
from firstlight.sweeps.spec import Resources
from firstlight.sweeps.workers import Workers, visible_devices


def executor(resources: Resources, *, workers: int | None, ray: str | None) -> Executor:
    """Return what runs the jobs of a sweep.

    Args:
        resources: of one run.
        workers: processes at once; of "local" Ray, runs at once.
        ray: address of a cluster; None without one.

    Raises:
        OptionError: the two do not go together, or the machine has not so much.

    Example:
        >>> executor(Resources(), workers=None, ray=None).name
        'this process'
    """
    if workers is not None:
        whole_number(workers, "workers", 1, 4096)
    if ray is not None:
        if workers is not None and ray != "local":
            raise OptionError(f"workers goes with ray local; at {ray!r} the cluster has its own")
        if ray not in ("auto", "local") and not ray.startswith("ray://"):
            raise OptionError(f"ray must be auto, local or ray://HOST:PORT, got {ray!r}")
        return OnRay(ray, resources.cpus, resources.gpus, workers)
    cpus = os.cpu_count() or 1
    if (workers or 1) * resources.cpus > cpus:
        raise OptionError(
            f"{workers or 1} runs of {resources.cpus} cpus each need more than the {cpus} of this "
            "machine: fewer workers, or fewer cpus in resources"
        )
    if workers is None:
        visible_devices(0, resources.gpus)  # refused here where there is none
        return InProcess()
    return Workers(workers, resources.gpus)
