import inspect
import subprocess
import sys

import pytest

import firstlight
from firstlight import cli
from firstlight.cli.compare import compare as command


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """Return a function that runs the command line: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["firstlight", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run


def test_the_whole_command_on_real_digits(start, tmp_path):
    out, err = start("--seeds=2", "--epochs=2", "--out=results").communicate()
    assert [line.split(" ")[0] for line in err.splitlines()] == ["1/4", "2/4", "3/4", "4/4"]
    assert "default" in out
    assert "harmonic" in out
    assert "Report: results/report.html" in out
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert names == {
        "runs",
        "spec.json",
        "results.parquet",
        "report.html",
        "curves-mlp-digits-adamw.png",
    }


def test_a_second_call_shows_the_same_and_trains_nothing(call, tmp_path):
    options = ["compare", "--schemes=default,harmonic", "--train-size=100", "--epochs=1"]
    code, table, progress = call(*options, "--seeds=1", "--optimizers=sgd")
    assert code == 0
    assert progress.count("seed 0") == 2
    files = sorted((tmp_path / "firstlight-results" / "runs").iterdir())
    before = [path.stat().st_mtime_ns for path in files]
    assert call(*options, "--seeds=1", "--optimizers=sgd") == (0, table, "")
    assert [path.stat().st_mtime_ns for path in files] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model=foo"], "model must be one of mlp"),
        (["--data=foo"], "data must be one of digits"),
        (["--optimizers=sgd,foo"], "optimizer must be one of"),
        (["--schemes=default,foo"], "scheme must be one of"),
        (["--schemes=default,"], "scheme must be one of"),
        (["--schemes=harmonic:foo=1"], "does not use the option 'foo'"),
        (["--schemes=harmonic:mode=foo"], "mode must be one of"),
        (["--seeds=0"], "seeds must be"),
        (["--epochs=0"], "epochs: "),
        (["--precision=fp8"], "precision: "),
        (["--train-size=3"], "train_size must lie between"),
        (["--data=parquet:none.parquet"], "no file matches"),
    ],
)
def test_a_bad_option_is_one_line_and_code_2_and_nothing_written(call, tmp_path, options, message):
    code, out, err = call("compare", *options)
    assert code == 2
    assert out == ""
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--seeds=x"], ["--no-such-option"], ["extra"]])
def test_a_usage_error_is_code_2(call, options):
    code, _, err = call("compare", *options)
    assert code == 2
    assert "Usage" in err


def test_a_users_own_network_is_found_in_the_folder_of_the_call(call, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "nets_of_mine.py").write_text("def build(*_):\n    raise OSError('no such luck')\n")
    code, out, err = call("compare", "--model=nets_of_mine:build", "--seeds=1", "--schemes=default")
    assert code == 1  # nothing finished, but the table says so
    assert "crashed: OSError: no such luck" in err
    assert "no such luck" in out


def test_a_missing_package_is_one_line_that_names_the_extra(call, monkeypatch):
    real = cli.compare.__globals__["importlib"].util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "plotly" else real(name)
    )
    code, _, err = call("compare")
    assert (code, err) == (
        2,
        "firstlight: compare needs plotly: pip install 'firstlight[compare]'\n",
    )


def test_version_and_help(call):
    assert call("--version") == (0, f"firstlight {firstlight.__version__}\n", "")
    code, out, _ = call("compare", "--help")
    assert code == 0
    for option in ("--match-variance", "--tune-lr", "--data-root", "--train-size"):
        assert option in out


def test_the_commands_defaults_are_those_of_the_function():
    asked = inspect.signature(command).parameters
    offered = inspect.signature(firstlight.compare).parameters
    assert set(asked) == set(offered) - {"progress"}
    for name, parameter in asked.items():
        default = offered[name].default
        if isinstance(default, tuple):
            default = ",".join(default)
        if name != "out":  # only the command writes a folder unasked
            assert parameter.default == default, name


def test_the_command_line_loads_no_optional_package():
    listing = "import sys, firstlight.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in loaded
    heavy = {"accelerate", "matplotlib", "pandas", "plotly", "pyarrow", "sklearn", "torchmetrics"}
    assert not heavy & set(loaded)
