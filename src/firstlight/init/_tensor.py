"""What every fill shares: checking its tensor, its fans, and writing rows into it."""

import math
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

from firstlight import theory
from firstlight.errors import OptionError, one_of

Gain = float | str | Callable[[Tensor], Tensor]

#: Elements of one working block: 2 MiB of float64, which stays in a core's cache.
BLOCK = 2**18


def matrix_shape(tensor: Tensor, scheme: str, min_inputs: int = 1) -> tuple[int, int]:
    """Check that ``tensor`` can be filled; return it as (m outputs, n inputs).

    Raises:
        OptionError: fewer than two dimensions, not a real floating dtype, on the meta device,
            or fewer than ``min_inputs`` inputs.
    """
    if tensor.ndim < 2:
        raise OptionError(
            f"{scheme} expected a tensor with 2 or more dimensions (out, in, *kernel), "
            f"got shape {tuple(tensor.shape)}"
        )
    if not tensor.dtype.is_floating_point:
        raise OptionError(f"{scheme} expected a floating-point tensor, got {tensor.dtype}")
    if tensor.is_meta:
        raise OptionError(
            f"{scheme} cannot fill a tensor on the meta device, which holds no values; "
            "call module.to_empty(device=...) first"
        )
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    if n < min_inputs:
        raise OptionError(
            f"{scheme} needs at least {min_inputs} inputs per output, got {n} "
            f"in shape {tuple(tensor.shape)}"
        )
    return m, n


def fan(tensor: Tensor, mode: str) -> float:
    """Number of inputs or outputs of one unit, counted as ``torch.nn.init`` does.

    fan_in = in * prod(kernel), fan_out = out * prod(kernel), fan_avg = (fan_in + fan_out) / 2.
    """
    receptive = math.prod(tensor.shape[2:])
    fan_in, fan_out = tensor.shape[1] * receptive, tensor.shape[0] * receptive
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise one_of(mode, fans, "mode")
    return fans[mode]


def gain_value(gain: Gain, *, zero_sum: bool = False) -> float:
    """Turn ``gain`` into a number; a name or a callable is looked up in ``theory.gain``."""
    if isinstance(gain, str) or callable(gain):
        return theory.gain(gain, zero_sum=zero_sum)
    number = isinstance(gain, Real) and not isinstance(gain, bool)
    if not number or not math.isfinite(gain) or gain <= 0:
        raise OptionError(
            f"gain must be a finite number above 0 or an activation's name, got {gain!r}"
        )
    return float(gain)


def rows_per_block(tensor: Tensor) -> int:
    """Return how many rows ``write_rows`` asks for at a time."""
    return max(1, min(tensor.shape[0], BLOCK // max(1, math.prod(tensor.shape[1:]))))


def write_rows(tensor: Tensor, rows: Callable[[int, int], Tensor]) -> Tensor:
    """Fill ``tensor`` from ``rows(start, stop)`` -> (stop - start, n), a block at a time.

    Only in-place copies write, so any dtype, device and stride is respected and at most one
    block exists beside the tensor.
    """
    if tensor.numel() == 0:
        return tensor
    m, step = tensor.shape[0], rows_per_block(tensor)
    with torch.no_grad():
        for start in range(0, m, step):
            target = tensor[start : start + step]
            target.copy_(rows(start, min(start + step, m)).view(target.shape))
    return tensor
