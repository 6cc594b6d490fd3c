import json
import re
import signal
import sys
import time

import pytest

PROGRAM = "from firstlight.cli import main; main()"
SMALL = ["--depth=2", "--width=8", "--adam-steps=4", "--lbfgs-steps=4", "--step-zero=2"]
FIGURES = ["loss-and-error.png", "solution.png", "step-zero.png"]


def test_a_study_is_a_table_and_figures(call, tmp_path):
    starts = ["--scheme=diagonal_plus_noise", "--scheme=Glorot normal"]
    code, out, err = call("pinn", "diffusion", *starts, *SMALL, "--seeds=2", "--out=here")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("diffusion: u_t = u_xx")
    assert "2 hidden tanh layers of width 8 (105 parameters)" in lines[1]
    assert any(line.startswith("diagonal_plus_noise") for line in lines)
    assert any(line.startswith("Glorot normal") for line in lines)
    assert "a chance of 50 %" in " ".join(out.split())
    assert all(f"Figure: here/{name}" in out for name in FIGURES)
    assert sorted(path.name for path in (tmp_path / "here").glob("*.png")) == FIGURES
    told = err.splitlines()
    assert len(told) == 4
    assert re.fullmatch(
        r"1/4 diagonal_plus_noise, seed 0: loss \S+, error \S+, 8 steps, \d+ s", told[0]
    )
    again = call("pinn", "diffusion", *starts, *SMALL, "--seeds=2", "--out=here")
    assert again == (0, out, "")


def test_json_has_losses_and_errors(call):
    code, out, _ = call("pinn", "poisson_1d", *SMALL, "--seeds=1", "--json", "--out=here")
    assert code == 0
    found = json.loads(out)
    assert found["rows"][0]["scheme"] == "diagonal_plus_noise"
    assert len(found["rows"][0]["runs"][0]["looks"][0]) == 4


def test_the_list(call):
    code, out, err = call("pinn", "--list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()][:3] == [
        "burgers",
        "allen_cahn",
        "allen_cahn_hard",
    ]


def test_all_collapsed_is_code_1(call):
    options = ["--learning-rates=1e30", "--seeds=1", "--scheme=auto", "--out=here"]
    code, out, _ = call("pinn", "poisson_1d", *SMALL, *options)
    assert "the loss was not a number" in out
    assert code == 0  # the network before the collapse is one


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "expected the name of a problem; firstlight pinn --list shows them"),
        (["burger"], "problem must be one of burgers"),
        (["burgers", "--scheme=glorot"], "scheme must be one of"),
        (["burgers", "--depth=0"], "depth must be a whole number from 1"),
        (["burgers", "--depth=x"], "expected a whole number, got 'x'"),
        (["burgers", "--points=few"], "points must be small, published or a whole number"),
        (["burgers", "--seeds=0"], "seeds must be a whole number from 1"),
        (["burgers", "--device=abacus"], "device must be one"),
        (["burgers", "--precision=half"], "precision must be one of float32, float64"),
        (["burgers", "--learning-rates=1e-3,x"], "expected a number, got 'x'"),
        (["burgers", "--out="], "expected the name of a folder"),
        (["burgers", "--steps=3"], "no such option: --steps"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(call, tmp_path, options, said):
    code, out, err = call("pinn", *options)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


OWN = """
from dataclasses import replace
from firstlight.physics import PROBLEMS
def fails(*_): raise RuntimeError("no luck")
def reference(): return replace(PROBLEMS["poisson_1d"], reference=fails)
def residual(): return replace(PROBLEMS["poisson_1d"], residual=fails)
"""


@pytest.mark.parametrize("part", ["reference", "residual"])
def test_a_fault_in_a_problem_of_ones_own_is_one_line_and_code_2(call, tmp_path, part):
    (tmp_path / "faulty_pde.py").write_text(OWN)
    try:
        code, out, err = call("pinn", f"faulty_pde:{part}", *SMALL, "--out=here")
    finally:
        sys.modules.pop("faulty_pde", None)
    assert (code, out) == (2, "")
    assert f"problem faulty_pde:{part}, its {part}: RuntimeError: no luck" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "here").exists()


def test_a_later_start_that_cannot_be_is_code_2_before_any_training(call, tmp_path):
    starts = ["--scheme=orthogonal", "--scheme=diagonal_plus_noise"]
    code, out, err = call("pinn", "poisson_1d", *starts, *SMALL, "--activation=relu", "--out=here")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "diagonal_plus_noise: " in err
    assert not (tmp_path / "here").exists()


def test_without_deepxde_the_extra_is_named(call, monkeypatch):
    from firstlight.cli import extras

    monkeypatch.setattr(extras, "_absent", lambda name: name == "deepxde")
    code, _, err = call("pinn", "burgers")
    assert code == 2
    assert err == "firstlight: pinn needs deepxde: pip install 'firstlight[physics]'\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_keeps_finished_runs(start, tmp_path):
    process = start("pinn", "poisson_1d", *SMALL, "--seeds=900", "--out=here")
    runs = tmp_path / "here" / "runs"
    deadline = time.monotonic() + 200
    while not (runs.exists() and len(list(runs.glob("*.json"))) > 1):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    last = err.splitlines()[-1]
    assert re.fullmatch(
        r"Stopped\. \d+ of 900 runs are finished and kept in here/runs; the same command goes on "
        r"from there\.",
        last,
    )
