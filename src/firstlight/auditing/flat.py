"""Where an activation is flat, so that no gradient passes: below one point, above another."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from firstlight import theory
from firstlight.errors import FirstlightError

#: Slopes are looked at up to here on both sides.
_REACH = 40.0


@dataclass(frozen=True)
class Flat:
    """The two half-lines on which an activation is flat.

    Attributes:
        low: flat at and below; -inf where it never is.
        high: flat at and above; inf where it never is.
    """

    low: float = -math.inf
    high: float = math.inf

    @property
    def both(self) -> bool:
        """Whether it is flat on both sides, as tanh is."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def flat(activation: str | Callable[[Tensor], Tensor], slope: float) -> Flat:
    """Return where the slope stays below ``slope`` times the steepest one between -1 and 1.

    Args:
        activation: a name or a function of each element alone.
        slope: share of the steepest slope, such as 0.05.

    Example:
        >>> flat("relu", 0.05)
        Flat(low=0.0, high=inf)
        >>> round(flat("tanh", 0.05).high, 1), flat("sin", 0.05)
        (2.2, Flat(low=-inf, high=inf))
    """
    return _by_name(activation, slope) if isinstance(activation, str) else _find(activation, slope)


def _find(activation: str | Callable[[Tensor], Tensor], slope: float) -> Flat:
    side = torch.cat(
        [torch.zeros(1), torch.logspace(-4, math.log10(_REACH), 1600)],
    ).double()
    x = torch.cat([-side.flip(0)[:-1], side]).cpu()
    try:
        f = theory.activations.elementwise(activation)
        slopes = theory.activations.derivative(f)(x).abs()
    except FirstlightError:
        return Flat()
    # not the steepest of all: that of exp lies beyond every bound
    usual = slopes[x.abs() <= 1].max()
    steep = (slopes > slope * (usual if usual > 0 else slopes.max())).nonzero().flatten()
    if len(steep) == 0 or not bool(slopes.isfinite().all()):
        return Flat()
    first, last = int(steep[0]), int(steep[-1])
    # one grid point beyond the last steep one; ReLU's is 0 itself
    low = -math.inf if first == 0 else float(x[first - 1])
    high = math.inf if last == len(x) - 1 else float(x[last + 1])
    return Flat(low, high)


_by_name = lru_cache(maxsize=None)(_find)
