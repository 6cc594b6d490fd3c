import math

import numpy as np
import pytest
import torch
from torch import nn

from firstlight import fields
from firstlight.errors import OptionError
from firstlight.fields.analysis import closed_form, measured_kernel, sample_points
from firstlight.fields.networks.sine_kernel import sine_kernel


@pytest.fixture
def image():
    values = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return fields.load(values, every=2)


def slow_kernel(network, points):
    """J J^T, a gradient for each point."""
    rows = []
    for point in points:
        network.zero_grad()
        network(point[None]).sum().backward()
        rows.append(torch.cat([each.grad.flatten().double() for each in network.parameters()]))
    jacobian = torch.stack(rows)
    return jacobian @ jacobian.T


@pytest.mark.parametrize(
    "network",
    [
        fields.Sine(width=32, depth=4, alpha=1.5),
        fields.Gauss(width=32, depth=3),
        fields.Wire(width=32, depth=3),
    ],
)
def test_it_is_the_kernel_of_all_gradients(image, network):
    points = sample_points(image.train, 20)
    built = network.build(2, 1)
    expected = torch.linalg.eigvalsh(slow_kernel(built, points)).flip(0)
    found = measured_kernel(built, points)
    torch.testing.assert_close(
        torch.tensor(found.eigenvalues, dtype=torch.float64),
        expected / expected[0],
        rtol=1e-4,
        atol=1e-9,
    )
    assert found.condition == pytest.approx(float(expected[0] / expected[-1]), rel=1e-3)


def test_it_leaves_the_network_as_it_was(image):
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 3)
    built(torch.zeros(4, 2)).sum().backward()
    before = [(each.clone(), each.grad.clone()) for each in built.parameters()]
    measured_kernel(built, sample_points(image.train, 10))
    for each, (value, gradient) in zip(built.parameters(), before, strict=True):
        assert torch.equal(each, value)
        assert torch.equal(each.grad, gradient)


def test_a_collapsed_network_has_none(image):
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 1)
    nn.init.constant_(built.layers[0].weight, math.nan)
    assert measured_kernel(built, sample_points(image.train, 10)) is None


def test_points_that_coincide_make_it_singular():
    built = fields.Sine(width=16, depth=3, alpha=1.0).build(2, 1)
    assert measured_kernel(built, torch.zeros(2, 2)).condition == math.inf
    assert closed_form(fields.Sine(depth=3, alpha=1.0), torch.zeros(2, 2)).condition == math.inf


@pytest.mark.parametrize(("start", "distribution"), [("siren", "uniform"), ("siren", "normal")])
def test_the_closed_form_is_what_a_wide_network_has_where_layers_count_by_their_roots(
    image, start, distribution
):
    """The empirical kernel, layer by layer, summed as Adam does."""
    network = fields.Sine(width=256, depth=4, alpha=1.0, start=start, distribution=distribution)
    points = sample_points(image.train, 16)
    total = torch.zeros(16, 16, dtype=torch.float64)
    for seed in range(3):
        built = network.build(2, 1, seed)
        for layer in built.layers:
            for each in built.parameters():
                each.requires_grad_(any(each is own for own in layer.parameters()))
            kernel = slow_layer(built, points, list(layer.parameters()))
            count = sum(each.numel() for each in layer.parameters())
            trace = kernel.diagonal().mean()
            total += math.sqrt(count * trace) * kernel / trace
    values = torch.linalg.eigvalsh(total).flip(0)
    found = closed_form(network, points)
    assert found.eigenvalues[0] == 1.0
    assert list(found.eigenvalues[:8]) == pytest.approx((values / values[0])[:8].tolist(), rel=0.3)


def slow_layer(network, points, parameters):
    rows = []
    for point in points:
        gradients = torch.autograd.grad(network(point[None]).sum(), parameters)
        rows.append(torch.cat([each.flatten().double() for each in gradients]))
    jacobian = torch.stack(rows)
    return jacobian @ jacobian.T


def test_larger_alphas_are_better_conditioned(image):
    points = sample_points(image.train, 100)
    networks = [fields.Sine(width=128, depth=4, alpha=alpha) for alpha in (1.0, 1.5, 2.0)]
    for found in (
        [measured_kernel(each.build(2, 3), points).condition for each in networks],
        [closed_form(each, points).condition for each in networks],
    ):
        assert found[0] > found[1] > found[2] > 1


@pytest.mark.parametrize(
    "network",
    [
        fields.Gauss(),
        fields.Sine(alpha=(1.0, 1.0, 2.0, 1.0)),
        fields.Sine(alpha=1.0, start="xavier_uniform"),
    ],
)
def test_other_networks_have_no_closed_form(network):
    assert sine_kernel(network, 2) is None
    assert closed_form(network, torch.zeros(3, 2)) is None


def test_equal_alphas_of_all_layers_are_one():
    several = sine_kernel(fields.Sine(depth=3, alpha=(1.5, 1.5)), 2)
    assert several == sine_kernel(fields.Sine(depth=3, alpha=1.5), 2)


def test_points_are_training_samples_each_once(image):
    points = sample_points(image.train, 50, seed=3)
    known = {tuple(each) for each in image.train.all().x.tolist()}
    drawn = [tuple(each) for each in points.tolist()]
    assert len(set(drawn)) == 50
    assert set(drawn) <= known
    assert len(sample_points(image.train, 4096)) == len(image.train)
    assert torch.equal(points, sample_points(image.train, 50, seed=3))


@pytest.mark.parametrize("count", [1, 5000, True, 2.0, None])
def test_a_wrong_number_of_points_is_named(image, count):
    with pytest.raises(OptionError, match="points must be a whole number from 2 to 4096"):
        sample_points(image.train, count)
