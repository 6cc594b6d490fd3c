"""Every model of the zoo plans and applies, or the plan says exactly why not.

Golden plans lie in golden/; `FIRSTLIGHT_GOLDEN=write pytest tests/model/test_matrix.py` writes
them anew, for a change to be seen in review.
"""

import os
import re
from itertools import chain
from pathlib import Path

import pytest
import torch
from zoo import CASES, ZOO, forward

import firstlight
from firstlight import OptionError

GOLDEN = Path(__file__).parent / "golden"
NOTHING = "the model has no Linear, convolution, attention or recurrent weight to initialize"
#: Models that a plan is refused for, and why.
REFUSED = {
    "no_parameters": NOTHING,
    "scripted": NOTHING,
    "quantized_dynamic": NOTHING,
    "own_linear_transposed": NOTHING,
    "raw_parameters": NOTHING,
    "parameter_containers": NOTHING,
}


def state(model):
    tensors = chain(
        model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False)
    )
    return {name: tensor.detach().clone() for name, tensor in tensors}


def same(a, b):
    return a.keys() == b.keys() and all(
        torch.equal(a[name].nan_to_num(), b[name].nan_to_num()) for name in a
    )


def build(entry):
    torch.manual_seed(0)
    return entry.build(), entry.example() if entry.example else None


@pytest.mark.parametrize("entry", CASES)
def test_the_plan_is_the_golden_one(entry, request):
    name = request.node.callspec.id
    model, batch = build(entry)
    try:
        text = str(firstlight.plan(model, example=batch))
    except OptionError as error:
        text = f"refused: {error}"
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("FIRSTLIGHT_GOLDEN") == "write":
        path.write_text(text)
    assert rounded(text) == rounded(path.read_text())


def rounded(text):
    """Blank the third digit of measured numbers, which may differ between processors."""
    return re.sub(r"(\d\.\d)\d+", r"\1", re.sub(r" +", " ", text))


@pytest.mark.parametrize("scheme", ["auto", "he_normal"])
@pytest.mark.parametrize("entry", CASES)
def test_each_model_applies_and_is_restored(entry, scheme):
    name = next(name for name, found in ZOO.items() if found is entry)
    model, batch = build(entry)
    before = state(model)
    if name in REFUSED:
        with pytest.raises(OptionError, match=REFUSED[name]):
            firstlight.plan(model, scheme, example=batch)
        return
    plan = firstlight.plan(model, scheme, example=batch)
    assert {n for row in plan for n in row.names} >= before.keys() - wrapped(before)
    assert all(row.reason for row in plan)
    if plan.blocked:
        assert all("meta device" in why for why in plan.blocked.values())
        with pytest.raises(OptionError, match="meta device"):
            plan.apply()
        return
    assert same(before, state(model))
    plan.apply()
    assert not same(before, state(model)) or not any(row.scheme for row in plan)
    plan.undo()
    assert same(before, state(model))
    if batch is not None:
        with torch.no_grad():
            result = forward(plan.apply(), batch)
        assert all(bool(t.isfinite().all()) for t in floats(result))


def wrapped(names):
    """Return names that a wrapper of the model gave."""
    return {name for name in names if "_orig_mod" in name}


def floats(value):
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    if hasattr(value, "values"):
        value = list(value.values())
    return [t for part in value for t in floats(part)] if isinstance(value, (list, tuple)) else []
