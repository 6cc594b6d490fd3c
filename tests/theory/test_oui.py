"""OUI against plain loops, and its expectation against sums and simulated layers."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import binom

from firstlight.errors import OptionError
from firstlight.theory import expected_oui, oui

signs = arrays(
    "float64",
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12),
    elements=st.sampled_from([-1.0, 0.0, 1.0]),
)


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


@given(st.floats(-1, 1), st.integers(1, 300))
def test_expectation_is_that_of_a_binomial(c, width):
    d = np.arange(width + 1)
    share = binom.pmf(d, width, math.acos(c) / math.pi)
    expected = float(share @ np.minimum(1, 2 * d / width))
    assert expected_oui(c, width) == pytest.approx(expected, abs=1e-12)


@given(st.floats(-1, 1))
def test_limit_of_wide_layers(c):
    assert expected_oui(c) == pytest.approx(min(1, 2 * math.acos(c) / math.pi))
    assert expected_oui(c, 10**8) == pytest.approx(expected_oui(c), abs=1e-4)


@pytest.mark.parametrize("width", [7, 100])
@pytest.mark.parametrize("c", [-0.5, 0.0, 0.2, 0.9])
def test_simulated_layers(c, width):
    generator = torch.Generator().manual_seed(width)
    x = torch.randn(2, 50, dtype=torch.float64, generator=generator)
    x = torch.linalg.qr(x.T).Q.T
    x[1] = c * x[0] + math.sqrt(1 - c * c) * x[1]
    weight = torch.randn(1000, width, 50, dtype=torch.float64, generator=generator)
    scores = torch.tensor([oui(z) for z in x @ weight.mT])
    error = 5 * float(scores.double().std()) / math.sqrt(1000)
    assert float(scores.double().mean()) == pytest.approx(expected_oui(c, width), abs=error + 1e-4)


def test_same_and_opposite_samples():
    assert [expected_oui(1.0, w) for w in (None, 1, 8)] == [0.0] * 3
    assert [expected_oui(-1.0, w) for w in (None, 1, 8)] == [1.0] * 3
    assert expected_oui(1.0000001) == 0.0  # a measured correlation


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 4), (4, 0)])
def test_bad_shape(shape):
    with pytest.raises(OptionError, match="samples, neurons"):
        oui(torch.zeros(shape))


def test_oui_needs_a_pair():
    with pytest.raises(OptionError, match="two or more"):
        oui(torch.zeros(1, 4))


@pytest.mark.parametrize(
    ("c", "width", "message"),
    [
        (1.1, None, "correlation"),
        (math.nan, 5, "correlation"),
        (0.5, 0, "width"),
        (0, 2.5, "width"),
    ],
)
def test_bad_expectation(c, width, message):
    with pytest.raises(OptionError, match=message):
        expected_oui(c, width)
