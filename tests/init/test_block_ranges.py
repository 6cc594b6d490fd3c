"""Ranges of blocks: those that leave the whole are refused, empty ones take nothing."""

import numpy as np
import pytest
import torch

from firstlight.errors import OptionError
from firstlight.init import Block, harmonic_


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ((range(4),), r"one range for each dimension of \(4, 6\), got 1"),
        ((range(4), range(6), range(1)), r"one range for each dimension of \(4, 6\), got 3"),
        ((range(5), range(6)), r"must rise within the whole; got range\(0, 5\) in 4"),
        ((range(4), range(4, 9)), r"must rise within the whole; got range\(4, 9\) in 6"),
        ((range(-1, 2), range(6)), r"must rise within the whole; got range\(-1, 2\) in 4"),
        ((range(3, -1, -1), range(6)), r"must rise within the whole; got range\(3, -1, -1\) in 4"),
        ((range(3, 2, -1), range(6)), r"must rise within the whole; got range\(3, 2, -1\) in 4"),
        ((range(4), range(0, 3, -1)), r"must rise within the whole; got range\(0, 3, -1\) in 6"),
    ],
)
def test_a_block_outside_of_its_whole_is_refused(index, message):
    with pytest.raises(OptionError, match=message):
        Block((4, 6), index)


@pytest.mark.parametrize(
    ("shape", "index", "message"),
    [
        ((4, 4), (slice(0, 2), range(4)), "index must be a tuple of ranges"),
        ((4, 4), ([0, 1], range(4)), "index must be a tuple of ranges"),
        ((4, 4), (None, range(4)), "index must be a tuple of ranges"),
        ((4, 4), (2, range(4)), "index must be a tuple of ranges"),
        ((4,), range(4), "index must be a tuple of ranges"),
        ((4, 4), None, "index must be a tuple of ranges"),
        ((4.0, 4), (range(4), range(4)), "shape must be a tuple of sizes"),
        (("4", 4), (range(4), range(4)), "shape must be a tuple of sizes"),
        ((True, 4), (range(1), range(4)), "shape must be a tuple of sizes"),
        ((-1, 4), (range(0), range(4)), "shape must be a tuple of sizes"),
        (4, (range(4),), "shape must be a tuple of sizes"),
        ("44", (range(4), range(4)), "shape must be a tuple of sizes"),
    ],
)
def test_what_is_no_block_is_refused(shape, index, message):
    with pytest.raises(OptionError, match=message):
        Block(shape, index)


def test_a_shape_may_be_torchs_a_list_or_numpys():
    index = (range(1, 3), range(6))
    for shape in (torch.Size((4, 6)), [4, 6], tuple(np.array([4, 6]))):
        assert Block(shape, index).sizes == (2, 6)


@pytest.mark.parametrize("nothing", [range(0), range(3, 3), range(5, 2), range(-1), range(9, 9)])
def test_an_empty_range_takes_nothing(nothing):
    block = Block((4, 6), (nothing, range(6)))
    assert block.sizes == (0, 6)
    assert block.take(torch.empty(4, 6)).shape == (0, 6)


@pytest.mark.parametrize("shape", [(4, 2), (4, 1, 2)])
def test_a_block_of_too_small_a_whole_is_refused_as_the_whole_is(shape):
    block = Block(shape, (range(2), *(range(size) for size in shape[1:])))
    with pytest.raises(OptionError, match="at least 3 inputs per output, got 2"):
        harmonic_(torch.empty(block.sizes), block=block)
