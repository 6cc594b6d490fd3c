import json
import sys

import pandas as pd
import pytest
import torch

import firstlight
from firstlight.comparison.sweep import TUNING_SEED
from firstlight.errors import FirstlightError, OptionError

SMALL = {
    "optimizers": "adamw",
    "schemes": ["default", "harmonic"],
    "seeds": 2,
    "epochs": 1,
    "train_size": 100,
}


def stamps(out):
    return {path.name: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}


def test_a_second_call_trains_nothing_and_a_larger_one_only_what_is_new(tmp_path, recorder):
    first = firstlight.compare(**SMALL, out=tmp_path, progress=recorder)
    assert len(recorder.trained) == len(recorder.finished) == recorder.epochs == 4
    assert recorder.begun == [(4, 4)]
    before = stamps(tmp_path)
    recorder.trained.clear()
    again = firstlight.compare(**SMALL, out=tmp_path, progress=recorder)
    assert recorder.trained == []
    assert len(recorder.loaded) == 4
    assert again.results == first.results
    assert stamps(tmp_path) == before
    firstlight.compare(**SMALL | {"seeds": 3}, out=tmp_path, progress=recorder)
    assert [(run.scheme, run.seed) for run in recorder.trained] == [("default", 2), ("harmonic", 2)]
    assert before.items() <= stamps(tmp_path).items()


def test_the_folder_holds_the_sweep_and_the_runs(tmp_path):
    found = firstlight.compare(**SMALL, out=tmp_path)
    assert json.loads((tmp_path / "spec.json").read_text())["schemes"] == ["default", "harmonic"]
    path = found.write(tmp_path)
    frame = pd.read_parquet(path)
    assert frame["scheme"].tolist() == ["default", "harmonic"] * 2
    assert frame["seed"].tolist() == [0, 0, 1, 1]
    assert frame["accuracy"].str.len().tolist() == [1] * 4
    assert frame["auc"].tolist() == [result.auc for result in found.results]


def test_without_a_folder_results_are_returned_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = firstlight.compare(**SMALL)
    assert [result.status for result in found.results] == ["ok"] * 4
    assert list(tmp_path.iterdir()) == []


def test_the_best_has_no_failures(result):
    from firstlight.comparison import Comparison

    runs = [
        result(accuracy=(0.5,), scheme="default"),
        result(accuracy=(0.9,), scheme="zero"),
        result(accuracy=(), scheme="zero", seed=1, status="crashed", reason="x"),
        result(accuracy=(0.6,), scheme="lsuv"),
        result(accuracy=(0.3,), scheme="default", optimizer="sgd"),
    ]
    best = Comparison(None, tuple(runs)).best()
    assert best[["optimizer", "scheme"]].to_numpy().tolist() == [
        ["adamw", "lsuv"],
        ["sgd", "default"],
    ]


def test_failed_runs_are_rows_and_the_others_go_on(tmp_path, recorder, user_module):
    user_module("broken", "def build(*_):\n    raise RuntimeError('no network today')\n")
    found = firstlight.compare(
        ["mlp", "broken:build"],
        **SMALL | {"seeds": 1, "optimizers": ["sgd", "adamw"], "learning_rate": 1e6, "epochs": 2},
        out=tmp_path,
        progress=recorder,
    )
    status = {(r.spec.model, r.spec.optimizer, r.spec.scheme): r for r in found.results}
    assert len(status) == 8
    for scheme in ("default", "harmonic"):
        assert status["mlp", "sgd", scheme].status == "diverged"
        assert "loss became" in status["mlp", "sgd", scheme].reason
        assert status["broken:build", "sgd", scheme].reason == "RuntimeError: no network today"
    summary = found.summary()
    assert (summary["n"] + summary["failed"]).tolist() == [1] * 8
    recorder.trained.clear()
    firstlight.compare(
        ["mlp", "broken:build"],
        **SMALL | {"seeds": 1, "optimizers": ["sgd", "adamw"], "learning_rate": 1e6, "epochs": 2},
        out=tmp_path,
        progress=recorder,
    )
    assert {run.model for run in recorder.trained} == {"broken:build"}


def test_tuning_gives_every_scheme_the_same_tries_and_resumes(tmp_path, recorder):
    options = SMALL | {"seeds": 2, "tune_lr": True, "out": tmp_path, "progress": recorder}
    found = firstlight.compare(**options)
    assert recorder.begun == [(14, 14)]
    assert len(found.tuning) == 10
    assert len(found.results) == 4
    assert all(r.spec.held_out and r.spec.seed == TUNING_SEED for r in found.tuning)
    assert not any(r.spec.held_out for r in found.results)
    for scheme in ("default", "harmonic"):
        tried = [r for r in found.tuning if r.spec.scheme == scheme]
        best = max(tried, key=lambda r: (r.accuracy[-1], -r.loss[-1]))
        used = {r.spec.learning_rate for r in found.results if r.spec.scheme == scheme}
        assert used == {best.spec.learning_rate}
    recorder.trained.clear()
    assert firstlight.compare(**options) == found
    assert recorder.trained == []


def test_a_best_rate_at_the_edge_of_the_grid_is_noted(recorder):
    firstlight.compare(
        **SMALL | {"schemes": "default", "seeds": 1, "learning_rate": 1e-6},
        tune_lr=True,
        progress=recorder,
    )
    assert any(
        "the largest learning rate tried, 1e-05, was best for default" in n for n in recorder.notes
    )


def test_results_of_another_version_are_noted(tmp_path, recorder):
    firstlight.compare(**SMALL, out=tmp_path)
    path = next((tmp_path / "runs").iterdir())
    path.write_text(path.read_text().replace(torch.__version__, "1.0"))
    firstlight.compare(**SMALL, out=tmp_path, progress=recorder)
    assert recorder.notes == [
        "runs were made on different devices or versions and may differ for that reason"
    ]


def test_a_corrupt_result_is_trained_again(tmp_path, recorder):
    first = firstlight.compare(**SMALL, out=tmp_path)
    path = next((tmp_path / "runs").iterdir())
    path.write_text("{")
    again = firstlight.compare(**SMALL, out=tmp_path, progress=recorder)
    assert len(recorder.trained) == 1
    assert str(path) in recorder.notes[0]
    assert [r.accuracy for r in again.results] == [r.accuracy for r in first.results]


TINY = """
from torch import nn

def build(in_channels, image_size, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Linear(3, 2), nn.Linear(2, classes))
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schemes": ["default", "foo"]}, "scheme must be one of"),
        ({"schemes": "harmonic:mode=foo"}, "mlp, harmonic:mode=foo: .*mode must be one of"),
        ({"model": "tiny:build", "schemes": ["default", "harmonic"]}, "tiny:build, harmonic: "),
        ({"model": ["mlp", "torchvision:resnet18"]}, "takes images of 3 channels"),
        ({"data": "parquet:/no/such/file"}, "no file matches"),
        ({"train_size": 5000}, "train_size must lie between"),
        ({"precision": "fp16"}, "precision 'fp16' does not work on cpu"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_happens(
    tmp_path, recorder, user_module, change, message
):
    user_module("tiny", TINY)
    with pytest.raises(FirstlightError, match=message):
        firstlight.compare(**SMALL | change, out=tmp_path / "out", progress=recorder)
    assert recorder.begun == recorder.trained == []
    assert not (tmp_path / "out").exists()


def test_the_callers_random_numbers_go_on_as_if_nothing_happened():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    firstlight.compare(**SMALL | {"seeds": 1})
    assert torch.equal(torch.rand(3), expected)


def test_more_than_one_process_is_refused(monkeypatch):
    from firstlight.comparison import accelerator

    class Many:
        num_processes = 2
        native_amp = False

    monkeypatch.setattr(accelerator, "Accelerator", lambda **_: Many)
    with pytest.raises(FirstlightError, match="runs in one process, this is one of 2"):
        accelerator.accelerator("no")


def test_finished_runs_need_no_data(tmp_path, monkeypatch):
    firstlight.compare(**SMALL, out=tmp_path)
    session = sys.modules["firstlight.comparison.session"]
    monkeypatch.setattr(session, "load", None)
    assert len(firstlight.compare(**SMALL, out=tmp_path).results) == 4
    with pytest.raises(TypeError):
        firstlight.compare(**SMALL | {"seeds": 3}, out=tmp_path)


def test_an_option_error_is_a_value_error():
    with pytest.raises(ValueError) as caught:
        firstlight.compare(seeds=0)
    assert isinstance(caught.value, OptionError)
