"""Harmonic filters for depthwise convolutions, which must not lose their channel's mean (ours)."""

import math

import torch
from torch import Tensor

from firstlight.init._tensor import Gain, fan, gain_value, part_of, write_rows
from firstlight.init.block import Block
from firstlight.init.harmonic import harmonic_
from firstlight.init.shards import blockwise


@blockwise
def harmonic_depthwise_(
    tensor: Tensor,
    *,
    mode: str = "fan_in",
    gain: Gain = 1.0,
    layer: int = 0,
    block: Block | None = None,
) -> Tensor:
    """Fill with harmonic rows that also pass their channel's mean.

        w_i = gain sqrt(n / fan) (sqrt(1 - 1/n) h_i ± 1/n),   i = 0..m-1

    where h_i is row i of ``harmonic_`` at norm 1 and n counts the taps. A filter whose taps sum
    to zero is a pure high-pass filter, and a depthwise one has no other channel to make up for
    it. Here the mean holds 1/n of each filter's energy, what it holds in a random filter on
    average; its sign alternates with i + layer. All rows have one norm.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; one row for each channel.
        mode: "fan_in", "fan_out" or "fan_avg", counted as in ``torch.nn.init``.
        gain: a number, or an activation (name or callable) for ``theory.gain``.
        layer: a whole number from 0 to 2^32 - 1; each gives other filters.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: as ``harmonic_``.

    Example:
        >>> import torch
        >>> from firstlight.init import harmonic_depthwise_
        >>> w = harmonic_depthwise_(torch.empty(8, 1, 3, 3))
        >>> [round(x, 3) for x in w.sum((1, 2, 3)).tolist()[:4]]
        [1.0, -1.0, 1.0, -1.0]

    Reference: this project; experiments/depthwise.py measures it against its rivals.
    """
    part = part_of(tensor, "harmonic_depthwise_", block, min_inputs=3)
    n = part.inputs
    scale = gain_value(gain) * math.sqrt(n / max(fan(part, mode), 1))
    rows = torch.empty(part.sizes, dtype=torch.float64, device="cpu")
    harmonic_(rows, gain=1.0, layer=layer, block=part)
    # harmonic_ counts one input channel's taps: its rows have norm 1 at gain 1
    rows.mul_(math.sqrt(1 - 1 / n))
    sign = 1 - 2 * ((torch.tensor(part.rows, device="cpu") + layer) % 2)
    rows += sign.double().div_(n).view(-1, *[1] * (rows.ndim - 1))
    rows *= scale
    return write_rows(tensor, lambda start, stop: rows[start:stop])
