"""Panels end where a function has kinks, wherever those are."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firstlight.theory._panels import panels
from firstlight.theory.expectation import KINKS

places = st.floats(-3, 3)


@settings(max_examples=40)
@given(places, st.sampled_from([0.3, 1.0, 7.0]))
@example(2.736194833711391, 0.3)  # between two nodes, where halving loses sight of it early
def test_kinks_and_steps_are_found(k, std):
    # a bend next to a kink that is named is taken for that one: no integral tells them apart
    taken = any(abs(named / std - k) < 1e-9 for named in KINKS)
    shapes = (lambda h: torch.relu(h - k * std), lambda h: (h > k * std).double())
    for f in shapes:
        edges, kinks = panels(f, std)
        assert np.abs(kinks - k).min() < (1e-9 if taken else 1e-12)
        assert len(kinks) <= 2
        assert len(edges) < 30


@pytest.mark.parametrize("k", [2.736194833711391, -1.2345, 0.5 * math.e])
@pytest.mark.parametrize("std", [0.3, 1.0, 7.0])
def test_sides_that_meet_place_a_kink_to_rounding(k, std):
    def bend(h):
        return torch.where(h > k * std, torch.sin(h - k * std), 0.3 * (h - k * std)) + 2.0

    kinks = panels(bend, std)[1]
    assert np.abs(kinks - k).min() < 1e-13


@pytest.mark.parametrize("std", [0.3, 1.0, 7.0])
def test_only_the_kink_and_the_first_edges_are_needed_for_straight_pieces(std):
    for k in np.random.default_rng(0).uniform(-3, 3, 15):
        edges, kinks = panels(lambda h, k=k: torch.relu(h - k * std), std)
        assert len(kinks) == 1
        assert len(edges) == 7


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


@pytest.mark.parametrize("std", [0.3, 1.0, 7.0])
def test_named_steps_are_neither_missed_nor_found_twice(std):
    for named in KINKS:
        if abs(named) < 3 * std:
            for f in (lambda h, k=named: (h > k).double(), lambda h, k=named: (h >= k).double()):
                edges, kinks = panels(f, std)
                np.testing.assert_array_equal(kinks, [named / std])
                assert len(edges) == 7


def test_mirrored_panels():
    edges, kinks = panels(lambda h: torch.relu(h - 0.37), 1.0, mirrored=True)
    np.testing.assert_allclose(np.sort(-edges), edges)
    np.testing.assert_allclose(kinks, [-0.37, 0.37], atol=1e-12)
