"""What a sweep has come to."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from firstlight.sweeps.results import read_results


@dataclass(frozen=True)
class Unfinished:
    """A run without a result.

    Attributes:
        label: model, data, optimizer, scheme, seed.
        reason: why.
    """

    label: str
    reason: str


@dataclass(frozen=True)
class SweepOutcome:
    """A sweep's results, and the runs that have none.

    Attributes:
        out: its folder.
        runs: that it consists of, as far as they are known.
        before: of them, finished in an earlier call.
        finished: of them, now.
        unfinished: crashed or lost.
        waiting: groups whose tuning is not complete, so that their runs are not known.
    """

    out: Path
    runs: int
    before: int
    finished: int
    unfinished: tuple[Unfinished, ...]
    waiting: int = 0

    def frame(self) -> pd.DataFrame:
        """Return one row per run and form, see ``read_results``."""
        return read_results(self.out)
