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


class Grouped(nn.Module):
    """Two heads of queries to one of keys and of values, then the next group, as Falcon has it."""

    new_decoder_architecture = True

    def __init__(self):
        super().__init__()
        self.num_attention_heads, self.num_kv_heads, self.head_dim = 4, 2, 3
        self.query_key_value = nn.Linear(12, 24)


class CodeGenAttention(nn.Module):
    """Queries, values and keys of one of four shards, then of the next: known by its name."""

    def __init__(self):
        super().__init__()
        self.num_heads = 4
        self.qkv_proj = nn.Linear(8, 24, bias=False)


MORE = nn.ModuleDict(
    {
        "grouped": Grouped(),
        "in_shards": CodeGenAttention(),
        "dilated_groups": nn.ConvTranspose2d(4, 4, 4, stride=(2, 3), dilation=(3, 2), groups=2),
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
    """Which indices of each dimension a rank holds: in a row, every few, any in order, or none."""

    def some(size):
        if draw(st.integers(0, 3)) == 0:
            return sorted(draw(st.sets(st.integers(0, size - 1))))
        start, stop = draw(st.integers(0, size - 1)), draw(st.integers(0, size))
        return range(min(start, stop), max(start, stop), draw(st.sampled_from([1, 1, 2, 3])))

    return [torch.tensor(some(size), dtype=torch.int64) for size in shape]


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


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("attention.qkv.weight", ["[q]", "[k]", "[v]"]),
        ("grouped.query_key_value.weight", ["[q]", "[k]", "[v]"]),
        ("in_shards.qkv_proj.weight", ["[q]", "[v]", "[k]"]),
    ],
)
def test_fused_projections_are_split_here(name, labels):
    """Or they would be tested as one matrix each."""
    assert [part.label for part in parts(SLOTS[name], SLOTS[name].tensor)] == labels


def test_what_one_rank_holds_in_a_row_is_few_pieces():
    slot = SLOTS["grouped.query_key_value.weight"]
    whole = torch.arange(slot.tensor.numel()).view(slot.shape)
    rows = torch.arange(6, 24)  # the first group's keys and values, and the second group
    found = [
        list(at.pieces(whole[6:], (rows, torch.arange(12))))
        for at in layouts(slot.treatment, tuple(slot.shape))
    ]
    assert [[p.block.rows for p in one] for one in found] == [
        [range(6, 12)],
        [range(3), range(3, 6)],
        [range(3), range(3, 6)],
    ]


def test_an_even_run_is_one():
    assert evenly(torch.arange(0, 90, 3), torch.arange(5, 35)) == [(range(0, 90, 3), range(5, 35))]
