"""Trainings of an entry, through a sweep: resumable, on as many workers as the user has."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from firstlight.errors import FirstlightError
from firstlight.papers.work import Work
from firstlight.sweeps import SweepSpec, sweep
from firstlight.sweeps.execution import Lost, Row
from firstlight.sweeps.job import Job

#: What an entry keeps of a run.
COLUMNS = (
    "form",
    "model",
    "data",
    "optimizer",
    "scheme",
    "seed",
    "epochs",
    "batch_size",
    "train_size",
    "learning_rate",
    "status",
    "reason",
    "accuracy_epoch_1",
    "accuracy_epoch_10",
    "accuracy_max",
    "auc",
    "accuracy",
    "loss",
    "train_loss",
    "seconds_total",
    "parameters",
    "device",
    "code",
)


class _Told:
    """A sweep's progress as lines."""

    def __init__(self, work: Work) -> None:
        self._tell = work.tell
        self._runs = self._done = 0

    def begin(self, runs: int, before: int, where: str) -> None:
        del where
        self._runs, self._done = runs, max(self._done, before)

    def finish(self, job: Job, outcome: Row | Lost, again: bool) -> None:
        self._done += not again
        what = outcome.reason if isinstance(outcome, Lost) else outcome["status"]
        self._tell(f"{self._done}/{self._runs} {job.label}: {what}")

    def note(self, text: str) -> None:
        self._tell(text)


def trained(work: Work, blocks: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Train what some blocks of a sweep say; return one row per run and form.

    Args:
        work: says where runs are kept (``trained``) and, in ``sweep``, on how many workers or which
            Ray they are trained.
        blocks: as in a sweep's YAML file under ``comparisons``; optimizers may be a mapping to
            their base learning rates.

    Raises:
        FirstlightError: data that are not there, or runs that crashed or were lost.
    """
    settings = dict(work.sweep)
    cpus = settings.pop("cpus", 1)
    spec = SweepSpec.model_validate(
        {
            "comparisons": [each for block in blocks for each in _by_rate(block)],
            "resources": {"cpus": cpus},
        }
    )
    with tempfile.TemporaryDirectory() as nowhere:
        folder = work.trained or Path(nowhere)
        found = sweep(spec, folder, progress=_Told(work), **settings)
        if found.unfinished:  # a table without them would be another table
            first = found.unfinished[0]
            raise FirstlightError(
                f"{len(found.unfinished)} of {found.runs} runs crashed or were lost; "
                f"{first.label}: {first.reason}; the same command tries them again"
            )
        return found.frame()[list(COLUMNS)]


def _by_rate(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a block for each optimizer that has a base learning rate of its own."""
    optimizers = block["optimizers"]
    if not isinstance(optimizers, Mapping):
        return [dict(block)]
    return [{**block, "optimizers": n, "learning_rate": rate} for n, rate in optimizers.items()]


def small_pictures(work: Work) -> str:
    """Return the name of CIFAR-10's test images, which the user must have.

    They are 10,000, of which every fifth judges: enough for what two processor cores can train on.

    Raises:
        FirstlightError: they are not there.
    """
    return f"parquet:{work.file('cifar10-test.parquet')}"


def placed(work: Work, data: str) -> str:
    """Put the user's folder into a name as ``folder:{data}/imagenet:size=224``.

    Raises:
        FirstlightError: there is no such folder.
    """
    if "{data}" not in data:
        return data
    name = data.partition("{data}/")[2].partition(":")[0]
    return data.format(data=work.file(name).parent)
