"""Rows of sines, W[i, j] = a sin(2 pi (f_i j / n + phi_i)), exact, fast and small in memory.

A sine per entry is what makes the plain formula slow. Here column j = B J + b is split, and the
addition theorem builds each row from two short tables,

    sin(u_J + v_b) = sin(u_J) cos(v_b) + cos(u_J) sin(v_b),

so a row costs about 4 sqrt(n) sines and two float64 multiply-adds per entry. f j is reduced mod n
in exact whole numbers, so no angle is ever large.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from firstlight.init._tensor import rows_per_block, write_rows

#: (start, stop) -> integer frequencies and phases in turns of those rows.
Rows = Callable[[int, int], tuple[Tensor, Tensor]]

# Tables are made for this many blocks at once: they are small, and so would be each call.
_BLOCKS = 8
# A table's sine of a whole half turn is noise of 1e-16; it should be zero.
_NOISE = 1e-15
# Up to this width rounding to float32 cannot move a row's sum by 1e-6 of the row's norm.
_SAFE_WIDTH = 128
# Rows with a longer period average their rounding errors out.
_SHORT_PERIOD = 511


def fill_sines(tensor: Tensor, rows: Rows, amplitude: float) -> Tensor:
    """Write ``amplitude * sin(2 pi (frequency j / n + phase))``, j = 0..n-1, into ``tensor``.

    Rows have n = prod(tensor.shape[1:]) entries.
    """
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    # Apple's GPU has no float64: there the blocks are made on the CPU and copied.
    device = torch.device("cpu") if tensor.device.type == "mps" else tensor.device
    step = rows_per_block(tensor)
    # One buffer for all blocks: fresh memory for each would cost more than the sines.
    buffer = torch.empty(step, *_split(n), dtype=torch.float64, device=device)
    for start in range(0, m, _BLOCKS * step):
        stop = min(start + _BLOCKS * step, m)
        frequency, phase = rows(start, stop)
        tables = SineTables.of(frequency.to(device), phase.to(device), n, amplitude)
        write_rows(tensor[start:stop], partial(_block, tables, frequency, tensor.dtype, buffer))
    return tensor


def _block(
    tables: "SineTables",
    frequency: Tensor,
    dtype: torch.dtype,
    buffer: Tensor,
    first: int,
    last: int,
) -> Tensor:
    """Return rows first..last-1 in ``buffer``, ready to be rounded to ``dtype``."""
    values = tables.block(first, last, buffer[: last - first])
    if dtype == torch.float32 and tables.n > _SAFE_WIDTH:
        _balance(values, frequency[first:last])
    return values


@dataclass(frozen=True)
class SineTables:
    """Sines and cosines of the coarse angles u and the fine angles v of some rows.

    Shapes (rows, coarse, 1) and (rows, 1, fine); the amplitude is in the coarse ones.
    """

    n: int
    sine_u: Tensor
    cosine_u: Tensor
    sine_v: Tensor
    cosine_v: Tensor

    @classmethod
    def of(cls, frequency: Tensor, phase: Tensor, n: int, amplitude: float) -> "SineTables":
        """Tables for int64 frequencies (rows,), any sign and size, and float64 phases in turns."""
        coarse, fine = _split(n)
        frequency = frequency.remainder(n).double()
        columns = torch.arange(max(coarse, fine), dtype=torch.float64, device=phase.device)
        u = _turns(frequency, fine * columns[:coarse], n).add_(phase[:, None])
        v = _turns(frequency, columns[:fine], n)
        sine_u, cosine_u = _sine_cosine(u)
        sine_v, cosine_v = _sine_cosine(v)
        return cls(
            n,
            sine_u.mul_(amplitude)[:, :, None],
            cosine_u.mul_(amplitude)[:, :, None],
            sine_v[:, None, :],
            cosine_v[:, None, :],
        )

    def block(self, first: int, last: int, out: Tensor) -> Tensor:
        """Return rows first..last-1 as float64 (rows, n), in ``out`` of (rows, coarse, fine)."""
        part = slice(first, last)
        torch.mul(self.sine_u[part], self.cosine_v[part], out=out)
        out.addcmul_(self.cosine_u[part], self.sine_v[part])
        return out.flatten(1)[:, : self.n]


def _split(n: int) -> tuple[int, int]:
    """Return how many coarse and fine steps make a row: about sqrt(n) of each."""
    fine = 2 ** round(math.log2(n) / 2)
    return -(-n // fine), fine


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


def _balance(values: Tensor, frequency: Tensor) -> None:
    """Move float32's rounding errors in short odd periods, so that those rows sum to zero.

    A row of period p repeats its p rounding errors n / p times, and they add up. An even period
    is antisymmetric, so its errors cancel; for a short odd one the sum of one period's errors is
    handed to its smallest entries, where a float has digits to spare (each moves by about 1e-7).
    """
    n = values.shape[1]
    for p in _short_odd_divisors(n):
        chosen = (torch.gcd(frequency, torch.full_like(frequency, n)) * p == n).nonzero().flatten()
        if len(chosen) == 0:
            continue
        chosen = chosen.to(values.device)
        period = values[chosen, :p].float().double()
        smallest_first = period.abs().argsort(dim=1)
        for count in (p // 4, p // 32, 1):
            where = smallest_first[:, : max(count, 1)]
            error = period.sum(1, keepdim=True) / where.shape[1]
            moved = (period.gather(1, where) - error).float().double()
            period.scatter_(1, where, moved)
        values[chosen] = period.repeat(1, n // p)
