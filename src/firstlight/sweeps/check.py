"""What could go wrong in every run of a sweep, found before the first one."""

from collections.abc import Iterable, Sequence

from firstlight.comparison.accelerator import accelerator
from firstlight.comparison.progress import Silent
from firstlight.comparison.session import Session
from firstlight.comparison.sweep import Sweep
from firstlight.sweeps.job import Job
from firstlight.sweeps.spec import Form


def check(
    comparisons: Sequence[tuple[Form, Sweep]],
    missing: Iterable[Job],
    data_root: str | None,
    here: bool = True,
) -> None:
    """Try the data, the networks and the starts of comparisons that have missing runs.

    Args:
        comparisons: all of the sweep's.
        missing: what is to be run.
        data_root: folder of downloaded data.
        here: the runs will be on this machine, whose devices they must suit.

    Raises:
        FirstlightError: data cannot be read, a network does not fit them, or a scheme the network.
    """
    for precision in {sweep.precision for _, sweep in comparisons} if here else ():
        accelerator(precision)
    wanted = {(job.spec.model, job.spec.data) for job in missing}
    for _, sweep in comparisons:
        models = [m for m in sweep.models if any((m, d) in wanted for d in sweep.data)]
        data = [d for d in sweep.data if any((m, d) in wanted for m in sweep.models)]
        if models and data:
            part = sweep.model_copy(update={"models": tuple(models), "data": tuple(data)})
            Session(part, None, data_root, Silent()).check()
