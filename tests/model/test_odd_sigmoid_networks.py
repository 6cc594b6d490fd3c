"""``initialize(model, "diagonal_plus_noise")`` finds activation and depth; overrides; refusals."""

import importlib.util
import math
import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

import firstlight
from firstlight import OptionError
from firstlight.nn import Arctan, Erf, Gudermannian, Softsign, Tanh
from firstlight.theory import noise_scale

DPN = "diagonal_plus_noise"


def chain(*activations, width=12):
    layers = [part for f in activations for part in (nn.Linear(width, width), f)]
    return nn.Sequential(*layers, nn.Linear(width, width))


class Own(nn.Module):
    """A network with a forward of its own."""

    def __init__(self, activation, depth=4):
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(12, 12) for _ in range(depth))
        self.out = nn.Linear(12, 12)
        self.activation = activation

    def forward(self, x):
        for layer in self.hidden:
            x = self.activation(layer(x))
        return self.out(x)


class ByTheData(Own):
    """Its way depends on the batch, so that only a run can follow it."""

    def forward(self, x):
        return super().forward(x if x.sum() > -1e9 else -x)


class MySigmoid(nn.Module):
    def forward(self, x):
        return 3 * x / (1 + x * x).sqrt()


def described(model, **options):
    """The activation, depth, omega and sigma that a plan says for every weight."""
    plan = firstlight.plan(model, DPN, **options)
    return [
        (row.options["activation"], row.reason.partition("; ")[2])
        for row in plan
        if row.scheme == DPN
    ]


def facts(depth, omega):
    return f"depth {depth}, omega {omega:.4g}, sigma {noise_scale(depth, omega):.4g}"


ERF = math.sqrt(math.pi) / 2


@pytest.mark.parametrize(
    ("model", "name", "depth", "omega"),
    [
        (chain(*[nn.Tanh() for _ in range(3)]), "tanh", 4, 1),
        (chain(*[nn.Softsign() for _ in range(3)]), "softsign", 4, 1),
        (Own(torch.tanh), "tanh", 5, 1),
        (Own(functional.softsign), "softsign", 5, 1),
        (Own(torch.erf), "erf", 5, ERF),
        (Own(nn.Tanh()), "tanh", 5, 1),
        (Own(lambda x: torch.tanh(3 * x)), "tanh(3x)", 5, 1 / 3),
        (Own(lambda x: torch.tanh(1e-4 * x)), "tanh(0.0001x)", 5, 1e4),
        (Own(lambda x: torch.tanh(1e4 * x)), "tanh(10000x)", 5, 1e-4),
        (Own(lambda x: 2 / math.pi * torch.atan(math.pi / 2 * x)), "arctan", 5, 1),
        (Own(lambda x: x / torch.hypot(x, torch.ones(()))), "algebraic", 5, 1),
        (Own(lambda x: x / torch.sqrt(1 + x * x)), "algebraic", 5, 1),
        (chain(Tanh(2), Tanh(2)), "tanh(2x)", 3, 0.5),
        (chain(Erf(1e-4), Erf(1e-4)), "erf(0.0001x)", 3, 1e4 * ERF),
        (chain(Arctan(), Arctan()), "arctan", 3, 1),
        (Own(Gudermannian(7)), "gudermannian(7x)", 5, 1 / 7),
        (torch.compile(chain(nn.Tanh(), nn.Tanh()), backend="eager"), "tanh", 3, 1),
        (
            nn.Sequential(
                nn.Flatten(),
                nn.Linear(16, 8),
                nn.Tanh(),
                nn.Dropout(0.1),
                nn.Linear(8, 8),
                nn.Tanh(),
                nn.Linear(8, 2),
                nn.LogSoftmax(-1),
            ),
            "tanh",
            3,
            1,
        ),
        (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid()), "tanh", 2, 1),
        (nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Tanh()), "tanh", 2, 1),
        (nn.Sequential(nn.Linear(4, 8), nn.Tanh()), "tanh", 1, 1),
    ],
)
def test_activation_and_depth_are_found(model, name, depth, omega):
    found = described(model)
    assert found
    assert set(found) == {(name, facts(depth, omega))}


def test_each_layer_has_the_gain_of_the_activation_behind_it():
    model = chain(Tanh(), Erf(), Softsign(4.0))
    found = described(model)
    assert [name for name, _ in found] == ["tanh", "erf", "softsign(4x)", "softsign(4x)"]
    firstlight.initialize(model, DPN, sigma=0.0)
    for layer, omega in zip(model[::2], (1, ERF, 0.25, 0.25), strict=True):
        torch.testing.assert_close(layer.weight.detach(), omega * torch.eye(12))
        assert not layer.bias.any()


def test_a_sigmoid_of_ones_own_is_measured_once_for_all_layers():
    found = described(Own(MySigmoid(), depth=30))
    assert {text for _, text in found} == {facts(31, 1 / 3)}
    assert len({id(activation) for activation, _ in found}) == 1


def test_naming_it_gives_the_same_weights():
    found, named = (
        firstlight.initialize(Own(torch.erf), DPN, seed=3, **options).state_dict()
        for options in ({}, {"activation": "erf"})
    )
    assert all(torch.equal(found[key], named[key]) for key in found)


def test_an_example_is_run_where_the_code_cannot_be_followed():
    model, batch = ByTheData(torch.tanh), torch.randn(3, 12)
    with pytest.raises(OptionError, match=r"'activation' here: not traced.*pass example"):
        firstlight.initialize(model, DPN)
    assert set(described(model, example=batch)) == {("tanh", facts(5, 1))}
    assert {text for _, text in described(model, activation="tanh")} == {facts(5, 1)}


def test_branches_have_the_depth_of_their_own_way():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.short, self.long = chain(nn.Tanh()), chain(*[nn.Tanh() for _ in range(5)])

        def forward(self, x):
            return (self.short(x) * self.long(x)).sum(-1, keepdim=True)

    plan = firstlight.plan(Two(), DPN)
    assert plan["short.0.weight"].reason.endswith(facts(2, 1))
    assert plan["long.0.weight"].reason.endswith(facts(6, 1))


def test_sigma_and_rate_layer_by_layer():
    model = chain(*[nn.Tanh() for _ in range(3)], width=400)
    overrides = {"2.weight": f"{DPN}:sigma=0.5", "4.weight": f"{DPN}:negative_rate=0.1"}
    plan = firstlight.plan(model, DPN, overrides=overrides)
    assert plan["2.weight"].reason == "override 2.weight; omega 1, sigma 0.5"
    again = firstlight.plan(model, overrides=overrides_of(plan))
    assert [row.options for row in again] == [row.options for row in plan]
    plan.apply()
    wanted = [noise_scale(4, 1.0), 0.5, noise_scale(4, 1.0, 0.1), noise_scale(4, 1.0)]
    for row, layer, sigma in zip(
        [r for r in plan if r.scheme == DPN], model[::2], wanted, strict=True
    ):
        noise = layer.weight.detach() - torch.eye(400)
        assert float(noise.std()) * 20 == pytest.approx(sigma, rel=0.01)
        size = float(layer.weight.detach().square().mean().sqrt())
        assert row.std == pytest.approx(size, rel=0.01)


def overrides_of(plan):
    import yaml

    return yaml.safe_load(plan.to_yaml())["overrides"]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (chain(nn.Tanh(), nn.ReLU()), {}, "2.weight: .*'activation' here: relu is no odd.*not odd"),
        (chain(nn.Hardtanh()), {}, "hardtanh is no odd sigmoid: not increasing.* at x = 1 "),
        (Own(torch.sin), {}, "sin is no odd sigmoid: not increasing, f' = -1"),
        (chain(), {}, "weight: .* none follows this weight; give activation='tanh'"),
        (
            chain(nn.Tanh()),
            {"activation": "sin"},
            "0.weight: expected an odd.*'sin' is not incr",
        ),
        (chain(nn.Tanh()), {"activation": "identity"}, "'identity' is not bounded"),
        (chain(nn.Tanh()), {"activation": "tahn"}, "must be one of"),
        (chain(nn.Tanh()), {"depth": 0}, "depth must lie between 1"),
        (chain(nn.Tanh()), {"depth": 2.5}, "depth must be a whole number"),
        (chain(nn.Tanh()), {"sigma": -1.0}, "sigma must be 0 or more"),
        (chain(nn.Tanh()), {"sigma": math.nan}, "sigma must be a finite number"),
        (chain(nn.Tanh()), {"negative_rate": 0.5}, "negative_rate must lie between 0 and 0.5"),
        (chain(nn.Tanh()), {"sigma": 0.1, "negative_rate": 0.1}, "give sigma, .* or negative_rate"),
    ],
)
def test_refusals_are_one_line_and_change_nothing(model, options, message):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(OptionError, match=message) as caught:
        firstlight.initialize(model, DPN, **options)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (0, 0)])
def test_no_units_are_refused(sizes):
    model = nn.Sequential(nn.Linear(*sizes), nn.Tanh())
    with pytest.raises(OptionError, match=r"0.weight: .*(input|output)") as caught:
        firstlight.initialize(model, DPN)
    assert "\n" not in str(caught.value)


class Branched(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.up, self.end, self.head = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x):
        x = self.first(x)
        return self.head(x + self.end(torch.tanh(self.up(x))))


def test_the_end_of_a_branch_is_said_to_be_no_place_for_it():
    said = {row.name: row.reason for row in firstlight.plan(Branched(), DPN)}
    harm = "as asked, but can harm at a branch's end, see docs/odd-sigmoid.md; depth 4"
    assert said["end.weight"].startswith(harm)
    assert said["up.weight"].startswith("as asked; depth 4")
    plan = firstlight.plan(Branched(), DPN, overrides={"end.weight": "zero"})
    assert {row.name: row.reason for row in plan}["end.weight"] == "override end.weight"
    plan = firstlight.plan(Branched(), "isometric_diagonal", activation="tanh")
    assert {row.name: row.reason for row in plan}["end.weight"].startswith("as asked; depth 4")


class Read(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.RNN(1, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


@pytest.mark.parametrize("scheme", [DPN, "isometric_diagonal"])
@pytest.mark.parametrize("options", [{}, {"activation": "tanh"}])
def test_a_recurrent_layer_is_no_place_for_it(scheme, options):
    said = f"cell.weight_ih_l0: scheme '{scheme}' counts layers, not steps in time"
    with pytest.raises(OptionError, match=said):
        firstlight.plan(Read(), scheme, **options)
    options = {**options, "overrides": {"cell.*": "orthogonal"}, "activation": "tanh"}
    plan = firstlight.plan(Read(), scheme, **options)
    assert {row.name: row.reason for row in plan}["head.weight"].startswith("as asked; depth 2")


DEEPXDE = """
import warnings
warnings.simplefilter("ignore")
import torch, firstlight
from torch.nn import functional
import deepxde as dde

def told(net):
    plan = firstlight.plan(net, "diagonal_plus_noise")
    plan.apply()
    return [r.options["activation"] + " " + r.reason.partition("; ")[2].partition(",")[0]
            for r in plan if r.fan_in]

def fnn(activation, sizes=(2, 8, 8, 8, 1)):
    return dde.nn.FNN(list(sizes), activation, "Glorot normal")

print(set(told(fnn("tanh"))) == {"tanh depth 4"})
print(told(fnn(["tanh", functional.softsign, torch.erf, None])))
print(set(told(dde.nn.PFNN([2, [8, 8], [8, 8], 2], "tanh", "Glorot normal"))))
net = fnn("tanh")
net.apply_feature_transform(lambda x: torch.cat([x, torch.sin(x)], 1)[:, :2])
net.apply_output_transform(lambda x, y: x[:, :1] * y)
print(set(told(net)))
print(told(fnn("LAAF-10 tanh"))[0])
"""


@pytest.mark.skipif(importlib.util.find_spec("deepxde") is None, reason="needs deepxde")
def test_networks_of_deepxde():
    """In a process of its own, as importing DeepXDE chooses a backend for good."""
    environment = os.environ | {"DDE_BACKEND": "pytorch", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DEEPXDE]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-5:] == [
        "True",
        "['tanh depth 4', 'softsign depth 4', 'erf depth 4', 'erf depth 4']",
        "{'tanh depth 3'}",
        "{'tanh depth 4'}",
        "tanh depth 4",
    ]
