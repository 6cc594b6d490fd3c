"""Digests of plans: the same on every rank that writes the same, another for any difference."""

import subprocess
import sys

import pytest
import torch
from torch import nn

import firstlight
from firstlight.errors import OptionError
from firstlight.model.agreement import check_agreement, digest


def build():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.LSTM(8, 3), nn.Linear(3, 2))


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"scheme": "sinusoidal"},
        {"gain": 2.0},
        {"forget_bias": 1.0},
        {"empty": True, "exclude": ["3.bias"]},
        {"exclude": ["3.bias"]},
        {"overrides": {"3.bias": 0.5}},
    ],
)
def test_whatever_changes_the_weights_changes_the_digest(changed):
    same = digest(firstlight.plan(build(), "harmonic"))
    assert same == digest(firstlight.plan(build(), "harmonic"))
    asked = {"scheme": "harmonic"} | changed
    assert digest(firstlight.plan(build(), **asked)) != same


def test_so_does_the_frameworks_start_and_a_weights_position():
    with torch.device("meta"):
        empty = build()
    assert digest(firstlight.plan(empty)) != digest(firstlight.plan(build()))
    asked = {"scheme": "diagonal_plus_noise", "activation": "tanh", "include": ["0.weight"]}
    with torch.device("meta"):
        shallow, deep = (nn.Sequential(*(nn.Linear(4, 4) for _ in range(n))) for n in (2, 9))
    plans = [
        firstlight.plan(model, **asked, exclude=["[1-9].*", "0.bias"]) for model in (shallow, deep)
    ]
    assert digest(plans[0]) != digest(plans[1])


def test_a_function_enters_by_its_name_and_not_by_its_address():
    code = (
        "import firstlight; from torch import nn; from firstlight.model.agreement import digest;"
        "plan = firstlight.plan(nn.Linear(4, 8), 'harmonic', gain=nn.functional.silu);"
        "print(digest(plan).hex())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    silu, mish = (
        digest(firstlight.plan(nn.Linear(4, 8), "harmonic", gain=function))
        for function in (nn.functional.silu, nn.functional.mish)
    )
    assert run.stdout.strip() == silu.hex()
    assert silu != mish


def test_so_do_a_dtype_a_version_and_the_code_of_a_lambda(monkeypatch):
    same = digest(firstlight.plan(build()))
    assert digest(firstlight.plan(build().half())) != same
    scaled = [
        digest(firstlight.plan(nn.Linear(4, 8), "harmonic", gain=function))
        for function in (lambda x: x.relu(), lambda x: x.tanh(), lambda x: 2 * x, lambda x: 3 * x)
    ]
    assert len(set(scaled)) == len(scaled)
    monkeypatch.setattr(firstlight, "__version__", "another")
    assert digest(firstlight.plan(build())) != same


def test_only_plans_are_compared():
    with pytest.raises(OptionError, match="expected a plan"):
        check_agreement("harmonic")
