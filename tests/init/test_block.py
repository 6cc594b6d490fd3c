"""Blocks: what a fill writes into a part is what it writes there into the whole, bit for bit."""

import math
from unittest import mock

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.init import SCHEMES, Block, Stream, harmonic_, siren_, variance_scaling_
from firstlight.init.schemes import Place
from firstlight.init.variance_scaling import DISTRIBUTIONS

#: tests/init/test_threads.py is about more threads than one.
pytestmark = pytest.mark.usefixtures("one_thread")

STREAM = Stream.named(0, "weight")
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def scheme(name, **place):
    """Return the fill of a scheme in a network: it takes a tensor and its block."""
    chosen = SCHEMES[name]
    options = {"activation": "tanh"} if "activation" in chosen.required | chosen.traced else {}
    at = Place("hidden", depth=20, layer=5, stream=STREAM, **place)
    return lambda tensor, block=None: chosen(tensor, at, options, block)


def fill(function, **options):
    return lambda tensor, block=None: function(tensor, block=block, **options)


FILLS = {
    **{name: scheme(name) for name in SCHEMES},
    "harmonic_depthwise": scheme("harmonic", depthwise=True),
    "siren_first": fill(siren_, first=True, generator=STREAM),
    **{
        f"any_{law}": fill(variance_scaling_, distribution=law, mode="fan_avg", generator=STREAM)
        for law in DISTRIBUTIONS
    },
}


every_fill = pytest.mark.parametrize("name", FILLS)


@st.composite
def held(draw, size):
    """Which indices of a dimension a part holds: all, none, one, or every first to third."""
    kind = draw(st.sampled_from(["all", "some", "some", "one", "none"]))
    if kind == "all":
        return range(size)
    start = draw(st.integers(0, size - 1))
    if kind == "some":
        return range(start, draw(st.integers(start + 1, size)), draw(st.integers(1, 3)))
    return range(start, start + (kind == "one"))


@st.composite
def blocks(draw, shapes):
    shape = draw(shapes)
    return Block(tuple(shape), tuple(draw(held(size)) for size in shape))


sides = st.integers(1, 24)
#: Around the widths at which strips begin, and where short odd periods repeat.
widths = st.sampled_from([3, 7, 8, 9, 100, 511, 512, 513, 945, 1024, 1025, 1155, 2944, 3000])
narrow = st.tuples(sides, sides)
wide = st.tuples(st.integers(1, 8), widths)
kernels = st.tuples(sides, st.integers(1, 9)).flatmap(
    lambda pair: st.lists(st.integers(1, 4), min_size=1, max_size=3).map(
        lambda kernel: (*pair, *kernel)
    )
)


def whole_of(name, block, dtype):
    try:
        return FILLS[name](torch.empty(block.shape, dtype=dtype))
    except OptionError:  # odd halves, which are many, few inputs, a constant
        assume(False)


@every_fill
@settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much])
@given(block=blocks(st.one_of(narrow, wide, kernels)), dtype=st.sampled_from(DTYPES))
def test_a_block_is_that_part_of_the_whole(name, block, dtype):
    whole = whole_of(name, block, dtype)
    part = torch.full(block.sizes, torch.nan, dtype=dtype)
    assert FILLS[name](part, block) is part
    assert torch.equal(part, block.take(whole))


@pytest.mark.parametrize("name", ["harmonic", "sinusoidal", "harmonic_depthwise"])
@settings(max_examples=60)
@given(
    block=blocks(
        st.tuples(
            st.integers(30, 90), st.sampled_from([135, 147, 189, 315, 441, 693, 945, 1155, 2205])
        )
    )
)
def test_rows_of_short_odd_periods_are_balanced_alike_in_every_block(name, block):
    whole = whole_of(name, block, torch.float32)
    part = FILLS[name](torch.empty(block.sizes), block)
    assert torch.equal(part, block.take(whole))


def test_some_of_those_rows_are_balanced():
    rounded = harmonic_(torch.empty(90, 945, dtype=torch.float64)).float()
    assert not torch.equal(harmonic_(torch.empty(90, 945)), rounded)


@every_fill
@pytest.mark.parametrize("shape", [(6, 1100), (8, 6, 3, 5), (40, 10)])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_a_whole_put_together_of_single_slices(name, shape, dim):
    """The smallest shards: one row each, one column each, one tap each."""
    whole = FILLS[name](torch.empty(shape))
    step = max(1, shape[dim] // 40)
    for at in [*range(0, shape[dim], step), shape[dim] - 1]:
        index = [range(size) for size in shape]
        index[dim] = range(at, at + 1)
        block = Block(shape, tuple(index))
        assert torch.equal(FILLS[name](torch.empty(block.sizes), block), block.take(whole))


@every_fill
@pytest.mark.parametrize("rows", [1, 3])
def test_a_whole_put_together_of_ranks_side_by_side(name, rows):
    """Rows among some ranks, columns among others, the last of them uneven, as torch chunks."""
    shape, columns = (10, 1030), 4
    whole, together = FILLS[name](torch.empty(shape)), torch.full(shape, torch.nan)
    for top in torch.arange(10).chunk(rows):
        for left in torch.arange(1030).chunk(columns):
            index = (range(int(top[0]), int(top[-1]) + 1), range(int(left[0]), int(left[-1]) + 1))
            part = together[index[0].start : index[0].stop, index[1].start : index[1].stop]
            FILLS[name](part, Block(shape, index))
    assert torch.equal(together, whole)


def inside(shape):
    """Every second entry of a larger tensor."""
    room = torch.full([2 * size + 1 for size in shape], 7.0)
    return room[tuple(slice(1, None, 2) for _ in shape)]


TARGETS = {
    "transposed": lambda shape: torch.empty(shape[::-1]).permute(*reversed(range(len(shape)))),
    "strided": inside,
    "channels_last": lambda shape: torch.empty(shape).to(memory_format=torch.channels_last),
    "columns": lambda shape: torch.empty(*shape[:-1], shape[-1] + 5)[..., 2:-3],
    "fewer_rows": lambda shape: torch.empty(3 * shape[0], *shape[1:])[::3],
}


@every_fill
@pytest.mark.parametrize("target", TARGETS)
def test_strides_of_the_part_do_not_matter(name, target):
    index = (range(1, 9, 2), range(2, 6), range(3), range(1, 5, 3))
    for block in (
        Block((10, 6, 3, 5), index),
        Block((10, 6, 3, 5), (*index[:2], range(3), range(5))),
    ):
        expected = FILLS[name](torch.empty(block.sizes), block)
        part = TARGETS[target](block.sizes)
        assert torch.equal(FILLS[name](part, block), expected)


@every_fill
def test_nothing_is_written_outside_of_the_part(name):
    block = Block((6, 1200), (range(1, 5), range(500, 1100)))
    room = torch.full((9, 1201), 7.0)
    part = room[1::2, 1::2]
    FILLS[name](part, block)
    part.fill_(7)
    assert (room == 7).all()


@every_fill
@settings(max_examples=25)
@given(
    block=blocks(st.tuples(st.integers(1, 60), st.sampled_from([6, 40, 700, 1600]))),
    tile=st.sampled_from([1, 600, 5000]),
)
def test_how_much_is_made_at_once_does_not_matter(name, block, tile):
    whole = whole_of(name, block, torch.float32)
    with (
        mock.patch("firstlight.init._draw._TILE", tile),
        mock.patch("firstlight.init._draw.SERIAL", tile),
        mock.patch("firstlight.init.distributions.SERIAL", tile),
        mock.patch("firstlight.init._tensor._BLOCK", tile),
        mock.patch("firstlight.init._tensor._PER_THREAD", tile),
    ):
        part = FILLS[name](torch.full(block.sizes, torch.nan), block)
    assert torch.equal(part, block.take(whole))


@given(blocks(st.one_of(narrow, kernels)))
def test_a_blocks_columns_are_those_of_the_whole_flattened(block):
    numbers = torch.arange(math.prod(block.shape)).view(block.shape)
    inputs = block.inputs
    taken = block.take(numbers)
    assert block.sizes == tuple(taken.shape)
    assert block.is_whole == (taken.numel() == numbers.numel())
    if taken.numel():
        columns = torch.as_tensor(block.columns)
        rows = torch.tensor(block.rows)
        assert torch.equal(rows[:, None] * inputs + columns, taken.flatten(1))
        assert list(block.hull) == list(range(int(columns.min()), int(columns.max()) + 1))


@every_fill
def test_a_block_of_another_shape_than_the_tensor_is_refused(name):
    weight = torch.full((4, 6), 7.0)
    block = Block((8, 12), (range(4), range(5)))
    with pytest.raises(
        OptionError, match=r"got a block of shape \(4, 5\) for a tensor of \(4, 6\)"
    ):
        FILLS[name](weight, block)
    assert (weight == 7).all()
