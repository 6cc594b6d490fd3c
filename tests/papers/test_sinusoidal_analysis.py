"""Entries of the sinusoidal paper that train nothing: they run, judge, and can judge either way."""

import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from firstlight.init import sinusoidal_
from firstlight.papers.reproduce import read, reproduce
from firstlight.papers.sinusoidal.arcsine import FIGURE8
from firstlight.papers.sinusoidal.balance import FIGURE5, FIGURE7, classified
from firstlight.papers.sinusoidal.cost import COST
from firstlight.papers.sinusoidal.defaults import TABLE2
from firstlight.papers.sinusoidal.definition import FIGURE3
from firstlight.papers.sinusoidal.published_code import published_code_
from firstlight.papers.sinusoidal.rank import RANK
from firstlight.papers.sinusoidal.relu_mlp import inputs, network, neurons, walk
from firstlight.papers.sinusoidal.skew import NAMES, OUI, TABLE1
from firstlight.papers.sinusoidal.skew_everywhere import SKEW_EVERYWHERE
from firstlight.papers.sinusoidal.vit_states import FIGURE4

ENTRIES = (
    FIGURE3,
    RANK,
    FIGURE4,
    TABLE1,
    FIGURE5,
    OUI,
    TABLE2,
    SKEW_EVERYWHERE,
    FIGURE7,
    FIGURE8,
    COST,
)
RESULTS = Path(__file__).parents[2] / "results" / "reproduction"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_quick_runs_and_is_read_again(entry, tmp_path):
    found = reproduce(entry, "quick", out=tmp_path)
    assert len(found.frame)
    assert found.findings
    assert all(one.claim and one.ours for one in found.findings)
    again = read(entry, tmp_path)
    assert again.findings == found.findings
    drawn = {path.stem for path in (tmp_path / entry.name).glob("*.png")}
    assert drawn == set(entry.draw(found.frame))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_standard_results_are_of_the_standard_preset(entry):
    found = read(entry, RESULTS)
    assert found is not None, f"no results of {entry.name}"
    assert found.about["preset"] == "standard"
    assert found.about["settings"] == dict(entry.presets["standard"])
    assert all(one.claim and one.ours for one in found.findings)


def _table1(share: float) -> pd.DataFrame:
    row = {"layer": 3, "skewed_30": share, "oui": share, "law": "normal"}
    row |= dict.fromkeys(("skewed_10_random", "skewed_30_random", "oui_random"), 0.5)
    schemes = [*NAMES, "harmonic", "published_code"]
    return pd.DataFrame(
        [
            row | {"scheme": scheme, "seed": seed, "skewed_10": share + 0.01 * seed}
            for scheme in schemes
            for seed in range(4)
        ]
    )


def test_table1_can_say_either():
    verdicts = {one.claim: one.verdict for one in TABLE1.judge(_table1(0.81))}
    assert verdicts["skewed neurons of degree 0.1, Glorot"] == "same"
    assert verdicts["skewed neurons of degree 0.1, sinusoidal"] == "differs"


def test_oui_differs_where_sinusoidal_is_no_better():
    assert OUI.judge(_table1(0.5))[-1].verdict == "differs"


def test_rank_says_same_of_a_sound_shape_and_differs_of_a_square_one(tmp_path):
    found = reproduce(RANK, "quick").findings
    assert [one.verdict for one in found[:3]] == ["same", "differs", "differs"]
    assert "rank 47 of 96" in found[2].ours


def test_row_sums_are_those_of_the_weights():
    batch = inputs("normal", 64, 32, seed=3)
    weight = network(["glorot_normal"], batch, seed=3)[1].weight
    rows = neurons(["glorot_normal"], law="normal", samples=64, width=32, seed=3)
    torch.testing.assert_close(
        torch.tensor(rows["row_sum"].to_numpy()), weight.detach().sum(1), atol=1e-6, rtol=1e-5
    )
    on = (torch.relu(batch) @ weight.detach().T > 0).float().mean(0)
    torch.testing.assert_close(torch.tensor(rows["on_share"].to_numpy()), on, atol=0.02, rtol=0)


def test_layers_get_the_schemes_they_were_given():
    net = network(["sinusoidal", "glorot_normal"], inputs("normal", 8, 64, seed=0), seed=0)
    assert torch.equal(net[1].weight, sinusoidal_(torch.empty(64, 64)))
    assert net[3].weight.sum(1).abs().max() > 0.1
    assert not net[3].bias.any()
    assert len(list(walk(net, torch.zeros(2, 64)))) == 2


def test_threshold_tells_the_skewed_from_the_others_and_a_wrong_one_does_not():
    rows = neurons(["glorot_normal"], law="normal", samples=4096, width=256, seed=0)
    assert classified(rows, 0.3) > 0.95
    assert classified(rows.assign(row_sum=rows["row_sum"].iloc[::-1].to_numpy()), 0.3) < 0.9


def test_the_published_code_is_the_formula_one_column_later():
    code = published_code_(torch.empty(32, 100)).double()
    formula = sinusoidal_(torch.empty(32, 100, dtype=torch.float64))
    difference = (code[:, 1:] - formula[:, :-1]).abs().max()
    assert 0 < difference < 1e-4


def test_theorem_2_fails_at_more_outputs_than_inputs():
    rows = reproduce(FIGURE3, "quick").frame.set_index(["m", "n"])
    assert rows.loc[(64, 147), "rows_not_zero_sum"] == 0
    sums = sinusoidal_(torch.empty(256, 64, dtype=torch.float64)).sum(1).abs()
    assert math.isclose(rows.loc[(256, 64), "largest_row_sum"], float(sums.max()))
    assert rows.loc[(256, 64), "rows_not_zero_sum"] == 2


def test_figure4_differs_where_columns_are_bands():
    def frame(states):
        schemes = ("default", "sinusoidal", "harmonic")
        return pd.DataFrame(
            [
                {"scheme": s, "seed": 0, "sample": at, "states": states[s][at % 2]}
                for s in schemes
                for at in range(4)
            ]
        )

    bands, noise = ("1010", "1010"), ("1010", "0101")
    good = frame({"default": bands, "sinusoidal": noise, "harmonic": noise})
    assert [one.verdict for one in FIGURE4.judge(good)][:2] == ["same", "same"]
    bad = frame({"default": noise, "sinusoidal": bands, "harmonic": noise})
    assert [one.verdict for one in FIGURE4.judge(bad)][:2] == ["differs", "differs"]


def test_table2_names_the_law_that_was_drawn():
    frame = reproduce(TABLE2, "quick").frame.set_index("kind")
    assert (frame.loc["conv", "law"], frame.loc["conv", "scale"]) == ("normal", "He, fan-out")
    assert (frame.loc["linear", "law"], frame.loc["linear", "scale"]) == ("normal", "0.01")
    wrong = frame.reset_index().assign(law="uniform")
    assert [one.verdict for one in TABLE2.judge(wrong)][:2] == ["differs", "differs"]
