"""Independent draws with a given variance: Glorot, He, LeCun and their kin."""

import math

import torch
from torch import Tensor, nn

from firstlight.errors import check_choice
from firstlight.init._draw import draw_rows
from firstlight.init._tensor import Gain, fan, gain_value, matrix_shape

#: Standard deviation of a standard normal variable cut at two standard deviations.
TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / (math.sqrt(2 * math.pi) * math.erf(math.sqrt(2))))


def variance_scaling_(
    tensor: Tensor,
    *,
    mode: str = "fan_in",
    gain: Gain = 1.0,
    distribution: str = "normal",
    generator: torch.Generator | None = None,
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
        generator: source of randomness; the values do not depend on device or stride.

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
    matrix_shape(tensor, "variance_scaling_")
    check_choice(distribution, DISTRIBUTIONS, "distribution")
    std = gain_value(gain) / math.sqrt(fan(tensor, mode) or 1)
    draw = DISTRIBUTIONS[distribution]
    return draw_rows(tensor, lambda block, _: draw(block, std, generator), generator)


def _normal(block: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    return nn.init.normal_(block, std=std, generator=generator)


def _uniform(block: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    bound = math.sqrt(3) * std
    return nn.init.uniform_(block, -bound, bound, generator=generator)


def _truncated_normal(block: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    wide = std / TRUNCATED_STD
    return nn.init.trunc_normal_(block, std=wide, a=-2 * wide, b=2 * wide, generator=generator)


def _arcsine(block: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    nn.init.uniform_(block, -math.pi / 2, math.pi / 2, generator=generator)
    return block.sin_().mul_(math.sqrt(2) * std)


DISTRIBUTIONS = {
    "normal": _normal,
    "uniform": _uniform,
    "truncated_normal": _truncated_normal,
    "arcsine": _arcsine,
}
