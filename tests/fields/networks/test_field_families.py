"""What every family promises, for every distribution and number of coordinates."""

import copy
import json
import pickle
from contextlib import suppress
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import CASES, SMALL, weights

from firstlight.errors import OptionError
from firstlight.fields.networks.equal_size import sized_like
from firstlight.fields.networks.families import FAMILIES, find_network
from firstlight.fields.networks.hash_grid import HashGrid
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.tuner import Tuner
from firstlight.fields.networks.wire import Wire
from firstlight.fields.optimizer import weight_layers

every_case = pytest.mark.parametrize("name", CASES)
every_distribution = pytest.mark.parametrize("distribution", ["uniform", "normal"])
every_inputs = pytest.mark.parametrize("inputs", [1, 2, 3, 4])


def places(inputs, count=33):
    return torch.rand(count, inputs, generator=torch.Generator().manual_seed(1)) * 2 - 1


def states_equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_cases_hold_every_family():
    assert {case.family for case in CASES.values()} == set(FAMILIES)


@every_case
@pytest.mark.parametrize("depth", [2, 5])
def test_the_specification_knows_its_weight_layers(name, depth):
    network = replace(CASES[name], depth=depth)
    layers = weight_layers(network.build(2, 1))
    assert network.weight_layers() == len(layers)
    network.check_rates(None)
    network.check_rates((1.0,) * len(layers))
    for count in (0, len(layers) - 1, len(layers) + 1):
        with pytest.raises(OptionError, match=f"network's {len(layers)} layers, got {count}$"):
            network.check_rates((1.0,) * count)


@every_case
@every_distribution
@every_inputs
def test_shapes_and_gradients(name, distribution, inputs):
    network = replace(CASES[name], distribution=distribution)
    module = network.build(inputs, 3, seed=0)
    x = places(inputs).requires_grad_()
    y = module(x)
    assert y.shape == (33, 3)
    assert y.dtype == torch.float32
    assert y.isfinite().all()
    y.square().sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad.abs().max() > 0
    for key, parameter in module.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.isfinite().all(), key
    alive = [p.grad.abs().max() > 0 for p in module.parameters() if p.requires_grad and p.dim() > 1]
    assert all(alive)


@every_case
@every_distribution
def test_same_seed_same_bits_and_torch_generator_is_not_used(name, distribution):
    network = replace(CASES[name], distribution=distribution)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = network.build(2, 1, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(77)
    assert states_equal(one, network.build(2, 1, seed=3))
    other = network.build(2, 1, seed=4)
    drawn = [key for key, value in one.state_dict().items() if value.is_floating_point()]
    differ = [
        key for key in drawn if not torch.equal(one.state_dict()[key], other.state_dict()[key])
    ]
    found, _ = weights(network, one)
    assert set(found) <= set(differ)


@every_case
@every_distribution
@every_inputs
def test_alpha_multiplies_all_weights_but_the_last(name, distribution, inputs):
    network = replace(CASES[name], distribution=distribution)
    one = network.build(inputs, 2, seed=0)
    two = network.with_alpha(2.0).build(inputs, 2, seed=0)
    found, last = weights(network, one)
    layers = network.depth
    if network.family == "multiplicative_filter":
        layers += network.depth - 2  # a filter beside each linear layer
    assert len(found) == layers
    for key, value in one.state_dict().items():
        scale = 2 if key in found and key != last else 1
        if network.family == "tuner" and key == "bounds":
            scale = 2
        assert torch.equal(two.state_dict()[key], value * scale), key


@every_case
def test_alpha_of_each_layer(name):
    network = CASES[name]
    one = network.build(2, 1, seed=0)
    scaled = network.with_alpha((1.0, 4.0, 0.5)).build(2, 1, seed=0)
    found, last = weights(network, one)
    if network.family == "multiplicative_filter":
        expected = {f"filters.{k}.wave.weight": a for k, a in enumerate((1.0, 4.0, 0.5))}
        expected |= {"layers.0.weight": 4.0, "layers.1.weight": 0.5, last: 1.0}
    else:
        expected = dict(zip(found, (1.0, 4.0, 0.5, 1.0), strict=True))
    for key, value in found.items():
        assert torch.equal(scaled.state_dict()[key], value * expected[key]), key


@every_case
def test_normal_and_uniform_draws_have_the_same_variance(name):
    wide = replace(CASES[name], width=400, depth=3)
    if wide.family == "tuner":
        wide = replace(wide, band=100)
    modules = [
        replace(wide, distribution=distribution).build(2, 1, seed=0)
        for distribution in ("uniform", "normal")
    ]
    for key, value in weights(wide, modules[0])[0].items():
        other = modules[1].state_dict()[key]
        if value.numel() < 5000 or key == "frequencies":
            continue
        # a variance of m values is known to sqrt(2 / m)
        ratio = float(other.double().var() / value.double().var())
        assert ratio == pytest.approx(1, abs=6 * (2 * 2 / value.numel()) ** 0.5), key
        mean = float(other.double().mean() / other.double().std())
        assert abs(mean) < 5 / value.numel() ** 0.5
        fourth = float(((other / other.std()) ** 4).double().mean())
        assert fourth == pytest.approx(3, abs=0.35), key


@every_case
def test_state_goes_into_a_module_of_another_seed(name):
    network = CASES[name]
    one, other = network.build(2, 3, seed=0), network.build(2, 3, seed=9)
    x = places(2)
    assert not torch.equal(one(x), other(x))
    other.load_state_dict(one.state_dict(), strict=True)
    assert torch.equal(one(x), other(x))


@every_case
def test_modules_can_be_copied_and_pickled(name):
    module = CASES[name].build(2, 1, seed=0)
    x = places(2)
    assert torch.equal(copy.deepcopy(module)(x), module(x))
    assert torch.equal(pickle.loads(pickle.dumps(module))(x), module(x))


@every_case
def test_two_passes_before_one_backward(name):
    module = CASES[name].build(2, 1, seed=0)
    (module(places(2)).sum() + module(places(2, 7)).sum()).backward()
    assert all(p.grad.isfinite().all() for p in module.parameters() if p.requires_grad)


@every_case
def test_torch_func_sees_the_same_function(name):
    module = CASES[name].build(2, 1, seed=0)
    x = places(2)
    held = {key: value.detach().clone() for key, value in module.state_dict().items()}
    assert torch.allclose(torch.func.functional_call(module, held, (x,)), module(x), atol=1e-6)


@every_case
def test_second_derivatives_are_finite(name):
    module = CASES[name].build(2, 1, seed=0)
    x = places(2).requires_grad_()
    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    slope.square().sum().backward()
    trained = [p.grad for p in module.parameters() if p.requires_grad and p.grad is not None]
    assert len(trained) > 1
    assert all(grad.isfinite().all() for grad in trained)


@every_case
def test_mixed_precision_keeps_the_digits_of_the_first_phases(name):
    network = replace(CASES[name], depth=2)
    module, x = network.build(2, 1, seed=0), places(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module(x).float()
    exact = module(x)
    # phases of tens of turns would be lost in bfloat16's 8 digits
    assert ((mixed - exact).norm() / exact.norm()).item() < 0.03


@every_case
def test_parameters_are_counted_without_memory(name):
    network = CASES[name]
    for inputs, outputs in ((1, 1), (3, 2)):
        module = network.build(inputs, outputs)
        held = sum(p.numel() for p in module.parameters() if p.requires_grad)
        assert network.parameters(inputs, outputs) == held
    huge = replace(network, width=2**14, depth=200)
    assert huge.parameters(2, 1) > 2**30
    if network.family != "tuner":
        with pytest.raises(OptionError, match="2\\^30"):
            huge.build(2, 1)


@every_case
def test_description_goes_through_json(name):
    network = CASES[name].with_alpha((1.0, 1.5, 2.0))
    text = json.dumps(network.as_dict())
    assert find_network(json.loads(text)) == network
    assert find_network(network.as_dict()) == network
    assert hash(network) == hash(find_network(json.loads(text)))


@every_case
def test_defaults_are_described(name):
    family = type(CASES[name])
    assert find_network({"family": family.family}) == family()


@pytest.mark.parametrize(
    ("described", "match"),
    [
        (None, "mapping"),
        ([], "mapping"),
        ({}, "family must be one of sine"),
        ({"family": "Sine"}, "family must be one of sine"),
        ({"family": ["sine"]}, "family must be one of sine"),
        ({"family": "no\nsuch " * 50}, "family must be one of sine"),
        ({"family": "gauss", "omega": 3.0}, "gauss has width, .*; it has no 'omega'"),
        ({"family": "gauss", 3: 3.0}, "it has no 3"),
        ({"family": "gauss", "family ": 3.0}, "it has no"),
        ({"family": "gauss", "build": 3.0}, "it has no 'build'"),
    ],
)
def test_wrong_descriptions_say_what_is_wrong_in_one_line(described, match):
    with pytest.raises(OptionError, match=match) as caught:
        find_network(described)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


WRONG = (None, True, "x", [], {}, -1, 0, float("nan"), float("inf"), 10**400, [1] * 300, 1j)
#: Wrong values that are right for one field.
FINE = {
    ("omega_0", None),
    ("noise", None),
    ("k", None),
    ("finest", None),
    ("band", None),
    ("shape", None),
    ("rate", None),
    ("low_share", 0),
    ("through_period", True),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_field_refuses_what_it_cannot_be(family):
    for field in fields(FAMILIES[family]):
        for value in WRONG:
            if any(name == field.name and value is fine for name, fine in FINE):
                continue
            if (family, field.name, value) == ("sine", "alpha", None):  # the start's own
                continue
            with pytest.raises(OptionError) as caught:
                find_network({"family": family, field.name: value})
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_description_does_more_than_an_option_error(family, data):
    names = [field.name for field in fields(FAMILIES[family])]
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    )
    described = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    with suppress(OptionError):
        network = find_network({"family": family, **described})
        network.parameters(2, 1)
        assert find_network(network.as_dict()) == network


@pytest.mark.parametrize("name", ["siren", "hash_grid", "tuner"])
def test_numbers_of_a_signal_are_asked_for(name):
    asking = {
        "siren": Sine(**SMALL),
        "hash_grid": HashGrid(levels=4),
        "tuner": Tuner(**SMALL),
    }[name]
    with pytest.raises(OptionError, match="needs a signal"):
        asking.build(2, 1)


@every_case
@pytest.mark.parametrize(("inputs", "outputs"), [(0, 1), (5, 1), (2, 0), (True, 1), (2.0, 1)])
def test_sizes_are_checked(name, inputs, outputs):
    with pytest.raises(OptionError, match="must be a whole number"):
        CASES[name].build(inputs, outputs)
    with pytest.raises(OptionError, match="must be a whole number"):
        CASES[name].parameters(inputs, outputs)


#: Options of one start or filter alone, and the case that has it.
REFUSED = {
    ("sine", "noise"): "winner",
    ("multiplicative_filter", "shape"): "gabor_filter",
    ("multiplicative_filter", "rate"): "gabor_filter",
}


@every_case
def test_every_option_changes_the_network_or_its_function(name):
    """No option is ignored: another value gives other numbers."""
    others = {
        "width": 31,
        "depth": 5,
        "alpha": 1.25,
        "distribution": "normal" if CASES[name].distribution == "uniform" else "uniform",
        "omega": 11.0,
        "omega_0": 77.0,
        "noise": (9.0, 0.1),
        "sigma": 3.0,
        "k": 0.3,
        "through_period": None,
        "features": 5,
        "filter": "gabor" if name == "fourier_filter" else "fourier",
        "input_scale": 99.0,
        "weight_scale": 2.0,
        "shape": 3.0,
        "rate": 3.0,
        "levels": 3,
        "log2_table": 5,
        "base": 9,
        "finest": 99,
        "period": 3.0,
        "band": 60,
        "low_share": 0.2,
        "bounds": (0.01, 0.02, 0.03),
        "start": None,
    }
    network, x = CASES[name], places(2)
    y = network.build(2, 1, seed=0)(x)
    for field in fields(network):
        value = others[field.name]
        if value is None:
            continue
        if (network.family, field.name) in REFUSED and name not in REFUSED.values():
            with pytest.raises(OptionError, match="has no"):
                replace(network, **{field.name: value})
            continue
        other = replace(network, **{field.name: value})
        assert not torch.equal(other.build(2, 1, seed=0)(x), y), field.name


@every_case
@pytest.mark.parametrize("other", ["siren", "wire", "gabor_filter"])
def test_sized_like_finds_the_nearest_width(name, other):
    network, target = CASES[name], CASES[other].parameters(2, 1)
    sized = sized_like(network, CASES[other], 2, 1)
    network = network.with_room(target, 2, 1)
    assert replace(sized, width=network.width) == network
    gaps = [abs(replace(network, width=width).parameters(2, 1) - target) for width in range(1, 80)]
    assert abs(sized.parameters(2, 1) - target) == min(gaps)
    assert sized.width == gaps.index(min(gaps)) + 1


def test_sized_like_leaves_a_hash_grid_its_layers():
    grid, sine = HashGrid(finest=64), Sine(width=256, depth=5, alpha=1.0)
    sized = sized_like(grid, sine, 3, 1)
    target = sine.parameters(3, 1)
    assert sized.width >= grid.width
    assert sized.log2_table < grid.log2_table
    assert sized.parameters(3, 1) == pytest.approx(target, rel=0.01)
    wider = replace(sized, width=grid.width, log2_table=sized.log2_table + 1)
    assert wider.parameters(3, 1) > target


def test_sized_like_wire_is_within_a_percent():
    sine = Sine(width=256)
    sized = sized_like(Wire(), sine, 2, 3)
    ratio = sized.parameters(2, 3) / sine.parameters(2, 3)
    assert ratio == pytest.approx(1, abs=0.01)
