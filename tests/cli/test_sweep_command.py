"""The commands ``sweep``, ``results`` and ``reproduce`` as a user calls them."""

import json

import pandas as pd
import pytest

SPEC = """\
models: mlp
data: digits
optimizers: adamw
schemes: [default, harmonic]
seeds: 2
epochs: 1
train_size: 200
"""


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "s.yaml").write_text(SPEC)
    return "s.yaml"


def test_a_sweep_its_table_and_its_exports(call, spec, tmp_path):
    code, out, err = call("sweep", spec, "--dry-run")
    assert code == 0
    assert out.startswith("4 runs of 4 epochs in all, 0 of them finished")
    assert not (tmp_path / "firstlight-sweep").exists()
    code, out, err = call("sweep", spec, "--out=out")
    assert (code, out.splitlines()[0]) == (0, "4 of 4 runs are finished, 4 of them now.")
    assert "4/4 mlp, digits, adamw, harmonic, seed 1: " in err
    code, out, err = call("sweep", spec, "--out=out")
    assert out.splitlines()[0] == "4 of 4 runs are finished, 0 of them now."

    code, out, _ = call("results", "out")
    assert out.splitlines()[0].split()[:3] == ["scheme", "seed", "accuracy_epoch_1"]
    assert "\n4 runs; form published, model mlp, data digits, optimizer adamw" in out
    code, out, _ = call("results", "out", "--columns=form,seed")
    assert (out.split()[:4], out.rstrip()[-6:]) == (["form", "seed", "published", "0"], "4 runs")
    code, out, _ = call(
        "results", "out", "--rows=model", "--where=seed<1", "--where=scheme=default"
    )
    assert "± " not in out.splitlines()[1]
    code, out, _ = call("results", "out", "--rows=model,optimizer")
    head, row, _, note = out.rstrip().splitlines()
    assert head.split() == ["model", "optimizer", "default", "harmonic"]
    assert row.count("±") == 2
    assert note == "accuracy_max in %: mean of 2 run(s) ± half of its 95 % interval"
    code, out, _ = call("results", "out", "--rows=model", "--format=latex")
    assert out.startswith("\\begin{tabular}")
    assert "\\textbf{" in out
    code, out, _ = call("results", "out", "--rows=model", "--format=markdown")
    assert out.startswith("| model ")
    code, out, _ = call("results", "out", "--columns=scheme,seed,auc", "--format=csv", "--to=a.csv")
    assert (code, out) == (0, "")
    table = pd.read_csv(tmp_path / "a.csv")
    assert sorted(zip(table["scheme"], table["seed"], strict=True)) == [
        ("default", 0),
        ("default", 1),
        ("harmonic", 0),
        ("harmonic", 1),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where=seed~1"], "expected a condition as in seed<3"),
        (["--where=speed<1"], "no column is called 'speed'; there are key, form"),
        (["--where=scheme<1"], "only numbers have an order"),
        (["--where=seed<two"], "expected a number, got 'two'"),
        (["--where=accuracy=0.5"], "a curve has no one value"),
        (["--where=scheme=zero"], "no run in out is asked for"),
        (["--columns=speed"], "no column is called 'speed'"),
        (["--rows=model", "--value=model"], "model is no number"),
        (["--rows=scheme"], "rows and columns of a pivot must be names that differ"),
        (["--columns=scheme,accuracy"], "accuracy is a curve, of which a table has no room"),
        (["--rows=accuracy"], "accuracy is a curve, which no row or column can stand for"),
        (["--format=xml"], "--format must be one of table, csv, latex, markdown; got 'xml'"),
    ],
)
def test_what_results_refuses(call, spec, arguments, words):
    call("sweep", spec, "--out=out")
    code, out, err = call("results", "out", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("epohcs: 1\n", "s.yaml: line 8: no key is called epohcs; did you mean epochs?"),
        ("precision: half\n", "s.yaml: line 8: precision: input should be 'no', 'bf16' or 'fp16'"),
    ],
)
def test_a_wrong_spec_is_one_line_with_the_place(call, tmp_path, more, words):
    (tmp_path / "s.yaml").write_text(SPEC + more)
    code, out, err = call("sweep", "s.yaml")
    assert (code, out) == (2, "")
    assert err == f"firstlight: {words}" + err[len(f"firstlight: {words}") :]
    assert err.count("\n") == 1
    assert not (tmp_path / "firstlight-sweep").exists()


def test_no_folder_and_no_sweep_there(call, tmp_path):
    assert call("results", "none")[2] == (
        "firstlight: none holds no sweep: it has no index.parquet\n"
    )
    assert call("sweep", "none.yaml")[0] == 2


def test_reproduce_measures_lists_and_writes_the_page(call, tmp_path):
    code, out, err = call("reproduce", "sinusoidal/table4", "--out=found")
    assert code == 0, err
    assert out.startswith("sinusoidal/table4 (quick, ")
    assert "same" in out
    about = json.loads((tmp_path / "found/sinusoidal/table4/about.json").read_text())
    assert about["command"] == "firstlight reproduce sinusoidal/table4 --preset quick"
    code, out, err = call("reproduce", "--list", "--out=found")
    rows = {line.split()[0]: line for line in out.splitlines() if "/" in line.split(" ")[0]}
    assert rows["sinusoidal/table4"].rstrip().endswith("quick: 5 same")
    assert rows["sinusoidal/table3"].rstrip().endswith("not run")
    code, out, err = call("reproduce", "--page=page.md", "--out=found")
    text = (tmp_path / "page.md").read_text()
    assert "1 measured (1 at its quick preset)" in text
    assert "`firstlight reproduce sinusoidal/table4 --preset quick`" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name an entry, a paper or all"),
        (["sinusoidal/table9"], "no entry is called 'sinusoidal/table9'"),
        (["sinusoidal/table4", "--preset=medium"], "preset must be one of quick, standard, full"),
        (["sinusoidal/table4", "--data=none"], "--data must be a folder, got none"),
        (["sinusoidal/mobilenet", "--preset=full"], "needs tiny-imagenet-200: pass --data FOLDER"),
    ],
)
def test_what_reproduce_refuses(call, tmp_path, arguments, words):
    code, out, err = call("reproduce", *arguments, "--out=found")
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "found").exists()
