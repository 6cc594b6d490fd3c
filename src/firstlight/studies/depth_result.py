"""What a depth study found: one row for each network and start, plain and frozen."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from firstlight.comparison.statistics import Estimate, estimate
from firstlight.errors import FirstlightError
from firstlight.runs.plain import from_plain, plain
from firstlight.studies.deep_network import DeepNetwork
from firstlight.studies.depth_signal import DepthSignal
from firstlight.studies.depth_start import DepthStart
from firstlight.studies.depth_training import DepthRun


@dataclass(frozen=True)
class DepthFound:
    """What one network and start came to.

    Attributes:
        signals: of each seed before training; none where the start failed.
        runs: seed by seed, and within each rate by rate; none where nothing was trained.
        failure: why there is neither.
        seconds: that it took.
    """

    signals: tuple[DepthSignal, ...]
    runs: tuple[DepthRun, ...]
    failure: str
    seconds: float


@dataclass(frozen=True)
class DepthRow:
    """A network, its start, and what came of it.

    Attributes:
        network: shape and structure.
        parameters: trained numbers.
        train_size: samples; 0 is all.
        start: of its weights.
        found: what was measured.
    """

    network: DeepNetwork
    parameters: int
    train_size: int
    start: DepthStart
    found: DepthFound

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """Learning rates that were tried, from the smallest on."""
        return tuple(sorted({run.learning_rate for run in self.found.runs}))

    @cached_property
    def best_rate(self) -> float | None:
        """Rate of the highest mean validation accuracy at the end; the smaller of equal ones."""
        if not self.rates:
            return None
        return max(self.rates, key=lambda rate: self._mean_validation(rate))

    def at(self, rate: float | None) -> tuple[DepthRun, ...]:
        """Runs at a learning rate, a seed each."""
        return tuple(run for run in self.found.runs if run.learning_rate == rate)

    def accuracies(self, rate: float | None) -> tuple[float, ...]:
        """Test accuracy at the end of each seed; 0 for a run that diverged.

        A network that gives no numbers names nothing right.
        """
        return tuple(_final(run, run.accuracy) for run in self.at(rate))

    @cached_property
    def accuracy(self) -> Estimate:
        """Test accuracy at the end at the best rate: mean over seeds and its interval."""
        return estimate(self.accuracies(self.best_rate))

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the accuracy's interval, within 0 and 1; NaN of one seed.

        Student's t knows no bounds, and of three seeds reaches beyond what an accuracy can be.
        """
        low, high = self.accuracy.low, self.accuracy.high
        return (low, high) if math.isnan(low) else (max(low, 0.0), min(high, 1.0))

    def _mean_validation(self, rate: float) -> float:
        return statistics.fmean(_final(run, run.validation) for run in self.at(rate))

    def trained_rates(self, within: float, chance: float) -> tuple[float, ...]:
        """Rates that train: at most ``within`` points below the row's best in the mean.

        None where the best is not so many points above chance itself.
        """
        means = {rate: statistics.fmean(self.accuracies(rate)) for rate in self.rates}
        best, near = max(means.values(), default=0.0), within / 100 + 1e-9
        if best < chance + near:
            return ()
        return tuple(rate for rate, mean in means.items() if best - mean <= near)

    def median(self, what: str) -> float | None:
        """Median over seeds of a number of ``DepthSignal``; None where there is none."""
        values = [getattr(signal, what) for signal in self.found.signals]
        return None if not values or None in values else statistics.median(values)

    @property
    def diverged(self) -> int:
        """Runs whose loss was not a number any more."""
        return sum(run.diverged is not None for run in self.found.runs)


@dataclass(frozen=True)
class DepthStudy:
    """Deep networks under several starts, with the same budget.

    Attributes:
        data: name of the data set.
        chance: share of the most frequent class in the test set.
        options: of the study, as they were given.
        rows: network by network.
        versions: of what computed it.
    """

    data: str
    chance: float
    options: dict[str, Any]
    rows: tuple[DepthRow, ...]
    versions: dict[str, str]

    @property
    def within(self) -> float:
        """Points of accuracy below the best at which a rate still trains."""
        return float(self.options["within"])

    def groups(self) -> tuple[tuple[DepthRow, ...], ...]:
        """Rows that differ in their start alone."""
        found: dict[tuple[Any, ...], list[DepthRow]] = {}
        for row in self.rows:
            shape = row.network
            key = (shape.widths, shape.depth, shape.activation, row.train_size)
            found.setdefault(key, []).append(row)
        return tuple(tuple(rows) for rows in found.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: what ``from_dict`` reads."""
        found: dict[str, Any] = plain(self)
        return found

    @classmethod
    def from_dict(cls, data: Any) -> "DepthStudy":
        """Read what ``as_dict`` wrote.

        Raises:
            FirstlightError: it is something else.
        """
        try:
            return from_plain(cls, data)
        except ValueError as error:
            raise FirstlightError(f"this is not a depth study's JSON: {error}") from error


def _final(run: DepthRun, curve: Sequence[float]) -> float:
    return 0.0 if run.diverged is not None else curve[-1]


def summary(study: DepthStudy) -> list[dict[str, Any]]:
    """One plain record for each row: what the table shows, for other programs."""
    return [
        {
            "widths": list(row.network.widths),
            "depth": row.network.depth,
            "activation": row.network.activation,
            "train_size": row.train_size,
            "start": row.start.label,
            **asdict(row.start),
            "parameters": row.parameters,
            "spread_ratio": row.median("spread_ratio"),
            "apart_ratio": row.median("apart_ratio"),
            "gradient_ratio": row.median("gradient_ratio"),
            "chi": row.median("chi"),
            "chi_mean_field": row.median("chi_mean_field"),
            "best_rate": row.best_rate,
            "accuracy": row.accuracy.mean,
            "accuracy_low": row.interval[0],
            "accuracy_high": row.interval[1],
            "accuracies": list(row.accuracies(row.best_rate)),
            "trained_rates": list(row.trained_rates(study.within, study.chance)),
            "diverged": row.diverged,
            "failure": row.found.failure,
        }
        for row in study.rows
    ]
