"""Skewed neurons and OUI against plain loops."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from firstlight.errors import OptionError
from firstlight.theory import oui, skewed_share

signs = arrays(
    "float64",
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12),
    elements=st.sampled_from([-1.0, 0.0, 1.0]),
)


@given(signs, st.sampled_from([0.01, 0.1, 0.3, 0.49]))
def test_skewed_share(values, alpha):
    skewed = 0
    for neuron in values.T:
        skewed += abs(sum(z > 0 for z in neuron) / len(neuron) - 0.5) > alpha
    assert skewed_share(torch.from_numpy(values), alpha) == pytest.approx(skewed / values.shape[1])


@given(signs)
def test_oui(values):
    scores = []
    for a, b in itertools.combinations(values > 0, 2):
        scores.append(min(1, 2 * sum(x != y for x, y in zip(a, b, strict=True)) / len(a)))
    assert oui(torch.from_numpy(values)) == pytest.approx(sum(scores) / len(scores), abs=1e-6)


def test_oui_of_many_samples():
    z = torch.randn(1500, 5, generator=torch.Generator().manual_seed(0))
    on = (z > 0).double()
    distance = torch.cdist(on, on, p=1)  # Hamming, between zeros and ones
    score = (2 * distance / 5).clamp(max=1).sum() / (1500 * 1499)
    assert oui(z) == pytest.approx(float(score))


def test_accepts_trained_half_precision_outputs():
    z = torch.randn(8, 4, dtype=torch.bfloat16, requires_grad=True)
    assert oui(z) == oui(z.detach().double())
    assert skewed_share(z, 0.1) == skewed_share(z.detach().double(), 0.1)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 4), (4, 0)])
def test_bad_shape(shape):
    for function in (oui, lambda z: skewed_share(z, 0.1)):
        with pytest.raises(OptionError, match="samples, neurons"):
            function(torch.zeros(shape))


def test_oui_needs_a_pair():
    with pytest.raises(OptionError, match="two or more"):
        oui(torch.zeros(1, 4))


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, float("nan")])
def test_bad_alpha(alpha):
    with pytest.raises(OptionError, match="alpha"):
        skewed_share(torch.zeros(2, 2), alpha)
