import logging
import pickle

import pytest

import firstlight
from firstlight.comparison.track import _MAKERS, Track, run_name
from firstlight.comparison.train import train
from firstlight.errors import FirstlightError, OptionError

SMALL = {
    "optimizers": "adamw",
    "schemes": ["default", "harmonic"],
    "seeds": 1,
    "epochs": 2,
    "train_size": 100,
}


@pytest.fixture
def read_events():
    """Return a function that reads the curves of one run from TensorBoard's files."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder):
        found = EventAccumulator(str(folder))
        found.Reload()
        return {
            tag: [(event.step, event.value) for event in found.Scalars(tag)]
            for tag in found.Tags()["scalars"]
        }

    return read


def test_tensorboard_shows_the_curves_of_every_run(tmp_path, read_events):
    result = firstlight.compare(**SMALL, out=tmp_path, track="tensorboard")
    folder = tmp_path / "trackers" / "tensorboard"
    assert len(list(folder.iterdir())) == len(result.results) == 2
    for run in result.results:
        shown = read_events(folder / run_name(run.spec))
        assert set(shown) == {"accuracy", "loss", "train_loss"}
        for name, values in shown.items():
            expected = list(enumerate(getattr(run, name), start=1))
            assert [step for step, _ in values] == [step for step, _ in expected]
            assert [value for _, value in values] == pytest.approx([v for _, v in expected])
        assert "harmonic" in next(
            folder.glob(f"*{run.spec.key[:8]}/*/hparams.yml")
        ).read_text() or (run.spec.scheme == "default")


def test_who_follows_is_no_part_of_a_run(tmp_path, read_events):
    followed = firstlight.compare(**SMALL, out=tmp_path / "a", track=("tensorboard",))
    alone = firstlight.compare(**SMALL, out=tmp_path / "b")
    for one, other in zip(followed.results, alone.results, strict=True):
        assert one.spec.key == other.spec.key
        assert (one.accuracy, one.loss, one.train_loss) == (
            other.accuracy,
            other.loss,
            other.train_loss,
        )
    assert not (tmp_path / "b" / "trackers").exists()


def test_finished_runs_are_not_followed_again(tmp_path, read_events):
    firstlight.compare(**SMALL, out=tmp_path)
    firstlight.compare(**SMALL, out=tmp_path, track="tensorboard")
    assert not (tmp_path / "trackers").exists()


@pytest.mark.parametrize(
    ("track", "error", "message"),
    [
        ("tensorbord", OptionError, "track must be one of .*tensorboard.*'tensorbord'"),
        (("tensorboard", "x"), OptionError, "track must be one of"),
        (("no_such_tracker",), FirstlightError, "track=no_such_tracker needs no_such_tracker: pip"),
    ],
)
def test_a_tracker_that_is_not_there_is_refused_at_once(
    tmp_path, monkeypatch, track, error, message
):
    if "no_such_tracker" in track:
        monkeypatch.setattr("firstlight.comparison.track.TRACKERS", ("no_such_tracker",))
    with pytest.raises(error, match=message) as caught:
        firstlight.compare(**SMALL, out=tmp_path / "new", track=track)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_trackers_need_a_folder():
    pytest.importorskip("tensorboard")
    with pytest.raises(OptionError, match="track needs a folder to write to: give out"):
        firstlight.compare(**SMALL, track="tensorboard")


class Failing:
    """A tracker that stops at one of its steps."""

    finished = 0

    def __init__(self, where):
        self._where = where

    def _step(self, where):
        if where == self._where:
            raise ConnectionError("no server")

    def start(self):
        self._step("start")

    def store_init_configuration(self, values):
        assert None not in values.values()

    def log(self, values, step):
        assert step >= 1
        assert set(values) == {"accuracy", "loss", "train_loss"}
        self._step("log")

    def finish(self):
        Failing.finished += 1
        self._step("finish")


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """Return a function that makes trackers which fail at a step."""

    def make(where):
        monkeypatch.setitem(_MAKERS, "wandb", lambda *_: Failing(where))
        Failing.finished = 0
        return Track(("wandb",), tmp_path)

    return make


def test_a_tracker_that_cannot_start_stops_what_it_should_follow(spec, digits, failing):
    with pytest.raises(FirstlightError, match="tracker wandb cannot start: ConnectionError: no se"):
        train(spec(), digits, track=failing("start"))


@pytest.mark.parametrize("where", ["log", "finish"])
def test_a_tracker_that_fails_later_costs_no_run(spec, digits, failing, caplog, where):
    with caplog.at_level(logging.WARNING, "firstlight"):
        result = train(spec(epochs=3), digits, track=failing(where))
    assert (result.status, Failing.finished) == ("ok", 1)
    assert caplog.text.count("tracker wandb") == 1


def test_a_crashed_run_ends_its_trackers(spec, digits, failing):
    result = train(spec(model="no_such:net"), digits, track=failing("never"))
    assert (result.status, Failing.finished) == ("crashed", 1)


def test_it_can_be_sent_to_another_process(tmp_path):
    track = Track(("tensorboard",), tmp_path)
    assert pickle.loads(pickle.dumps(track)) == track
