"""Where matrices lie in their tensors: pieces cover what a rank holds, entry by entry."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import EveryLayout
from torch import nn

from firstlight.init.shards import evenly
from firstlight.model.kinds import Matrix
from firstlight.model.layout import layouts
from firstlight.model.slots import slots
from firstlight.model.views import parts

MORE = nn.ModuleDict(
    {
        "several": nn.ConvTranspose1d(4, 12, 3, groups=4, stride=2),
        "dilated": nn.ConvTranspose2d(4, 6, 3, stride=2, dilation=3),
        "one": nn.Linear(1, 1),
    }
)
SLOTS = {
    slot.name: slot
    for model in (EveryLayout(), MORE)
    for slot in slots(model)
    if isinstance(slot.treatment, Matrix)
}


@st.composite
def held(draw, shape):
    """Which indices of each dimension a rank holds: any, in order, or none."""
    return [
        torch.tensor(sorted(draw(st.sets(st.integers(0, size - 1)))), dtype=torch.int64)
        for size in shape
    ]


@pytest.mark.parametrize("name", SLOTS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_pieces_cover_what_is_held_once_and_are_blocks_of_the_matrix(name, data):
    slot = SLOTS[name]
    shape = tuple(slot.shape)
    whole = torch.arange(slot.tensor.numel()).view(shape)
    indices = data.draw(held(shape))
    local = whole[torch.meshgrid(*indices, indexing="ij")]
    seen = []
    for layout, part in zip(layouts(slot.treatment, shape), parts(slot, whole), strict=True):
        if layout is None:
            assert name in ("several.weight", "up_depthwise.weight")
            return
        assert layout.shape == part.shape
        for piece in layout.pieces(local, indices):
            assert torch.equal(piece.tensor, piece.block.take(part.matrix()))
            assert piece.tensor.untyped_storage().data_ptr() == local.untyped_storage().data_ptr()
            seen += piece.tensor.flatten().tolist()
    assert sorted(seen) == sorted(local.flatten().tolist())


def test_only_filters_that_mix_dimensions_have_no_layout():
    mixed = {
        name for name, slot in SLOTS.items() if None in layouts(slot.treatment, tuple(slot.shape))
    }
    assert mixed == {"several.weight", "up_depthwise.weight"}


@given(st.lists(st.integers(0, 60), max_size=12, unique=True), st.data())
def test_even_runs_put_together_are_the_numbers(positions, data):
    positions = sorted(positions)
    count = len(positions)
    unique = st.lists(st.integers(0, 60), min_size=count, max_size=count, unique=True)
    indices = data.draw(unique)
    runs = evenly(
        torch.tensor(positions, dtype=torch.int64), torch.tensor(indices, dtype=torch.int64)
    )
    assert [x for run, _ in runs for x in run] == positions
    assert [x for _, run in runs for x in run] == indices
    assert len(runs) <= count


def test_an_even_run_is_one():
    assert evenly(torch.arange(0, 90, 3), torch.arange(5, 35)) == [(range(0, 90, 3), range(5, 35))]
