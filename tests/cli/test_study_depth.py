import json
import re
import signal
import subprocess
import sys

import pytest

from firstlight.errors import FirstlightError
from firstlight.studies import DepthStudy

PROGRAM = "from firstlight.cli import main; main()"
SMALL = [
    "--widths=8",
    "--depths=4",
    "--schemes=diagonal_plus_noise,orthogonal",
    "--seeds=2",
    "--steps=8",
    "--learning-rates=1e-3,1e-2",
]
FIGURES = {"signals.png", "training.png", "learning-rates.png"}


@pytest.fixture
def study(call):
    """Return a function that runs ``firstlight study depth`` on a small network."""
    return lambda *options: call("study", "depth", *SMALL, *options)


def test_a_study_is_a_table_and_figures(study, tmp_path):
    code, out, err = study("--out=here", "--widths=8,8-4")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("digits; 2 seeds, 8 steps of adam, batches of 64; chance is 1")
    assert "width 8, 4 hidden layers, tanh" in lines
    assert "width 8, 4 in turn, 4 hidden layers, tanh" in lines
    rows = [line.split() for line in lines if re.match("diagonal_plus_noise|orthogonal", line)]
    assert len(rows) == 4
    assert {path.name for path in (tmp_path / "here").glob("*.png")} == FIGURES
    assert all(f"Figure: here/{name}" in out for name in FIGURES)
    found = DepthStudy.from_dict(json.loads((tmp_path / "here/study.json").read_text()))
    assert [row.network.widths for row in found.rows] == [(8,), (8,), (8, 4), (8, 4)]
    told = err.splitlines()
    assert re.fullmatch(r"1/4 8 x 4 tanh, diagonal_plus_noise: [\d.]+ % at [\d.]+", told[0])
    assert len(told) == 4


def test_the_same_again_shows_the_same_and_json_says_it_in_full(study, tmp_path):
    first = study("--out=here")
    before = {path: path.read_bytes() for path in (tmp_path / "here").rglob("*.*")}
    again = study("--out=here")
    assert again == (0, first[1], "")
    assert {path: path.read_bytes() for path in (tmp_path / "here").rglob("*.*")} == before
    code, out, _ = study("--out=here", "--json")
    assert code == 0
    records = json.loads(out)
    assert [record["start"] for record in records] == ["diagonal_plus_noise", "orthogonal"]
    assert records[0]["widths"] == [8]
    assert 0 <= records[0]["accuracy"] <= 1


def test_sweeps_have_a_figure(study, tmp_path):
    code, out, err = study("--out=here", "--noise-factors=0.5,1", "--omega-errors=-0.1")
    assert code == 0, err
    assert (tmp_path / "here/sweeps.png").exists()
    assert "edge_of_chaos, weights x 0.5" in out
    assert "diagonal_plus_noise, omega x 0.9" in out


def test_one_seed_before_training(study, tmp_path):
    code, out, _ = study("--out=here", "--steps=0", "--seeds=1")
    assert code == 0
    assert "digits; one seed, before training" in out
    assert "accuracy" not in out
    assert {path.name for path in (tmp_path / "here").glob("*.png")} == {"signals.png"}
    records = json.loads(study("--out=here", "--steps=0", "--seeds=1", "--json")[1])
    assert records[0]["accuracy"] is None


def test_starts_that_all_fail_on_the_data_are_code_1(study, monkeypatch):
    def fails(*_):
        raise FirstlightError("these samples are all alike")

    monkeypatch.setattr("firstlight.studies.DepthStart.fill", fails)
    code, out, _ = study("--out=here")
    assert code == 1
    assert "orthogonal: these samples are all alike" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--widths=0"], "a width must be a whole number from 1"),
        (["--widths=a"], "expected widths as in 16,64 or 16-4, got 'a'"),
        (["--widths=-4"], "expected widths as in 16,64 or 16-4, got '-4'"),
        (["--depths=0"], "a depth must be a whole number from 1"),
        (["--depths=1.5"], "expected a whole number, got '1.5'"),
        (["--depths=10,10"], "depths must differ from each other"),
        (["--activations=tan"], "activation must be one of"),
        (["--schemes=xavier"], "scheme must be one of batch_norm, layer_norm, residual, "),
        (["--schemes="], "at least one scheme"),
        (["--schemes=diagonal_plus_noise:depth=0"], "depth must lie between 1 and"),
        (
            ["--schemes=diagonal_plus_noise:sigma=-1"],
            "4 tanh: sigma must be 0 or more, got -1; leave one",
        ),
        (["--schemes=diagonal_plus_noise:activation=relu"], "cannot start 8 x 4 tanh: "),
        (["--activations=sigmoid"], "diagonal_plus_noise cannot start 8 x 4 sigmoid: "),
        (["--activations=tanh,tanh(1x)"], "activations must differ from each other"),
        (["--widths=60000", "--depths=100"], "too little memory: 60000 x 100 with 356"),
        (["--seeds=0"], "seeds must be a whole number from 1"),
        (["--learning-rates=0"], "a learning rate must be a number above 0"),
        (["--learning-rates=x"], "expected a number, got 'x'"),
        (["--steps=-1"], "steps must be a whole number from 0"),
        (["--optimizer=lion"], "optimizer must be one of adam, sgd"),
        (["--data=imagenet"], "data must be one of digits"),
        (["--data=parquet:none.parquet"], "no file matches"),
        (["--train-sizes=5"], "train_size must lie between 10"),
        (["--negative-rates=0.5"], "negative_rate must lie between 0 and 0.5"),
        (["--within=0"], "within must be a number above 0"),
        (["--out="], "expected the name of a folder"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(study, tmp_path, options, said):
    code, out, err = study(*options)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(study, tmp_path):
    (tmp_path / "here").write_text("kept")
    code, _, err = study("--out=here")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert (tmp_path / "here").read_text() == "kept"


def test_the_help_loads_no_torch():
    code = (
        "import sys\nfrom firstlight.cli import main\n"
        "sys.argv = ['firstlight', 'study', 'depth', '--help']\n"
        "try:\n    main()\nexcept SystemExit as e:\n    print(e.code, 'torch' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split()[-2:] == ["0", "False"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_keeps_what_is_finished(start, call, tmp_path):
    depths = ",".join(map(str, range(4, 300)))
    options = [*SMALL, f"--depths={depths}", "--schemes=orthogonal", "--out=here"]
    process = start("study", "depth", *options)
    assert process.stderr.readline().startswith("1/296 8 x 4 tanh, orthogonal: ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == ""
    assert "Traceback" not in err
    files = list((tmp_path / "here/runs").glob("*.json"))
    assert process.returncode == 130
    said = re.search(r"Stopped. (\d+) of 296 starts are finished and kept in here/runs", err)
    assert len(files) == int(said[1])
    code, out, err = call("study", "depth", *SMALL, "--schemes=orthogonal", "--out=here")
    assert (code, err) == (0, "")  # depth 4 was kept
