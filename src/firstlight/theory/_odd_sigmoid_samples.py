"""Values of an activation on both sides of 0, from next to it to very far out, and its slopes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.theory.activations import derivative, label

#: Places u = x f'(0) / bound: close ones, then evenly spaced in asinh(u) up to the farthest, where
#: powers of x still have room.
_NEAREST, _STEP, _FARTHEST = 1e-8, 0.002, 1e15
#: The square of what is farther overflows in float32.
_FARTHEST_SINGLE = 1e12
#: Slopes at 0 beyond which a scale of x cannot be told.
_SLOPES = (1e-30, 1e30)


@dataclass(frozen=True, eq=False)
class Samples:
    """What was seen of an activation.

    Attributes:
        f: the activation, on float64 vectors.
        slope: its derivative, at 0 itself the one next to it.
        slope_at_zero: f'(0); NaN where that is not between 1e-30 and 1e30.
        unit: bound / f'(0), the scale of x; 1 where there is none.
        eps: the resolution of its values: 2^-52, or 2^-23 where they come from float32.
        x: the places, rising from 0.
        right: f(x).
        left: f(-x).
        slopes: f'(x).
    """

    f: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    slope_at_zero: float
    unit: float
    eps: float
    x: Tensor
    right: Tensor
    left: Tensor
    slopes: Tensor

    @property
    def finite(self) -> int:
        """How many of the places, from 0 on, have finite values on both sides."""
        return _leading(self.right.isfinite() & self.left.isfinite())

    @property
    def differentiable(self) -> int:
        """How many of the places, from 0 on, have finite values and slopes."""
        return min(self.finite, _leading(self.slopes.isfinite()))

    @property
    def bound(self) -> float:
        """Largest finite |f|."""
        return float(self.right[: self.finite].abs().max()) if self.finite else math.nan


def sample(activation: Callable[[Tensor], Tensor]) -> Samples:
    """Evaluate an elementwise activation on places that fit its slope at 0 and its bound.

    Raises:
        OptionError: autograd cannot differentiate it, or two evaluations differ.

    Example:
        >>> seen = sample(lambda x: 3 * torch.tanh(1e4 * x))
        >>> seen.unit, seen.finite == len(seen.x)
        (0.0001, True)
    """

    def f(x: Tensor) -> Tensor:
        with torch.no_grad():
            return activation(x.clone()).double()

    at_zero = _slope_at_zero(derivative(activation))

    def slope(x: Tensor) -> Tensor:
        found = derivative(activation)(x)
        return found if math.isnan(at_zero) else torch.where(x == 0, at_zero, found)

    unit = 1.0 if math.isnan(at_zero) else _unit(f, at_zero)
    some = f(_places(10.0) * unit)
    single = torch.equal(some, some.float().double())
    x = _places(_FARTHEST_SINGLE if single else _FARTHEST) * unit
    right = f(x)
    if not torch.equal(right.nan_to_num(), f(x).nan_to_num()):
        raise OptionError(
            f"activation {label(activation)} gives other values the second time; "
            "give a function that depends on x alone"
        )
    eps = 2.0**-23 if single else 2.0**-52
    return Samples(f, slope, at_zero, unit, eps, x, right, f(-x), slope(x))


def _unit(f: Callable[[Tensor], Tensor], slope: float) -> float:
    """Return bound / f'(0), with the height far out on the scale of x that this height gives."""
    unit = 1 / slope
    for _ in range(20):
        height = float(f(torch.tensor([1e3 * unit], dtype=torch.float64, device="cpu")))
        if not 0 < height < math.inf:
            break
        before, unit = unit, height / slope
        if 0.5 < unit / before < 2:
            return unit
    return 1 / slope  # not bounded, then


def _slope_at_zero(slope: Callable[[Tensor], Tensor]) -> float:
    """Return f'(0), or the slope next to 0: what is written with |x| has none at 0 in autograd."""
    places = torch.tensor([0.0, 1e-30, 1e-31], dtype=torch.float64, device="cpu")
    at, near, nearer = slope(places).tolist()
    if _SLOPES[0] <= at <= _SLOPES[1]:
        return at
    settled = abs(near - nearer) < 1e-3 * abs(near) and _SLOPES[0] <= near <= _SLOPES[1]
    return near if settled else math.nan


def _places(farthest: float) -> Tensor:
    options: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
    close = torch.logspace(math.log10(_NEAREST), math.log10(_STEP), 401, **options)
    wide = torch.sinh(torch.arange(2 * _STEP, math.asinh(farthest), _STEP, **options))
    return torch.cat([close.new_zeros(1), close, wide, close.new_tensor([farthest])])


def _leading(flags: Tensor) -> int:
    """Return how many flags are set before the first that is not."""
    return int(flags.long().cumprod(0).sum())
