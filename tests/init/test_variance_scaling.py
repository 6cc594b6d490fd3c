"""The drawn distributions are those that were asked for."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from firstlight.init import variance_scaling_

DISTRIBUTIONS = {
    "normal": stats.norm(),
    "uniform": stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)),
    "truncated_normal": stats.truncnorm(-2, 2, scale=1 / stats.truncnorm(-2, 2).std()),
    "arcsine": stats.arcsine(-math.sqrt(2), 2 * math.sqrt(2)),
}


def draw(shape, **options):
    generator = torch.Generator().manual_seed(0)
    return variance_scaling_(torch.empty(shape), generator=generator, **options)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_distribution(distribution):
    expected = DISTRIBUTIONS[distribution]
    assert expected.var() == pytest.approx(1)
    weight = draw((300, 400), distribution=distribution).flatten() * math.sqrt(400)
    assert stats.kstest(weight.numpy(), expected.cdf).pvalue > 0.01
    low, high = expected.support()
    assert low - 1e-6 <= weight.min() <= weight.max() <= high + 1e-6


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(
    shape=st.sampled_from([(60, 90), (90, 60), (32, 16, 5, 5), (500, 1, 3)]),
    mode=st.sampled_from(["fan_in", "fan_out", "fan_avg"]),
    gain=st.floats(0.01, 100),
)
def test_variance(distribution, shape, mode, gain):
    receptive = math.prod(shape[2:])
    fans = {"fan_in": shape[1] * receptive, "fan_out": shape[0] * receptive}
    fans["fan_avg"] = sum(fans.values()) / 2
    weight = draw(shape, mode=mode, gain=gain, distribution=distribution).double()
    count = weight.numel()
    ratio = float((weight**2).mean()) * fans[mode] / gain**2
    assert ratio == pytest.approx(1, abs=5 * math.sqrt(2 / count))  # kurtosis is 3 or less
    assert abs(float(weight.mean())) < 5 * gain / math.sqrt(fans[mode] * count)


def test_gain_by_name():
    assert torch.allclose(draw((30, 20), gain="relu"), draw((30, 20), gain=math.sqrt(2)))
