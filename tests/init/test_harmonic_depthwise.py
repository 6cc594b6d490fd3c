import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import firstlight
from firstlight.init import harmonic_, harmonic_depthwise_

shapes = {"m": st.integers(1, 60), "n": st.integers(3, 60), "layer": st.integers(0, 2**32 - 1)}


@given(**shapes)
def test_every_filter_passes_its_channels_mean(m, n, layer):
    w = harmonic_depthwise_(torch.empty(m, 1, n, dtype=torch.float64), layer=layer).flatten(1)
    signs = torch.tensor([1.0, -1.0]).repeat(m + 1)[layer % 2 :][:m].double()
    torch.testing.assert_close(w.sum(1), signs)
    torch.testing.assert_close(w.norm(dim=1), torch.ones(m, dtype=torch.float64))


@given(**shapes)
def test_without_its_mean_a_filter_is_a_harmonic_row(m, n, layer):
    w = harmonic_depthwise_(torch.empty(m, n, dtype=torch.float64), layer=layer)
    rows = harmonic_(torch.empty(m, n, dtype=torch.float64), layer=layer)
    torch.testing.assert_close(w - w.mean(1, keepdim=True), math.sqrt(1 - 1 / n) * rows)


def test_mode_and_gain_set_the_mean_square():
    w = harmonic_depthwise_(torch.empty(8, 1, 3, 3, dtype=torch.float64), gain=2.0, mode="fan_out")
    assert float(w.pow(2).mean()) == pytest.approx(4 / 72)


@pytest.mark.parametrize(
    "layer",
    [nn.Conv1d(8, 8, 5, groups=8), nn.Conv2d(8, 16, 3, groups=8), nn.Conv3d(8, 8, 3, groups=8)],
)
def test_initialize_does_not_make_depthwise_filters_high_pass(layer):
    firstlight.initialize(layer, "harmonic")
    sums = layer.weight.detach().flatten(1).sum(1).abs()
    torch.testing.assert_close(sums, torch.full_like(sums, math.sqrt(2)))


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3, groups=2)])
def test_other_convolutions_stay_zero_sum(layer):
    firstlight.initialize(layer, "harmonic")
    assert float(layer.weight.detach().flatten(1).sum(1).abs().max()) < 1e-6
