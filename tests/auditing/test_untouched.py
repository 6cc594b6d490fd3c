"""The model comes back as it was: bit for bit, also after an exception."""

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

import firstlight


class Net(nn.Module):
    """Batch norm, dropout, frozen parts, a recurrent layer, a cache, hooks."""

    def __init__(self, fails=False):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.drop, self.rnn = nn.Dropout(0.5), nn.GRU(8, 8, 2, dropout=0.5, batch_first=True)
        self.head = nn.Linear(8, 4)
        self.fails, self.calls, self.cache = fails, 0, None
        self.conv.bias.requires_grad_(False)

    def forward(self, x):
        self.calls += 1
        self.cache = x
        random.random(), np.random.rand(), torch.rand(1)
        y = self.drop(torch.relu(self.norm(self.conv(x)))).flatten(2).transpose(1, 2)
        y, _ = self.rnn(y)
        if self.fails and not y.is_meta:
            raise RuntimeError("in the middle")
        return self.head(y.mean(1))


def snapshot(model):
    return {
        "state": copy.deepcopy(model.state_dict()),
        "modes": [m.training for m in model.modules()],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "ids": [id(p) for p in model.parameters()] + [id(b) for b in model.buffers()],
        "flags": [p.requires_grad for p in model.parameters()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        "attributes": (model.calls, model.cache, model.rnn.dropout),
        "versions": [p._version for p in model.parameters()],
        "random": (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()),
        "grad mode": torch.is_grad_enabled(),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def prepared(fails, mode):
    torch.manual_seed(0)
    model = Net(fails).train(mode)
    model.norm.eval()  # a mixed mode
    model.head.weight.grad = torch.ones_like(model.head.weight)
    model.conv.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("grad", [True, False])
def test_everything_comes_back(mode, fails, grad):
    model = prepared(fails, mode)
    batch = torch.randn(4, 3, 8, 8), torch.randint(4, (4,))
    before = snapshot(model)
    with torch.set_grad_enabled(grad):
        before["grad mode"] = grad
        if fails:
            with pytest.raises(firstlight.FirstlightError, match="in the middle"):
                firstlight.audit(model, batch)
        else:
            firstlight.audit(model, batch)
        after = snapshot(model)
    assert [key for key in before if not same(before[key], after[key])] == []


def test_an_audit_is_the_same_every_time_and_under_inference_mode():
    model = prepared(False, True)
    batch = torch.randn(4, 3, 8, 8), torch.randint(4, (4,))
    first = firstlight.audit(model, batch)
    torch.manual_seed(99)
    assert firstlight.audit(model, batch) == first
    assert first.gradients


def test_a_loss_that_fails_leaves_the_model_as_it_was():
    model = prepared(False, True)
    batch = torch.randn(4, 3, 8, 8), torch.zeros(4)
    before = snapshot(model)

    def broken(out, _):
        raise ValueError("no such loss")

    with pytest.raises(firstlight.FirstlightError, match="no such loss"):
        firstlight.audit(model, batch, loss=broken)
    after = snapshot(model)
    assert [key for key in before if not same(before[key], after[key])] == []


def test_dropout_is_off_and_batch_norm_in_its_own_mode():
    net = nn.Sequential(nn.Linear(8, 64), nn.BatchNorm1d(64), nn.Dropout(0.9), nn.ReLU())
    x = torch.randn(32, 8)
    (site,) = firstlight.audit(net, x).activations
    assert site.second_moment == pytest.approx(1, rel=1e-3)
    net.eval()
    (site,) = firstlight.audit(net, x).activations
    with torch.no_grad():
        expected = float(net[1](net[0](x)).square().mean())
    assert site.second_moment == pytest.approx(expected, rel=1e-5)


def test_meta_and_lazy_models_are_refused():
    with torch.device("meta"):
        net = nn.Linear(2, 2)
    with pytest.raises(firstlight.OptionError, match="meta device"):
        firstlight.audit(net, torch.ones(1, 2))
    with pytest.raises(firstlight.OptionError, match="no shape yet"):
        firstlight.audit(nn.LazyLinear(2), torch.ones(1, 2))


def test_a_frozen_model_has_no_gradients_and_no_complaint_about_them():
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).requires_grad_(False)
    found = firstlight.audit(net, torch.randn(8, 4))
    assert found.gradients == ()
    assert found.activations[0].gradient_norm is None
