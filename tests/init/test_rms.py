"""The mean square that a plan shows, against what the fills leave."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.init import SCHEMES
from firstlight.init.schemes import Place

NEEDS = {
    "diagonal_plus_noise": {"activation": "tanh"},
    "isometric_diagonal": {"activation": "tanh"},
    "edge_of_chaos": {"activation": "tanh"},
}
shapes = st.tuples(st.integers(2, 24), st.integers(2, 24)) | st.tuples(
    st.integers(2, 12), st.integers(2, 12), st.integers(1, 3), st.integers(1, 3)
)


def place(position="hidden", depthwise=False):
    return Place(position, 7, 3, torch.Generator().manual_seed(0), depthwise)


@pytest.mark.parametrize("position", ["first", "hidden", "last"])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@settings(max_examples=20)
@given(half=shapes)
def test_std_is_that_of_the_values(scheme, position, half):
    shape = (2 * half[0], 2 * half[1], *half[2:])  # looks_linear mirrors halves
    chosen, options = SCHEMES[scheme], NEEDS.get(scheme, {})
    where = place(position)
    try:
        chosen.check_shape_of(shape, where, options)
    except ValueError:
        return
    weight = torch.empty(shape, dtype=torch.float64)
    chosen(weight, where, options)
    found = math.sqrt(float(weight.square().mean()))
    tolerance = 5 / math.sqrt(weight.numel()) if chosen.random else 1e-6
    assert chosen.std(shape, where, options) == pytest.approx(found, rel=max(tolerance, 1e-6))


def test_depthwise_filters_have_their_own():
    weight = torch.empty(32, 1, 3, 3)
    SCHEMES["harmonic"](weight, place(depthwise=True), {})
    found = math.sqrt(float(weight.square().mean()))
    assert SCHEMES["harmonic"].std(weight.shape, place(depthwise=True), {}) == pytest.approx(
        found, rel=1e-5
    )
