"""The gradient against depth: its rate per layer, and where it leaves the range of floats."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from firstlight.auditing.result import Audit

#: Factors per layer nearer to 1 than this say nothing about what lies beyond the network.
_STEADY = 0.02


@dataclass(frozen=True)
class Profile:
    """Gradient norms at the activations against depth.

    Attributes:
        first: the shallowest activation.
        depth: weights between it and the deepest one.
        lost: orders of magnitude between the deepest one's gradient and its; infinite where
            nothing arrives.
        factor: by which the norm changes from one weight to the one before.
        leaves: weights from the loss at which the norm leaves the range of the dtype; None where
            it is steady.
    """

    first: str
    depth: int
    lost: float
    factor: float
    leaves: int | None


def profile(audit: Audit) -> Profile | None:
    """Fit the gradient norms; None with fewer than two depths, or where none is at the last."""
    found = _strongest(audit)
    if len(found) < 2:
        return None
    (last, (top, _)), (first, (bottom, name)) = max(found.items()), min(found.items())
    if top == 0:
        return None
    lost = math.inf if bottom == 0 else math.log10(top) - math.log10(bottom)
    points = [(depth, math.log10(norm)) for depth, (norm, _) in found.items() if norm > 0]
    factor = _factor(points)
    leaves = _leaves(audit.dtype, math.log10(top), factor)
    return Profile(name, last - first, lost, factor, leaves)


def _strongest(audit: Audit) -> dict[int, tuple[float, str]]:
    """Return the largest gradient norm at each depth, and where it is.

    Beside others it is what reaches that depth: a gate that has nothing to let through gets none.
    """
    found: dict[int, tuple[float, str]] = {}
    for one in audit.activations:
        if one.gradient_norm is not None and math.isfinite(one.gradient_norm):
            here = (one.gradient_norm, one.place)
            found[one.depth] = max(found.get(one.depth, here), here)
    return found


def _factor(points: list[tuple[int, float]]) -> float:
    depths, logs = np.array(points, dtype=np.float64).T
    if len(set(depths)) < 2:
        return 1.0
    slope = float(np.polyfit(depths, logs, 1)[0])
    return 10**-slope


def _leaves(dtype: str, start: float, factor: float) -> int | None:
    if not 0 < factor < math.inf or abs(math.log10(factor)) < _STEADY:
        return None
    info = torch.finfo(getattr(torch, dtype, torch.float32))
    end = info.tiny if factor < 1 else info.max
    return max(math.ceil((math.log10(end) - start) / math.log10(factor)), 0)
