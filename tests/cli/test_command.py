import importlib.util
import inspect
import io
import os
import subprocess
import sys

import pytest

import firstlight
from firstlight.cli.compare import compare as command


def test_the_whole_command_on_real_digits(start, tmp_path):
    small = ["--optimizers=adamw", "--schemes=default,harmonic", "--train-size=100", "--seeds=2"]
    out, err = start("compare", *small, "--epochs=2", "--out=results").communicate()
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--out="], "'--out': expected the name of a folder, got ''"),
        (["compare", "--seeds=x"], "'--seeds': expected a whole number, got 'x'"),
        (["compare", "--train-size", "1.5"], "'--train-size': expected a whole number, got '1.5'"),
        (["compare", "--learning-rate=x"], "'--learning-rate': expected a number, got 'x'"),
        (["compare", "--no-such-option"], "no such option: --no-such-option"),
        (["compare", "extra"], "extra"),
        (["compare", "--tune-lr=3"], "'--tune-lr' does not take a value"),
        (["compare", "--seeds"], "'--seeds' requires an argument"),
        (["compar"], "no such command 'compar'"),
        (["--no-such-option"], "no such option: --no-such-option"),
    ],
)
def test_a_usage_error_is_one_line_and_code_2(call, arguments, message):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.endswith(" --help)\n")
    assert err.count("\n") == 1


def test_no_command_shows_the_help(call):
    code, out, err = call()
    assert code == 2
    assert "compare" in out + err
    assert "firstlight: " not in err


QUICK = ["compare", "--seeds=1", "--optimizers=sgd", "--schemes=default", "--train-size=100"]


@pytest.mark.parametrize("stdout", ["none", "closed pipe", "full", "ascii"])
def test_the_report_is_written_whatever_becomes_of_the_table(call, tmp_path, monkeypatch, stdout):
    out = tmp_path / "größe"
    code, _, _ = call(*QUICK, "--epochs=1", f"--out={out}")
    assert code == 0
    (out / "report.html").unlink()
    made = {"none": lambda: None, "closed pipe": closed_pipe, "full": Full, "ascii": Ascii}
    stream = made[stdout]()
    monkeypatch.setattr(sys, "stdout", stream)
    code, _, err = call(*QUICK, "--epochs=1", f"--out={out}")
    assert (out / "report.html").exists()
    assert "Traceback" not in err
    assert (code, err.count("\n")) == {"full": (2, 1), "closed pipe": (1, 0)}.get(stdout, (0, 0))
    if stdout == "ascii":
        assert rb"gr\xf6\xdfe/report.html" in stream.buffer.getvalue()
    if stdout == "full":
        assert err.startswith("firstlight: cannot print the table: No space left on device; ")
    if stream is not None:
        stream.close()


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w")


class Ascii(io.TextIOWrapper):
    """A terminal of letters only."""

    def __init__(self):
        super().__init__(io.BytesIO(), "ascii", write_through=True)


class Full(io.StringIO):
    """A disk without room."""

    def write(self, _):
        raise OSError(28, "No space left on device")


def test_a_users_own_network_is_found_in_the_folder_of_the_call(call, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "nets_of_mine.py").write_text("def build(*_):\n    raise OSError('no such luck')\n")
    code, out, err = call("compare", "--model=nets_of_mine:build", "--seeds=1", "--schemes=default")
    assert code == 1  # nothing finished, but the table says so
    assert "crashed: OSError: no such luck" in err
    assert "no such luck" in out


def test_a_missing_package_is_one_line_that_names_the_extra(call, monkeypatch):
    real = importlib.util.find_spec
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
    listing = "import sys, firstlight.cli.app; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in loaded
    heavy = {"accelerate", "matplotlib", "pandas", "plotly", "pyarrow", "sklearn", "torchmetrics"}
    heavy |= {"torch", "numpy", "scipy"}
    assert not heavy & set(loaded)
