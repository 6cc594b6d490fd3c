"""Independent draws with a given variance: Glorot, He, LeCun and their kin."""

import math
from collections.abc import Callable

from torch import Tensor

from firstlight.errors import check_choice
from firstlight.init._draw import draw
from firstlight.init._tensor import Gain, fan, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.distributions import (
    TRUNCATED_STD,
    Arcsine,
    Distribution,
    Normal,
    TruncatedNormal,
    Uniform,
)
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness

#: Each distribution, made from the standard deviation that it is to have.
DISTRIBUTIONS: dict[str, Callable[[float], Distribution]] = {
    "normal": Normal,
    "uniform": lambda std: Uniform(math.sqrt(3) * std),
    "truncated_normal": lambda std: TruncatedNormal(std / TRUNCATED_STD),
    "arcsine": lambda std: Arcsine(math.sqrt(2) * std),
}


@blockwise
def variance_scaling_(
    tensor: Tensor,
    *,
    mode: str = "fan_in",
    gain: Gain = 1.0,
    distribution: str = "normal",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with independent values of mean 0 and variance gain^2 / fan.

    He is ``gain="relu"``, Glorot ``mode="fan_avg"``, LeCun the default. "truncated_normal" cuts
    at two standard deviations, before which it is widened so that the variance stays exact.
    "arcsine" draws a sin(u), u uniform: the values of ``sinusoidal_`` without its structure.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        mode: "fan_in", "fan_out" or "fan_avg", counted as in ``torch.nn.init``.
        gain: a number above 0, or an activation (name or callable) for ``theory.gain``.
        distribution: "normal", "uniform", "truncated_normal" or "arcsine".
        generator: source of randomness, a torch generator or a ``Stream``; the values depend
            on no device, stride or block.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, or an option is not one of those above.

    Example:
        >>> import torch
        >>> from firstlight.init import variance_scaling_
        >>> w = variance_scaling_(torch.empty(512, 256), gain="relu")
        >>> round(float(w.var()) * 256, 1)
        2.0

    Reference: Glorot and Bengio, AISTATS 2010; He et al., arXiv 1502.01852.
    """
    part = part_of(tensor, "variance_scaling_", block)
    check_choice(distribution, DISTRIBUTIONS, "distribution")
    std = gain_value(gain) / math.sqrt(fan(part, mode) or 1)
    return draw(tensor, part, DISTRIBUTIONS[distribution](std), generator)
