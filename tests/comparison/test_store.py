import json
import math
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.store import Store
from firstlight.errors import FirstlightError
from firstlight.files import write_atomically

SPECS = st.builds(
    RunSpec,
    model=st.text(),
    data=st.text(),
    optimizer=st.text(),
    scheme=st.text(),
    seed=st.integers(0, 10**6),
    epochs=st.integers(1, 100),
    batch_size=st.integers(1, 100),
    learning_rate=st.floats(1e-9, 1e6),
    weight_decay=st.floats(0, 1),
)


@given(SPECS, st.lists(st.floats(0, 1)), st.sampled_from(["ok", "diverged"]))
def test_what_is_saved_is_loaded(tmp_path_factory, spec, curve, status):
    out = tmp_path_factory.mktemp("store")
    curve = (curve * spec.epochs)[: spec.epochs]  # a finished run has every epoch
    status = status if len(curve) == spec.epochs else "diverged"
    result = RunResult(
        spec=spec, status=status, accuracy=curve, loss=curve, train_loss=curve, seconds=curve
    )
    Store(out).save(result)
    assert Store(out).load(spec) == result
    assert [path.name for path in (out / "runs").iterdir()] == [f"{spec.key}.json"]


def test_a_crashed_run_is_tried_again(tmp_path, result):
    store = Store(tmp_path)
    store.save(result(status="crashed", reason="x"))
    assert store.load(result().spec) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"spec": 1}', "\0", "null"])
def test_a_corrupt_file_is_noted_once_and_overwritten(tmp_path, result, content):
    notes = []
    store = Store(tmp_path, notes.append)
    store.save(result())
    store.path(result().spec).write_text(content)
    assert store.load(result().spec) is store.load(result().spec) is None
    assert len(notes) == 1
    assert "is not a readable result; the run is trained again" in notes[0]
    store.save(result())
    assert store.load(result().spec) == result()


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": [], "loss": [], "train_loss": [], "seconds": []},
        {"accuracy": [0.5, 0.5], "loss": [1, 1], "train_loss": [1, 1], "seconds": [1, 1]},
        {"loss": [0.5, 0.5]},
        {"loss": [math.nan]},
        {"train_loss": [math.inf]},
        {"accuracy": [7.5]},
        {"accuracy": [-0.1]},
        {"accuracy": [math.nan]},
        {"status": "diverged", "seconds": []},
    ],
)
def test_a_result_that_cannot_be_is_not_readable(tmp_path, result, change):
    notes = []
    store = Store(tmp_path, notes.append)
    path = tmp_path / "runs" / f"{result().spec.key}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(json.loads(result().model_dump_json())))
    assert store.load(result().spec) == result()  # as it is it could be read
    path.write_text(json.dumps(json.loads(result().model_dump_json()) | change))
    assert store.load(result().spec) is None
    assert notes == [f"{path} is not a readable result; the run is trained again"]


def test_a_result_made_with_something_else_is_trained_again_and_noted_once(tmp_path, result):
    notes = []
    store = Store(tmp_path, notes.append)
    made = [
        result(seed=seed).model_copy(update={"fingerprints": {"data": "1", "model": "a"}})
        for seed in (0, 1)
    ]
    for one in made:
        store.save(one)
        assert store.load(one.spec, {"data": "1", "model": "a"}) == one
        assert store.load(one.spec, {"model": "a"}) == one
        assert store.load(one.spec, {"data": "2", "model": "a"}) is None
        assert store.load(one.spec, {"model": "b"}) is None
    folder = tmp_path / "runs"
    assert notes == [
        f"digits has changed since runs in {folder} were made; they are trained again",
        f"mlp has changed since runs in {folder} were made; they are trained again",
    ]
    store.save(result(seed=2))  # of a version that kept no fingerprints
    assert store.load(result(seed=2).spec, {"data": "2"}) == result(seed=2)


def test_a_foreign_result_is_not_taken_for_ours(tmp_path, result):
    notes = []
    store = Store(tmp_path, notes.append)
    store.save(result(seed=1))
    store.path(result(seed=1).spec).replace(store.path(result(seed=2).spec))
    assert store.load(result(seed=2).spec) is None
    assert "holds the result of another run" in notes[0]


def test_without_a_folder_nothing_is_kept(result):
    store = Store(None)
    store.save(result())
    assert store.load(result().spec) is None


def test_out_must_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FirstlightError, match="out must be a folder"):
        Store(tmp_path / "file")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FirstlightError, match="cannot write"):
        write_atomically(tmp_path / "file" / "a.json", lambda path: path.write_text(""))


def test_results_are_as_readable_as_other_files(tmp_path, result):
    (tmp_path / "plain").write_text("")
    store = Store(tmp_path)
    store.save(result())
    path = store.path(result().spec)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert json.loads(path.read_text())["spec"]["model"] == "mlp"
