"""After a tangent kernel or a Jacobian the model is as it was, also after an exception."""

import copy
import random

import numpy as np
import pytest
import torch
from tangent_models import noise, tokens
from torch import nn

from firstlight.auditing.derivatives.jacobian import input_jacobian
from firstlight.auditing.derivatives.kernel import tangent_kernel

LOOKS = {
    "exact": lambda model, batch: tangent_kernel(model, batch, method="exact"),
    "lanczos": lambda model, batch: tangent_kernel(model, batch, method="lanczos"),
    "jacobian": input_jacobian,
}
every_look = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)


class Busy(nn.Module):
    """Statistics, dropout, a table that is rescaled in each pass, caches, draws, frozen parts."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 4, max_norm=0.5)
        self.drop, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(4)
        self.body = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
        self.head = nn.Linear(4, 2)
        self.head.bias.requires_grad_(False)
        self.cache, self.runs, self.fails = {}, 0, False

    def forward(self, ids):
        self.runs += 1
        random.random(), np.random.rand(), torch.rand(1)
        if "scale" not in self.cache:  # would hold on to a graph
            self.cache["scale"] = self.head.weight.square().sum()
        x = self.norm(self.body(self.drop(self.table(ids))).sum(1)).relu_()
        if self.fails:
            raise KeyError("in the middle")
        return self.head(x) * self.cache["scale"]


def busy():
    torch.manual_seed(0)
    model = Busy()
    model.body.eval()
    model.head.weight.grad = torch.ones(2, 4)
    model.head.register_forward_hook(lambda *_: None)
    return model, tokens(5, 3)


def snapshot(model):
    return {
        "values": [t.detach().clone() for t in (*model.parameters(), *model.buffers())],
        "identities": [id(t) for t in (*model.parameters(), *model.buffers())],
        "gradients": [copy.deepcopy(p.grad) for p in model.parameters()],
        "flags": [p.requires_grad for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._backward_hooks)) for m in model.modules()],
        "attributes": [sorted(vars(m)) for m in model.modules()],
        "runs": (model.runs, dict(model.cache)),
        "draws": (random.getstate(), str(np.random.get_state()), torch.get_rng_state()),
        "modes of torch": (torch.is_grad_enabled(), torch.overrides._get_current_function_mode()),
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def differences(one, other):
    return [key for key in one if not same(one[key], other[key])]


@every_look
@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(look, training):
    model, batch = busy()
    model.train(training)
    before, given = snapshot(model), batch.clone()
    look(model, batch)
    assert not differences(before, snapshot(model))
    assert torch.equal(batch, given)


@every_look
def test_nothing_changes_after_an_exception(look):
    model, batch = busy()
    model.fails = True
    before = snapshot(model)
    with pytest.raises(KeyError):
        look(model, batch)
    assert not differences(before, snapshot(model))


@every_look
def test_same_answer_twice_and_training_goes_on(look):
    model, batch = busy()
    assert look(model, batch) == look(model, batch)
    model(batch).sum().backward()
    assert model.body.parametrizations.weight.original.grad is not None


@every_look
def test_an_input_changed_in_place_comes_back(look):
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return self.layer(x.mul_(2))

    model, batch = InPlace(), noise(4, 3).float()
    given = batch.clone()
    look(model, batch)
    assert torch.equal(batch, given)


def test_no_graph_is_kept_in_a_cache():
    model, batch = busy()
    for look in LOOKS.values():
        look(model, batch)
    assert not model.cache
