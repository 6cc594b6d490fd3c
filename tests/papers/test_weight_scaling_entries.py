import json
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from firstlight.papers.entry import Entry
from firstlight.papers.reproduce import read, reproduce
from firstlight.papers.weight_scaling import ENTRIES, adopt, fits, grid, rivals
from firstlight.papers.work import Work

RESULTS = Path(__file__).parents[2] / "results"
BY_NAME = {entry.name.partition("/")[2]: entry for entry in ENTRIES}
#: Whose standard measurement is an earlier one, of fits one by one.
ADOPTED = (
    *("images", "audio", "occupancy", "sphere", "selection"),
    *("depth", "layers", "draws", "sgd-and-batches", "trained-alpha", "activations"),
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_quick_runs_and_says_something(entry: Entry, tmp_path):
    found = reproduce(entry, "quick", out=tmp_path)
    assert len(found.frame)
    assert found.findings
    assert all(each.claim and each.ours for each in found.findings)
    again = read(entry, tmp_path)
    assert again is not None
    assert again.findings == found.findings
    assert list((tmp_path / entry.name).glob("*.png"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_standard_is_there_and_is_what_the_entry_asks(entry: Entry):
    found = read(entry, RESULTS / "reproduction")
    assert found is not None
    assert found.about["preset"] == "standard"
    assert found.about["settings"] == json.loads(json.dumps(entry.presets["standard"]))
    assert found.about["command"] == (
        f"firstlight reproduce {entry.name} --preset standard --data ../shared/data"
    )
    assert bool(found.about.get("adopted")) == ("made_by" in found.about)
    assert not any("{'" in each.ours + each.why for each in found.findings)  # words, no dicts
    kept = json.loads((RESULTS / "reproduction" / entry.name / "findings.json").read_bytes())
    assert [each["verdict"] for each in kept] == [each.verdict for each in found.findings]


@pytest.mark.parametrize("name", ADOPTED)
def test_an_adopted_table_is_what_the_measurement_would_make(name: str, monkeypatch):
    """Replay the standard measurement with earlier fits for fits: the same rows, in order."""
    entry = BY_NAME[name]
    found = read(entry, RESULTS / "reproduction")
    assert found is not None
    known = {_key(row): row for row in found.frame.to_dict("records")}

    def earlier(work, case, network, training):
        asked = {"signal": case[0], "seed": case[1]} | {
            each: json.dumps(json.loads(json.dumps(value)), sort_keys=True)
            for each, value in (("network", network.as_dict()), ("training", training))
        }
        return dict(known[_key(asked)])  # a fit that was not made is a KeyError

    lengths = dict.fromkeys(("kodim02 128", "kodim05 128", "kodim13 128"), 4096)
    monkeypatch.setattr(fits, "measured", earlier)
    monkeypatch.setattr(
        "firstlight.papers.weight_scaling.questions.signal",
        lambda _, name: _Known(lengths[name]),
    )
    made = entry.measure(Work(entry.presets["standard"]))
    labels = ["group", "variant", "signal", "seed", "psnr", "held_out_psnr"]
    assert made[labels].to_dict("records") == found.frame[labels].to_dict("records")


def test_rivals_are_compared_as_the_entry_says():
    entry = BY_NAME["rivals"]
    asked = entry.presets["standard"]
    for name, kind in adopt.KINDS.items():
        study = json.loads((RESULTS / "field-rivals" / kind / "study.json").read_bytes())
        assert (study["steps"], study["learning_rates"]) == (asked["steps"], asked["rates"])
        assert study["options"] == {"precision": asked["precision"], "compile": False}
        assert study["seeds"] == list(range(asked["seeds"]))
        assert tuple(row["label"] for row in study["rows"]) == rivals.COMPARED
        siren = study["rows"][2]["network"]
        assert (siren["width"], siren["omega_0"]) == (asked["width"], asked["signals"][name])


def _key(row) -> tuple:
    return tuple(row[each] for each in ("signal", "seed", "network", "training"))


class _Known:
    """As much of a picture of 128 x 128, every second pixel held out, as sizes are made of."""

    inputs, outputs, spacing = 2, 1, (0.03125, 0.03125)

    def __init__(self, samples: int):
        self.train = range(samples)

    def rows(self):
        raise AssertionError("no family here asks for values")


def test_judges_tell_both():
    """The fewer steps of alpha 2, the better; held-out quality decides what is best."""

    def made(steps: float, held_out: float, depths: tuple[int, ...] = (5,)):
        rows = []
        forms = (("alpha 1", 1.0), ("alpha 2", 2.0), ("auto", 2.0))
        for depth, picture in product(depths, range(10)):
            for variant, alpha in forms:
                own, level = (100.0, 25.0) if alpha == 1 else (steps, held_out)
                if depth == 3 and alpha > 1:
                    own = 90.0  # hardly faster where it is shallow
                rows.append(
                    {"part": "256", "depth": depth, "signal": f"p{picture}", "seed": 0}
                    | {"variant": variant, "steps_to_target": own, "alpha": alpha}
                    | {"held_out_psnr": level, "target": 40.0, "group": f"256, depth {depth}"}
                )
        return fits.table(rows)

    def verdicts(name: str, frame) -> list[str]:
        return [each.verdict for each in BY_NAME[name].judge(frame)]

    assert verdicts("images", made(15.0, 25.1)) == ["same", "same", "same"]
    assert verdicts("images", made(60.0, 24.9)) == ["same", "differs", "same"]
    assert verdicts("images", made(5.0, 20.0)) == ["same", "differs", "differs"]  # 20 times
    sizes = verdicts("images", made(15.0, 25.1, depths=(3, 5)))
    assert sizes == ["same", "differs", "same", "same"]  # every size has its own verdict
    assert verdicts("doubled", made(50.0, 25.0)) == ["same", "same"]
    assert verdicts("doubled", made(150.0, 20.0)) == ["differs", "differs"]
    assert verdicts("alpha", made(50.0, 24.8))[0] == "same"
    assert verdicts("alpha", made(50.0, 20.0))[0] == "differs"
    assert verdicts("audio", made(50.0, 25.0)) == ["same", "differs", "same"]
    assert verdicts("audio", made(110.0, 25.0))[0] == "differs"
    assert set(verdicts("domains", made(50.0, 25.0))) == {"answer"}
    few = made(15.0, 25.0)
    assert set(verdicts("audio", few[few.signal.isin(["p0", "p1"])])) == {"open"}


def test_an_interval_across_a_number_is_open():
    """Half of the pictures are slower than alpha 1, half are faster."""
    rows = [
        {"part": "audio", "depth": 5, "signal": f"p{picture}", "seed": 0, "variant": variant}
        | {"steps_to_target": 100.0 if alpha == 1 else (50.0, 200.0)[picture % 2], "alpha": alpha}
        | {"held_out_psnr": 25.0 if alpha == 1 else (24.0, 26.0)[picture % 2]}
        for picture in range(10)
        for variant, alpha in (("alpha 1", 1.0), ("auto", 2.0))
    ]
    found = BY_NAME["audio"].judge(fits.table(rows))
    assert [found[0].verdict, found[2].verdict] == ["open", "open"]


def test_rivals_are_ahead_where_ranges_do_not_meet():
    def made(ours: float, siren: float, held_out: float) -> pd.DataFrame:
        levels = {"weight scaling, auto": ours, "SIREN": siren, "Gauss": 20.0, "FINER": 30.0}
        rows = [
            {"signal": "s", "network": network, "seed": seed, "psnr": level + seed}
            | {"held_out_psnr": (held_out if network.startswith("weight") else 20.0) + seed}
            for network, level in levels.items()
            for seed in range(3)
        ]
        return pd.DataFrame(rows)

    def verdicts(frame: pd.DataFrame) -> list[str]:
        return [each.verdict for each in BY_NAME["rivals"].judge(frame)]

    assert verdicts(made(40.0, 30.0, 19.8)) == ["same", "same", "answer"]
    assert verdicts(made(31.0, 30.0, 19.0)) == ["open", "differs", "answer"]
    assert verdicts(made(20.0, 30.0, 25.0)) == ["differs", "same", "answer"]


def test_a_gain_of_relu_is_one_only_in_every_seed():
    def made(*gains: float) -> pd.DataFrame:
        rows = [
            {"group": "hash_grid", "signal": "s", "seed": seed, "alpha": alpha, "psnr": level}
            | {"variant": fits.alpha_name(alpha), "held_out_psnr": 20.0}
            for seed, gain in enumerate(gains)
            for alpha, level in ((1.0, 40.0), (2.0, 40.0 + gain))
        ]
        return pd.DataFrame(rows)

    judged = {"same": (0.1, -1.0, 0.2), "differs": (0.7, 0.8, 0.9), "open": (0.7, 0.0, 0.1)}
    for expected, gains in judged.items():
        assert BY_NAME["relu"].judge(made(*gains))[0].verdict == expected


def test_mechanisms_tell_both():
    def verdict(name: str, rows: list[dict], which: int = 0) -> str:
        return BY_NAME[name].judge(pd.DataFrame(rows))[which].verdict

    def gradients(power: float) -> list[dict]:
        return [
            {"depth": depth, "alpha": alpha, "seed": seed, "output": alpha}
            | {"loss": alpha ** (power * (depth - 1))}
            for seed in (0, 1)
            for depth in (3, 5)
            for alpha in (1.0, 1.5, 2.0)
        ]

    assert verdict("gradients", gradients(1.0)) == "same"
    assert verdict("gradients", gradients(0.5)) == "differs"

    def distances(deep: float) -> list[dict]:
        return [
            {"alpha": alpha, "seed": seed, "layer": layer, "distance": deep if layer > 2 else 0.01}
            for seed in (0, 1)
            for alpha in (0.5, 1.0, 2.0)
            for layer in range(1, 5)
        ]

    assert verdict("distribution", distances(0.02)) == "same"
    assert verdict("distribution", distances(0.2)) == "differs"

    def kernels(scaled: float) -> list[dict]:
        return [
            {"alpha": alpha, "seed": seed, "step": step, "psnr": 20.0}
            | {"condition": scaled ** (alpha - 1) * 1e6 / (1 + step)}
            for alpha in (1.0, 2.0)
            for seed in (0, 1)
            for step in (0, 10)
        ]

    assert [verdict("kernel", kernels(0.01), each) for each in range(3)] == ["same"] * 3
    assert verdict("kernel", kernels(10.0)) == verdict("kernel", kernels(10.0), 1) == "differs"
    assert verdict("relu-kernel", kernels(0.5)) == "same"
    assert verdict("relu-kernel", kernels(0.01)) == "differs"


def test_best_alpha_keeps_quality():
    rows = [
        {"part": "p", "depth": 5, "signal": "s", "seed": 0, "variant": fits.alpha_name(alpha)}
        | {"alpha": alpha, "steps_to_target": steps, "held_out_psnr": level}
        for alpha, steps, level in ((1.0, 90.0, 25.0), (1.5, 40.0, 24.6), (2.0, 20.0, 24.4))
    ]
    (best,) = grid.bests(fits.table(rows))
    assert (best.alpha, best.steps, best.first_steps, best.top) == (1.5, 40.0, 90.0, 25.0)


def test_an_interrupted_measurement_goes_on(tmp_path, monkeypatch):
    entry, told = BY_NAME["draws"], []
    work = Work(entry.presets["quick"], tmp_path, None, told.append)
    first = entry.measure(work)
    monkeypatch.setattr(fits, "measured", lambda *_: pytest.fail("it was finished before"))
    again = entry.measure(work)
    assert len(told) == len(first)
    assert again.equals(first)


def test_adopting_reads_every_line():
    lines = (RESULTS / "field-alpha" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    frame = adopt.of_grid(RESULTS / "field-alpha" / "runs.jsonl", list(grid.PARTS))
    left_out = {("kodim15 128", 3), ("kodim16 128", 3), ("bach 4 s", 3)}  # no whole grid
    runs = [json.loads(line) for line in lines]
    taken = [run for run in runs if (run["signal"], run["depth"]) not in left_out]
    assert len(frame) == len(taken)
    assert set(frame.psnr) == {run["psnr"] for run in taken}
