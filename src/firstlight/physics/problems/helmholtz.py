"""The Helmholtz equation on a square, with the boundary built in, as in DeepXDE's example."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box
from firstlight.physics.reference.solution import Array, Solution

_WAVE_NUMBER = 4 * math.pi


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_xx = dde.grad.hessian(u, x, i=0, j=0)
    u_yy = dde.grad.hessian(u, x, i=1, j=1)
    force = _WAVE_NUMBER**2 * torch.sin(_WAVE_NUMBER * x).prod(dim=1, keepdim=True)
    return -u_xx - u_yy - _WAVE_NUMBER**2 * u - force


def _solution(points: Array) -> Array:
    return np.sin(_WAVE_NUMBER * points).prod(axis=1)


def _zero_on_the_boundary(x: Tensor, y: Tensor) -> Tensor:
    return (x * (1 - x)).prod(dim=1, keepdim=True) * y


HELMHOLTZ = Problem(
    name="helmholtz",
    equation="-u_xx - u_yy - k^2 u = k^2 sin(kx) sin(ky), k = 4 pi",
    coordinates=("x", "y"),
    geometry=lambda dde: box([0, 0], [1, 1], dde),
    residual=_residual,
    conditions=lambda _dde, _geometry: [],
    terms=("equation",),
    reference=lambda: Solution.of(_solution, [np.linspace(0, 1, 101)] * 2),
    published=Points(domain=400, boundary=80),
    small=Points(domain=400, boundary=80),
    source="DeepXDE's example Helmholtz_Dirichlet_2d, hard: u = x(1-x)y(1-y) N(x, y), 10 points a "
    "wave length; Adam 1e-3",
    transform=_zero_on_the_boundary,
    hard=("boundary",),
)
