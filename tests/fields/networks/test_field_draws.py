"""The published bounds and deviations of every family's draws."""

import math
from dataclasses import replace

import pytest
import torch
from network_cases import Known

from firstlight import theory
from firstlight.errors import OptionError
from firstlight.fields.networks.families import find_network
from firstlight.fields.networks.finer import Finer
from firstlight.fields.networks.fourier_features import FourierFeatures
from firstlight.fields.networks.gauss import Gauss
from firstlight.fields.networks.hash_grid import HashGrid
from firstlight.fields.networks.multiplicative_filter import MultiplicativeFilter
from firstlight.fields.networks.sinc import Sinc
from firstlight.fields.networks.sine import _STARTS, KNOWN, Sine
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.fields.networks.tuner import Tuner
from firstlight.fields.networks.wire import Wire

WIDE = {"width": 300, "depth": 4}


def uniform(values, bound):
    """Whether values are U(-bound, bound): their ends, their variance and their fourth moment."""
    values = values.detach().double().flatten()
    slack = 6 / math.sqrt(len(values))
    assert values.abs().max().item() <= bound * (1 + 1e-6)
    assert values.abs().max().item() >= bound * (1 - 20 / len(values))
    assert values.mean().item() == pytest.approx(0, abs=bound * slack)
    assert values.var().item() == pytest.approx(bound**2 / 3, rel=slack)
    assert (values**4).mean().item() == pytest.approx(bound**4 / 5, rel=2 * slack)


def normal(values, std):
    values = values.detach().double().flatten()
    slack = 6 / math.sqrt(len(values))
    assert values.mean().item() == pytest.approx(0, abs=std * slack)
    assert values.std().item() == pytest.approx(std, rel=slack)
    assert (values**4).mean().item() == pytest.approx(3 * std**4, rel=4 * slack)


def test_siren():
    module = Sine(**WIDE, alpha=1.5, omega=20.0, omega_0=50.0).build(2, 40, seed=0)
    first, second, third, last = module.layers
    uniform(first.weight, 1.5 / 2)
    uniform(second.weight, 1.5 * math.sqrt(6 / 300) / 20)
    uniform(third.weight, 1.5 * math.sqrt(6 / 300) / 20)
    uniform(last.weight, math.sqrt(6 / 300) / 20)
    uniform(first.bias, 1 / math.sqrt(2))
    uniform(second.bias, 1 / math.sqrt(300))
    assert module.factors == [50.0, 20.0, 20.0]


def test_gradient_control():
    module = Sine(**WIDE, alpha=1.0, start="gradient_control").build(2, 40, seed=0)
    uniform(module.layers[0].weight, 1 / 2)
    for layer in module.layers[1:]:
        uniform(layer.weight, math.sqrt(3 / 300) / 30)
    assert all(layer.bias.abs().max() == 0 for layer in module.layers)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_winner_noise_is_scaled_with_the_weights(alpha):
    network = Sine(**WIDE, alpha=alpha, start="winner", noise=(60.0, 3.0))
    first, second, third, last = network.build(2, 40, seed=0).layers
    for layer, bound, noise in ((first, 1 / 2, 60 / 30), (second, math.sqrt(6 / 300) / 30, 3 / 30)):
        std = layer.weight.double().std().item()
        wanted = alpha * math.sqrt(bound**2 / 3 + noise**2)
        assert std == pytest.approx(wanted, rel=6 / math.sqrt(layer.weight.numel()))
    uniform(third.weight, alpha * math.sqrt(6 / 300) / 30)
    uniform(last.weight, math.sqrt(6 / 300) / 30)


def test_winner_takes_its_noise_from_the_signal():
    signal = Known()
    network = Sine(**WIDE, alpha=1.0, start="winner").resolved(signal)
    centroid = theory.spectral_centroid(signal.rows())
    assert network.noise == theory.winner_noise(centroid, "image", 1)
    assert network.resolved(Known(spacing=(1.0,))) == network


def test_nyquist_is_half_a_turn_for_each_sample():
    network = Sine(omega_0="nyquist", alpha=1.0).resolved(Known(spacing=(0.1, 0.05)))
    assert network.omega_0 == pytest.approx(math.pi / 0.05)
    assert network.build(2, 1).factors[0] == network.omega_0


def test_vi3nr_keeps_pre_activations():
    module = Sine(width=1000, depth=4, alpha=1.0, start="vi3nr").build(2, 1000, seed=0)
    sigma = theory.balanced_scale(lambda z: torch.sin(30 * z))
    x = torch.rand(64, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for layer in module.layers:
        z = layer(x)
        assert layer.bias.abs().max() == 0
        assert z.detach().std().item() == pytest.approx(sigma, rel=0.1)
        x = torch.sin(30 * z)


def test_xavier_uniform():
    module = Sine(**WIDE, alpha=3.0, start="xavier_uniform").build(2, 40, seed=0)
    uniform(module.layers[0].weight, 3 * math.sqrt(6 / 302))
    uniform(module.layers[1].weight, 3 * math.sqrt(6 / 600))
    uniform(module.layers[3].weight, math.sqrt(6 / 340))
    assert all(layer.bias.abs().max() == 0 for layer in module.layers)


@pytest.mark.parametrize("family", [Gauss, Sinc])
def test_torch_defaults(family):
    module = family(**WIDE).build(2, 40, seed=0)
    for layer in module.layers:
        bound = 1 / math.sqrt(layer.in_features)
        uniform(layer.weight, bound)
        uniform(layer.bias, bound)


def test_wire_draws_each_part_as_torch_does():
    module = Wire(**WIDE).build(2, 40, seed=0)
    hidden = int(300 / math.sqrt(2))
    assert module.first.weight.shape == (hidden, 2)
    uniform(module.first.weight, 1 / math.sqrt(2))
    uniform(module.first.bias, 1 / math.sqrt(2))
    for layer in module.layers:
        for part in (0, 1):
            uniform(layer.weight[..., part], 1 / math.sqrt(hidden))
            uniform(layer.bias[..., part], 1 / math.sqrt(hidden))
        assert not torch.equal(layer.weight[..., 0], layer.weight[..., 1])


def test_wire_of_width_1_has_a_neuron():
    assert Wire(width=1, depth=2).build(1, 1)(torch.zeros(3, 1)).shape == (3, 1)


def test_finer():
    module = Finer(**WIDE, k=7.0).build(2, 40, seed=0)
    uniform(module.layers[0].weight, 1 / 2)
    uniform(module.layers[1].weight, math.sqrt(6 / 300) / 30)
    uniform(module.layers[0].bias, 7)
    uniform(module.layers[1].bias, 1 / math.sqrt(300))
    uniform(Finer(**WIDE).build(2, 1).layers[0].bias, 1 / math.sqrt(2))


def test_fourier_features():
    module = FourierFeatures(**WIDE, features=2000, sigma=7.0).build(3, 40, seed=0)
    normal(module.frequencies, 7.0)
    assert not any(name == "frequencies" for name, _ in module.named_parameters())
    for layer in module.stack.layers:
        fan = (layer.in_features + layer.out_features) / 2
        normal(layer.weight, 1 / math.sqrt(fan))
        normal(layer.bias, 0.01)


def test_frequencies_have_no_alpha():
    one, two = (FourierFeatures(alpha=alpha).build(2, 1).frequencies for alpha in (1.0, 3.0))
    assert torch.equal(one, two)


def test_fourier_filters():
    network = MultiplicativeFilter(**WIDE, input_scale=90.0, weight_scale=3.0)
    module = network.build(2, 40, seed=0)
    assert len(module.filters) == 3
    for each in module.filters:
        uniform(each.wave.weight, 90 / math.sqrt(3) / math.sqrt(2))
        uniform(each.wave.bias, math.pi)
    for layer in module.layers:
        uniform(layer.weight, math.sqrt(3 / 300))
        uniform(layer.bias, 1 / math.sqrt(300))
    uniform(module.last.weight, 1 / math.sqrt(300))
    uniform(module.last.bias, 1 / math.sqrt(300))


def test_hash_grid():
    module = HashGrid(finest=64, levels=4, width=200).build(2, 40, seed=0)
    uniform(module.encoding.table, 1e-4)
    for layer in module.stack.layers:
        uniform(layer.weight, math.sqrt(6 / (layer.in_features + layer.out_features)))
        assert layer.bias is None


def test_tuner_hidden_draws():
    module = Tuner(**WIDE, band=60, bounds=(9.0, 9.0, 9.0)).build(2, 40, seed=0)
    for layer in module.layers:
        uniform(layer.weight, math.sqrt(6 / 300) / 30)
    uniform(module.phases, math.pi / 2)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"start": "he"}, "start must be one of siren"),
        ({"alpha": "best"}, "alpha, where it is no number"),
        ({"omega_0": "shannon"}, "omega_0, where it is no number"),
        ({"noise": (1.0, 2.0)}, "winner's"),
        ({"start": "winner", "noise": (1.0,)}, "two numbers"),
        ({"start": "winner", "noise": (1.0, -2.0)}, "0 or more"),
        ({"width": 0}, "from 1 to"),
        ({"width": 10**9}, "from 1 to"),
        ({"depth": 1}, "from 2 to"),
        ({"alpha": (1.0, 2.0)}, "got 2"),
        ({"alpha": "most", "start": "winner"}, "alpha, where it is no number, must be one of auto"),
        ({"alpha": (1.0, 2.0, "x", 1.0)}, "finite"),
        ({"distribution": "cauchy"}, "distribution must be one of uniform, normal"),
    ],
)
def test_sine_options_are_checked(changed, match):
    with pytest.raises(OptionError, match=match):
        replace(Sine(), **changed)


PUBLISHED = ("gradient_control", "vi3nr", "winner", "xavier_uniform")


@pytest.mark.parametrize("start", PUBLISHED)
def test_only_siren_has_an_automatic_alpha_where_none_is_given(start):
    assert Sine().alpha == Sine(start="siren").alpha == "auto"
    network = Sine(start=start)
    assert network.alpha == 1.0
    for one in (Sine(), network, Sine(start=start, alpha=2.0)):
        assert find_network(one.as_dict()) == one
    assert find_network({"family": "sine", "start": start}) == network


@pytest.mark.parametrize("start", PUBLISHED)
def test_alpha_when_the_start_is_replaced(start):
    known = start in KNOWN
    assert replace(Sine(), start=start).alpha == ("auto" if known else 1.0)
    assert replace(Sine(alpha=1.5), start=start).alpha == 1.5
    assert replace(Sine(start=start), start="siren").alpha == 1.0
    assert Sine(start=start, alpha="auto").alpha == ("auto" if known else 1.0)


def test_alpha_is_chosen_for_the_starts_whose_kernel_is_known():
    scaled = {start: Sine(start=start, alpha=1.5) for start in _STARTS}
    with_kernel = {start for start, sine in scaled.items() if sine_kernel(sine, 2) is not None}
    chosen = {start for start in _STARTS if Sine(start=start, alpha="auto").alpha == "auto"}
    assert with_kernel == chosen == set(KNOWN)


def test_what_needs_a_signal_says_so():
    with pytest.raises(OptionError, match="nyquist"):
        Sine(alpha=1.0, omega_0="nyquist").build(2, 1)
    with pytest.raises(OptionError, match="noise needs a signal"):
        Sine(alpha=1.0, start="winner").build(2, 1)
    assert Sine(omega_0="nyquist").parameters(2, 1) == Sine().parameters(2, 1)
