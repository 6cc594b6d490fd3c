import json
import math

import pytest

from firstlight.errors import FirstlightError, OptionError
from firstlight.studies import (
    DeepNetwork,
    DepthOptions,
    DepthRow,
    DepthStart,
    DepthStudy,
    depth_study,
)
from firstlight.studies.depth_progress import Silent
from firstlight.studies.depth_result import DepthFound, summary
from firstlight.studies.depth_training import DepthRun

SMALL = {
    "widths": [8],
    "depths": [4],
    "schemes": ["diagonal_plus_noise", "orthogonal"],
    "seeds": 2,
    "learning_rates": [1e-3, 1e-2],
    "steps": 12,
    "judged": 3,
}


class Told(Silent):
    def __init__(self):
        self.finished, self.notes = [], []

    def finish(self, label, row, before):
        self.finished.append((label, before))
        assert row.start.label in label

    def note(self, line):
        self.notes.append(line)


@pytest.fixture(scope="module")
def study():
    return depth_study(**SMALL, noise_factors=[0.5], omega_errors=[0.1], negative_rates=[0.2])


def test_rows_are_starts_and_sweeps(study):
    assert [row.start.label for row in study.rows] == [
        "diagonal_plus_noise",
        "orthogonal",
        "diagonal_plus_noise, noise x 0.5",
        "edge_of_chaos, weights x 0.5",
        "diagonal_plus_noise:negative_rate=0.2",
        "diagonal_plus_noise, omega x 1.1",
    ]
    for row in study.rows:
        assert [(run.seed, run.learning_rate) for run in row.found.runs] == [
            (0, 1e-3),
            (0, 1e-2),
            (1, 1e-3),
            (1, 1e-2),
        ]
        assert [signal.seed for signal in row.found.signals] == [0, 1]
        assert row.best_rate in (1e-3, 1e-2)
        low, high = row.accuracy.low, row.accuracy.high
        assert low <= row.accuracy.mean <= high
    assert study.chance == pytest.approx(37 / 360, abs=0.002)


def test_the_rate_is_chosen_by_validation_and_not_by_the_test_set(study):
    for row in study.rows:
        means = {rate: sum(run.validation[-1] for run in row.at(rate)) / 2 for rate in row.rates}
        assert means[row.best_rate] == max(means.values())
        finals = [run.accuracy[-1] for run in row.at(row.best_rate)]
        assert list(row.accuracies(row.best_rate)) == finals


def test_it_comes_back_from_json(study):
    text = json.dumps(study.as_dict(), allow_nan=False)
    again = DepthStudy.from_dict(json.loads(text))
    assert [row.start for row in again.rows] == [row.start for row in study.rows]
    assert json.dumps(again.as_dict()) == text
    with pytest.raises(FirstlightError, match="not a depth study's JSON"):
        DepthStudy.from_dict({"rows": []})


def test_the_same_again_does_nothing_and_finds_the_same(tmp_path):
    first, again = Told(), Told()
    one = depth_study(**SMALL, out=tmp_path, progress=first)
    files = {path: path.read_bytes() for path in (tmp_path / "runs").iterdir()}
    other = depth_study(**SMALL, out=tmp_path, progress=again)
    assert [before for _, before in first.finished] == [False, False]
    assert [before for _, before in again.finished] == [True, True]
    assert json.dumps(one.as_dict()) == json.dumps(other.as_dict())
    assert {path: path.read_bytes() for path in (tmp_path / "runs").iterdir()} == files
    more = Told()
    depth_study(**{**SMALL, "schemes": ["lsuv", "orthogonal"]}, out=tmp_path, progress=more)
    assert [before for _, before in more.finished] == [False, True]


def test_a_broken_file_is_said_and_made_again(tmp_path):
    told = Told()
    one = depth_study(**SMALL, out=tmp_path)
    broken = min((tmp_path / "runs").iterdir())
    broken.write_text("{")
    other = depth_study(**SMALL, out=tmp_path, progress=told)
    assert sorted(before for _, before in told.finished) == [False, True]
    assert "not a readable result" in told.notes[0]
    assert [row.accuracy.mean for row in one.rows] == [row.accuracy.mean for row in other.rows]


def test_without_steps_only_the_start_is_looked_at():
    found = depth_study(**{**SMALL, "steps": 0, "seeds": [5]})
    for row in found.rows:
        assert row.found.runs == ()
        assert row.best_rate is None
        assert row.found.signals[0].spread_ratio > 0
        assert math.isnan(row.accuracy.mean)


def test_a_start_that_fails_on_the_data_is_a_row_that_says_so_and_is_not_kept(
    tmp_path, monkeypatch
):
    def fails(self, network, seed, batch):
        if self.scheme == "orthogonal":
            return fill(self, network, seed, batch)
        raise FirstlightError("these samples are all alike")

    fill = DepthStart.fill
    monkeypatch.setattr(DepthStart, "fill", fails)
    found = depth_study(**{**SMALL, "steps": 1}, out=tmp_path)
    ours, orthogonal = found.rows
    assert ours.found.failure == "these samples are all alike"
    assert ours.found.runs == ours.found.signals == ()
    assert orthogonal.found.runs
    assert summary(found)[0]["failure"] == ours.found.failure
    assert len(list((tmp_path / "runs").iterdir())) == 1
    monkeypatch.setattr(DepthStart, "fill", fill)
    assert depth_study(**{**SMALL, "steps": 1}, out=tmp_path).rows[0].found.runs


def test_a_failure_that_was_kept_answers_nothing(tmp_path):
    one = depth_study(**SMALL, out=tmp_path)
    for path in (tmp_path / "runs").iterdir():  # as files of version 1 may hold
        kept = json.loads(path.read_text())
        kept["found"] |= {"signals": [], "runs": [], "failure": "it was another machine"}
        path.write_text(json.dumps(kept))
    other = depth_study(**SMALL, out=tmp_path)
    # losses before training are NaN, which differs from itself
    assert [repr(row.found.runs) for row in other.rows] == [
        repr(row.found.runs) for row in one.rows
    ]


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ("diagonal_plus_noise:depth=0", "depth must lie between 1"),
        ("diagonal_plus_noise:sigma=-1", "sigma must be 0 or more, got -1"),
        ("diagonal_plus_noise:activation=relu", "'relu' is not odd"),
        ("orthogonal:gain=-1", "gain must be a number above 0"),
    ],
)
def test_a_start_that_cannot_be_is_refused_before_anything_is_measured(tmp_path, scheme, said):
    change = {"schemes": ["orthogonal", scheme]}
    with pytest.raises(OptionError, match=said) as error:
        depth_study(**{**SMALL, **change}, out=tmp_path / "out")
    assert str(error.value).startswith(f"{scheme} cannot start 8 x 4 tanh: ")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_an_activation_that_a_start_cannot_have():
    with pytest.raises(OptionError, match="cannot start 8 x 4 relu"):
        depth_study(**{**SMALL, "activations": ["tanh", "relu"], "omega_errors": [0.1]})


def test_both_spellings_of_a_scaled_activation_are_one(tmp_path):
    told, spelled = Told(), {**SMALL, "schemes": ["orthogonal"], "steps": 0}
    one = depth_study(**spelled, activations=["tanh:scale=2"], out=tmp_path)
    kept = json.loads(next((tmp_path / "runs").iterdir()).read_text())
    assert kept["asked"]["network"]["activation"] == "tanh:scale=2"  # as ever
    other = depth_study(**spelled, activations=["tanh(2x)"], out=tmp_path, progress=told)
    assert [before for _, before in told.finished] == [True]
    assert one.rows == other.rows
    assert one.rows[0].network.activation == "tanh(2x)"


def test_an_interval_ends_where_accuracies_do():
    runs = [
        DepthRun(seed, 0.1, (9,), (right,), (0.1,), (0.0,), None)
        for seed, right in enumerate((0.6, 0.9, 0.9))
    ]
    found = DepthFound((), tuple(runs), "", 0.0)
    row = DepthRow(DeepNetwork(4, 2, (3,), 2), 35, 0, DepthStart("orthogonal"), found)
    assert row.accuracy.high > 1
    assert row.interval == (row.accuracy.low, 1.0)
    assert math.isnan(row_of({0.1: 0.5}).interval[0])
    assert row_of({0.1: None}).accuracy.mean == 0


def test_a_few_samples():
    found = depth_study(**{**SMALL, "train_sizes": [20, 0], "schemes": ["orthogonal"]})
    assert [row.train_size for row in found.rows] == [20, 0]
    assert len(found.groups()) == 2


def row_of(accuracies):
    """A row with one seed and these accuracies at the end, by rate; None diverged."""
    runs = [
        DepthRun(0, rate, (0, 9), (0.1, accuracy), (0.1, accuracy), (0.0, 0.0), None)
        if accuracy is not None
        else DepthRun(0, rate, (0,), (0.1,), (0.1,), (0.0,), 3)
        for rate, accuracy in accuracies.items()
    ]
    network = DeepNetwork(4, 2, (3,), 2)
    found = DepthFound((), tuple(runs), "", 0.0)
    return DepthRow(network, 35, 0, DepthStart("orthogonal"), found)


def test_rates_that_train():
    row = row_of({1e-3: 0.5, 1e-2: 0.9, 1e-1: 0.85, 1.0: None})
    assert row.best_rate == 1e-2
    assert row.diverged == 1
    assert row.trained_rates(5, 0.1) == (1e-2, 1e-1)
    assert row.trained_rates(40, 0.1) == (1e-3, 1e-2, 1e-1)
    assert row.trained_rates(5, 0.86) == ()
    assert row.accuracies(1.0) == (0.0,)


def test_of_equal_rates_the_smaller_is_the_best():
    assert row_of({1e-3: 0.5, 1e-2: 0.5}).best_rate == 1e-3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widths": [0]}, "a width must be a whole number from 1"),
        ({"widths": [(4, -1)]}, "a width must be a whole number from 1"),
        ({"widths": []}, "widths must be a tuple of 1"),
        ({"widths": [8, 8]}, "widths must differ from each other"),
        ({"widths": [(8, 4)], "depths": [1]}, "2 widths in turn need that depth"),
        ({"depths": [0]}, "a depth must be a whole number from 1"),
        ({"depths": [1.5]}, "a depth must be a whole number"),
        ({"activations": ["tan"]}, "activation must be one of"),
        ({"activations": ["tanh", "tanh:scale=1"]}, "activations must differ from each other"),
        ({"activations": ["tanh:scale=2", "tanh(2x)"]}, "activations must differ"),
        ({"activations": ["tanh(-2x)"]}, "one with a factor above 0"),
        ({"schemes": ["xavier"]}, "scheme must be one of batch_norm"),
        ({"schemes": []}, "at least one scheme"),
        ({"seeds": 0}, "seeds must be a whole number from 1"),
        ({"seeds": [-1]}, "a seed must be a whole number from 0"),
        ({"learning_rates": [0.0]}, "a learning rate must be a number above 0"),
        ({"learning_rates": [math.nan]}, "a learning rate must be a finite number"),
        ({"steps": -1}, "steps must be a whole number from 0"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"optimizer": "lion"}, "optimizer must be one of adam, sgd"),
        ({"data": "imagenet"}, "data must be one of digits"),
        ({"train_sizes": [5]}, "train_size must lie between 10"),
        ({"noise_factors": [-1.0]}, "a noise factor must be a number above 0"),
        ({"negative_rates": [0.5]}, "negative_rate must lie between 0 and 0.5"),
        ({"negative_rates": [0.0]}, "negative_rate must lie between 0 and 0.5"),
        ({"within": 200}, "within must be points from 0 to 100"),
        ({"epochs": 3}, "a depth study has no option 'epochs'"),
    ],
)
def test_a_wrong_option_is_one_line_before_anything_is_done(tmp_path, change, said):
    with pytest.raises(OptionError, match=said) as error:
        depth_study(**{**SMALL, **change}, out=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OptionError, match="out must be a folder"):
        depth_study(**SMALL, out=tmp_path / "out")


def test_options_hold_no_start_twice():
    options = DepthOptions.of(schemes=["diagonal_plus_noise"], noise_factors=[1.0, 2.0])
    assert options.starts() == (
        DepthStart("diagonal_plus_noise"),
        DepthStart("edge_of_chaos"),
        DepthStart("diagonal_plus_noise", noise=2.0),
        DepthStart("edge_of_chaos", scale=2.0),
    )
