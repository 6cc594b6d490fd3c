import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import firstlight
from firstlight.comparison.tuning import GRID
from firstlight.errors import FirstlightError, OptionError
from firstlight.sweeps import in_process, job, plan, read_results, run_job, sweep
from firstlight.sweeps.spec import Resources
from firstlight.sweeps.workers import visible_devices
from sweeps.conftest import measured, small


class Heard:
    """Remembers what a sweep told."""

    def __init__(self):
        self.ended, self.notes, self.began = [], [], []

    def begin(self, runs, before, where):
        self.began.append((runs, before, where))

    def finish(self, job, outcome, again):
        self.ended.append((job.key, outcome, again))

    def note(self, text):
        self.notes.append(text)


def test_the_same_runs_as_compare_and_a_second_call_trains_nothing(tmp_path):
    found = sweep(small(), tmp_path)
    assert (found.runs, found.before, found.finished, found.unfinished) == (4, 0, 4, ())
    by_run = {(r["scheme"], r["seed"]): r["accuracy"] for r in measured(tmp_path)}
    alike = firstlight.compare(
        optimizers="adamw", schemes=["default", "harmonic"], seeds=2, epochs=1, train_size=200
    )
    assert by_run == {(r.spec.scheme, r.spec.seed): list(r.accuracy) for r in alike.results}

    heard = Heard()
    again = sweep(small(), tmp_path, progress=heard)
    assert (again.runs, again.before, again.finished) == (4, 4, 0)
    assert not heard.ended
    more = sweep(small(seeds=3), tmp_path, progress=heard)
    assert (more.runs, more.before, more.finished) == (6, 4, 2)


def test_forms_share_runs_and_tuning_chooses_among_held_out_ones(tmp_path):
    spec = small(forms=["published", "matched", "tuned"])
    found = sweep(spec, tmp_path)
    frame = read_results(tmp_path, tuning=True)
    tried = frame[frame["tuning"]]
    assert len(tried) == 2 * len(GRID)
    assert tried["held_out"].all()
    best = tried.sort_values(["accuracy_final", "loss_final"]).groupby("scheme").tail(1)
    chosen = dict(zip(best["scheme"], best["learning_rate"], strict=True))
    reported = read_results(tmp_path)
    tuned = reported[reported["form"] == "tuned"]
    assert {s: set(p["learning_rate"]) for s, p in tuned.groupby("scheme")} == {
        scheme: {rate} for scheme, rate in chosen.items()
    }
    assert not reported["held_out"].any()
    assert set(reported[reported["form"] == "matched"]["match_variance"]) == {True}
    # a scheme whose best rate is the usual one has its tuned runs among the published ones
    shared = sum(rate == 1e-3 for rate in chosen.values())
    assert (
        found.runs
        == len(list((tmp_path / "runs").glob("*.parquet")))
        == 4 + 4 + 10 + 4 - 2 * shared
    )
    assert len(reported) == 12


def test_other_code_or_other_data_are_other_runs(tmp_path, monkeypatch):
    sweep(small(seeds=1), tmp_path)
    for module in (plan, run_job):
        monkeypatch.setattr(module, "code_version", lambda: "edited")
    found = sweep(small(seeds=1), tmp_path)
    assert (found.before, found.finished) == (0, 2)
    assert set(read_results(tmp_path)["code"]) == {"edited"}
    assert len(list((tmp_path / "runs").glob("*.parquet"))) == 4
    assert len(job.code_version()) == 12


def test_a_run_that_crashes_is_listed_and_the_others_are_there(tmp_path, monkeypatch):
    (tmp_path / "fickle.py").write_text(
        "from firstlight.model.zoo import mlp\n"
        "from torch import nn\n"
        "class Broken(nn.Module):\n"
        "    def __init__(self, net):\n"
        "        super().__init__()\n"
        "        self.net = net\n"
        "    def forward(self, x):\n"
        "        if self.training:\n"
        "            raise RuntimeError('no such kernel')\n"
        "        return self.net(x)\n"
        "def net(*facts):\n"
        "    return Broken(mlp(*facts))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    out = tmp_path / "out"
    found = sweep(small(models=["mlp", "fickle:net"], seeds=1), out)
    assert (found.runs, found.finished) == (4, 2)
    assert [each.reason for each in found.unfinished] == [
        "RuntimeError: no such kernel (fickle.py:9)"
    ] * 2
    assert "fickle:net, digits, adamw, default, seed 0" in found.unfinished[0].label
    table = read_results(out, failed=True)
    assert sorted(table["status"]) == ["crashed", "crashed", "ok", "ok"]
    # what made it crash is mended: only those runs are trained
    text = (tmp_path / "fickle.py").read_text()
    (tmp_path / "fickle.py").write_text(text.replace("self.training", "False"))
    monkeypatch.delitem(__import__("sys").modules, "fickle")
    found = sweep(small(models=["mlp", "fickle:net"], seeds=1), out)
    assert (found.before, found.finished, found.unfinished) == (2, 2, ())


def test_a_diverged_run_is_finished(tmp_path):
    found = sweep(small(schemes="default", seeds=1, optimizers="sgd", learning_rate=1e30), tmp_path)
    assert (found.finished, found.unfinished) == (1, ())
    assert read_results(tmp_path)["status"].tolist() == ["diverged"]
    assert (
        sweep(
            small(schemes="default", seeds=1, optimizers="sgd", learning_rate=1e30), tmp_path
        ).before
        == 1
    )


@pytest.fixture
def disk(tmp_path):
    """A real file system of 160 kB; a result's file takes 8 of them."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_what_a_full_disk_refused_is_written_once_there_is_room(disk):
    (disk / "filler").write_bytes(bytes(100 * 1024))

    class Frees(Heard):
        def note(self, text):
            super().note(text)
            (disk / "filler").unlink(missing_ok=True)

    heard = Frees()
    found = sweep(small(seeds=12, schemes="zero"), disk / "out", progress=heard)
    assert "No space left on device; runs are kept in memory" in heard.notes[0]
    assert (found.finished, found.unfinished) == (12, ())
    assert len(read_results(disk / "out")) == 12


def test_a_disk_that_stays_full_keeps_what_it_holds_and_the_rest_is_listed(disk):
    spec = small(seeds=30, schemes="zero")
    full = sweep(spec, disk / "out")
    assert 0 < full.finished < 30
    assert full.finished + len(full.unfinished) == 30
    assert all("No space left on device" in each.reason for each in full.unfinished)
    assert len(read_results(disk / "out")) == full.finished
    subprocess.run(["mount", "-o", "remount,size=2m", str(disk)], check=True)
    again = sweep(spec, disk / "out")
    assert (again.before, again.finished) == (full.finished, 30 - full.finished)
    assert len(read_results(disk / "out")) == 30


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers must be a whole number from 1"),
        ({"workers": 4000}, "need more than the"),
        ({"workers": 2, "ray": "auto"}, "workers goes with ray local"),
        ({"ray": "somewhere"}, "ray must be auto, local or ray://"),
        ({"track": ["notebook"]}, "track must be one of tensorboard"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_runs(tmp_path, options, words):
    with pytest.raises(OptionError, match=words):
        sweep(small(), tmp_path / "out", **options)
    assert not list(Path(tmp_path).rglob("*.parquet")) or not list(
        (tmp_path / "out/runs").glob("*")
    )


def test_a_network_that_does_not_fit_is_refused_before_anything_runs(tmp_path):
    spec = small(models=["mlp", "torchvision:resnet18"])
    with pytest.raises(FirstlightError, match="takes images of 3 channels"):
        sweep(spec, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("runs/*"))


def test_the_spec_and_the_index_stand_beside_the_runs(tmp_path):
    sweep(small(seeds=1), tmp_path)
    kept = json.loads((tmp_path / "spec.json").read_text())
    assert kept["comparisons"][0]["schemes"] == ["default", "harmonic"]
    with pytest.raises(FirstlightError, match="holds no sweep"):
        read_results(tmp_path / "runs")


def test_trackers_follow_the_runs_of_a_sweep(tmp_path):
    pytest.importorskip("tensorboard")
    sweep(small(seeds=1), tmp_path, track=["tensorboard"])
    events = list((tmp_path / "trackers").rglob("events.out.tfevents.*"))
    assert events


def parquet(path, *, shuffled):
    """The digits as a file, with their labels or with labels by chance."""
    images, labels = load_digits(return_X_y=True)
    if shuffled:
        labels = np.random.default_rng(0).permutation(labels)
    rows = []
    for pixels, label in zip(images[:300], labels[:300], strict=True):
        content = io.BytesIO()
        Image.fromarray((16 * pixels.reshape(8, 8)).clip(0, 255).astype(np.uint8)).save(
            content, "PNG"
        )
        rows.append({"image": {"bytes": content.getvalue()}, "label": int(label)})
    pd.DataFrame(rows).to_parquet(path)


def test_a_file_that_changed_is_loaded_anew(tmp_path):
    path = tmp_path / "d.parquet"
    spec = small(data=f"parquet:{path}", schemes="harmonic", seeds=1, epochs=8)
    parquet(path, shuffled=False)
    sweep(spec, tmp_path / "out")
    (good,) = measured(tmp_path / "out")
    parquet(path, shuffled=True)
    assert sweep(spec, tmp_path / "out").finished == 1
    (bad,) = measured(tmp_path / "out")
    assert good["accuracy_max"] > 0.6 > 0.4 > bad["accuracy_max"]


def test_a_file_that_changes_while_a_sweep_runs_costs_its_runs_alone(tmp_path, monkeypatch):
    path = tmp_path / "d.parquet"
    parquet(path, shuffled=False)
    loaded = run_job.load_any

    def edited(name, root):
        data = loaded(name, root)
        if name != "digits":
            parquet(path, shuffled=True)
        return data

    monkeypatch.setattr(run_job, "load_any", edited)
    spec = small(data=[f"parquet:{path}", "digits"], schemes="zero", seeds=1)
    found = sweep(spec, tmp_path / "out")
    assert (found.runs, found.finished) == (2, 1)
    assert "has changed since the sweep began" in found.unfinished[0].reason


def test_what_a_module_imports_beside_it_makes_other_runs(tmp_path, monkeypatch):
    (tmp_path / "wide_net.py").write_text(
        "from wide_part import WIDTH\n"
        "from firstlight.model.zoo import mlp\n"
        "def net(*facts):\n"
        "    return mlp(*facts, width=WIDTH)\n"
    )
    (tmp_path / "wide_part.py").write_text("WIDTH = 8\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = {"models": "wide_net:net", "schemes": "zero", "seeds": 1}
    assert sweep(small(**spec), tmp_path / "out").finished == 1
    assert sweep(small(**spec), tmp_path / "out").finished == 0
    (tmp_path / "wide_part.py").write_text("WIDTH = 16\n")
    for name in ("wide_net", "wide_part"):
        monkeypatch.delitem(sys.modules, name)
    assert sweep(small(**spec), tmp_path / "out").finished == 1
    assert len(measured(tmp_path / "out")) == 1


def test_tuned_runs_stay_in_the_index_while_others_are_missing(tmp_path, monkeypatch):
    sweep(small(forms="tuned", schemes="zero"), tmp_path)
    before = read_results(tmp_path)
    assert len(before) == 2

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(in_process, "run_job", stopped)
    with pytest.raises(KeyboardInterrupt):
        sweep(small(forms="tuned", schemes="zero", seeds=4), tmp_path)
    assert read_results(tmp_path)["key"].tolist() == before["key"].tolist()


def test_rates_at_the_end_of_the_grid_are_told(tmp_path):
    heard = Heard()
    sweep(small(forms="tuned", seeds=1, learning_rate=1e-7), tmp_path, progress=heard)
    assert "was best, which lies at an end of the grid" in heard.notes[-1]


def test_what_no_device_can_do_is_refused_before_anything_runs(tmp_path):
    if not torch.cuda.is_available():
        with pytest.raises(OptionError, match="this machine shows 0"):
            sweep(small().model_copy(update={"resources": Resources(gpus=1)}), tmp_path / "out")
        with pytest.raises(OptionError, match="precision 'fp16' does not work"):
            sweep(small(precision="fp16"), tmp_path / "out")
        assert not list((tmp_path / "out").glob("*/*.parquet"))


@pytest.mark.parametrize(
    ("gpus", "devices"),
    [
        (0.5, ["0", "0", "1", "1", "2"]),
        (0.4, ["0", "0", "1", "1", "2"]),
        (0.75, ["0", "1", "2", "3"]),
        (0.3, ["0", "0", "0", "1"]),
        (1, ["0", "1", "2", "3"]),
        (2, ["0,1", "2,3"]),
    ],
)
def test_workers_share_no_gpu_beyond_what_it_has(monkeypatch, gpus, devices):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    assert [visible_devices(slot, gpus) for slot in range(len(devices))] == devices


def test_a_refused_sweep_changes_nothing(tmp_path):
    sweep(small(), tmp_path / "out")
    before = read_results(tmp_path / "out")
    for wrong in ({"train_size": 999_999}, {"models": "torchvision:resnet18"}):
        for folder in ("out", "new"):
            with pytest.raises(FirstlightError):
                sweep(small(**wrong), tmp_path / folder)
    assert read_results(tmp_path / "out").equals(before)
    assert not (tmp_path / "new").exists()


def test_code_that_changed_while_a_sweep_runs_makes_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(run_job, "code_version", lambda: "newer")
    found = sweep(small(seeds=1), tmp_path)
    assert (found.finished, len(found.unfinished)) == (0, 2)
    assert "not that with which the sweep began" in found.unfinished[0].reason
