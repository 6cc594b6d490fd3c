import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

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
    path = found.write(str(tmp_path))
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
        assert status["broken:build", "sgd", scheme].reason == (
            "RuntimeError: no network today (broken.py:2)"
        )
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


def test_results_that_all_differ_from_now_are_noted(tmp_path, recorder):
    firstlight.compare(**SMALL, out=tmp_path)
    for change in ({"device": "mps:0"}, {"versions": {"firstlight": "0"}}):
        for path in (tmp_path / "runs").iterdir():
            path.write_text(json.dumps(json.loads(path.read_text()) | change))
        recorder.notes.clear()
        firstlight.compare(**SMALL, out=tmp_path, progress=recorder)
        assert recorder.trained[4:] == []
        assert recorder.notes == [
            "runs were made on different devices or versions and may differ for that reason"
        ]


def write_images(path, seed, channels=1):
    rng = np.random.default_rng(seed)
    encoded = []
    for pixels in rng.integers(0, 256, (40, 8, 8, channels), dtype=np.uint8):
        buffer = io.BytesIO()
        Image.fromarray(pixels.squeeze()).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    pd.DataFrame({"image": encoded, "label": [i % 2 for i in range(40)]}).to_parquet(path)


def test_other_images_under_one_name_are_other_runs(tmp_path, recorder, monkeypatch):
    options = SMALL | {"data": "parquet:x.parquet", "train_size": None, "out": tmp_path / "out"}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_images(tmp_path / folder / "x.parquet", seed=ord(folder))
    found = []
    for folder in ("a", "a", "b"):
        monkeypatch.chdir(tmp_path / folder)
        found.append(firstlight.compare(**options, progress=recorder))
    assert len(recorder.trained) == 8
    assert len(recorder.loaded) == 4
    assert found[0].results == found[1].results
    assert recorder.notes == [
        f"parquet:x.parquet has changed since runs in {tmp_path / 'out' / 'runs'} were made; "
        "they are trained again"
    ]
    write_images(tmp_path / "b" / "x.parquet", seed=1)
    again = firstlight.compare(**options, progress=recorder)
    assert len(recorder.trained) == 12
    assert [r.loss for r in again.results] != [r.loss for r in found[2].results]


NETS = """
from torch import nn

def build(in_channels, image_size, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, {0}), nn.ReLU(), nn.Linear({0}, classes))
"""


def test_an_edited_network_is_another_network(tmp_path, recorder, user_module):
    options = SMALL | {"model": "nets:build", "out": tmp_path / "out"}
    for width in (20, 20, 300):
        user_module("nets", NETS.format(width))
        found = firstlight.compare(**options, progress=recorder)
    assert len(recorder.trained) == 8
    assert len(recorder.loaded) == 4
    assert found.results[0].parameters == 300 * 65 + 10 * 301
    assert len(recorder.notes) == 1
    assert recorder.notes[0].startswith("nets:build has changed since runs in ")


def test_a_network_edited_while_it_trains_counts_as_the_old_one(tmp_path, recorder, user_module):
    user_module("nets", NETS.format(20))
    options = SMALL | {"model": "nets:build", "out": tmp_path / "out", "schemes": "default"}
    path = tmp_path / "nets.py"

    class Editor(type(recorder)):
        def run(self, spec):
            super().run(spec)
            path.write_text(path.read_text() + "# edited\n")

    found = firstlight.compare(**options, progress=Editor())
    assert [r.status for r in found.results] == ["ok", "ok"]
    firstlight.compare(**options, progress=recorder)
    assert len(recorder.trained) == 2


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
        (
            {"model": "torchvision:alexnet", "data": "parquet:{}/rgb.parquet"},
            "torchvision:alexnet cannot take the images of parquet:.*, 3 x 8 x 8: RuntimeError: ",
        ),
        ({"model": "exits:build"}, "cannot import exits: SystemExit: 7"),
        ({"out": ""}, "out must name a folder"),
        ({"precision": "fp16"}, "precision 'fp16' does not work on cpu"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_happens(
    tmp_path, recorder, user_module, change, message
):
    user_module("tiny", TINY)
    user_module("exits", "raise SystemExit(7)\n")
    if change.get("model") == "torchvision:alexnet":
        write_images(tmp_path / "rgb.parquet", seed=0, channels=3)
        change = change | {"data": change["data"].format(tmp_path), "train_size": None}
    with pytest.raises(FirstlightError, match=message):
        firstlight.compare(**SMALL | {"out": tmp_path / "out"} | change, progress=recorder)
    assert recorder.begun == recorder.trained == []
    assert not (tmp_path / "out").exists()


def test_a_bad_value_that_only_the_scheme_finds_is_refused(recorder, user_module, monkeypatch):
    session = sys.modules["firstlight.comparison.session"]

    def start(spec, data):
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr(session, "start", start)
    with pytest.raises(OptionError, match="mlp, default: OverflowError: int too large"):
        firstlight.compare(**SMALL, progress=recorder)
    assert recorder.trained == []


@pytest.mark.parametrize("error", ["TypeError('own')", "SystemExit(7)", "RuntimeError('own')"])
@pytest.mark.parametrize("where", ["factory", "forward"])
def test_a_users_network_that_fails_is_a_row(recorder, user_module, error, where):
    factory, forward = (error, "None") if where == "factory" else ("None", error)
    user_module(
        "fails",
        f"""
from torch import nn

def fail(error):
    if error is not None:
        raise error

class Net(nn.Module):
    def __init__(self, *_):
        super().__init__()
        self.head = nn.Linear(64, 10)
        fail({factory})

    def forward(self, x):
        fail({forward})
""",
    )
    found = firstlight.compare(["fails:Net", "mlp"], **SMALL, progress=recorder)
    kind = error.partition("(")[0]
    failed = [r for r in found.results if r.spec.model == "fails:Net"]
    assert [r.status for r in failed] == ["crashed"] * 4
    assert all(r.reason.startswith(kind) for r in failed)
    assert {r.status for r in found.results if r.spec.model == "mlp"} == {"ok"}


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
    monkeypatch.setattr(session, "load_any", None)
    assert len(firstlight.compare(**SMALL, out=tmp_path).results) == 4
    with pytest.raises(TypeError):
        firstlight.compare(**SMALL | {"seeds": 3}, out=tmp_path)


def test_an_option_error_is_a_value_error():
    with pytest.raises(ValueError) as caught:
        firstlight.compare(seeds=0)
    assert isinstance(caught.value, OptionError)
