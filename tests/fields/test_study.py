import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from firstlight import fields
from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.study import study as make_study
from firstlight.fields.studying.result import Over, StudyChoice, StudyRun
from firstlight.fields.studying.rows import planned_rows
from firstlight.runs.plain import from_plain

KODAK = Path(__file__).parents[3] / "shared/data/kodak/kodim05.png"
WAVES = 127 + 100 * np.sin(np.arange(24) / 2)[:, None] * np.cos(np.arange(24) / 3)
NETWORK = fields.Sine(width=16, depth=3)
FEW = {"seeds": 2, "steps": 8, "target_psnr": None, "points": 12, "probes": (0, 1, 4)}


@pytest.fixture
def image():
    return fields.load(WAVES.astype(np.uint8), kind="image", every=2)


class Told:
    """Keeps what a study tells."""

    def __init__(self):
        self.runs, self.made, self.loaded, self.notes, self.moments = 0, [], [], [], 0

    def begin(self, runs):
        self.runs = runs

    def skip(self, runs):
        self.runs -= runs

    def run(self, label):
        self.last = label

    def show(self, moment):
        self.moments += 1
        self.moment = moment

    def finish(self, label, run, before):
        (self.loaded if before else self.made).append(label)
        assert isinstance(run, StudyRun)

    def note(self, line):
        self.notes.append(line)


def test_rows_are_fits_of_the_same_budget(image):
    told = Told()
    found = fields.study(image, NETWORK, alphas=(1, 1.5), progress=told, **FEW)
    assert [row.label for row in found.rows] == ["alpha 1", "alpha 1.5", "alpha auto"]
    assert told.runs == len(told.made) == 6
    assert told.made[:2] == ["alpha 1, seed 0", "alpha 1, seed 1"]
    assert told.moments > 0
    for row in found.rows:
        for run in row.runs:
            same = fields.fit(image, row.network, steps=8, seed=run.seed)
            assert (run.psnr, run.steps, run.stopped) == (same.psnr, same.steps, "steps")
            assert run.measured == same.measured
            levels = [point.psnr for point in same.curve]
            assert [point.psnr for point in run.curve] == pytest.approx(levels, abs=1e-4)
        assert row.psnr.low <= row.psnr.median <= row.psnr.high
        assert row.held_out == Over.of(run.held_out_psnr for run in row.runs)
    assert (found.samples, found.held_out) == (144, 432)
    assert found.row("alpha 1.5").alpha == 1.5
    with pytest.raises(FirstlightError, match=r"has the rows alpha 1, alpha 1\.5, alpha auto"):
        found.row("alpha 7")


def test_the_choice_is_a_row_with_its_expectation(image):
    network = dataclasses.replace(NETWORK, omega_0=30.0)
    found = fields.study(image, network, alphas=(1, 1.5, 9), **FEW)
    choice = fields.choose_alpha(image, network)
    auto = found.row("alpha auto")
    assert auto.auto
    assert auto.network.alpha == auto.alpha == found.choices[0].alpha == choice.alpha
    levels = dict(found.choices[0].expected)
    assert found.row("alpha 1").expected == levels[1.0]
    assert min(levels.values()) <= auto.expected <= max(levels.values())
    assert found.row("alpha 9").expected is None  # never computed


def test_rows_of_another_first_frequency_have_no_expectation(image):
    def choose(name, network):
        return StudyChoice(name, 1.5, 960.0, "why", ((1.0, 30.0), (2.0, 20.0)))

    rows, _ = planned_rows(image, {"sine": NETWORK}, (1, 2), choose)
    assert [(row.network.omega_0, row.expected) for row in rows] == [
        (None, None),
        (None, None),
        (960.0, 25.0),
    ]


def test_the_first_seed_is_looked_at(image):
    found = fields.study(image, NETWORK, alphas=(1.5,), **FEW)
    row = found.row("alpha 1.5")
    first, second = row.runs
    assert [each.step for each in first.snapshots] == [0, 1, 4]
    assert second.snapshots == ()
    assert second.start is None
    for each in first.snapshots:
        assert len(each.kernel.eigenvalues) == 12
        assert sum(share for _, share in each.shares) == pytest.approx(1, rel=1e-4)
    assert first.start.closed_form.condition > 1
    assert len(first.start.spectra) == 2
    assert first.start.spectra[0].nyquist == 6.0
    # the snapshot at step 4 is of the network after four steps
    partly = fields.fit(image, row.network, steps=4)
    from firstlight.fields.analysis import measured_kernel, sample_points

    assert partly.steps == 4
    again = measured_kernel(partly.field.network, sample_points(image.train, 12))
    assert first.snapshots[2].kernel.condition == pytest.approx(again.condition, rel=1e-3)


def test_looking_changes_nothing(image):
    network = NETWORK.with_alpha(1.5)
    plain = fields.study(image, network, **{**FEW, "probes": ()})
    seen = fields.study(image, network, **FEW)
    assert plain.rows[0].runs[0].snapshots == ()
    levels = [[point.psnr for point in each.rows[0].runs[0].curve] for each in (plain, seen)]
    assert levels[0] == levels[1]


def test_networks_are_compared_as_they_are(image):
    networks = {"a": NETWORK.with_alpha(1.5), "b": fields.Gauss(width=16, depth=3), "c": NETWORK}
    found = fields.study(image, networks, **FEW)
    assert [(row.label, row.auto) for row in found.rows] == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]
    assert found.rows[1].runs[0].start.closed_form is None
    assert [choice.name for choice in found.choices] == ["c"]


def test_every_network_is_there_at_every_alpha(image):
    networks = {
        "a": fields.Sine(width=8, depth=3, start="xavier_uniform"),
        "b": fields.Gauss(width=8),
    }
    rows, choices = planned_rows(image, networks, (1, 2), lambda *_: pytest.fail("no choice"))
    assert [row.label for row in rows] == ["a, alpha 1", "a, alpha 2", "b, alpha 1", "b, alpha 2"]
    assert [row.network.alpha for row in rows] == [1, 2, 1, 2]
    assert choices == []


def test_each_row_takes_the_rate_that_is_best_for_it(image):
    told = Told()
    options = {**FEW, "seeds": 1, "steps": 20, "target_psnr": 60.0}
    rates = (1e-6, 1e-3)
    found = fields.study(
        image, NETWORK.with_alpha(2.0), learning_rates=rates, progress=told, **options
    )
    (row,) = found.rows
    assert [run.learning_rate for run in row.tuning] == list(rates)
    assert row.tuning[1].psnr > row.tuning[0].psnr
    assert row.learning_rate == row.runs[0].learning_rate == 1e-3
    assert row.tuning[0].seed not in found.seeds
    assert told.made == ["sine, tuning at 1e-06", "sine, tuning at 0.001", "sine, seed 0"]


def test_fewer_steps_to_the_target_beat_a_higher_psnr(image):
    rates = (2e-3, 1e-3, 1e-4)
    options = {**FEW, "seeds": 1, "steps": 300, "target_psnr": 15.0, "probes": ()}
    found = fields.study(image, NETWORK.with_alpha(2.0), learning_rates=rates, **options)
    (row,) = found.rows
    steps = {run.learning_rate: run.reached for run in row.tuning}
    assert None not in steps.values()
    assert row.learning_rate == min(steps, key=steps.get)
    (run,) = row.runs
    assert run.stopped == "target"
    assert run.reached == run.steps == run.curve[-1].step
    assert row.reached == Over(run.reached, run.reached, run.reached)


def test_a_target_that_is_never_reached_has_infinite_steps(image):
    found = fields.study(image, NETWORK.with_alpha(1.0), **{**FEW, "target_psnr": 90.0})
    assert found.rows[0].reached == Over(math.inf, math.inf, math.inf)


def test_a_study_survives_json(image, tmp_path):
    found = fields.study(image, NETWORK, alphas=(1,), out=tmp_path, optimizer="sgd", **FEW)
    text = (tmp_path / "study.json").read_text()
    assert fields.Study.from_dict(json.loads(text)) == found
    assert found.options == {"optimizer": "sgd"}
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == json.loads(text)


@pytest.mark.parametrize("data", [None, [], {}, {"rows": 1}, "x"])
def test_other_json_is_refused(data):
    with pytest.raises(FirstlightError, match="this is not a study's JSON"):
        fields.Study.from_dict(data)


@pytest.mark.parametrize("change", ["signal", "rows", "seeds", "target_psnr"])
def test_damaged_json_is_refused(image, change):
    data = fields.study(image, NETWORK.with_alpha(1.0), **FEW).as_dict()
    with pytest.raises(FirstlightError, match="this is not a study's JSON"):
        fields.Study.from_dict({**data, change: {"x": 1}})


def test_a_collapsed_run_is_a_result(image, tmp_path):
    options = {**FEW, "learning_rates": (1e25,), "steps": 50}
    found = fields.study(image, NETWORK.with_alpha(1.0), out=tmp_path, **options)
    assert {run.stopped for run in found.rows[0].runs} == {"collapsed"}
    data = json.loads((tmp_path / "study.json").read_text())
    assert fields.Study.from_dict(data).as_dict() == data == found.as_dict()  # NaN is not NaN
    assert found.rows[0].runs[0].snapshots[1].kernel is None


def test_a_rerun_does_only_what_is_missing(image, tmp_path):
    options = {**FEW, "out": tmp_path}
    first = fields.study(image, NETWORK, alphas=(1, 2), **options)
    files = sorted((tmp_path / "runs").glob("*.json"))
    assert len(files) == 7  # three rows of two seeds, and the choice
    before = {path: path.stat().st_mtime_ns for path in files}
    told = Told()
    assert fields.study(image, NETWORK, alphas=(1, 2), progress=told, **options) == first
    assert told.made == []
    told = Told()
    more = fields.study(image, NETWORK, alphas=(1, 2, 3), progress=told, **{**options, "seeds": 3})
    assert told.made == [
        "alpha 1, seed 2",
        "alpha 2, seed 2",
        "alpha 3, seed 0",
        "alpha 3, seed 1",
        "alpha 3, seed 2",
        "alpha auto, seed 2",
    ]
    assert more.row("alpha 1").runs[:2] == first.row("alpha 1").runs
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_other_signals_options_and_looks_are_other_runs(image, tmp_path):
    network = NETWORK.with_alpha(1.0)
    fields.study(image, network, out=tmp_path, **FEW)
    darker = fields.load((WAVES / 2).astype(np.uint8), kind="image", every=2)
    for signal_, change in (
        (darker, {}),
        (image, {"steps": 9}),
        (image, {"learning_rates": (1e-3,)}),
        (image, {"optimizer": "sgd"}),
    ):
        told = Told()
        fields.study(signal_, network, out=tmp_path, progress=told, **{**FEW, **change})
        assert len(told.made) == 2
    told = Told()
    fields.study(image, network, out=tmp_path, progress=told, **{**FEW, "points": 13})
    assert told.made == ["sine, seed 0"]


@pytest.mark.parametrize("damage", ["", "{", '{"asked": 1, "found": 2}', "[]", '{"asked": {}}'])
def test_a_damaged_file_is_made_again(image, tmp_path, damage):
    options = {**FEW, "seeds": 1, "out": tmp_path}
    first = fields.study(image, NETWORK.with_alpha(1.0), **options)
    (path,) = (tmp_path / "runs").glob("*.json")
    path.write_text(damage)
    told = Told()
    again = fields.study(image, NETWORK.with_alpha(1.0), progress=told, **options)
    assert len(told.made) == 1
    assert "it is made again" in told.notes[0]
    assert again.rows[0].psnr == first.rows[0].psnr


def test_what_is_stored_is_checked(image, tmp_path):
    options = {**FEW, "seeds": 1, "out": tmp_path}
    fields.study(image, NETWORK.with_alpha(1.0), **options)
    (path,) = (tmp_path / "runs").glob("*.json")
    data = json.loads(path.read_text())
    for name, value in (("psnr", "high"), ("curve", [[1, 2]]), ("steps", 1.5), ("notes", 3)):
        path.write_text(json.dumps({**data, "found": {**data["found"], name: value}}))
        told = Told()
        fields.study(image, NETWORK.with_alpha(1.0), progress=told, **options)
        assert len(told.made) == 1


def test_ctrl_c_is_passed_on_and_finished_runs_are_kept(image, tmp_path):
    class Stop(Told):
        def show(self, moment):
            if len(self.made) == 2 and moment.step == 3:
                signal.raise_signal(signal.SIGINT)

    told = Stop()
    with pytest.raises(KeyboardInterrupt):
        fields.study(image, NETWORK, alphas=(1, 2), out=tmp_path, progress=told, **FEW)
    assert told.made == ["alpha 1, seed 0", "alpha 1, seed 1"]
    assert not (tmp_path / "study.json").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    told = Told()
    fields.study(image, NETWORK, alphas=(1, 2), out=tmp_path, progress=told, **FEW)
    assert told.loaded == ["alpha 1, seed 0", "alpha 1, seed 1"]
    assert len(told.made) == 4


def test_ctrl_c_in_the_last_step_of_a_run_is_not_lost(image, tmp_path):
    class Stop(Told):
        def show(self, moment):
            if moment.step == FEW["steps"]:
                signal.raise_signal(signal.SIGINT)

    told = Stop()
    with pytest.raises(KeyboardInterrupt):
        fields.study(image, NETWORK.with_alpha(1.0), out=tmp_path, progress=told, **FEW)
    assert told.made == ["sine, seed 0"]  # it was finished, and is kept


KILLED = """
import sys
import numpy as np
from firstlight import fields

image = fields.load(np.load(sys.argv[1]), kind="image", every=2)
network = fields.Sine(width=16, depth=3, alpha=1.0)
fields.study(image, network, seeds=500, steps=8, target_psnr=None, probes=(), out=sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_a_killed_study_goes_on(image, tmp_path):
    np.save(tmp_path / "image.npy", WAVES.astype(np.uint8))
    command = [sys.executable, "-c", KILLED, str(tmp_path / "image.npy"), str(tmp_path / "out")]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        for _ in range(600):
            if len(list((tmp_path / "out").glob("runs/[!.]*.json"))) >= 3:
                break
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    # what a killed process was writing begins with a dot
    kept = list((tmp_path / "out").glob("runs/[!.]*.json"))
    assert 3 <= len(kept) < 500
    for path in kept:
        from_plain(StudyRun, json.loads(path.read_text())["found"])
    told = Told()
    options = {"seeds": len(kept) + 1, "steps": 8, "target_psnr": None, "probes": ()}
    fields.study(image, NETWORK.with_alpha(1.0), out=tmp_path / "out", progress=told, **options)
    assert told.made == [f"sine, seed {len(kept)}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alphas": ()}, "alphas must be a list of numbers"),
        ({"alphas": 1.5}, "alphas must be a list of numbers"),
        ({"alphas": (1, 1.0)}, "alphas must differ"),
        ({"alphas": (0,)}, "a number of alphas must be a number above 0"),
        ({"alphas": ("x",)}, "a number of alphas must be a number above 0|finite number"),
        ({"seeds": 0}, "seeds must be a whole number from 1"),
        ({"seeds": True}, "seeds must be a list of numbers"),
        ({"seeds": (1, 1)}, "seeds must differ"),
        ({"seeds": (-1,)}, "a seed must be a whole number from 0"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"steps": None}, "steps must be a whole number"),
        ({"target_psnr": "high"}, "target_psnr must be a finite number"),
        ({"learning_rates": ()}, "learning_rates must be from 1 to"),
        ({"learning_rates": (0,)}, "a learning rate must be a number above 0"),
        ({"learning_rates": 1e-3}, "learning_rates must be a list"),
        ({"learning_rate": 1e-3}, "study has no option 'learning_rate'; it has learning_rates"),
        ({"seed": 1}, "study has no option 'seed'; it has seeds"),
        ({"probes": (1.5,)}, "a probe must be a whole number"),
        ({"points": 1}, "points must be a whole number from 2 to 4096"),
        ({"optimiser": "adam"}, "fit has no option 'optimiser'"),
        ({"optimizer": "lbfgs"}, "optimizer must be one of adam, sgd"),
        ({"device": "abacus"}, "device must be one that torch can compute on here"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_fitted(image, tmp_path, change, said):
    with pytest.raises(OptionError, match=said):
        fields.study(image, NETWORK.with_alpha(1.0), out=tmp_path / "x", **{**FEW, **change})
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("networks", [None, {}, [NETWORK], {"a": 1}, {1: NETWORK}, {" ": NETWORK}])
def test_networks_that_are_none_are_named(image, networks):
    with pytest.raises(OptionError, match="networks must"):
        fields.study(image, networks, **FEW)


def test_a_signal_that_is_none_is_named():
    with pytest.raises(OptionError, match=r"signal must be what firstlight.fields.load returns"):
        make_study("photo.png", NETWORK, **FEW)


def test_a_file_is_no_folder(image, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OptionError, match="out must be a folder"):
        fields.study(image, NETWORK, out=tmp_path / "out", **FEW)


def test_without_held_out_samples_there_is_no_held_out_psnr():
    image = fields.load(WAVES.astype(np.uint8), kind="image")
    found = fields.study(image, NETWORK.with_alpha(1.0), **FEW)
    assert found.rows[0].held_out is None
    assert found.held_out == 0


def test_over_seeds():
    assert Over.of([]) is None
    assert Over.of([3, 1, 2]) == (2, 1, 3)
    assert Over.of([4.0, 1.0, None, 2.0]) == (3.0, 1.0, math.inf)
    assert Over.of([None, None, 1]) == (math.inf, 1, math.inf)


@pytest.mark.skipif(not KODAK.exists(), reason=f"{KODAK} is not there")
def test_larger_alphas_are_faster_and_worse_between_samples_on_a_photo(tmp_path):
    from PIL import Image

    Image.open(KODAK).convert("L").crop((200, 100, 456, 356)).resize((32, 32)).save(
        tmp_path / "small.png"
    )
    image = fields.load(tmp_path / "small.png", every=2)
    found = fields.study(
        image,
        fields.Sine(width=64, depth=4),
        alphas=(1, 2, 3),
        target_psnr=35,
        steps=400,
        seeds=1,
        learning_rates=(5e-4,),
        points=64,
        probes=(0,),
    )
    one, _, three = (found.row(f"alpha {alpha}") for alpha in (1, 2, 3))
    assert three.reached.median < one.reached.median
    assert three.held_out.median < one.held_out.median - 1
    conditions = [row.runs[0].snapshots[0].kernel.condition for row in (one, three)]
    assert conditions[0] > 10 * conditions[1]
    above = [row.runs[0].start.spectra[0].above for row in (one, three)]
    assert above[0] < 0.1 < 0.4 < above[1]
