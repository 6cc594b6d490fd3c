"""The loop of a fit, step by step."""

import math
from itertools import count, pairwise

import pytest
import torch
from small_fits import NETWORKS, SINE, image
from torch import nn

from firstlight.fields.objective import Objective
from firstlight.fields.optimizer import kept_shapes, make_optimizer, weight_layers
from firstlight.fields.specification import FitSpec
from firstlight.fields.training import Training


def training(batch=None, network=SINE, **options):
    signal = image()
    built = network.build(2, 1, seed=0)
    spec = FitSpec(**{"learning_rate": 3e-3, **options})
    return built, Training(built, Objective(built, signal.train, 64), spec, batch)


def clock():
    ticks = count()
    return lambda: float(next(ticks))


def run(loop, ticks=None):
    ticks = ticks or clock()
    steps = 0
    while loop.advance(ticks):
        steps += 1
    return steps


def test_a_step_is_adams_on_the_gradient_of_all_samples():
    built, loop = training(steps=5)
    run(loop)
    other = SINE.build(2, 1, seed=0)
    batch = image().train.all()
    plain = torch.optim.Adam(other.parameters(), lr=3e-3)
    for _ in range(5):
        plain.zero_grad()
        (other(batch.x) - batch.y).square().mean().backward()
        plain.step()
    for one, same in zip(built.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, same, rtol=1e-4, atol=1e-6)


def test_looks_of_batches_are_regular_and_at_both_ends():
    # 144 samples in batches of 20: a look every 15 steps
    _, loop = training(batch=20, steps=50)
    assert run(loop) == 50
    assert [each.step for each in loop.curve] == [0, 15, 30, 45, 50]


def test_looks_come_sooner_where_the_target_seems_near():
    # a look every 15 steps, or every 4 when the last batches have reached the target
    looks = []
    for target in (14.0, 15.0, 16.0, 17.0, 19.0):
        _, loop = training(batch=20, target_psnr=target, steps=4000)
        run(loop)
        assert loop.stopped == "target"
        looks += pairwise(each.step for each in loop.curve)
    assert min(after - before for before, after in looks) >= 3
    assert any(after % 15 for _, after in looks)


def test_the_batch_of_a_step_that_is_not_taken_is_not_drawn():
    _, loop = training(batch=20, steps=3)
    run(loop)
    drawn = torch.Generator().manual_seed(0)
    for _ in range(3):
        torch.randint(144, (20,), generator=drawn)
    assert torch.equal(loop.state()["generator"], drawn.get_state())


def test_the_best_weights_are_kept_whatever_comes_later():
    built, loop = training(steps=3)
    run(loop)
    best = [each.clone() for each in built.parameters()]
    assert loop.best.step == 3
    with torch.no_grad():
        for each in built.parameters():
            each.fill_(math.nan)
    loop.restore_best()
    assert all(torch.equal(one, two) for one, two in zip(best, built.parameters(), strict=True))


def test_the_state_is_what_a_new_one_goes_on_from():
    _, first = training(batch=30, steps=20)
    ticks = clock()
    for _ in range(9):
        first.advance(ticks)
    state = {name: each.detach().clone() for name, each in first.state().items()}
    progress = first.progress(12.5)
    _, second = training(batch=30, steps=20)
    assert second.load_state(state, progress) == 12.5
    assert (second.step, second.best, second.curve) == (first.step, first.best, first.curve)
    run(first, ticks)
    run(second, ticks)
    ends = first.state(), second.state()
    assert ends[0].keys() == ends[1].keys()
    for name in ends[0]:
        assert torch.equal(ends[0][name], ends[1][name]), name


def test_time_that_is_left():
    _, loop = training(steps=10)
    assert loop.moment(0.0).left is None
    ticks = clock()
    for _ in range(4):
        loop.advance(ticks)
    first, last = loop.curve[0], loop.curve[-1]
    pace = (last.seconds - first.seconds) / 3
    assert loop.moment(ticks()).left == pytest.approx(6 * pace)
    _, loop = training(seconds=30.0)
    assert loop.moment(8.0).left == 22.0
    assert loop.moment(99.0).left == 0
    _, loop = training(target_psnr=30.0)
    ticks = clock()
    for _ in range(12):
        loop.advance(ticks)
    assert 0 < loop.moment(12.0).left < math.inf


def test_seconds_before_the_first_step_do_not_count():
    _, loop = training(seconds=4.0)
    loop.uncounted = 100.0
    assert loop.moment(101.0).left == 3.0
    ticks = count(100)
    run(loop, lambda: float(next(ticks)))
    assert loop.stopped == "seconds"
    assert loop.curve[0].seconds == 100.0  # the curve counts them
    assert 1 <= loop.step <= 4


def test_the_time_that_is_left_knows_nothing_of_a_gap():
    _, first = training(steps=100)
    ticks = clock()
    for _ in range(5):
        first.advance(ticks)
    _, second = training(steps=100)
    second.load_state(first.state(), first.progress(10.0))
    ticks = count(5000)
    second.advance(lambda: float(next(ticks)))
    assert second.moment(5000.0).left is None  # one point says nothing of a pace
    second.advance(lambda: float(next(ticks)))
    pace = second.curve[-1].seconds - second.curve[-2].seconds
    assert second.moment(5000.0).left == pytest.approx((100 - second.step) * pace)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_trained_weight_has_a_rate(name):
    network = NETWORKS[name].build(2, 1)
    layers = weight_layers(network)
    listed = [each for layer in layers for each in layer]
    assert [id(each) for each in listed] == [
        id(each) for each in network.parameters() if each.requires_grad
    ]
    spec = FitSpec(layer_rates=[1.0 + number for number in range(len(layers))])
    rates = [group["lr"] for group in make_optimizer(network, spec).param_groups]
    assert rates == pytest.approx([1e-4 * (1 + number) for number in range(len(layers))])


def test_frozen_weights_have_no_rate():
    network = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1))
    network[0].weight.requires_grad_(False)
    network[0].bias.requires_grad_(False)
    assert len(weight_layers(network)) == 1


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_what_an_optimizer_keeps(name):
    network = SINE.build(2, 1)
    optimizer = make_optimizer(network, FitSpec(optimizer=name))
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    kept = {
        f"{number}.{key}": (each.shape, each.dtype)
        for number, state in optimizer.state_dict()["state"].items()
        for key, each in state.items()
    }
    assert kept == kept_shapes(name, dict(enumerate(network.parameters())))
