"""Panels end where a function has kinks, wherever those are."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.theory._panels import panels

places = st.floats(-3, 3)


@settings(max_examples=40)
@given(places, st.sampled_from([0.3, 1.0, 7.0]))
def test_kinks_and_steps_are_found(k, std):
    shapes = (lambda h: torch.relu(h - k * std), lambda h: (h > k * std).double())
    for f in shapes:
        edges, kinks = panels(f, std)
        assert np.abs(kinks - k).min() < 1e-10
        assert len(kinks) <= 2
        assert len(edges) < 60  # halvings until the kink is found to the bit


@pytest.mark.parametrize("std", [0.1, 1.0, 100.0])
def test_smooth_functions_have_none(std):
    for f in (torch.tanh, torch.sin, torch.nn.functional.gelu):
        edges, kinks = panels(f, std)
        assert len(kinks) == 0
        for low, high in itertools.pairwise(edges):
            z = np.linspace(low, high, 50)
            values = f(torch.from_numpy(std * z)).numpy()
            fit = np.polynomial.Chebyshev.fit(z, values, 15)(z)
            weight = math.exp(-0.25 * min(abs(low), abs(high), 12) ** 2)
            assert np.abs(fit - values).max() * (weight if low * high > 0 else 1) < 1e-9 * std


def test_mirrored_panels():
    edges, kinks = panels(lambda h: torch.relu(h - 0.37), 1.0, mirrored=True)
    np.testing.assert_allclose(np.sort(-edges), edges)
    np.testing.assert_allclose(kinks, [-0.37, 0.37], atol=1e-12)
