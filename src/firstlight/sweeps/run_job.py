"""One run, in whichever process it was sent to."""

import functools
import platform
import sys
from typing import Any

from firstlight.comparison.data import file_fingerprint, load_any
from firstlight.comparison.threads import threads
from firstlight.comparison.train import train
from firstlight.errors import FirstlightError
from firstlight.sweeps.execution import Context, Row
from firstlight.sweeps.job import Job, code_version
from firstlight.sweeps.row import to_row


def run_job(job: Job, context: Context) -> Row:
    """Train as a job says and return its row; what fails in training is a row, too.

    Data stay loaded for the next run of the same process.

    Raises:
        FirstlightError: the data cannot be read here, or are no longer those of the job; nor
            is the code.

    Example:
        >>> from firstlight.comparison.spec import RunSpec
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="harmonic", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> run_job(Job(spec), Context())["status"]
        'ok'
    """
    if job.code and job.code != code_version():  # a worker that started later, another node
        raise FirstlightError("firstlight's code here is not that with which the sweep began")
    for path in context.paths:
        if path not in sys.path:
            sys.path.insert(0, path)
    data = _loaded(job.spec.data, context.data_root, job.fingerprints.get("data", ""))
    with threads(context.cpus):
        result = train(job.spec, data, track=context.track)
    return to_row(job, result, platform.node())


@functools.lru_cache(maxsize=2)  # two sets that take turns; more may not fit
def _loaded(name: str, root: str | None, mark: str) -> Any:
    data = load_any(name, root)
    if file_fingerprint(name) != mark:  # the result would be kept under the name of the old ones
        raise FirstlightError(f"{name} has changed since the sweep began; start it again")
    return data
