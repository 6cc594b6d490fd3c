import json
import signal
import sys

import pytest

from firstlight.errors import FirstlightError, OptionError
from firstlight.physics import PinnStudy, study
from firstlight.physics.progress import Silent

SMALL = {"depth": 2, "width": 8, "adam_steps": 4, "lbfgs_steps": 4, "every": 2, "step_zero": 2}
STARTS = ["Glorot normal", "orthogonal"]


class Noted(Silent):
    def __init__(self, stop_at=None):
        self.new, self.old, self.notes, self.runs, self.stop_at = [], [], [], 0, stop_at

    def begin(self, runs):
        self.runs = runs

    def run(self, label, _):
        if label == self.stop_at:
            signal.raise_signal(signal.SIGINT)

    def finish(self, label, _, before):
        (self.old if before else self.new).append(label)

    def note(self, line):
        self.notes.append(line)


def test_what_is_finished_is_not_done_again(tmp_path):
    first, maps = study("poisson_1d", STARTS, seeds=2, out=tmp_path, progress=Noted(), **SMALL)
    told = Noted()
    again, same = study("poisson_1d", STARTS, seeds=2, out=tmp_path, progress=told, **SMALL)
    assert (told.runs, told.new, len(told.old)) == (4, [], 4)
    assert again == first
    assert all((maps.values[name] == same.values[name]).all() for name in STARTS)
    more = Noted()
    study("poisson_1d", STARTS, seeds=3, out=tmp_path, progress=more, **SMALL)
    assert more.new == [f"{name}, seed 2" for name in STARTS]


def test_starts_that_are_tuned_take_the_rate_of_least_loss(tmp_path):
    rates = (1e-5, 1e-2)
    found, _ = study("poisson_1d", STARTS, seeds=1, learning_rates=rates, **SMALL)
    for row in found.rows:
        best = min(row.tuning, key=lambda run: run.loss)
        assert row.learning_rate == best.learning_rate == row.runs[0].learning_rate
        assert [run.learning_rate for run in row.tuning] == list(rates)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_keeps_finished_runs_and_the_same_call_goes_on(tmp_path):
    told = Noted(stop_at="orthogonal, seed 0")
    with pytest.raises(KeyboardInterrupt):
        study("poisson_1d", STARTS, seeds=1, out=tmp_path, progress=told, **SMALL)
    assert told.new == ["Glorot normal, seed 0"]
    assert not (tmp_path / "study.json").exists()
    rest = Noted()
    study("poisson_1d", STARTS, seeds=1, out=tmp_path, progress=rest, **SMALL)
    assert (rest.old, rest.new) == (["Glorot normal, seed 0"], ["orthogonal, seed 0"])


def test_a_broken_file_is_said_and_made_again(tmp_path):
    study("poisson_1d", ["orthogonal"], seeds=1, out=tmp_path, **SMALL)
    (network,) = (tmp_path / "networks").iterdir()
    network.write_bytes(b"broken")
    told = Noted()
    study("poisson_1d", ["orthogonal"], seeds=1, out=tmp_path, progress=told, **SMALL)
    assert told.new == ["orthogonal, seed 0"]
    assert "the run is trained again" in told.notes[0]


def test_the_study_is_json_on_disk(tmp_path):
    found, _ = study("poisson_2d", STARTS, seeds=2, out=tmp_path, points=20, **SMALL)
    data = json.loads((tmp_path / "study.json").read_text())
    assert PinnStudy.from_dict(data) == found
    assert data["rows"][0]["error"]["median"] == found.rows[0].error.median
    for look in data["rows"][0]["runs"][0]["looks"]:
        assert len(look) == 4  # step, seconds, losses, and the error beside them
    with pytest.raises(FirstlightError, match="no study of starts"):
        PinnStudy.from_dict({"rows": []})


def test_a_later_start_that_cannot_be_is_found_before_the_first_trains(tmp_path):
    told = Noted()
    with pytest.raises(FirstlightError, match=r"^diagonal_plus_noise: .*relu"):
        study(
            "poisson_1d", ["orthogonal", "diagonal_plus_noise"], activation="relu",
            out=tmp_path / "here", progress=told, **SMALL,
        )  # fmt: skip
    assert (told.runs, told.new) == (0, [])
    assert not (tmp_path / "here").exists()


def test_an_activation_of_ours_is_kept_by_its_name(tmp_path):
    starts = ["diagonal_plus_noise", "Glorot normal"]
    options = {**SMALL, "activation": "erf(2x)"}
    first, _ = study("poisson_1d", starts, seeds=1, out=tmp_path, progress=Noted(), **options)
    assert json.loads((tmp_path / "study.json").read_text())["options"]["activation"] == "erf(2x)"
    told = Noted()
    again, maps = study("poisson_1d", starts, seeds=1, out=tmp_path, progress=told, **options)
    assert (again, told.new) == (first, [])
    assert all(
        maps.solution.error(maps.values[row.scheme]) == row.runs[0].error for row in again.rows
    )


@pytest.mark.parametrize(
    ("schemes", "options", "line"),
    [
        (["nothing"], {}, "scheme must be one of auto, Glorot normal"),
        (["orthogonal:a=1"], {}, "does not use the option 'a'"),
        (["zero", "zero"], {}, "schemes must differ"),
        ("zero", {}, "schemes must be a list"),
        ([], {}, "schemes must be a list with at least one"),
        (STARTS, {"seeds": 0}, "seeds must be a whole number from 1"),
        (STARTS, {"seeds": [-1]}, "a seed must be a whole number from 0"),
        (STARTS, {"learning_rates": [0]}, "a learning rate must be a number above 0"),
        (STARTS, {"learning_rate": 1}, "it has learning_rates"),
        (STARTS, {"step_zero": -1}, "step_zero must be"),
        (STARTS, {"points": "many"}, "points must be small, published or a whole number"),
        (STARTS, {"device": "abacus"}, "device must be one"),
    ],
)
def test_everything_is_checked_before_the_first_run(tmp_path, schemes, options, line):
    with pytest.raises(OptionError, match=line):
        study("poisson_1d", schemes, out=tmp_path / "here", **options)
    assert not (tmp_path / "here").exists()
