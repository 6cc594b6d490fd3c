import math

import numpy as np
import pytest
import torch

from firstlight import initialize
from firstlight.errors import OptionError
from firstlight.studies import DeepNetwork, DepthStart
from firstlight.studies.depth_signal import measure_signal
from firstlight.theory import critical_gain, noise_scale

BATCH = torch.randn(64, 12, generator=torch.Generator().manual_seed(0))


def measured(module, batch=BATCH):
    return measure_signal([module], [0], batch)[0]


def looped(module, batch):
    """Spread and gradients by layer, by hooks on the module itself."""
    module = module.double()
    outputs = []
    h = batch.double()
    for layer in module.layers:
        h = torch.tanh(layer(h))
        h.retain_grad()
        outputs.append(h)
    direction = np.random.default_rng(0).standard_normal(h.shape)
    (h * torch.from_numpy(direction)).sum().backward()
    spread = [float(h.detach().std(correction=0)) for h in outputs]
    return spread, [float(h.grad.norm()) for h in outputs]


def test_signals_are_those_of_a_loop_over_layers():
    module = DepthStart("glorot_normal").fill(DeepNetwork(12, 3, (9, 5), 12), 0, BATCH)
    found = measured(module)
    spread, gradient = looped(module, BATCH)
    assert found.layers == tuple(range(1, 13))
    assert found.spread == pytest.approx(spread, rel=1e-9)
    assert found.gradient_ratio == pytest.approx(gradient[0] / gradient[-1], rel=1e-9)
    assert found.chi == pytest.approx(found.gradient_ratio ** (2 / 11))


def test_what_every_sample_shares_tells_none_apart():
    module = DepthStart("glorot_normal").fill(DeepNetwork(12, 3, (9,), 4), 0, BATCH)
    found = measured(module, BATCH[:1].expand(8, 12))
    assert max(found.apart) < 1e-12 < min(found.spread)


@pytest.mark.parametrize("activation", ["tanh", "softsign", "erf", "tanh:scale=2"])
@pytest.mark.parametrize("scheme", ["diagonal_plus_noise", "edge_of_chaos"])
def test_chi_of_mean_field_theory_is_met_by_wide_networks(scheme, activation):
    network = DeepNetwork(12, 3, (200,), 12, activation)
    start = DepthStart(scheme)
    batch = torch.randn(64, 12, generator=torch.Generator().manual_seed(2))
    modules = [start.fill(network, seed, batch) for seed in range(2)]
    for found in measure_signal(modules, [0, 1], batch):
        assert found.chi == pytest.approx(found.chi_mean_field, rel=0.06)


def test_diagonal_plus_noise_lives_where_narrow_gaussian_weights_die():
    network = DeepNetwork(16, 4, (16,), 120)
    batch = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
    ours, gaussian = (
        measured(DepthStart(name).fill(network, 0, batch), batch)
        for name in ("diagonal_plus_noise", "edge_of_chaos")
    )
    assert ours.spread_ratio > 0.03
    assert 0.03 < ours.gradient_ratio < 3
    assert gaussian.spread_ratio < 0.02
    assert len(ours.layers) <= 40
    assert (ours.layers[0], ours.layers[-1]) == (1, 120)


def test_structures_have_no_mean_field_prediction():
    for name in ("batch_norm", "layer_norm", "residual"):
        start = DepthStart(name)
        network = DeepNetwork(12, 3, (8,), 6, structure=start.structure)
        assert measured(start.fill(network, 0, BATCH)).chi_mean_field is None


def test_one_layer_has_no_chi():
    found = measured(DeepNetwork(12, 3, (4,), 1).build())
    assert found.chi is None
    assert found.spread_ratio == found.gradient_ratio == 1


def test_a_spread_needs_samples():
    with pytest.raises(OptionError, match="two samples or more, got 1"):
        measured(DeepNetwork(12, 3, (4,), 2).build(), BATCH[:1])


def test_a_start_is_the_librarys():
    network = DeepNetwork(12, 3, (8,), 6)
    module, other = DepthStart("diagonal_plus_noise").fill(network, 3, BATCH), network.build()
    initialize(other, "diagonal_plus_noise", seed=3, activation="tanh")
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
    sigma = noise_scale(7, 1.0)  # six hidden layers and the output
    noise = torch.cat([(each.weight - torch.eye(8)).flatten() for each in module.layers[1:]])
    assert float(noise.detach().std()) * math.sqrt(8) == pytest.approx(sigma, rel=0.2)


@pytest.mark.parametrize("activation", ["tanh", "erf", "softsign:scale=3"])
def test_starts_that_are_off_by_a_factor(activation):
    network = DeepNetwork(12, 5, (8, 4), 4, activation)
    name = activation.partition(":")[0]
    omega = critical_gain(name) / (3 if "scale" in activation else 1)
    right = DepthStart("diagonal_plus_noise").fill(network, 0, BATCH)
    noisy = DepthStart("diagonal_plus_noise", noise=2.0).fill(network, 0, BATCH)
    wrong = DepthStart("diagonal_plus_noise", omega=1.1).fill(network, 0, BATCH)
    silent = DepthStart("diagonal_plus_noise", noise=0.0).fill(network, 0, BATCH)
    each = [(*one.layers, one.output) for one in (right, noisy, wrong, silent)]
    for layers in zip(*each, strict=True):
        weight, twice, larger, bare = (layer.weight.detach() for layer in layers)
        diagonal = torch.zeros_like(weight)
        for row in range(len(weight)):
            diagonal[row, row % weight.shape[1]] = omega
        assert torch.allclose(bare, diagonal, atol=1e-6)
        assert torch.allclose(twice, 2 * weight - diagonal, atol=1e-6)
        assert torch.allclose(larger, weight + 0.1 * diagonal, atol=1e-6)


def test_weights_are_scaled():
    network = DeepNetwork(12, 5, (8,), 4)
    one = DepthStart("edge_of_chaos").fill(network, 0, BATCH)
    half = DepthStart("edge_of_chaos", scale=0.5).fill(network, 0, BATCH)
    assert torch.equal(half.output.weight, 0.5 * one.output.weight)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("xavier",), "scheme must be one of batch_norm, layer_norm, residual, "),
        (("orthogonal:sigma=1",), "does not use the option"),
        (("orthogonal", 1.0, 0.5), "noise and omega are factors of diagonal_plus_noise"),
        (("diagonal_plus_noise", -1.0), "scale must be a number above 0"),
        (("diagonal_plus_noise", 1.0, math.nan), "noise must be a finite number"),
    ],
)
def test_what_is_no_start_is_one_line(given, said):
    with pytest.raises(OptionError, match=said) as error:
        DepthStart(*given)
    assert "\n" not in str(error.value)
