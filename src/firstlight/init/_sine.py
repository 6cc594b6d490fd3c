"""Rows of sines, W[i, j] = a sin(2 pi (f_i j / n + phi_i)), exact, fast and small in memory.

A sine per entry is what makes the plain formula slow. Here column j = B J + b is split, and the
addition theorem builds each row from two short tables,

    sin(u_J + v_b) = sin(u_J) cos(v_b) + cos(u_J) sin(v_b),

so a row costs about 4 sqrt(n) sines and two float64 multiply-adds per entry. f j is reduced mod n
in exact whole numbers, so no angle is ever large.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch
from torch import Tensor

from firstlight.init._tensor import rows_per_block, write_rows
from firstlight.init.block import Block

#: Row indices -> integer frequencies and phases in turns of those rows.
Rows = Callable[[Tensor], tuple[Tensor, Tensor]]

# Tables are made for several blocks at once, as long as they are small: so would be each call.
_BLOCKS, _TABLES = 8, 2**16
# A table's sine of a whole half turn is noise of 1e-16; it should be zero.
_NOISE = 1e-15
# Up to this width rounding to float32 cannot move a row's sum by 1e-6 of the row's norm.
_SAFE_WIDTH = 128
# Rows with a longer period average their rounding errors out.
_SHORT_PERIOD = 511


def fill_sines(tensor: Tensor, part: Block, rows: Rows, amplitude: float) -> Tensor:
    """Write ``amplitude * sin(2 pi (frequency j / n + phase))`` into ``tensor``.

    Rows of the whole have n = prod(shape[1:]) entries, j = 0..n-1; the tensor holds a part of it.
    """
    # Apple's GPU has no float64: there the blocks are made on the CPU and copied.
    device = torch.device("cpu") if tensor.device.type == "mps" else tensor.device
    held = torch.arange(part.rows.start, part.rows.stop, part.rows.step, device="cpu")
    columns = Columns.of(part, device)
    if tensor.numel() == 0:
        return tensor
    step = rows_per_block(tensor, len(columns.hull))
    # One buffer for all blocks: fresh memory for each would cost more than the sines.
    buffer = torch.empty(step, *columns.shape, dtype=torch.float64, device=device)
    blocks = max(1, min(_BLOCKS, _TABLES // (step * sum(columns.shape))))
    for start in range(0, len(held), blocks * step):
        frequency, phase = rows(held[start : start + blocks * step])
        tables = SineTables.of(frequency.to(device), phase.to(device), columns, amplitude)
        block = partial(_block, tables, frequency, phase, tensor.dtype, buffer)
        write_rows(tensor[start : start + len(frequency)], block, step)
    return tensor


def _block(
    tables: "SineTables",
    frequency: Tensor,
    phase: Tensor,
    dtype: torch.dtype,
    buffer: Tensor,
    first: int,
    last: int,
) -> Tensor:
    """Return rows first..last-1 in ``buffer``, ready to be rounded to ``dtype``."""
    values, columns = tables.block(first, last, buffer[: last - first]), tables.columns
    if dtype == torch.float32 and columns.n > _SAFE_WIDTH:
        _balance(values, frequency[first:last], phase[first:last], tables)
    return values if columns.chosen is None else values[:, columns.chosen]


@dataclass(frozen=True)
class Columns:
    """Columns of a matrix with n of them: consecutive ones, or some that are chosen of those.

    Column j = fine J + b; ``hull`` lies within coarse steps J of ``coarse``.
    """

    n: int
    fine: int
    hull: range
    chosen: Tensor | None = None

    @classmethod
    def of(cls, part: Block, device: torch.device) -> "Columns":
        """Return the columns that a block holds."""
        held = part.columns
        chosen = None if isinstance(held, range) else (held - part.hull.start).to(device)
        # about sqrt(n) coarse and fine steps make a row
        return cls(part.inputs, 2 ** round(math.log2(max(part.inputs, 1)) / 2), part.hull, chosen)

    @property
    def coarse(self) -> range:
        """Coarse steps that hold all of the hull."""
        return range(self.hull.start // self.fine, -(-self.hull.stop // self.fine))

    @property
    def shape(self) -> tuple[int, int]:
        """Coarse and fine steps that are made for a row."""
        return len(self.coarse), self.fine

    @property
    def inside(self) -> slice:
        """Where in what is made the hull lies."""
        start = self.hull.start - self.coarse.start * self.fine
        return slice(start, start + len(self.hull))


@dataclass(frozen=True)
class SineTables:
    """Sines and cosines of the coarse angles u and the fine angles v of some rows.

    Shapes (rows, coarse, 1) and (rows, 1, fine); the amplitude is in the coarse ones.
    """

    columns: Columns
    amplitude: float
    sine_u: Tensor
    cosine_u: Tensor
    sine_v: Tensor
    cosine_v: Tensor

    @classmethod
    def of(
        cls, frequency: Tensor, phase: Tensor, columns: Columns, amplitude: float
    ) -> "SineTables":
        """Tables for int64 frequencies (rows,), any sign and size, and float64 phases in turns."""
        n, fine, device = columns.n, columns.fine, phase.device
        frequency = frequency.remainder(n).double()
        coarse = torch.arange(columns.coarse.start, columns.coarse.stop, device=device)
        u = _turns(frequency, fine * coarse.double(), n).add_(phase[:, None])
        v = _turns(frequency, torch.arange(fine, dtype=torch.float64, device=device), n)
        sine_u, cosine_u = _sine_cosine(u)
        sine_v, cosine_v = _sine_cosine(v)
        return cls(
            columns,
            amplitude,
            sine_u.mul_(amplitude)[:, :, None],
            cosine_u.mul_(amplitude)[:, :, None],
            sine_v[:, None, :],
            cosine_v[:, None, :],
        )

    def block(self, first: int, last: int, out: Tensor) -> Tensor:
        """Return rows first..last-1 of the hull as float64, in ``out`` of (rows, coarse, fine)."""
        part = slice(first, last)
        torch.mul(self.sine_u[part], self.cosine_v[part], out=out)
        out.addcmul_(self.cosine_u[part], self.sine_v[part])
        return out.flatten(1)[:, self.columns.inside]

    def start(self, frequency: Tensor, phase: Tensor, count: int) -> Tensor:
        """Return columns 0..count-1 of rows with the frequencies and phases given, as float64."""
        columns = replace(self.columns, hull=range(count), chosen=None)
        device = self.sine_u.device
        tables = SineTables.of(frequency.to(device), phase.to(device), columns, self.amplitude)
        shape = (len(frequency), *columns.shape)
        return tables.block(
            0, len(frequency), torch.empty(shape, dtype=torch.float64, device=device)
        )


def _turns(frequency: Tensor, columns: Tensor, n: int) -> Tensor:
    """Return frequency * column / n less its whole turns, from whole numbers float64 holds."""
    product = frequency[:, None] * columns  # below n^2, exact up to n = 9.4e7
    return product.sub_(product.div(n).floor_(), alpha=n).div_(n)


def _sine_cosine(turns: Tensor) -> tuple[Tensor, Tensor]:
    angle = turns.mul_(2 * math.pi)
    hardshrink = torch.nn.functional.hardshrink
    return hardshrink(angle.sin(), _NOISE), hardshrink(angle.cos(), _NOISE)


@lru_cache
def _short_odd_divisors(n: int) -> list[int]:
    return [p for p in range(3, min(_SHORT_PERIOD, n) + 1, 2) if n % p == 0]


def _balance(values: Tensor, frequency: Tensor, phase: Tensor, tables: SineTables) -> None:
    """Move float32's rounding errors in short odd periods, so that those rows sum to zero.

    A row of period p repeats its p rounding errors n / p times, and they add up. An even period
    is antisymmetric, so its errors cancel; for a short odd one the sum of one period's errors is
    handed to its smallest entries, where a float has digits to spare (each moves by about 1e-7).
    """
    n, hull = tables.columns.n, tables.columns.hull
    for p in _short_odd_divisors(n):
        chosen = (torch.gcd(frequency, torch.full_like(frequency, n)) * p == n).nonzero().flatten()
        if len(chosen) == 0:
            continue
        if hull.start == 0 and hull.stop >= p:
            period = values[chosen.to(values.device), :p]
        else:
            period = tables.start(frequency[chosen], phase[chosen], p)
        period = period.float().double()
        smallest_first = period.abs().argsort(dim=1)
        for count in (p // 4, p // 32, 1):
            where = smallest_first[:, : max(count, 1)]
            error = period.sum(1, keepdim=True) / where.shape[1]
            moved = (period.gather(1, where) - error).float().double()
            period.scatter_(1, where, moved)
        column = torch.arange(hull.start, hull.stop, device=values.device) % p
        values[chosen.to(values.device)] = period[:, column]
