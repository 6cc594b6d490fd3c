"""Fixed points, phases and depth scales against plain iteration and simulated deep networks."""

import math

import numpy as np
import pytest
import torch

from firstlight.errors import OptionError
from firstlight.theory import MeanField, edge_of_chaos
from firstlight.theory.activations import elementwise

FIELDS = [
    MeanField("tanh", 1.2, 0.05),
    MeanField("tanh", 4.0, 0.05),
    MeanField("tanh", 4.0),
    MeanField("relu", 1.5, 0.3),
    MeanField("relu", 2.5, 0.3, zero_sum=True),
    MeanField("gelu", 1.2, 0.5),
    MeanField("sin", 3.0, 0.1),
    MeanField("sigmoid", 80.0, 0.2, zero_sum=True),
    MeanField(lambda h: torch.relu(h - 0.37) - 0.2, 1.0, 0.3),
]


@pytest.mark.parametrize("field", FIELDS)
def test_fixed_points_are_where_iteration_ends(field):
    q = 1.0
    for _ in range(120):
        q = field.variance(q)
    assert field.fixed_point() == pytest.approx(q, rel=1e-7)
    assert field.fixed_point(start=30.0) == pytest.approx(q, rel=1e-7)
    c = 0.3
    for _ in range(130):
        c = field.correlation(c, q)
    assert field.correlation_fixed_point() == pytest.approx(c, abs=1e-5)


@pytest.mark.parametrize("field", FIELDS)
def test_depth_scales_are_the_rates_of_approach(field):
    q = field.fixed_point()
    gaps = [field.variance(q * (1 + side * 1e-3)) - q for side in (1, -1)]
    shrunk = abs(gaps[0] - gaps[1]) / (2e-3 * q)
    assert field.variance_depth_scale() == pytest.approx(-1 / math.log(shrunk), rel=1e-4)
    c = field.correlation_fixed_point()
    step = -1e-5
    shrunk = (field.correlation(c + step, q) - field.correlation(c, q)) / step
    assert field.correlation_depth_scale() == pytest.approx(-1 / math.log(shrunk), rel=0.02)


@pytest.mark.parametrize(
    ("field", "q", "c", "phase"),
    [
        (MeanField("tanh", 0.9), 0.0, 1.0, "ordered"),
        (MeanField("tanh", 1.0), 0.0, 1.0, "critical"),
        (MeanField("tanh", 1.2), None, 0.0, "chaotic"),
        (MeanField("softsign", 1.0), 0.0, 1.0, "critical"),
        (MeanField("relu", 2.0), 1.0, 1.0, "critical"),
        (MeanField("relu", 2.0, 0.1), math.inf, 1.0, "critical"),
        (MeanField("relu", 2.5), math.inf, 1.0, "chaotic"),
        (MeanField("relu", 1.9), 0.0, 1.0, "ordered"),
        (MeanField("relu", 2 / (1 - 1 / math.pi), zero_sum=True), 1.0, 0.0, "chaotic"),
        (MeanField("linear", 0.5, 1.5), 3.0, 1.0, "ordered"),
        (MeanField("linear", 1.0), 1.0, 1.0, "critical"),
        (MeanField("sigmoid", 3.0, zero_sum=True), 0.0, 1.0, "ordered"),
    ],
)
def test_phases(field, q, c, phase):
    assert field.phase() == phase
    assert field.correlation_fixed_point() == pytest.approx(c, abs=1e-9)
    if q is not None:
        assert field.fixed_point() == pytest.approx(q, rel=1e-9)
    if phase == "critical":
        assert field.correlation_depth_scale() == math.inf


@pytest.mark.parametrize("bias_variance", [0.01, 0.5])
@pytest.mark.parametrize("zero_sum", [False, True])
@pytest.mark.parametrize("name", ["tanh", "sin"])
def test_the_edge_of_chaos_is_critical(name, bias_variance, zero_sum):
    weight_variance = edge_of_chaos(name, bias_variance, zero_sum=zero_sum)
    assert MeanField(name, weight_variance, bias_variance, zero_sum).phase() == "critical"
    for factor, phase in ((0.99, "ordered"), (1.01, "chaotic")):
        field = MeanField(name, weight_variance * factor, bias_variance, zero_sum)
        assert field.phase() == phase


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-8])
def test_just_above_criticality(excess):
    # tanh: V(q) = sigma_w^2 (q - 2 q^2 + 17/3 q^3 ...), so q* = e / 2 (1 + O(e))
    q = MeanField("tanh", 1 + excess).fixed_point()
    assert q == pytest.approx(excess / 2, rel=2 * excess + 1e-6)


def test_sine_and_erf_in_closed_form():
    field = MeanField("sin", 2.5, 0.2)
    q = field.fixed_point()
    assert q == pytest.approx(2.5 * (1 - math.exp(-2 * q)) / 2 + 0.2, rel=1e-12)
    assert field.variance_depth_scale() == pytest.approx(-1 / math.log(2.5 * math.exp(-2 * q)))
    assert field.gradient_factor(7) == pytest.approx((2.5 * (1 + math.exp(-2 * q)) / 2) ** 7)
    c = field.correlation_fixed_point()
    assert c * q == pytest.approx(2.5 * math.exp(-q) * math.sinh(q * c) + 0.2, rel=1e-9)


def deep_networks(field, depth, width=400, seed=0):
    """Variances, correlations and squared input gradients of a random network, layer by layer."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    f = elementwise(field.activation)
    h = normal(2, width).requires_grad_()
    z, variances, correlations = h, [], []
    for _ in range(depth):
        weight = normal(width, width)
        if field.zero_sum:
            weight -= weight.mean(1, keepdim=True)
        bias = normal(width) * math.sqrt(field.bias_variance)
        z = f(z) @ weight.T * math.sqrt(field.weight_variance / width) + bias
        power = z.detach().square().mean(1)
        variances.append(float(power.mean()))
        correlations.append(float((z[0] * z[1]).detach().mean() / power.prod().sqrt()))
    (gradient,) = torch.autograd.grad((z * normal(2, width)).sum(), h)
    return variances, correlations, float(gradient.square().mean())


@pytest.mark.parametrize(
    "field", [FIELDS[0], FIELDS[3], MeanField("gelu", 1.9, 0.1, zero_sum=True), FIELDS[6]]
)
def test_simulated_deep_networks(field):
    runs = [deep_networks(field, depth=8, seed=seed) for seed in range(12)]
    variances, correlations, gradients = (np.mean(part, 0) for part in zip(*runs, strict=True))
    q = field.variances(1.0, 8)
    assert len(q) == 9
    np.testing.assert_allclose(variances, q[1:], rtol=0.1)
    c, growth = 0.0, 1.0
    for layer in range(8):
        c, growth = field.correlation(c, q[layer]), growth * field.chi(q[layer])
        assert correlations[layer] == pytest.approx(c, abs=0.04)
    assert gradients == pytest.approx(growth, rel=0.15)


@pytest.mark.parametrize("field", [MeanField("relu", 1.9), MeanField("relu", 2.5)])
def test_correlations_where_the_variance_has_no_fixed_point(field):
    # dying out or growing without bound, ReLU's correlations move as at criticality
    assert field.correlation_fixed_point() == 1.0
    assert field.correlation_depth_scale() == math.inf


def test_long_runs():
    field = MeanField("relu", 4.0)
    assert field.variances(1.0, 200)[-1] == math.inf
    assert field.variances(1.0, 50)[-1] == pytest.approx(2.0**50)
    assert MeanField("tanh", 0.5).variances(1.0, 2000)[-1] == pytest.approx(0.0, abs=1e-300)
    assert field.variances(2.0, 0) == [2.0]
    assert field.gradient_factor(0) == 1.0
    assert field.gradient_factor(10**6) == math.inf


def test_fields_are_values():
    assert MeanField("tanh", 1.5) == MeanField("tanh", 1.5, 0.0, False)
    assert len({MeanField("tanh", 1.5), MeanField("tanh", 1.5)}) == 1
    with pytest.raises(AttributeError):
        MeanField("tanh", 1.5).weight_variance = 2.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.fixed_point(0.0), "start"),
        (lambda m: m.gradient_factor(-1), "depth"),
        (lambda m: m.gradient_factor(1.5), "depth"),
        (lambda m: m.variances(-1.0, 3), "q0"),
        (lambda m: m.variances(1.0, -3), "depth"),
    ],
)
def test_errors(call, message):
    with pytest.raises(OptionError, match=message):
        call(MeanField("tanh", 1.0))
