"""TUNER's frequencies are what is promised, and its weights stay in their bounds."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import Known

from firstlight.errors import OptionError
from firstlight.fields.networks.frequencies import chosen_frequencies, half_count
from firstlight.fields.networks.tuner import Tuner


@settings(max_examples=80, deadline=None)
@given(
    inputs=st.integers(1, 4),
    band=st.integers(1, 40),
    count=st.integers(1, 80),
    low_share=st.floats(0, 1),
    seed=st.integers(0, 5),
)
def test_frequencies(inputs, band, count, low_share, seed):
    low = band // 3
    if half_count(band, inputs) < count:
        with pytest.raises(OptionError, match="take a smaller width"):
            chosen_frequencies(count, inputs, band, low, low_share, seed)
        return
    chosen = chosen_frequencies(count, inputs, band, low, low_share, seed)
    assert chosen.shape == (count, inputs)
    assert torch.equal(chosen, chosen.round())
    assert chosen.abs().max() <= band
    rows = [tuple(map(int, row)) for row in chosen.tolist()]
    assert len({max(row, tuple(-k for k in row)) for row in rows}) == count
    assert (0,) * inputs not in rows
    axes = torch.eye(inputs, dtype=torch.float64)[:count]
    assert torch.equal(chosen[: len(axes)], axes)
    wanted = round(low_share * (count - len(axes)))
    available = half_count(low, inputs) - sum(max(row) <= low for row in axes.tolist())
    assert sum(max(map(abs, row)) <= low for row in rows[inputs:]) >= min(wanted, available)
    assert torch.equal(chosen, chosen_frequencies(count, inputs, band, low, low_share, seed))


def test_half_of_the_vectors_by_enumeration():
    for most, inputs in ((1, 1), (2, 2), (3, 3)):
        axis = torch.arange(-most, most + 1)
        every = {
            tuple(row) for row in torch.cartesian_prod(*[axis] * inputs).view(-1, inputs).tolist()
        }
        pairs = {max(row, tuple(-k for k in row)) for row in every} - {(0,) * inputs}
        assert half_count(most, inputs) == len(pairs)


def test_all_vectors_of_a_band_can_be_chosen():
    chosen = chosen_frequencies(half_count(3, 2), 2, 3, 1, 0.5, seed=0)
    assert len({tuple(row) for row in chosen.tolist()}) == 24


def test_high_frequencies_lie_on_a_coarse_grid_over_the_whole_band():
    chosen = chosen_frequencies(202, 2, 90, 30, 0.5, seed=0)[102:]
    step = math.gcd(*(int(k) for k in chosen.flatten()))
    assert step == 90 // 7  # 15 x 15 grid points, half of them, hold 100
    assert chosen.abs().max() > 75
    assert chosen.std().item() > 40


def test_band_is_the_lowest_nyquist_limit():
    assert Tuner().resolved(Known(spacing=(2 / 64, 2 / 64))).band == 32
    assert Tuner().resolved(Known(spacing=(2 / 64, 2 / 48))).band == 24
    assert Tuner(period=4.0).resolved(Known(spacing=(2 / 64, 2 / 64))).band == 64
    assert Tuner(band=7).resolved(Known()).band == 7
    assert Tuner().resolved(Known(spacing=(2.0,))).band == 1


def test_network_has_its_period():
    module = Tuner(width=40, depth=3, band=20, period=2.5).build(2, 1, seed=0)
    x = torch.rand(20, 2) - 0.5
    assert torch.allclose(module(x), module(x + torch.tensor([2.5, -2.5])), atol=2e-4)


def test_first_layer_is_not_trained_and_is_saved():
    module = Tuner(width=40, depth=3, band=20).build(2, 1, seed=0)
    assert "frequencies" in module.state_dict()
    assert "frequencies" not in dict(module.named_parameters())


def test_bounds_of_low_and_other_columns():
    network = Tuner(width=60, depth=5, band=30, bounds=(0.5, 0.2, 0.1), omega=20.0)
    module = network.build(2, 1, seed=0)
    frequencies = (module.frequencies / math.pi).abs().amax(1).round()
    first = torch.where(frequencies <= 10, 0.5 / 20, 0.2 / 20)
    assert torch.allclose(module.bounds[0], first)
    assert torch.allclose(module.bounds[1:], torch.full((2, 60), 0.1 / 20))
    assert {0.025, 0.01} == {round(b, 6) for b in first.tolist()}


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_weights_return_into_their_bounds_after_every_step(optimizer):
    network = Tuner(width=30, depth=4, band=30, bounds=(0.3, 0.2, 0.1))
    module = network.build(2, 1, seed=0)
    x = torch.rand(50, 2) * 2 - 1
    trainer = optimizer(module.parameters(), 0.05)
    for _ in range(5):
        loss = (module(x) - x[:, :1]).square().mean()
        for layer, bound in zip(module.layers, module.bounds, strict=False):
            assert (layer.weight.abs() <= bound).all()
        trainer.zero_grad()
        loss.backward()
        trainer.step()
    assert any(
        (layer.weight.abs() > bound).any()
        for layer, bound in zip(module.layers, module.bounds, strict=False)
    )
    last = module.layers[-1].weight.detach().clone()
    module.eval()
    before = [layer.weight.detach().clone() for layer in module.layers]
    y = module(x)
    assert all(
        torch.equal(old, layer.weight) for old, layer in zip(before, module.layers, strict=True)
    )
    module.cut()
    assert torch.equal(module(x), y)
    assert torch.equal(module.layers[-1].weight, last)


def test_gradient_at_a_bound_flows_both_ways():
    module = Tuner(width=10, depth=3, band=30, bounds=(0.001, 0.001, 0.001)).build(2, 1)
    module(torch.rand(20, 2)).square().sum().backward()
    grad = module.layers[0].weight.grad
    at_bound = module.layers[0].weight.abs() == module.bounds[0]
    assert at_bound.all() | (at_bound.float().mean() > 0.9)
    assert (grad != 0).float().mean() > 0.9


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"bounds": (1.0, 1.0)}, "three numbers"),
        ({"bounds": (1.0, 1.0, 0.0)}, "above 0"),
        ({"bounds": 1.0}, "three numbers"),
        ({"low_share": 1.5}, "from 0 to 1"),
        ({"band": 0}, "from 1"),
        ({"band": 2.5}, "whole number"),
        ({"period": 0.0}, "above 0"),
    ],
)
def test_options_are_checked(changed, match):
    with pytest.raises(OptionError, match=match):
        Tuner(**changed)


def test_too_few_frequencies_are_refused():
    with pytest.raises(OptionError, match="a band of 3 has 24 in 2 dimensions"):
        Tuner(width=25, band=3).build(2, 1)
