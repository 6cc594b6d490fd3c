"""Periodic in x on [-1, 1], softly by conditions or exactly by the network's inputs."""

import math
from typing import Any

import torch
from torch import Tensor

from firstlight.physics.problem import everywhere


def periodic_conditions(dde: Any, geometry: Any) -> list[Any]:
    """Equal values and equal slopes at both ends."""
    return [
        dde.icbc.PeriodicBC(geometry, 0, everywhere, derivative_order=order) for order in (0, 1)
    ]


def periodic_features(x: Tensor) -> Tensor:
    """(cos pi x, sin pi x, t): every function of these has the period 2 in x.

    Example:
        >>> import torch
        >>> from firstlight.physics.problems.periodic import periodic_features
        >>> ends = periodic_features(torch.tensor([[-1.0, 0.5], [1.0, 0.5]]))
        >>> torch.allclose(ends[0], ends[1], atol=1e-6)
        True

    Reference: Dong and Ni, arXiv 2007.07442.
    """
    angle = math.pi * x[:, :1]
    return torch.cat([torch.cos(angle), torch.sin(angle), x[:, 1:]], dim=1)
