"""``scheme="auto"``: what each row of the table is for, and that its evidence is there."""

from pathlib import Path

import pytest
import torch
from torch import nn
from zoo import ZOO

import firstlight
from firstlight.model.rules import NO_EVIDENCE, RULES

RESULTS = Path(__file__).parents[2] / "results"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.what)
def test_every_row_names_results_that_lie_there(rule):
    for folder in rule.evidence.split(", "):
        assert (RESULTS / folder / "results.parquet").is_file()
        assert (RESULTS / folder / "spec.json").is_file()
        assert f"`{folder}`" in (RESULTS / "README.md").read_text()
    assert rule.found
    assert rule.command


def mlp(activation, depth, width=16):
    layers = [part for _ in range(depth - 1) for part in (nn.Linear(width, width), activation())]
    return nn.Sequential(*layers, nn.Linear(width, width))


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(20 * x)


@pytest.mark.parametrize(
    ("activation", "depth", "scheme"),
    [
        (nn.Tanh, 3, None),
        (nn.Tanh, 4, "diagonal_plus_noise"),
        (nn.Softsign, 9, "diagonal_plus_noise"),
        (nn.Tanh, 10, "orthogonal"),
        (nn.ReLU, 2, None),
        (nn.ReLU, 3, "he_normal"),
        (nn.GELU, 19, "he_normal"),
        (nn.GELU, 20, None),
        (nn.ReLU, 20, "orthogonal"),
        (nn.SiLU, 5, None),
        (nn.Sigmoid, 30, None),
        (Sine, 3, "siren"),
    ],
)
def test_plain_networks(activation, depth, scheme):
    plan = firstlight.plan(mlp(activation, depth))
    rows = [row for row in plan if row.name.endswith("weight")]
    assert {row.scheme for row in rows} == {scheme}
    if scheme is None:
        assert {row.reason for row in rows} == {NO_EVIDENCE}
    elif scheme == "diagonal_plus_noise":
        used = {row.options["activation"] for row in rows}
        assert used == {activation.__name__.lower()}
    elif scheme == "siren":
        assert {row.options["omega"] for row in rows} == {20.0}
        assert rows[0].std == pytest.approx(1 / 16 / 3**0.5)


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("torchvision_resnet18", {None}),
        ("torchvision_vit", {"glorot_uniform", None}),  # its head starts at zero
        ("timm_vit", {"glorot_uniform"}),
        ("hf_gpt2", {None}),
        ("hf_bert_mlm", {None}),
        ("hf_llama", {None}),
        ("siren_functional", {"siren"}),
        ("fourier_features", {None}),
        ("unet", {None}),
        ("mlp_frozen_layers", {None, "he_normal"}),
    ],
)
def test_models_that_people_train(name, schemes):
    entry = ZOO[name]
    if not entry.available:
        pytest.skip(f"{entry.needs} is not installed")
    plan = firstlight.plan(entry.build(), example=entry.example())
    weights = [row for row in plan if row.fan_in is not None and row.kind != "embedding"]
    assert {row.scheme for row in weights} == schemes


def test_what_is_kept_is_kept_whole():
    """Where the framework's weights stay, so do its biases and its norms: a start is one thing."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    nn.init.constant_(model[1].running_mean, 2.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    firstlight.initialize(model)
    assert all(torch.equal(before[n], v) for n, v in model.state_dict().items())


def test_branches_that_start_at_zero():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.end = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, x):
            return x + self.end(torch.relu(self.up(x)))

    def rows(closed):
        model = nn.Sequential(nn.Linear(16, 16), Block(), Block(), nn.Linear(16, 4))
        if closed:
            nn.init.zeros_(model[1].end.weight)
            nn.init.zeros_(model[2].end.weight)
        return {row.name: row.scheme for row in firstlight.plan(model) if row.fan_in}

    closed = rows(closed=True)
    assert closed["1.end.weight"] is closed["2.end.weight"] is None
    assert {v for n, v in closed.items() if "end" not in n} == {"harmonic"}
    assert set(rows(closed=False).values()) == {None}


def test_a_forget_bias_changes_no_other_bias():
    model = nn.ModuleDict({"gru": nn.GRU(4, 4), "lstm": nn.LSTM(4, 4), "head": nn.Linear(4, 2)})
    plan = firstlight.plan(model, forget_bias=1.0)
    assert plan["lstm.bias_ih_l0"].rows_value == 1.0
    assert plan["gru.bias_ih_l0"].scheme is plan["head.bias"].scheme is None
