"""One group of a comparison (one model, data set and optimizer), laid out for showing."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from firstlight.comparison.spec import RunResult
from firstlight.comparison.statistics import Estimate
from firstlight.report.palette import Style, styles

if TYPE_CHECKING:
    from firstlight.comparison import Comparison

#: The measures of a run, in the order in which they are shown.
METRICS = ("accuracy_epoch_1", "accuracy_epoch_10", "accuracy_max", "auc")

_UNKNOWN = Estimate()


@dataclass(frozen=True)
class Strength:
    """What paired differences say beyond their mean; see ``statistics.summary_frame``."""

    effect: Estimate = _UNKNOWN
    wins: float = math.nan
    p_flip: float = math.nan
    seeds_needed: float = math.nan


@dataclass(frozen=True)
class Row:
    """One scheme in one group. Differences are to the group's baseline, in ``accuracy_max``.

    Attributes:
        p: paired t test, corrected by Holm.
        strength: the size of the difference against its spread.
    """

    scheme: str
    style: Style
    is_baseline: bool
    measures: dict[str, Estimate]
    difference: Estimate
    p: float
    significant: bool
    runs: tuple[RunResult, ...]
    strength: Strength = Strength()

    @property
    def finished(self) -> tuple[RunResult, ...]:
        """The runs that reached their last epoch; means are over these."""
        return tuple(run for run in self.runs if run.status == "ok")

    @property
    def failed(self) -> tuple[RunResult, ...]:
        """The runs that diverged or crashed."""
        return tuple(run for run in self.runs if run.status != "ok")

    @property
    def seconds(self) -> float:
        """Mean time of a finished run, in seconds."""
        times = [sum(run.seconds) for run in self.finished]
        return sum(times) / len(times) if times else math.nan

    @property
    def learning_rate(self) -> float:
        """The learning rate of this scheme's runs."""
        return self.runs[0].spec.learning_rate


@dataclass(frozen=True)
class Group:
    """All schemes on one model, data set and optimizer, the best first: see ``_rank``.

    Attributes:
        tuned: whether every scheme's learning rate was chosen for it.
    """

    model: str
    data: str
    optimizer: str
    baseline: str
    rows: tuple[Row, ...]
    tuned: bool = False

    @property
    def title(self) -> str:
        """Name of the group."""
        return f"{self.model} on {self.data}, {self.optimizer}"

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """All runs of the group."""
        return tuple(run for row in self.rows for run in row.runs)

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return len({run.spec.seed for run in self.runs})

    @property
    def repeated(self) -> bool:
        """Whether some scheme has two finished runs, without which nothing has an interval."""
        return any(len(row.finished) > 1 for row in self.rows)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The measures that exist here: a run of fewer than ten epochs has no epoch 10."""
        return tuple(
            name
            for name in METRICS
            if any(not math.isnan(row.measures[name].mean) for row in self.rows)
        )

    def best(self, metric: str) -> Row | None:
        """The best scheme in ``metric``, as ``Comparison.best``; None where no run finished."""
        rows = [row for row in self.rows if not math.isnan(row.measures[metric].mean)]
        return min(rows, key=partial(_rank, metric=metric), default=None)


def groups(comparison: "Comparison") -> tuple[Group, ...]:
    """Lay out ``comparison`` by model, data and optimizer, in the order of its runs."""
    looks = styles(run.spec.scheme for run in comparison.results)
    runs: dict[tuple[str, str, str], dict[str, list[RunResult]]] = {}
    for run in comparison.results:
        spec = run.spec
        group = runs.setdefault((spec.model, spec.data, spec.optimizer), {})
        group.setdefault(spec.scheme, []).append(run)
    tables = {
        metric: {
            (row["model"], row["data"], row["optimizer"], row["scheme"]): row
            for row in comparison.summary(metric).to_dict("records")
        }
        for metric in METRICS
    }
    laid_out = []
    for key, schemes in runs.items():
        rows = []
        for scheme, own in schemes.items():
            name = (*key, scheme)
            records = {metric: tables[metric][name] for metric in METRICS}
            rows.append(_row(records, looks[scheme], own))
        rows.sort(key=partial(_rank, metric="accuracy_max"))
        first = (*key, rows[0].scheme)
        baseline = tables["accuracy_max"][first]["baseline"]
        laid_out.append(Group(*key, baseline, tuple(rows), comparison.sweep.tune_lr))
    return tuple(laid_out)


def _row(records: dict[str, dict[Hashable, Any]], style: Style, runs: list[RunResult]) -> Row:
    best = records["accuracy_max"]
    return Row(
        scheme=best["scheme"],
        style=style,
        is_baseline=best["scheme"] == best["baseline"],
        measures={
            name: Estimate(_number(record["mean"]), _number(record["low"]), _number(record["high"]))
            for name, record in records.items()
        },
        difference=Estimate(
            _number(best["difference"]),
            _number(best["difference_low"]),
            _number(best["difference_high"]),
        ),
        p=_number(best["p_holm"]),
        significant=bool(best["significant"]),
        runs=tuple(sorted(runs, key=lambda run: run.spec.seed)),
        strength=Strength(
            Estimate(*(_number(best[f"effect{end}"]) for end in ("", "_low", "_high"))),
            **{name: _number(best[name]) for name in ("wins", "p_flip", "seeds_needed")},
        ),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _rank(row: Row, metric: str) -> tuple[int, float]:
    """Order by failed runs, then by the mean: the survivors of a risky start must not win."""
    mean = row.measures[metric].mean
    return len(row.failed), math.inf if math.isnan(mean) else -mean
