"""Fills write straight into a tensor's memory, and leave the tensor able to do all it could."""

import gc
import weakref

import numpy as np
import pytest
import torch
from torch.testing._internal.two_tensor import TwoTensor

from firstlight.init import Stream, orthogonal_, variance_scaling_
from firstlight.init._memory import array_on

FILLS = {
    **{
        law: lambda w, law=law: variance_scaling_(w, distribution=law, generator=Stream(1))
        for law in ("normal", "uniform", "truncated_normal", "arcsine")
    },
    "orthogonal": lambda w: orthogonal_(w, generator=Stream(1)),
}
VIEWS = {
    "whole": lambda room: room,
    "rows": lambda room: room[1::3],
    "columns": lambda room: room[:, 2:-3],
    "both": lambda room: room[2::2, 1:5],
    "turned": lambda room: room.T,
    "steps": lambda room: room[::2, ::3],
    "one_row": lambda room: room[3:4],
    "one_column": lambda room: room[:, 3:4],
}
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
either_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
@either_dtype
def test_a_filled_tensors_storage_can_be_resized(fill, dtype):
    """FSDP frees and takes back the memory of the weights that it gathers."""
    storage = fill(torch.empty(30, 40, dtype=dtype)).untyped_storage()
    size = storage.nbytes()
    storage.resize_(0)
    storage.resize_(size)
    assert storage.resizable()


@every_view
@either_dtype
def test_an_array_is_what_numpy_makes_of_the_tensor(view, dtype):
    part = view(torch.arange(77, dtype=dtype).view(7, 11))
    array, expected = array_on(part), part.numpy()
    assert (array == expected).all()
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
    assert array.strides == expected.strides
    array[...] = -1
    assert (part == -1).all()


@every_view
def test_nothing_is_written_outside_of_a_view(view):
    room = torch.full((7, 11), 7.0)
    part = view(room)
    variance_scaling_(part, generator=Stream(1))
    assert (part != 7).all()
    part.fill_(7)
    assert (room == 7).all()


def test_an_array_keeps_its_tensor_alive():
    tensor = torch.full((3, 4), 5.0)
    gone = weakref.ref(tensor)
    row = array_on(tensor)[1]
    del tensor
    gc.collect()
    assert gone() is not None
    assert (row == 5).all()
    del row
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(2, 2, dtype=torch.bfloat16),
        torch.zeros(2, 2, device="meta"),
        torch._neg_view(torch.zeros(2, 2)),
        TwoTensor(torch.zeros(2, 2), torch.zeros(2, 2)),
    ],
    ids=["bfloat16", "meta", "negated", "wrapper"],
)
def test_what_numpy_cannot_see_has_no_array(tensor):
    assert array_on(tensor) is None


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda: torch._neg_view(torch.zeros(6, 5)), lambda w: w.resolve_neg()),
        (lambda: TwoTensor(torch.zeros(6, 5), torch.zeros(6, 5)), lambda w: w.b),
    ],
    ids=["negated", "wrapper"],
)
def test_and_is_filled_all_the_same(make, read):
    expected = variance_scaling_(torch.empty(6, 5), generator=Stream(1))
    found = variance_scaling_(make(), generator=Stream(1))
    assert np.array_equal(read(found).numpy(), expected.numpy())
