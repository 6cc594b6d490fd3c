"""Every entry runs, judges honestly, and what is on disk was made with its standard settings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from firstlight.papers.entry import Entry
from firstlight.papers.odd_sigmoid import ENTRIES, _elsewhere
from firstlight.papers.odd_sigmoid._studies import OURS
from firstlight.papers.odd_sigmoid.elsewhere_starts import PLACES, started
from firstlight.papers.reproduce import Reproduced, read, reproduce
from firstlight.papers.work import Work
from firstlight.physics import PinnSpec, PinnStudy
from firstlight.studies import DepthOptions, DepthStudy

BY_NAME = {entry.name.partition("/")[2]: entry for entry in ENTRIES}
RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def quick() -> dict[str, Reproduced]:
    return {}


def _quick(entry: Entry, kept: dict[str, Reproduced]) -> Reproduced:
    if entry.name not in kept:
        kept[entry.name] = reproduce(entry, "quick")
    return kept[entry.name]


@pytest.mark.parametrize("name", BY_NAME)
def test_quick(name, quick):
    entry = BY_NAME[name]
    found = _quick(entry, quick)
    assert len(found.frame)
    assert found.findings
    for finding in found.findings:
        assert finding.claim
        assert finding.ours
        assert finding.verdict in ("same", "differs", "open", "answer")
        assert "nan" not in finding.ours.split()
    figures = entry.draw(found.frame)
    assert figures
    assert all(figure.axes for figure in figures.values())


@pytest.mark.parametrize("name", BY_NAME)
def test_standard_results_can_be_read(name):
    entry = BY_NAME[name]
    found = read(entry, RESULTS / "reproduction")
    assert found is not None
    assert found.about["preset"] == "standard"
    assert found.about["settings"] == json.loads(json.dumps(entry.presets["standard"]))
    assert found.about["command"] == (
        f"firstlight reproduce {entry.name} --preset standard --data ../shared/data"
    )
    assert bool(found.about.get("adopted")) == ("made_by" in found.about)
    assert found.about["versions"]["torch"]
    assert all(finding.ours for finding in found.findings)


@pytest.mark.parametrize("name", BY_NAME)
def test_adopted_studies_were_made_with_the_standard_settings(name):
    entry = BY_NAME[name]
    about = json.loads((RESULTS / "reproduction" / entry.name / "about.json").read_bytes())
    for part, folder in about.get("adopted", {}).items():
        options = dict(entry.presets["standard"]["studies"][part])
        where = RESULTS.parent / folder
        if (where / "spec.json").exists():
            _same_training(options, json.loads((where / "spec.json").read_bytes()), part)
            continue
        found = json.loads((where / "study.json").read_bytes())
        if "study" in found:
            _same_depth(options, DepthStudy.from_dict(found["study"]))
        else:
            _same_pinn(options, PinnStudy.from_dict(found))


def _same_depth(options: dict, study: DepthStudy) -> None:
    theirs = dict(study.options)
    theirs["data"] = theirs["data"].rpartition("/")[2]
    options["data"] = options.get("data", "digits").removeprefix("file:")
    assert theirs.pop("data") == options.pop("data")
    assert DepthOptions.of(**options) == DepthOptions.of(**theirs)


def _same_pinn(options: dict, study: PinnStudy) -> None:
    rates, schemes = options.pop("learning_rates"), options.pop("schemes")
    seeds, zeros = options.pop("seeds"), options.pop("step_zero")
    assert options.pop("problem") == study.problem
    assert (tuple(rates), tuple(range(seeds))) == (study.learning_rates, study.seeds)
    assert tuple(schemes) == tuple(row.scheme for row in study.rows)
    assert all(row.step_zero and len(row.step_zero.losses) == zeros for row in study.rows)
    spec = PinnSpec.of({"scheme": schemes[0], **options}).as_dict()
    assert (
        study.options.items()
        >= {name: spec[name] for name in study.options if name in spec}.items()
    )


def _same_training(options: dict, spec: dict, part: str) -> None:
    assert spec["where"] == part
    assert options["train_size"] is None
    assert list(options["schemes"]) == spec["schemes"]
    assert list(options["learning_rates"]) == spec["rates"]
    for name in ("epochs", "depth", "seeds"):
        assert options[name] == spec[name], name


def test_a_measurement_goes_on(tmp_path):
    entry = BY_NAME["relu-gelu"]
    part = {"studies": {"relu": {**entry.presets["quick"]["studies"]["relu"], "seeds": 1}}}
    told: list[str] = []
    first = _elsewhere.measure(Work(part, tmp_path, tell=told.append))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    again = _elsewhere.measure(Work(part, tmp_path, tell=told.append))
    assert len(files) == len(first)
    assert files == {p: p.stat().st_mtime_ns for p in files}
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("part", PLACES)
def test_starts_of_other_networks(part):
    """All starts differ, and none of them leaves weights that are no numbers."""
    place = PLACES[part]
    sums = {}
    for scheme in place.schemes:
        model = started(place, 3, scheme, seed=0)
        values = torch.cat([each.flatten() for each in model.parameters()])
        assert values.isfinite().all()
        sums[scheme] = float(values.detach().double().abs().sum())
        assert model(torch.randn(2, 1, 8, 8)).shape == (2, 10)
    assert len(set(sums.values())) == len(sums)


def _verdicts(name: str, frame: pd.DataFrame) -> list[str]:
    return [finding.verdict for finding in BY_NAME[name].judge(frame)]


@pytest.mark.parametrize("name", ["full-training", "few-samples", "hard-case", "benchmarks"])
def test_accuracies_say_same_and_differs(name, quick):
    """The start is ahead where it learns and rivals do not, and behind where it is they who do."""
    frame = _quick(BY_NAME[name], quick).frame
    noise = 1e-3 * frame.seed
    for ours, others, expected in ((0.9, 0.2, "same"), (0.2, 0.9, "differs")):
        own = frame.assign(accuracy=np.where(frame.start == OURS, ours, others) + noise)
        found = set(_verdicts(name, own)) - {"answer"}
        assert expected in found
        assert not found & ({"same", "differs"} - {expected}) or name == "hard-case"


def test_bifurcation_says_both(quick):
    frame = _quick(BY_NAME["bifurcation"], quick).frame
    assert set(_verdicts("bifurcation", frame)) == {"same"}
    assert set(_verdicts("bifurcation", frame.assign(x=3.0))) == {"differs"}


def test_histograms_say_both(quick):
    frame = _quick(BY_NAME["histograms"], quick).frame
    ours = frame.start == OURS
    deep = frame.layer == frame.layer.max()
    kept = frame.assign(spread=np.where(deep & ~ours, 1e-6, 0.5))
    lost = frame.assign(spread=np.where(deep & ours, 1e-6, 0.5))
    assert set(_verdicts("histograms", kept)) == {"same", "answer"}
    assert set(_verdicts("histograms", lost)) == {"differs", "answer"}


def test_gradients_say_both(quick):
    frame = _quick(BY_NAME["gradient-norms"], quick).frame
    steep = np.exp(-0.1 * (frame.depth - frame.layer))
    ours = frame.start == OURS
    good = frame.assign(gradient=np.where(ours, 1 + 1e-3 * frame.layer / frame.depth, steep))
    bad = frame.assign(gradient=np.where(ours, steep, 1 + 1e-3 * frame.layer / frame.depth))
    assert set(_verdicts("gradient-norms", good)) == {"same"}
    assert set(_verdicts("gradient-norms", bad)) == {"differs"}


def test_calibration_says_both(quick):
    frame = _quick(BY_NAME["calibration"], quick).frame
    assert _verdicts("calibration", frame)[:2] == ["same", "same"]
    off = frame.assign(flipped=frame.rate + 0.2)
    assert _verdicts("calibration", off)[:2] == ["differs", "differs"]


def test_chi_says_both(quick):
    one = _quick(BY_NAME["chi"], quick).frame
    frame = pd.concat([one, one.assign(seed=1)])
    ours = frame.scheme == OURS
    good = frame.assign(chi=np.where(ours, 1.0, 1.5), chi_mean_field=1.0)
    bad = frame.assign(chi=np.where(ours, 1.5, 1.0), chi_mean_field=1.0)
    assert set(_verdicts("chi", good)) == {"same", "answer"}
    assert set(_verdicts("chi", bad)) == {"differs", "answer"}
    assert _verdicts("chi", good[good.seed == 0])[:2] == ["open", "open"]


def test_one_rule_says_what_is_kept_and_what_collapses(quick):
    """Signals, histograms and norms of gradients judge the same ratio alike."""
    one = _quick(BY_NAME["signals"], quick).frame
    ours = one.start == OURS
    found = {}
    for left in (0.6, 0.3, 0.05):
        frame = pd.concat(
            one.assign(seed=seed, spread_ratio=left, gradient_ratio=left) for seed in (0, 1)
        )
        spread = _quick(BY_NAME["histograms"], quick).frame
        deep = spread.layer == spread.layer.max()
        spread = spread.assign(spread=np.where(deep, left, 1.0))
        found[left] = {_verdict("signals", frame, OURS), _verdict("histograms", spread, OURS)}
        found[-left] = {
            _verdict(name, own, "edge_of_chaos")
            for name, own in (("signals", frame), ("histograms", spread))
        }
    assert ours.any()
    assert (found[0.6], found[0.3], found[0.05]) == ({"same"}, {"differs"}, {"differs"})
    assert (found[-0.6], found[-0.3], found[-0.05]) == ({"differs"}, {"differs"}, {"same"})


def _verdict(name: str, frame: pd.DataFrame, start: str) -> str:
    said = [each for each in BY_NAME[name].judge(frame) if start in each.claim]
    assert said
    return said[0].verdict


def test_seeds_that_disagree_leave_it_open(quick):
    frame = _quick(BY_NAME["histograms"], quick).frame
    deep = frame.layer == frame.layer.max()
    left = np.where(deep, np.where(frame.seed == 0, 0.02, 0.7), 1.0)
    assert set(_verdicts("histograms", frame.assign(spread=left))) == {"open", "answer"}


def _rates(tops: dict[str, float], noise: float, data: str = "digits") -> pd.DataFrame:
    grid = [10 ** (k / 2) for k in range(-12, -2)]
    rows = [
        {"activation": activation, "learning_rate": rate, "seed": seed, "data": data}
        | {"accuracy": 0.9 - 0.1 * abs(np.log10(rate / top)) + noise * np.sin(7 * rate + seed**2)}
        for activation, top in tops.items()
        for rate in grid
        for seed in range(3)
    ]
    return pd.DataFrame(rows).assign(
        part="a", widths="16", depth=50, train_size=0, failure="", best=True, start=OURS
    )


def test_the_best_rate_is_judged_by_data_set_and_by_what_seeds_tell():
    moving = {"tanh(0.25x)": 10**-3.0, "tanh": 10**-3.5, "tanh(4x)": 10**-4.0}
    still = dict.fromkeys(moving, 10**-3.5)
    fast = {"tanh(0.25x)": 10**-2.0, "tanh": 10**-4.0, "tanh(4x)": 10**-6.0}
    apart = [_verdicts("learning-rate", _rates(tops, 1e-6))[-1] for tops in (moving, still, fast)]
    assert apart == ["same", "differs", "differs"]
    assert _verdicts("learning-rate", _rates(moving, 3.0))[-1] == "open"
    other = _rates({"tanh": 1e-5}, 1e-6, "mnist").assign(part="b")
    claims = BY_NAME["learning-rate"].judge(pd.concat([_rates(moving, 1e-6), other]))
    assert claims[-1] == BY_NAME["learning-rate"].judge(_rates(moving, 1e-6))[-1]


def test_a_peak_is_one_only_beyond_chance():
    rows = [
        {"start": f"{OURS}:negative_rate={p}", "negative_rate": p, "seed": seed}
        for p in (0.01, 0.1, 0.4)
        for seed in range(5)
    ]
    frame = pd.DataFrame(rows).assign(
        part="a",
        data="digits",
        widths="16",
        depth=50,
        activation="tanh",
        train_size=0,
        failure="",
        best=True,
        chance=0.1,
        steps=1,
        scheme=OURS,
        learning_rate=1e-3,
    )
    peak = {0.01: 0.9, 0.1: 0.8, 0.4: 0.7}
    other = {0.01: 0.7, 0.1: 0.9, 0.4: 0.8}
    for means, expected in ((peak, "same"), (other, "differs"), (dict.fromkeys(peak, 0.8), "open")):
        noise = 0.01 * np.sin(np.arange(len(frame)))
        assert (
            _verdicts(
                "negative-rate", frame.assign(accuracy=frame.negative_rate.map(means) + noise)
            )[0]
            == expected
        )


@pytest.mark.parametrize("name", ["pinn-burgers", "pinn-poisson"])
def test_losses_say_both(name):
    def frame(ours: float, theirs: float) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {"start": start, "seed": seed, "loss": value * (1 + seed / 10), "error": value}
                for start, value in ((OURS, ours), ("Glorot normal", theirs))
                for seed in range(3)
            ]
        ).assign(part="a", problem=name, depth=20, points="100", tuning=False)

    assert _verdicts(name, frame(0.1, 1.0))[0] == "same"
    assert _verdicts(name, frame(1.0, 0.1))[0] == "differs"
    assert _verdicts(name, frame(1.0, 1.05))[0] == "open"
