"""Workers that are killed, drivers that are killed: every other result stays, none counts twice."""

import re
import signal
import sys

import psutil
import pytest

from firstlight.sweeps import sweep
from sweeps.conftest import descendants, measured, small

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")

SPEC = """
models: mlp
data: digits
optimizers: adamw
schemes: [default, harmonic, zero]
seeds: 20
epochs: 1
train_size: 100
"""
RUNS = 60


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same sweep, in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    spec = small(schemes=["default", "harmonic", "zero"], seeds=20, epochs=1, train_size=100)
    found = sweep(spec, folder)
    assert (found.runs, found.finished) == (RUNS, RUNS)
    return measured(folder)


def lines_until(process, number: int) -> list[str]:
    """Wait until so many runs are finished: each is one line."""
    seen = []
    while not any(line.startswith(f"{number}/{RUNS} ") for line in seen):
        line = process.stderr.readline()
        assert line, seen
        seen.append(line)
    return seen


def trains(process: psutil.Process) -> bool:
    """Whether runs are trained in a process."""
    try:
        words = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return "ray::run_job" in words or "spawn_main" in words


@pytest.mark.parametrize("how", [["--workers=2"], ["--ray=local", "--workers=2"]])
def test_a_killed_worker_and_a_killed_driver_cost_no_result(start, tmp_path, undisturbed, how):
    if "--ray=local" in how:
        pytest.importorskip("ray")
    (tmp_path / "s.yaml").write_text(SPEC)
    first = start("s.yaml", "--out=out", *how)
    lines_until(first, 5)
    start.seen.update(descendants(first.pid))
    victim = next(filter(trains, descendants(first.pid)))
    victim.kill()
    lost = ""
    while "tried again" not in lost:
        lost = first.stderr.readline()
        assert lost
    lines_until(first, 25)
    start.seen.update(descendants(first.pid))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    # Ray's own helpers look for their parent now and then; what trains must end at once
    training = [each for each in start.seen if trains(each)]
    kept = len(list((tmp_path / "out" / "runs").glob("[!.]*.parquet")))
    assert 25 <= kept < RUNS
    assert not psutil.wait_procs(training, timeout=60)[1]

    second = start("s.yaml", "--out=out", *how)
    out, err = second.communicate(timeout=200)
    assert second.returncode == 0, err
    said = re.search(rf"{RUNS} of {RUNS} runs are finished, (\d+) of them now", out)
    assert said is not None
    assert int(said[1]) == RUNS - kept
    assert len(list((tmp_path / "out" / "runs").glob("*.parquet"))) == RUNS
    assert measured(tmp_path / "out") == undisturbed


def test_a_run_that_takes_its_worker_along_is_listed_and_the_others_finish(tmp_path, start):
    (tmp_path / "deadly.py").write_text(
        "import os\n"
        "from firstlight.model.zoo import mlp\n"
        "def net(channels, size, classes):\n"
        "    if os.environ.get('DRIVER') != str(os.getpid()):\n"
        "        os.kill(os.getpid(), 9)\n"
        "    return mlp(channels, size, classes)\n"
    )
    (tmp_path / "s.yaml").write_text(
        SPEC.replace("models: mlp", "models: [mlp, 'deadly:net']").replace("20", "1")
        + "retries: 1\n"
    )
    program = (
        "import os; os.environ['DRIVER'] = str(os.getpid());from firstlight.cli import main; main()"
    )
    import subprocess

    found = subprocess.run(
        [sys.executable, "-c", program, "sweep", "s.yaml", "--out=out", "--workers=2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert found.returncode == 1, found.stderr
    assert "3 of 6 runs are finished" in found.stdout
    assert found.stdout.count("its worker ended by signal 9 (2 tries)") == 3
    assert len(list((tmp_path / "out" / "runs").glob("*.parquet"))) == 3
    assert len(list((tmp_path / "out" / "failed").glob("*.parquet"))) == 3


def test_ctrl_c_keeps_what_is_finished(start, tmp_path):
    (tmp_path / "s.yaml").write_text(SPEC)
    process = start("s.yaml", "--out=out", "--workers=2")
    lines_until(process, 3)
    start.seen.update(descendants(process.pid))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert re.search(r"Stopped\. \d+ of 60 runs are finished and kept in out/runs", err)
    assert "Traceback" not in err
    assert not psutil.wait_procs([e for e in start.seen if trains(e)], timeout=60)[1]
