"""The outcome of a comparison: its runs, and the questions one asks of them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from firstlight.comparison import statistics
from firstlight.comparison.spec import RunResult
from firstlight.comparison.sweep import Sweep
from firstlight.files import write_atomically


@dataclass(frozen=True)
class Comparison:
    """One network, or several, trained under several initializations.

    Attributes:
        sweep: what was asked for.
        results: one result per run, failed ones too; group by group, seed by seed.
        tuning: the runs that chose the learning rates, judged on held-out training images.
    """

    sweep: Sweep
    results: tuple[RunResult, ...]
    tuning: tuple[RunResult, ...] = ()

    def runs(self) -> pd.DataFrame:
        """Return one row per run."""
        return statistics.runs_frame(self.results)

    def summary(self, metric: str = "accuracy_max") -> pd.DataFrame:
        """Return one row per scheme, with intervals and differences to the baseline.

        Args:
            metric: accuracy_max, accuracy_epoch_1, accuracy_epoch_10 or auc.
        """
        return statistics.summary_frame(self.results, metric)

    def best(self, metric: str = "accuracy_max") -> pd.DataFrame:
        """Return the row of each group's highest mean; a scheme with failed runs comes last.

        The highest need not be distinguishable from the baseline: see its column significant.
        """
        ranked = self.summary(metric).sort_values(
            ["failed", "mean"], ascending=[True, False], kind="stable"
        )
        best = ranked.groupby(["model", "data", "optimizer"], sort=False).head(1)
        return best.sort_index().reset_index(drop=True)

    def write(self, out: str | Path) -> Path:
        """Write ``runs()`` to ``out``/results.parquet and return its path."""
        path = Path(out).expanduser() / "results.parquet"
        content = self.runs().to_parquet(index=False)  # pyarrow cannot open every path
        write_atomically(path, lambda file: file.write_bytes(content))
        return path
