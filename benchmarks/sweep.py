"""What the sweep machinery costs: overhead of a run, and resuming ten thousand finished runs.

Overhead is what a sweep takes beside the trainings themselves, as a share of a run of 30 seconds:
the wall time of a sweep of short runs less the seconds that its runs report (training and judging),
divided by their number, over 30. The start of each executor (a process that loads torch, a Ray) is
told apart, for it is paid once a worker. Run by `make bench`; bars: 3 %, and 5 seconds.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from firstlight.comparison.spec import RunResult
from firstlight.sweeps import SweepSpec, sweep
from firstlight.sweeps.plan import Plan
from firstlight.sweeps.row import to_row
from firstlight.sweeps.store import RunStore

RUN_SECONDS, OVERHEAD_BAR = 30.0, 0.03
FINISHED, RESUME_BAR = 10_000, 5.0
RUNS = 24

SHORT = {
    "models": "mlp",
    "data": "digits",
    "optimizers": "adamw",
    "schemes": ["default", "harmonic"],
    "seeds": RUNS // 2,
    "epochs": 4,
}


class Marks:
    """When each run ended, and how long it trained."""

    def __init__(self) -> None:
        self.ended: list[float] = []
        self.trained: list[float] = []

    def begin(self, *_: object) -> None:
        """Nothing to do."""

    def finish(self, job: object, outcome: dict[str, float], again: bool) -> None:
        """A run ended now."""
        del job, again
        self.ended.append(time.perf_counter())
        self.trained.append(outcome["seconds_total"])

    def note(self, _: str) -> None:
        """Nothing to do."""


def overhead(**how: object) -> tuple[float, float]:
    """Seconds until the first run ended, and seconds a run beside its own training."""
    spec = SweepSpec.model_validate({"comparisons": [SHORT]})
    marks = Marks()
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        sweep(spec, out, progress=marks, **how)  # type: ignore[arg-type]
    workers = int(how.get("workers", 1))  # type: ignore[call-overload]
    # the first run of each worker loads data and warms up
    later = marks.ended[-1] - marks.ended[workers - 1]
    trained = sum(marks.trained[workers:]) / workers
    return marks.ended[0] - began, (later - trained) * workers / (RUNS - workers)


def resume(folder: Path) -> float:
    """Seconds of the whole command where everything is finished."""
    spec = folder / "s.yaml"
    seeds = FINISHED // 2
    text = "".join(f"{key}: {value}\n" for key, value in (SHORT | {"seeds": seeds}).items())
    spec.write_text(text, encoding="utf-8")
    block = SHORT | {"seeds": seeds}
    with RunStore(folder / "out") as store:
        for planned in Plan(SweepSpec.model_validate({"comparisons": [block]})).first():
            curve = (0.5,) * 4
            result = RunResult(
                spec=planned.job.spec,
                status="ok",
                accuracy=curve,
                loss=curve,
                train_loss=curve,
                seconds=curve,
            )
            store.save(to_row(planned.job, result, "here"))
    program = "from firstlight.cli import main; main()"
    command = [sys.executable, "-c", program, "sweep", str(spec), f"--out={folder / 'out'}"]
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        taken.append(time.perf_counter() - began)
        if f"{FINISHED} of {FINISHED} runs are finished, 0 of them now" not in done.stdout:
            raise SystemExit(done.stdout)
    return min(taken)


def main() -> None:
    """Print a table; exit code 1 where a bar is missed."""
    table = Table(title=f"A sweep of {RUNS} runs of seconds, digits")
    for name in ("where", "first run after", "beside a run", f"of {RUN_SECONDS:g} s", "bar"):
        table.add_column(name, justify="left" if name == "where" else "right")
    missed = False
    for name, how in (
        ("this process", {}),
        ("2 workers", {"workers": 2}),
        ("Ray, 2 at once", {"ray": "local", "workers": 2}),
    ):
        first, beside = overhead(**how)
        share = beside / RUN_SECONDS
        missed |= share > OVERHEAD_BAR
        table.add_row(
            name, f"{first:.1f} s", f"{1000 * beside:.0f} ms", f"{share:.2%}", f"{OVERHEAD_BAR:.0%}"
        )
    console = Console()
    console.print(table)
    with tempfile.TemporaryDirectory() as folder:
        taken = resume(Path(folder))
    missed |= taken > RESUME_BAR
    console.print(
        f"resuming {FINISHED} finished runs, the whole command: {taken:.2f} s (bar {RESUME_BAR:g})"
    )
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
