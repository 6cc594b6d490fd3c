import re
import signal
import sys
from importlib import import_module

import pytest

import firstlight
from firstlight import comparison
from firstlight.cli import main
from firstlight.comparison.spec import RunResult

SMALL = ["--optimizers=adamw", "--schemes=default,harmonic", "--train-size=100", "--epochs=1"]


def read_lines(process, count):
    """Wait until ``count`` runs are finished: each is one line."""
    return [process.stderr.readline() for _ in range(count)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_comparison_keeps_its_runs_and_goes_on(start, tmp_path, sent):
    # far more than it will live to see
    process = start("compare", *SMALL, "--seeds=500", "--out=results")
    assert read_lines(process, 3)[2].startswith("3/1000 ")
    process.send_signal(sent)
    _, err = process.communicate()
    files = list((tmp_path / "results" / "runs").glob("[!.]*.json"))
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


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_stopped_while_loading_it_says_that_nothing_was_trained(monkeypatch, tmp_path, capfd):
    def stopped(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "compare", stopped)
    monkeypatch.setattr(sys, "argv", ["firstlight", "compare", f"--out={tmp_path}"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 130
    assert capfd.readouterr().err == (
        f"Stopped. Nothing was trained; what was finished before is kept in {tmp_path / 'runs'}; "
        "the same command goes on from there.\n"
    )


def test_stopped_before_anything_is_loaded_it_says_so(monkeypatch, capfd):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("firstlight.cli.compare"), "Bar", stopped)
    monkeypatch.setattr(sys, "argv", ["firstlight", "compare"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 130
    assert capfd.readouterr().err == "firstlight: stopped\n"


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("firstlight.cli.app", "firstlight: stopped"),
        ("firstlight.report", "Stopped. 2 of 2 runs are finished and kept in "),
    ],
)
def test_ctrl_c_at_any_other_time_is_one_line_too(monkeypatch, tmp_path, capfd, stage, said):
    class Stop:
        """Stands for Ctrl-C while a module is loaded."""

        def find_spec(self, name, *_):
            if name == stage:
                raise KeyboardInterrupt

    for name in [name for name in sys.modules if name.startswith(stage)]:
        monkeypatch.delitem(sys.modules, name)
    package, _, name = stage.rpartition(".")
    monkeypatch.delattr(sys.modules[package], name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Stop(), *sys.meta_path])
    options = ["--seeds=1", "--epochs=1", "--train-size=100", "--schemes=default"]
    monkeypatch.setattr(sys, "argv", ["firstlight", "compare", f"--out={tmp_path}", *options])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 130
    err = capfd.readouterr().err
    assert err.splitlines()[-1].startswith(said)
    assert "Traceback" not in err
