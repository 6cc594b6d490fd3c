import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from firstlight.sweeps import SweepSpec, read_results

PROGRAM = "from firstlight.cli import main; main()"

#: Where and how fast a run was made does not count.
ELSEWHERE = ["host", "device", "seconds", "seconds_total"]


def small(**changes) -> SweepSpec:
    """A sweep of runs of a tenth of a second."""
    block = {
        "models": "mlp",
        "data": "digits",
        "optimizers": "adamw",
        "schemes": ["default", "harmonic"],
        "seeds": 2,
        "epochs": 1,
        "train_size": 200,
    }
    return SweepSpec.model_validate({"comparisons": [block | changes]})


def measured(out: Path) -> list[dict]:
    """Everything that a sweep's runs came to, in an order of its own."""
    frame = read_results(out, tuning=True).drop(columns=ELSEWHERE)
    rows = [
        {name: list(value) if hasattr(value, "tolist") else value for name, value in row.items()}
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]
    return sorted(rows, key=lambda row: (row["form"], row["key"]))


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a real sweep; whatever is left of it is ended."""
    started: list[subprocess.Popen[str]] = []
    seen: set[psutil.Process] = set()

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "sweep", *arguments],
            cwd=tmp_path,
            env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C here is none there
        )
        started.append(process)
        return process

    run.seen = seen
    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.kill()
        process.communicate()
    for process in seen:
        if process.is_running():
            process.kill()


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)
