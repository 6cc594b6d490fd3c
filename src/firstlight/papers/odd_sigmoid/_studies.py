"""Depth studies as measurements: settings to calls of ``depth_study``, and their rows."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from firstlight.studies import DepthRow, DepthStudy, depth_study

if TYPE_CHECKING:
    import pandas as pd

    from firstlight.papers.work import Work

#: Data of settings that are a file in the user's folder.
FILE = "file:"
OURS = "diagonal_plus_noise"

_SIGNALS = ("spread_ratio", "apart_ratio", "gradient_ratio", "chi", "chi_mean_field")
_RATE = ":negative_rate="


def measure(work: "Work") -> "pd.DataFrame":
    """Make every study of the settings, one after the other.

    Returns:
        ``rows_of`` each.
    """
    import pandas as pd

    found = []
    for part, options in work["studies"].items():
        data = data_of(work, options.get("data", "digits"))
        study = depth_study(
            **{**options, "data": data}, out=work.part(part), progress=_Told(work, part)
        )
        found.append(rows_of(study, part))
    return pd.concat(found, ignore_index=True)


def data_of(work: "Work", name: str) -> str:
    """Return the name that ``firstlight.comparison.data`` knows the settings' data by."""
    if not name.startswith(FILE):
        return name
    return f"parquet:{work.file(name.removeprefix(FILE))}"


def rows_of(study: DepthStudy, part: str) -> "pd.DataFrame":
    """Lay a study out: a row for each network, start, seed and learning rate.

    ``best`` marks the learning rate that held-out samples chose; accuracies are from 0 to 1;
    ``half`` is the accuracy at the look nearest to half of the steps.
    """
    import pandas as pd

    about = {
        "part": part,
        "data": study.data.rpartition("/")[2],
        "chance": study.chance,
        "steps": study.options["steps"],
    }
    return pd.DataFrame([about | row for each in study.rows for row in _rows(each)])


def _rows(row: DepthRow) -> Iterator[dict[str, Any]]:
    about = {
        "widths": "-".join(map(str, row.network.widths)),
        "depth": row.network.depth,
        "activation": row.network.activation,
        "train_size": row.train_size,
        "start": row.start.label,
        **asdict(row.start),
        "negative_rate": _negative_rate(row.start.scheme),
        "failure": row.found.failure,
    }
    nothing = dict.fromkeys(("seed", "learning_rate", "accuracy", "half", *_SIGNALS), float("nan"))
    if row.found.failure:
        yield about | nothing | {"seed": -1, "best": False, "diverged": False}
    for signal in row.found.signals:
        seen = {name: getattr(signal, name) for name in _SIGNALS}
        numbers = {name: float("nan") if value is None else value for name, value in seen.items()}
        own = about | nothing | numbers | {"seed": signal.seed, "best": True, "diverged": False}
        runs = [run for run in row.found.runs if run.seed == signal.seed]
        for run in runs:
            failed = run.diverged is not None
            middle = min(range(len(run.steps)), key=lambda i: abs(2 * run.steps[i] - run.steps[-1]))
            yield own | {
                "learning_rate": run.learning_rate,
                "best": run.learning_rate == row.best_rate,
                "accuracy": 0.0 if failed else run.accuracy[-1],
                "half": 0.0 if failed else run.accuracy[middle],
                "diverged": failed,
            }
        if not runs:
            yield own


def _negative_rate(scheme: str) -> float:
    """The p that a start was given; not a number where that is the published one."""
    return float(scheme.partition(_RATE)[2]) if _RATE in scheme else float("nan")


class _Told:
    """Tells of a depth study in lines."""

    def __init__(self, work: "Work", part: str) -> None:
        self._work, self._part, self._cells, self._done = work, part, 0, 0

    def begin(self, cells: int, steps: int) -> None:
        del steps
        self._cells = cells

    def cell(self, label: str) -> None:
        del label

    def step(self, step: int) -> None:
        del step

    def finish(self, label: str, row: DepthRow, before: bool) -> None:
        del row, before
        self._done += 1
        self._work.tell(f"{self._part}: {label}, {self._done} of {self._cells}")

    def note(self, line: str) -> None:
        self._work.tell(line)


def studies(**each: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ``measure``: options of ``depth_study`` by part.

    Example:
        >>> studies(digits={"depths": [10]})
        {'studies': {'digits': {'depths': [10]}}}
    """
    return {"studies": {part.replace("_", "-"): dict(options) for part, options in each.items()}}
