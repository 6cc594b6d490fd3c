import re
import signal
import sys

import pytest

import firstlight
from firstlight.comparison.spec import RunResult


def read_lines(process, count):
    """Wait until ``count`` runs are finished: each is one line."""
    return [process.stderr.readline() for _ in range(count)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_comparison_keeps_its_runs_and_goes_on(start, tmp_path, sent):
    process = start("--seeds=500", "--out=results")  # far more than it will live to see
    assert read_lines(process, 3)[2].startswith("3/1000 ")
    process.send_signal(sent)
    _, err = process.communicate()
    files = list((tmp_path / "results" / "runs").glob("*.json"))
    assert len(files) >= 3
    kept = [RunResult.model_validate_json(path.read_text()) for path in files]
    assert all(result.status == "ok" for result in kept)
    before = {path: path.stat().st_mtime_ns for path in files}
    if sent is signal.SIGINT:
        assert process.returncode == 130
        said = re.search(r"Stopped. (\d+) of 1000 runs are finished and kept in results/runs", err)
        assert said is not None
        # the signal may fall between the file of a run and its count
        assert int(said[1]) in (len(files) - 1, len(files))
        assert "Traceback" not in err
    else:
        assert process.returncode == -signal.SIGKILL

    seeds = {result.spec.seed for result in kept}
    found = firstlight.compare(
        optimizers="adamw",
        schemes=["default", "harmonic"],
        train_size=100,
        epochs=1,
        seeds=sorted(seeds),
        out=tmp_path / "results",
    )
    assert [result.status for result in found.results] == ["ok"] * 2 * len(seeds)
    assert {path: path.stat().st_mtime_ns for path in files} == before
