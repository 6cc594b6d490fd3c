"""Harmonic initialization: deterministic zero-sum rows of full rank, at every shape (ours)."""

import math
import operator
from functools import lru_cache
from itertools import count

from torch import Tensor

from firstlight.errors import OptionError
from firstlight.init._sine import fill_sines
from firstlight.init._tensor import Gain, fan, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise

# Odd multipliers of 2^32: distinct layers below 2^32 get distinct phases, and the quadratic term
# (Schroeder's) keeps the sines from all peaking at one input.
_LAYER, _LINEAR, _QUADRATIC, _MODULUS = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 2**32


@blockwise
def harmonic_(
    tensor: Tensor,
    *,
    mode: str = "fan_in",
    gain: Gain = 1.0,
    layer: int = 0,
    block: Block | None = None,
) -> Tensor:
    """Fill with sine and cosine pairs of distinct frequencies: no twins, no lost rank.

        W[i, j] = a sin(2 pi (f_i j / n + phi_i)),   j = 0..n-1,   a^2 / 2 = gain^2 / fan

    on the tensor flattened to (m, n) = (out, in * prod(kernel)), with frequencies spread over
    1..F, F = floor((n - 1) / 2). For m <= 2F each frequency carries a sine and a cosine; for
    m > 2F each carries m / F phases, evenly spaced over half a turn. So, at every shape:
    rows sum to zero and have one norm; rank is min(m, 2F); no row is another one or its
    negative; non-zero singular values are equal for m <= 2F and for multiples of F, and within
    sqrt(3/2) otherwise; all columns have one norm (within 7 % for odd m >= 16).

    Args:
        tensor: 2-D or more with n >= 3, any floating dtype, device and stride.
        mode: "fan_in", "fan_out" or "fan_avg", counted as in ``torch.nn.init``.
        gain: a number, or an activation (name or callable) for ``theory.gain`` with zero-sum rows.
        layer: a whole number from 0 to 2^32 - 1; each gives other frequencies or phases, with
            the same guarantees.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, n < 3, unknown mode, or a bad layer.

    Example:
        >>> import torch
        >>> w = firstlight.init.harmonic_(torch.empty(256, 64))
        >>> int(torch.linalg.matrix_rank(w)), bool(w.sum(1).abs().max() < 1e-6)
        (62, True)

    Reference: this project; it repairs arXiv 2505.12909 where that loses rank.
    """
    part = part_of(tensor, "harmonic_", block, min_inputs=3)
    layer = _checked_layer(layer)
    amplitude = gain_value(gain, zero_sum=True) * math.sqrt(2 / max(fan(part, mode), 1))

    def rows(i: Tensor) -> tuple[Tensor, Tensor]:
        return harmonic_rows(i, part.shape[0], part.inputs, layer)

    return fill_sines(tensor, part, rows, amplitude)


def harmonic_rows(i: Tensor, m: int, n: int, layer: int) -> tuple[Tensor, Tensor]:
    """Return frequency (int64) and phase (float64, turns) of rows ``i`` of an m x n matrix."""
    highest = (n - 1) // 2
    if m <= 2 * highest:
        index, turn = i // 2, (i % 2).double() / 4
    else:
        index = i % highest
        phases = m // highest + (index < m % highest)
        turn = (i // highest).double() / (2 * phases)
    frequency = 1 + (layer % highest + index * _stride(highest)) % highest
    base = (_LAYER * layer % _MODULUS + (_LINEAR + _QUADRATIC * frequency) * frequency) % _MODULUS
    phase = base.double() / _MODULUS
    if m == 1:  # a lone sine must not vanish at any input: stay a quarter step off its zeros
        step = phase * 2 * n
        phase = (step.floor() + 0.25 + 0.5 * step.frac()) / (2 * n)
    return frequency, phase + turn


def _checked_layer(layer: int) -> int:
    try:
        whole = -1 if isinstance(layer, bool) else operator.index(layer)
    except TypeError:
        whole = -1
    if not 0 <= whole < _MODULUS:
        raise OptionError(f"layer must be a whole number from 0 to 2^32 - 1, got {layer!r}")
    return whole


@lru_cache
def _stride(highest: int) -> int:
    """Step from one row's frequency to the next: about the golden section, prime to ``highest``.

    Any number of rows then spreads over the whole band, and no frequency comes twice.
    """
    start = max(1, round(highest * 0.6180339887498949))
    return next(step for step in count(start) if math.gcd(step, highest) == 1)
