"""Losses and gradients chunk by chunk, against one pass in float64."""

import shutil
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_fits import NETWORKS, SINE, image, sphere
from torch import nn

from firstlight import fields
from firstlight.fields import objective as module
from firstlight.fields.objective import Objective
from firstlight.fields.signals.places import Scattered
from firstlight.fields.signals.samples import Samples, Span


def samples_of(count=37, outputs=3, weights=None, chosen=None, seed=0):
    rng = torch.Generator().manual_seed(seed)
    points = 2 * torch.rand(count, 2, generator=rng) - 1
    values = torch.rand(count, outputs, generator=rng)
    return Samples(Scattered(points), values, Span(0.0, 1.0), weights, chosen)


def reference(network, x, y, weight=None):
    """Loss and gradients of one pass in float64."""
    exact = nn.Module.double(network)
    exact.zero_grad()
    errors = (exact(x.double()) - y.double()).square().mean(1)
    weight = torch.ones(len(x)) if weight is None else weight.flatten()
    loss = (errors * weight.double()).sum() / weight.double().sum()
    loss.backward()
    return float(loss.detach()), [each.grad.clone() for each in exact.parameters()]


def built(outputs=3, inputs=2, network=SINE):
    return network.build(inputs, outputs, seed=1)


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        far = 2e-5 * float(other.abs().max()) + 1e-9
        torch.testing.assert_close(one.double(), other, rtol=0, atol=far)


@given(st.integers(1, 50), st.booleans(), st.booleans())
def test_loss_and_gradients_are_those_of_one_pass(chunk, weighted, part):
    weights = torch.rand(37, generator=torch.Generator().manual_seed(2)) if weighted else None
    chosen = torch.tensor([0, 3, 4, 11, 36], dtype=torch.int32) if part else None
    samples = samples_of(weights=weights, chosen=chosen)
    network = built()
    loss = Objective(network, samples, chunk).full()
    expected, gradients = reference(built(), *samples.all())
    assert loss == pytest.approx(expected, rel=1e-5)
    close([each.grad for each in network.parameters()], gradients)


def test_samples_that_are_not_kept_give_the_same(monkeypatch):
    samples, kept, made = samples_of(weights=torch.rand(37)), built(), built()
    one = Objective(kept, samples, 10).full()
    monkeypatch.setattr(module, "_KEPT", 5)
    assert Objective(made, samples, 10).full() == one
    for each, other in zip(kept.parameters(), made.parameters(), strict=True):
        assert torch.equal(each.grad, other.grad)


def test_gradients_are_added_and_left_alone_where_none_are_asked_for():
    samples, network = samples_of(), built()
    goal = Objective(network, samples, 8)
    loss = goal.full(gradients=False)
    assert all(each.grad is None for each in network.parameters())
    assert goal.full() == pytest.approx(loss, rel=1e-6)
    once = [each.grad.clone() for each in network.parameters()]
    goal.full()
    for each, first in zip(network.parameters(), once, strict=True):
        torch.testing.assert_close(each.grad, 2 * first)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_random_batch_is_the_samples_that_the_generator_names(weighted):
    weights = torch.rand(37, generator=torch.Generator().manual_seed(5)) if weighted else None
    samples, network = samples_of(weights=weights), built()
    loss = Objective(network, samples, 9).random(23, torch.Generator().manual_seed(4))
    batch = samples.random(23, torch.Generator().manual_seed(4))
    other = built().double()
    errors = (other(batch.x.double()) - batch.y.double()).square().mean(1)
    # every sample is drawn alike often and counts by its weight; the mean over all is 1
    weight = torch.ones(23)
    if batch.weight is not None:
        weight = batch.weight.flatten() / weights.mean()
    expected = (errors * weight.double()).mean()
    expected.backward()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)
    close(
        [each.grad for each in network.parameters()],
        [each.grad for each in other.parameters()],
    )


def test_random_batches_are_right_on_average():
    signal = sphere()
    network = built(outputs=1, inputs=3)
    goal = Objective(network, signal.train, 64)
    whole = goal.full(gradients=False)
    rng = torch.Generator().manual_seed(0)
    losses = torch.tensor([goal.random(50, rng) for _ in range(100)])
    assert losses.mean().item() == pytest.approx(whole, abs=4 * losses.std().item() / 10)


@pytest.mark.parametrize("weighted", [False, True])
def test_variance_is_the_error_of_the_best_constant(weighted):
    weights = torch.rand(37, generator=torch.Generator().manual_seed(5)) if weighted else None
    samples = samples_of(weights=weights)
    weight = torch.ones(37) if weights is None else weights
    y, weight = samples.all().y.double(), weight.double()[:, None]
    mean = (weight * y).sum(0) / weight.sum()
    expected = float((weight * (y - mean).square()).sum() / weight.sum() / 3)
    assert Objective(built(), samples, 10).variance() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.77])
def test_a_constant_signal_has_no_variance_at_all(value):
    samples = Samples(Scattered(torch.rand(37, 2)), torch.full((37, 1), value), Span(0.0, 1.0))
    assert Objective(built(1), samples, 10).variance() == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_16_bits_are_near_32(name):
    signal = image()
    full, half = (NETWORKS[name].build(2, 1, seed=0) for _ in range(2))
    exact = Objective(full, signal.train, 50).full()
    mixed = Objective(half, signal.train, 50, "bfloat16").full()
    assert mixed == pytest.approx(exact, rel=0.05)
    one, other = (
        torch.cat([each.grad.flatten() for each in network.parameters()]).double()
        for network in (full, half)
    )
    assert all(each.grad.dtype == torch.float32 for each in half.parameters())
    assert float(one @ other / one.norm() / other.norm()) > 0.99


def test_16_bits_are_used():
    signal = image()
    losses = [
        Objective(built(1), signal.train, 50, precision).full()
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] != losses[1]


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_steps_are_the_plain_ones():
    small = fields.Sine(width=4, depth=2, alpha=1.5)
    samples, plain, compiled = samples_of(), built(network=small), built(network=small)
    loss = Objective(plain, samples, 16).full()
    goal = Objective(compiled, samples, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        goal.compile()
        assert all(each.grad is None for each in compiled.parameters())
        assert goal.full() == pytest.approx(loss, rel=1e-5)
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)
