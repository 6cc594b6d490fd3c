"""Starts of sine networks: gradient control, WINNER, VI3NR, and SIREN with Gaussian draws."""

import math

import pytest
import torch
from scipy import stats

from firstlight import theory
from firstlight.errors import OptionError
from firstlight.init import Stream, gradient_control_, siren_, vi3nr_, winner_

SHAPE = (400, 256)


def drawn(fill, **options):
    return fill(torch.empty(SHAPE), generator=Stream(5), **options)


@pytest.mark.parametrize("fill", [siren_, gradient_control_])
@pytest.mark.parametrize("first", [True, False])
def test_normal_draws_have_the_variance_of_the_uniform_ones(fill, first):
    uniform, normal = (
        drawn(fill, first=first, alpha=1.5, distribution=d) for d in ("uniform", "normal")
    )
    assert float(normal.std()) == pytest.approx(float(uniform.std()), rel=0.01)
    bound = math.sqrt(3) * float(normal.std())
    assert stats.kstest(uniform.flatten(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3
    assert stats.kstest(normal.flatten(), stats.norm(0, normal.std()).cdf).pvalue > 1e-3


def test_gradient_control_is_siren_by_the_root_of_two():
    a, b = drawn(gradient_control_), drawn(siren_, alpha=1 / math.sqrt(2))
    assert torch.allclose(a, b, rtol=1e-6)
    assert torch.equal(drawn(gradient_control_, first=True), drawn(siren_, first=True))


@pytest.mark.parametrize("depth", [2, 6])
def test_gradients_of_gradient_control_hold_with_depth(depth):
    """Squared gradients by the pre-activations of the first hidden layer and of the last."""
    x = torch.randn(256, 512) * 0.05
    zs = []
    for layer in range(depth):
        w = gradient_control_(torch.empty(512, 512), omega=1.0, generator=Stream(layer))
        z = (torch.sin(zs[-1]) if zs else x) @ w.T
        z.requires_grad_() if not zs else z.retain_grad()
        zs.append(z)
    (zs[-1] * torch.randn(256, 512)).sum().backward()
    factor = (zs[0].grad.square().mean() / zs[-1].grad.square().mean()) ** (1 / (depth - 1))
    assert float(factor) == pytest.approx(1.0, abs=0.1)


def test_noise_is_added_to_siren_and_is_none_at_zero():
    plain, noisy = drawn(siren_, omega=10.0), drawn(winner_, omega=10.0, noise=4.0)
    assert torch.equal(drawn(winner_, omega=10.0, noise=0.0), plain)
    added = noisy - plain
    assert stats.kstest(added.flatten(), stats.norm(0, 0.4).cdf).pvalue > 1e-3
    assert abs(float(torch.corrcoef(torch.stack([added.flatten(), plain.flatten()]))[0, 1])) < 0.01


def test_negative_noise_is_refused():
    with pytest.raises(OptionError, match="noise must be 0 or more"):
        drawn(winner_, noise=-1.0)


@pytest.mark.parametrize(
    "activation", [torch.tanh, torch.sin, lambda x: torch.exp(-(x**2) / 2), "relu"]
)
def test_pre_activations_keep_their_size(activation):
    scale = 0.8
    f = torch.relu if activation == "relu" else activation
    z = torch.rand(2000, 512) * 2 - 1
    for layer in range(4):
        options = {"activation": activation, "scale": scale, "first": layer == 0}
        w = vi3nr_(torch.empty(512, 512), generator=Stream(layer), **options)
        z = (z if layer == 0 else f(z)) @ w.T
        assert float(z.square().mean().sqrt()) == pytest.approx(scale, rel=0.1)


def test_the_balanced_scale_is_where_gradients_hold():
    gauss = lambda x: torch.exp(-(x**2) / 2)  # noqa: E731
    scale = theory.balanced_scale(gauss)
    zs = [torch.randn(1000, 512) * scale]
    zs[0].requires_grad_()
    for layer in range(4):
        options = {"activation": gauss, "generator": Stream(layer)}
        zs.append(gauss(zs[-1]) @ vi3nr_(torch.empty(512, 512), **options).T)
        zs[-1].retain_grad()
    (zs[-1] * torch.randn(1000, 512)).sum().backward()
    factor = (zs[0].grad.square().mean() / zs[-1].grad.square().mean()) ** 0.25
    assert float(factor) == pytest.approx(1.0, abs=0.1)
