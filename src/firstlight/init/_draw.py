"""Drawing blocks of random matrices: any block alone, in several threads, in little memory.

The columns of a matrix are cut into strips of one width. A strip's rows lie one after the other
in the matrix's stream of words, so row i of strip s starts at word (s m + i) width, and a shard
draws its own rows and, on each side, less than a strip of columns too many.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.init._memory import array_on
from firstlight.init.block import Block
from firstlight.init.distributions import SERIAL, Array, Distribution
from firstlight.init.stream import Randomness, Stream

#: Adds to (rows, columns) of values, from the rows and the consecutive columns that they are.
Add = Callable[[Array, range, range], None]

#: Columns of a strip; narrow matrices have one, of the next power of 2.
_WIDEST, _NARROWEST = 512, 8
#: Values drawn at once: 1 MiB of float32, and as much again twice in working memory.
_TILE = 2**18
#: So many values or fewer are not worth a second thread; several such weights at once are.
ALONE = 2**20


def draw(
    tensor: Tensor,
    block: Block,
    law: Distribution,
    generator: Randomness,
    add: Add | None = None,
) -> Tensor:
    """Fill ``tensor``, the ``block`` of its whole, with independent values.

    They depend on the stream and the place in the whole alone: not on the block, the device, the
    strides or the number of threads; on the dtype only as it rounds, and float64 has its own words.
    ``add`` then adds to them what is not random.
    """
    strips = _Strips(
        Stream.of(generator), law, add, block.shape[0], block.inputs, tensor.dtype == torch.float64
    )
    if tensor.numel() == 0:
        return tensor
    matrix, held = _as_matrix(tensor), block.columns
    if matrix is not None and isinstance(held, range):
        _in_threads(strips.tiles(block.rows, held), _tile_writer(matrix, strips), tensor)
    else:
        _in_threads(_row_blocks(block), _row_writer(tensor, block, strips), tensor)
    torch.autograd.graph.increment_version(tensor)  # NumPy's writes tell nobody
    return tensor


@dataclass(frozen=True)
class Tile:
    """Rows of some strips: where they lie in the whole, and in the part."""

    strip: int
    strips: int
    rows: range  # in the whole
    start: int  # of its rows in the part
    columns: range  # in the whole, those that are held
    offset: int  # of the part's columns in the whole


@dataclass(frozen=True)
class _Strips:
    """A whole matrix of random values, m x n, in strips."""

    stream: Stream
    law: Distribution
    add: Add | None
    m: int
    n: int
    double: bool

    @property
    def width(self) -> int:
        """Columns of a strip."""
        return min(_WIDEST, max(_NARROWEST, 1 << (self.n - 1).bit_length()))

    def tiles(self, rows: range, columns: range) -> Iterator[Tile]:
        """Cut a part into what is drawn at once; strips of few rows go together."""
        width = self.width
        first, last = columns.start // width, -(-columns.stop // width)
        together = max(1, _TILE // (width * len(_hull(rows))))
        step = max(1, _TILE // (width * rows.step))
        for strip in range(first, last, together):
            strips = min(together, last - strip)
            inside = range(
                max(columns.start, strip * width), min(columns.stop, (strip + strips) * width)
            )
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                yield Tile(strip, strips, part, start, inside, columns.start)

    def fill(self, tile: Tile, out: Array) -> None:
        """Write the values of a tile's whole strips, (strips * rows, width)."""
        hull = _hull(tile.rows)
        step = tile.rows.step if len(tile.rows) > 1 else 1

        def words(lane: int, columns: int) -> Array:
            drawn = self._words(lane, tile, hull, columns)
            return drawn.reshape(tile.strips, len(hull), columns)[:, ::step].reshape(-1, columns)

        self.law.fill(words, out)

    def _words(self, lane: int, tile: Tile, hull: range, columns: int) -> Array:
        """Return the words of consecutive rows, strip after strip."""
        row = columns if self.double else columns // 2  # in words of 64 bits
        count = len(hull) * row
        starts = [(tile.strip + s) * self.m * row + hull.start * row for s in range(tile.strips)]
        if len(hull) == self.m:  # the strips follow each other
            drawn = self.stream.words(lane, starts[0], tile.strips * count)
        elif tile.strips == 1:
            drawn = self.stream.words(lane, starts[0], count)
        else:
            drawn = np.concatenate([self.stream.words(lane, start, count) for start in starts])
        return drawn.view(np.uint64 if self.double else np.uint32)

    @property
    def dtype(self) -> Any:
        """What the values are made in."""
        return np.float64 if self.double else np.float32

    def values(self, tile: Tile) -> Array:
        """Return the values of a tile, (rows, columns held)."""
        made = np.empty((tile.strips * len(tile.rows), self.width), self.dtype)
        self.fill(tile, made)
        if tile.strips > 1:
            made = made.reshape(tile.strips, -1, self.width).transpose(1, 0, 2)
            made = made.reshape(len(tile.rows), -1)
        first = tile.columns.start - tile.strip * self.width
        made = made[:, first : first + len(tile.columns)]
        if self.add is not None:
            self.add(made, tile.rows, tile.columns)
        return made


def _hull(rows: range) -> range:
    return range(rows[0], rows[-1] + 1)


def _tile_writer(matrix: Tensor, strips: _Strips) -> Callable[[Tile], None]:
    """Return what writes one tile into ``matrix``, straight into its memory where that can be."""
    own = torch.float64 if strips.double else torch.float32
    array = array_on(matrix) if matrix.dtype == own and matrix.stride(1) == 1 else None

    def write(tile: Tile) -> None:
        rows = slice(tile.start, tile.start + len(tile.rows))
        columns = slice(tile.columns.start - tile.offset, tile.columns.stop - tile.offset)
        if array is None:
            _copy(matrix[rows, columns], strips.values(tile))
        elif strips.add is None and tile.strips == 1 and len(tile.columns) == strips.width:
            strips.fill(tile, array[rows, columns])
        else:
            array[rows, columns] = strips.values(tile)

    return write


def _row_blocks(block: Block) -> Iterator[range]:
    step = max(1, _TILE // max(1, len(block.hull)))
    return (
        range(len(block.rows))[start : start + step] for start in range(0, len(block.rows), step)
    )


def _row_writer(tensor: Tensor, block: Block, strips: _Strips) -> Callable[[range], None]:
    """Return what writes all columns of some rows: of tensors that no matrix is a view of."""
    chosen = None if isinstance(block.columns, range) else block.columns - block.hull.start

    def write(rows: range) -> None:
        held = block.rows[rows.start : rows.stop]
        made = np.empty((len(rows), len(block.hull)), strips.dtype)
        for tile in strips.tiles(held, block.hull):
            columns = slice(tile.columns.start - tile.offset, tile.columns.stop - tile.offset)
            made[tile.start : tile.start + len(tile.rows), columns] = strips.values(tile)
        part = tensor[rows.start : rows.stop]
        values = made if chosen is None else made[:, chosen.numpy()]
        _copy(part, values.reshape(part.shape))

    return write


def _copy(target: Tensor, values: Array) -> None:
    """Copy, in pieces so small that torch starts no threads of its own for them."""
    made = torch.from_numpy(np.ascontiguousarray(values))
    step = max(1, SERIAL // max(1, made[0].numel())) if target.device.type == "cpu" else len(made)
    for part, new in zip(target.split(step), made.split(step), strict=True):
        part.copy_(new)


def _as_matrix(tensor: Tensor) -> Tensor | None:
    """Return a view of shape (out, inputs), or None where strides allow none."""
    try:
        return tensor.detach().view(tensor.shape[0], -1)
    except RuntimeError:
        return None


def _in_threads(jobs: Iterator[Any], write: Callable[[Any], None], tensor: Tensor) -> None:
    """Run ``write`` on every job, in as many threads as torch has been given."""
    inference = torch.is_inference_mode_enabled()
    lock = threading.Lock()

    def work(_: int) -> None:
        # both modes belong to a thread
        with torch.inference_mode(inference), torch.no_grad():
            while True:
                with lock:
                    job = next(jobs, None)
                if job is None:
                    return
                write(job)

    workers = torch.get_num_threads() if tensor.numel() > ALONE else 1
    if workers == 1:
        work(0)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))  # an error in a thread is raised here
