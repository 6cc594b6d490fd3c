import math

import numpy as np
import pytest
import torch

from firstlight import fields
from firstlight.fields.analysis import gradient_shares
from firstlight.fields.objective import Objective


@pytest.fixture
def image():
    values = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    return fields.load(values, kind="image")


@pytest.mark.parametrize("family", fields.FAMILIES)
def test_shares_are_those_of_one_backward_pass(image, family):
    network = fields.find_network({"family": family, "width": 16, "depth": 3, "alpha": 1.5})
    built = network.resolved(image).build(2, 1)
    shares = dict(gradient_shares(built, Objective(built, image.train, 50)))
    batch = image.train.all()
    (built(batch.x) - batch.y).square().mean().backward()
    norms = {}
    for name, parameter in built.named_parameters():
        layer = name.rpartition(".")[0] or "network"
        norms[layer] = norms.get(layer, 0.0) + float(parameter.grad.double().square().sum())
    assert set(shares) == set(norms)
    total = sum(norms.values())
    for name, share in shares.items():
        assert share == pytest.approx(norms[name] / total, rel=1e-3, abs=1e-9)
    assert sum(shares.values()) == pytest.approx(1)


def test_the_gradients_are_put_back(image):
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 1)
    first = next(iter(built.parameters()))
    first.grad = kept = torch.full_like(first, 7.0)
    gradient_shares(built, Objective(built, image.train, 144))
    assert first.grad is kept
    assert (kept == 7).all()
    assert all(each.grad is None for each in list(built.parameters())[1:])


def test_frozen_layers_have_no_share(image):
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 1)
    for each in built.layers[1].parameters():
        each.requires_grad_(False)
    shares = gradient_shares(built, Objective(built, image.train, 144))
    assert [name for name, _ in shares] == ["layers.0", "layers.2"]


def test_gradients_that_are_no_numbers_have_no_shares(image):
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 1)
    torch.nn.init.constant_(built.layers[2].bias, math.nan)
    shares = gradient_shares(built, Objective(built, image.train, 144))
    assert all(math.isnan(share) for _, share in shares)


def test_where_nothing_is_to_be_learned_all_shares_are_0():
    image = fields.load(np.zeros((4, 4), np.uint8), kind="image")
    built = fields.Sine(width=4, depth=2, alpha=1.0).build(2, 1)
    torch.nn.init.zeros_(built.layers[1].weight)
    torch.nn.init.constant_(built.layers[1].bias, -1.0)  # black is -1
    shares = gradient_shares(built, Objective(built, image.train, 16))
    assert [share for _, share in shares] == [0.0, 0.0]
