"""Which runs a sweep consists of: those known from the start, and those that tuning decides."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from firstlight.comparison import models, tuning
from firstlight.comparison.data import file_fingerprint
from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.sweep import Group, Sweep
from firstlight.sweeps.job import Job, code_version
from firstlight.sweeps.spec import Form, SweepSpec


@dataclass(frozen=True)
class Planned:
    """A run in one of the forms that it belongs to.

    Attributes:
        job: the run.
        form: published, matched or tuned; one run can belong to two of them.
    """

    job: Job
    form: Form


class Plan:
    """The runs of a sweep.

    Example:
        >>> block = {"models": "mlp", "data": "digits", "optimizers": "sgd", "schemes": "default",
        ...          "epochs": 1, "seeds": 2, "forms": ["published", "tuned"]}
        >>> plan = Plan(SweepSpec.model_validate({"comparisons": [block]}))
        >>> [(each.form, each.job.spec.held_out) for each in plan.first()][1:4]
        [('published', False), ('tuned', True), ('tuned', True)]
    """

    def __init__(self, spec: SweepSpec) -> None:
        self.comparisons: list[tuple[Form, Sweep]] = [
            each for block in spec.comparisons for each in block.comparisons()
        ]
        self._marks: dict[str, dict[str, str]] = {}
        #: Chosen rates at an end of their grid, by what they are for.
        self.edges: dict[str, float] = {}

    def first(self) -> Iterator[Planned]:
        """Yield the runs that need no other: those that are reported, and those that tune."""
        for form, sweep, group in self._groups():
            if sweep.tune_lr:
                specs = tuning.grid(sweep, group)
            else:
                specs = sweep.runs(group, dict.fromkeys(sweep.schemes, sweep.learning_rate))
            yield from (Planned(self._job(spec), form) for spec in specs)

    def second(self, find: Callable[[Iterable[Job]], list[RunResult] | None]) -> Iterator[Planned]:
        """Yield the runs at the rates that tuning chose.

        Args:
            find: returns the results of some jobs; None where one was lost, so that its group
                must wait: a rate chosen among fewer would be another comparison.
        """
        for form, sweep, group in self._groups():
            if not sweep.tune_lr:
                continue
            tried = find(self._job(spec) for spec in tuning.grid(sweep, group))
            if tried is not None:
                rates = tuning.choose(sweep, tried)
                self._note_edges(sweep, group, rates)
                yield from (Planned(self._job(s), form) for s in sweep.runs(group, rates))

    def _note_edges(self, sweep: Sweep, group: Group, rates: Mapping[str, float]) -> None:
        grid = tuning.rates(sweep.learning_rate)
        for scheme, rate in rates.items():
            if rate in (grid[0], grid[-1]):
                self.edges[", ".join([*group, scheme])] = rate

    def _groups(self) -> Iterator[tuple[Form, Sweep, Group]]:
        for form, sweep in self.comparisons:
            for group in sweep.groups():
                yield form, sweep, group

    def _job(self, spec: RunSpec) -> Job:
        return Job(spec, self._fingerprints(spec.model, spec.data), code_version())

    def _fingerprints(self, model: str, data: str) -> Mapping[str, str]:
        """Hashes of what the names stand for on disk; found once, for a folder may be large."""
        name = f"{model}\n{data}"
        if name not in self._marks:
            found = {"data": file_fingerprint(data)}
            if models.is_own(model):
                found["model"] = models.fingerprint(model)
            self._marks[name] = {key: mark for key, mark in found.items() if mark}
        return self._marks[name]


def index(planned: Iterable[Planned]) -> pd.DataFrame:
    """Return which run belongs to which form: key, form, tuning."""
    rows = {(p.job.key, p.form): p.job.spec.held_out for p in planned}
    return pd.DataFrame(
        [{"key": key, "form": form, "tuning": held} for (key, form), held in rows.items()],
        columns=["key", "form", "tuning"],
    )
