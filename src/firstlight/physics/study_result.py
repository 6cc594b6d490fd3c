"""What a study of starts found: rows of runs with medians, and the solutions beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.physics.median import Median, median_of
from firstlight.physics.reference.solution import Solution
from firstlight.physics.result import PinnRun, StepZero
from firstlight.runs.plain import from_plain, plain


@dataclass(frozen=True)
class PinnRow:
    """All runs of one start.

    Attributes:
        scheme: its name and options.
        learning_rate: of its runs.
        runs: one for each seed.
        tuning: runs that the learning rate was chosen by.
        step_zero: networks of many seeds before training; None where none were asked for.
    """

    scheme: str
    learning_rate: float
    runs: tuple[PinnRun, ...]
    tuning: tuple[PinnRun, ...] = ()
    step_zero: StepZero | None = None

    @property
    def error(self) -> Median:
        """Relative L2 error over seeds."""
        return median_of([run.error for run in self.runs])

    @property
    def middle(self) -> PinnRun:
        """The run that stands for all: of the middle error; of two, the worse."""
        return sorted(self.runs, key=lambda run: run.error)[len(self.runs) // 2]


@dataclass(frozen=True)
class PinnStudy:
    """Starts compared on one problem at equal budgets.

    Attributes:
        problem: its name.
        equation: in one line.
        source: where its setting comes from.
        terms: names of the loss terms.
        parameters: trained numbers of the network.
        options: of every run, the scheme, seed and learning rate left out.
        seeds: of the runs.
        learning_rates: that were tried; a single one was taken as it is.
        rows: in the order they were asked for.
        versions: of what computed it.
    """

    problem: str
    equation: str
    source: str
    terms: tuple[str, ...]
    parameters: int
    options: dict[str, Any]
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    rows: tuple[PinnRow, ...]
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; the medians are written beside what they are of."""
        found: dict[str, Any] = plain(self)
        for row, data in zip(self.rows, found["rows"], strict=True):
            data["error"] = plain(row.error._asdict())
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PinnStudy":
        """Read what ``as_dict`` wrote.

        Raises:
            FirstlightError: it is something else.
        """
        try:
            rows = [{name: row[name] for name in row if name != "error"} for row in data["rows"]]
            return from_plain(cls, {**data, "rows": rows})
        except (ValueError, TypeError, KeyError) as error:
            raise FirstlightError(f"this is no study of starts: {error}") from error


@dataclass(frozen=True, eq=False)
class Maps:
    """What networks look like on the reference's grid.

    Attributes:
        coordinates: names of the axes.
        solution: the reference.
        values: by scheme, of the run in the middle, in the reference's shape.
    """

    coordinates: tuple[str, ...]
    solution: Solution
    values: dict[str, np.ndarray]
