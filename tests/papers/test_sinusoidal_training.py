"""Entries that train networks: the quick preset of each runs the code of the others."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from firstlight.errors import FirstlightError
from firstlight.init import harmonic_, sinusoidal_
from firstlight.papers.paired import differences, edges, means
from firstlight.papers.reproduce import read, reproduce
from firstlight.papers.sinusoidal import started
from firstlight.papers.sinusoidal.benchmark import FIGURE1, FIGURE9, PRESETS, TABLE3
from firstlight.papers.sinusoidal.benchmark_judge import judge_curves, judge_table
from firstlight.papers.sinusoidal.mobilenet import MOBILENET
from firstlight.papers.sinusoidal.mobilenet_judge import judge as judge_mobilenet
from firstlight.papers.sinusoidal.mobilenet_starts import factory
from firstlight.papers.sinusoidal.published import MEAN_AUC_GAIN, MEAN_GAIN, TABLE_3
from firstlight.papers.sinusoidal.rivals import RIVALS
from firstlight.papers.sinusoidal.settings import TABLE4, TABLE5
from firstlight.papers.sinusoidal.small_data import SMALL_DATA
from firstlight.papers.sinusoidal.structure import COLLAPSE, EQUAL_LAYERS, WAVES
from firstlight.papers.sinusoidal.variants import Waves, fill_waves
from firstlight.papers.training import trained
from firstlight.papers.work import Work

pytest.importorskip("transformers")

ENTRIES = (
    TABLE3,
    FIGURE1,
    FIGURE9,
    TABLE4,
    TABLE5,
    RIVALS,
    MOBILENET,
    COLLAPSE,
    EQUAL_LAYERS,
    WAVES,
    SMALL_DATA,
)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reproduction")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_quick(entry, out):
    found = reproduce(entry, "quick", out=out)
    assert len(found.frame)
    assert found.findings
    assert all(each.claim and each.ours for each in found.findings)
    again = read(entry, out)
    assert again is not None
    assert again.findings == found.findings
    about = json.loads((out / entry.name / "about.json").read_text())
    assert about["command"] == f"firstlight reproduce {entry.name} --preset quick"
    for name in entry.draw(found.frame):
        assert (out / entry.name / f"{name}.png").stat().st_size > 1000


def test_the_means_of_the_table_are_those_that_the_paper_tells():
    gains = [row.maximum[3] - row.maximum[0] for row in TABLE_3.values()]
    areas = [100 * (row.auc[3] / row.auc[0] - 1) for row in TABLE_3.values()]
    assert np.mean(gains) == pytest.approx(MEAN_GAIN, abs=0.06)
    assert np.mean(areas) == pytest.approx(MEAN_AUC_GAIN, abs=1.0)


def test_the_full_preset_asks_for_what_the_paper_says():
    assert {model: s["epochs"] for model, s in PRESETS["full"].items()} == {
        "resnet50": 100,
        "mobilenet_v3_small": 200,
        "efficientnet_v2_s": 200,
        "vit_b_16": 100,
        "bert_mini": 200,
    }
    for model, optimizer in TABLE_3:
        assert optimizer in PRESETS["full"][model]["optimizers"]
        assert PRESETS["full"][model]["forms"] == ("published", "matched", "tuned")


def runs(gain: float, spread: float = 0.01, form: str = "published") -> pd.DataFrame:
    """Trainings in which sinusoidal is ahead of all others by ``gain``."""
    draw = np.random.default_rng(7)
    rows = []
    networks = (("resnet50", "sgd"), ("resnet50", "adamw"), ("mobilenet_v3_small", "sgd"))
    for (network, optimizer), seed in product(networks, range(5)):
        base = 0.4 + spread * draw.normal()
        for scheme in ("default", "orthogonal", "lsuv", "sinusoidal", "harmonic"):
            final = base + gain * (scheme == "sinusoidal") + spread * draw.normal()
            curve = final * np.array([0.5, 0.8, 1.0])
            rows.append(
                {
                    "form": form,
                    "model": network,
                    "network": network,
                    "data": "digits",
                    "optimizer": optimizer,
                    "scheme": scheme,
                    "seed": seed,
                    "epochs": 3,
                    "train_size": 100,
                    "status": "ok",
                    "accuracy_max": final,
                    "auc": float(curve.sum()),
                    "accuracy": curve.tolist(),
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("gain", "verdict"), [(0.1, "same"), (-0.1, "differs"), (0.0, "open")])
def test_table_3_can_come_out_in_every_way(gain, verdict):
    found = judge_table(runs(gain))
    rows = [each for each in found if each.claim.startswith("resnet50, sgd")]
    assert [each.verdict for each in rows] == [verdict]
    (mean,) = [
        each for each in found if "mean gain of sinusoidal over default in acc" in each.claim
    ]
    assert mean.verdict == verdict
    assert mean.published == "+4.9 points"


def test_few_seeds_are_no_verdict():
    frame = runs(0.1)
    assert {each.verdict for each in judge_table(frame[frame["seed"] < 2])[:3]} == {"open"}


@pytest.mark.parametrize(
    ("gain", "verdict", "exception"),
    [(0.1, "same", "differs"), (-0.1, "differs", "same"), (0.0, "open", "open")],
)
def test_curves_can_come_out_in_every_way(gain, verdict, exception):
    found = {each.claim.partition(",")[0]: each.verdict for each in judge_curves(runs(gain))}
    assert found == {"resnet50": verdict, "mobilenet_v3_small": exception}


def test_other_forms_are_no_claims_of_the_paper():
    found = judge_table(runs(0.1, form="matched"))
    assert {each.verdict for each in found if not each.published} == {"answer"}


def test_a_difference_of_which_runs_failed_is_not_told_apart():
    frame = runs(0.1)
    lost = (frame["scheme"] == "sinusoidal") & (frame["seed"] > 2)
    frame["status"] = frame["status"].where(~lost, "diverged")
    for each in differences(frame, "sinusoidal", "default", ("network", "optimizer")):
        assert (each.seeds, each.failed, each.told_apart) == (3, 2, False)
        assert str(each).endswith(" (2 runs did not finish)")
    assert means(frame, ["sinusoidal"]).endswith("(6 of 15 failed)")


def test_rivals_are_corrected_together():
    frame = runs(0.02, spread=0.015)
    frame = frame[frame["network"] == "resnet50"]
    several = differences(frame, "sinusoidal", ["default", "lsuv", "harmonic"], ("optimizer",))
    alone = [differences(frame, "sinusoidal", n, ("optimizer",)) for n in ("default", "lsuv")]
    for one in alone:
        for each in one:
            assert each.p <= max(other.p for other in several)
    assert len(several) == 6
    assert several[0].setting == ("sgd", "default")


def test_rates_at_the_end_of_the_grid_are_told():
    frame = pd.concat(
        [
            runs(0.1).assign(learning_rate=0.01),
            runs(0.1, form="tuned").assign(
                learning_rate=lambda f: 0.01 * (1 + 9 * (f["seed"] < 9))
            ),
        ]
    )
    (told,) = edges(frame)
    assert told.ours == "15 of 15 at the largest, 0 at the smallest"


def test_a_failed_run_leaves_the_means_and_is_last_in_ranks():
    frame = runs(0.1)
    frame.loc[frame["scheme"] == "lsuv", "status"] = "diverged"
    (ranks,) = [each for each in judge_table(frame) if each.claim.startswith("average rank")]
    assert "lsuv 5.00" in ranks.ours
    assert " - " in next(each for each in judge_table(frame)).ours


def test_the_factorial_experiment_finds_a_planted_interaction():
    draw = np.random.default_rng(0)
    rows = []
    for activation, start, seed in product(
        ("hardswish", "relu"), ("orthogonal", "sinusoidal-published", "sinusoidal-mean"), range(5)
    ):
        planted = 0.1 * (activation == "hardswish" and start == "sinusoidal-published")
        value = 0.5 - planted + 0.005 * draw.normal()
        rows.append(("published", "adamw", activation, start, seed, "ok", value))
    names = ("form", "optimizer", "activation", "scheme", "seed", "status", "accuracy_max")
    found = judge_mobilenet(pd.DataFrame(rows, columns=names))
    verdicts = {
        each.claim.partition(" sin")[0]: each.verdict for each in found if " sin" in each.claim
    }
    assert found[0].ours.startswith("ahead in 0, behind in 1 of 1 settings")
    assert verdicts["with hardswish"] == "same"
    (interaction,) = [each for each in found if each.claim.startswith("interaction")]
    assert interaction.ours.startswith("+1") or interaction.ours.startswith("+9")


def test_networks_of_the_factorial_differ_in_what_they_should_alone():
    def made(activation, start):
        torch.manual_seed(0)
        return factory(activation, start)(3, (32, 32), 10)

    one, other = made("relu", "sinusoidal-published"), made("relu", "sinusoidal-mean")
    for (name, a), (_, b) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        depthwise = a.ndim == 4 and a.shape[1] == 1
        assert torch.equal(a, b) != depthwise, name
    sums = [
        p.sum((1, 2, 3)).abs().max() for p in one.parameters() if p.ndim == 4 and p.shape[1] == 1
    ]
    assert not any(isinstance(each, torch.nn.Hardswish) for each in one.modules())
    assert any(
        isinstance(each, torch.nn.Hardswish) for each in made("hardswish", "default").modules()
    )
    assert len(sums) == 11


def test_waves_are_the_published_formula_where_they_should_be():
    for shape in ((32, 64), (16, 3, 5, 5)):
        wanted = sinusoidal_(torch.empty(shape))
        found = fill_waves(torch.empty(shape), Waves(), torch.Generator())
        assert torch.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("frequency", started.FREQUENCIES)
@pytest.mark.parametrize("phase", started.PHASES)
def test_every_variant_has_the_published_variance(frequency, phase):
    generator = torch.Generator().manual_seed(3)
    w = fill_waves(torch.empty(64, 96), Waves(frequency, phase), generator)
    assert float(w.double().var(correction=0)) == pytest.approx(2 / 160, rel=1e-4)


def test_equal_layers_are_equal_and_distinct_ones_are_not():
    def layers(fill):
        torch.manual_seed(0)
        made = started.__getattr__(f"square__{fill}")(1, (8, 8), 10)
        return [m.weight for m in made if isinstance(m, torch.nn.Linear)][1:4]

    for fill in ("same", "published"):
        one, other, _ = layers(fill)
        assert torch.equal(one, other)
    for fill in ("distinct", "moved"):
        one, other, _ = layers(fill)
        assert not torch.allclose(one, other, atol=1e-3)
    assert torch.equal(layers("distinct")[0], harmonic_(torch.empty(256, 256), layer=1))
    with pytest.raises(AttributeError):
        started.__getattr__("square__nothing")


def test_a_run_that_crashes_is_no_table_without_it(tmp_path, monkeypatch):
    (tmp_path / "broken_net.py").write_text(
        "import torch\n"
        "class Broken(torch.nn.Linear):\n"
        "    def forward(self, images):\n"
        "        if self.training:\n"
        "            raise RuntimeError('no way forward')\n"
        "        return super().forward(images.flatten(1))\n"
        "def net(channels, size, classes):\n"
        "    return Broken(channels * size[0] * size[1], classes)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    block = {"models": "broken_net:net", "data": "digits", "optimizers": "adamw", "seeds": 1}
    block |= {"schemes": "default", "epochs": 1, "train_size": 20}
    with pytest.raises(FirstlightError, match=r"1 of 1 runs crashed or were lost; .*no way forw"):
        trained(Work({}), [block])
