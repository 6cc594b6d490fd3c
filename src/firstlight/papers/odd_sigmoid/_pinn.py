"""Studies of physics-informed networks as measurements."""

from typing import TYPE_CHECKING, Any

from firstlight.physics import PinnStudy, study
from firstlight.physics.result import Look, PinnRun
from firstlight.physics.study import TUNING_SEED

if TYPE_CHECKING:
    import pandas as pd

    from firstlight.papers.work import Work


def measure(work: "Work") -> "pd.DataFrame":
    """Make every study of the settings, one after the other.

    Returns:
        ``rows_of`` each.
    """
    import pandas as pd

    found = []
    for part, options in work["studies"].items():
        own = dict(options)
        problem, schemes = own.pop("problem"), own.pop("schemes")
        told = _Told(work, part)
        made, _ = study(problem, schemes, out=work.part(part), progress=told, **own)
        found.append(rows_of(made, part))
    return pd.concat(found, ignore_index=True)


def rows_of(made: PinnStudy, part: str) -> "pd.DataFrame":
    """Lay a study out: a row for each run; those of ``tuning`` chose the learning rate.

    ``error`` is relative, L2, at the least loss.
    """
    import pandas as pd

    about = {"part": part, "problem": made.problem}
    about |= {name: made.options[name] for name in ("depth", "width", "activation", "points")}
    about["points"] = str(about["points"])
    return pd.DataFrame(
        [about | _row(run) for row in made.rows for run in (*row.tuning, *row.runs)]
    )


def _row(run: PinnRun) -> dict[str, Any]:
    return {
        "start": run.scheme,
        "seed": run.seed,
        "tuning": run.seed == TUNING_SEED,
        "learning_rate": run.learning_rate,
        "error": run.error,
        "loss": run.loss,
        "first_loss": run.looks[0].loss,
        "steps": run.steps,
        "seconds": run.seconds,
        "stopped": run.stopped,
    }


class _Told:
    """Tells of a study in lines."""

    def __init__(self, work: "Work", part: str) -> None:
        self._work, self._part = work, part

    def begin(self, runs: int) -> None:
        self._work.tell(f"{self._part}: {runs} runs")

    def run(self, label: str, steps: int) -> None:
        del label, steps

    def show(self, look: Look) -> None:
        del look

    def finish(self, label: str, run: PinnRun, before: bool) -> None:
        del before
        self._work.tell(f"{self._part}: {label}, error {run.error:.2g}")

    def note(self, line: str) -> None:
        self._work.tell(line)
