"""Checks of arguments that several files of this layer share."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError, number

#: Measured correlations leave [-1, 1] by rounding, in float32 by this much at most.
ROUNDING = 1e-6


def whole(value: object, what: str, *, least: int = 1) -> int:
    """Return ``value`` as an int; raise ``OptionError`` unless it is whole and large enough.

    Example:
        >>> whole(3, "depth")
        3
    """
    try:
        result = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise OptionError(f"{what} must be a whole number, got {value!r}") from None
    if not least <= result <= 10**9:
        raise OptionError(f"{what} must lie between {least} and 10^9, got {value!r}")
    return result


def correlation_of(value: object) -> float:
    """Return a correlation in [-1, 1]; what lies beyond by rounding is taken as ±1.

    Example:
        >>> correlation_of(1.00000001)
        1.0
    """
    result = number(value, "correlation")
    if abs(result) > 1 + ROUNDING:
        raise OptionError(f"correlation must lie between -1 and 1, got {value!r}")
    return min(1.0, max(-1.0, result))


def degree_of(alpha: object) -> float:
    """Return a degree of skewness; raise ``OptionError`` unless it lies in (0, 0.5).

    Example:
        >>> degree_of(0.3)
        0.3
    """
    try:
        result = number(alpha, "alpha")
    except OptionError:
        result = 0.0
    if not 0 < result < 0.5:
        raise OptionError(f"alpha must lie between 0 and 0.5, got {alpha!r}")
    return result


def each(function: Callable[[np.ndarray], np.ndarray], values: Any) -> Any:
    """Map ``function`` over float64 values: a float gives a float, a Tensor a Tensor.

    Example:
        >>> each(np.square, 3.0), each(np.square, torch.tensor([2.0]))
        (9.0, tensor([4.], dtype=torch.float64))
    """
    if isinstance(values, Tensor):
        answer = torch.from_numpy(np.asarray(function(values.detach().cpu().double().numpy())))
        # Apple's GPU has no float64: there the answer stays on the CPU.
        return answer if values.device.type == "mps" else answer.to(values.device)
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"expected a number, an array or a tensor, got {values!r}") from None
    mapped = function(numbers)
    return mapped if np.ndim(values) else float(mapped)
