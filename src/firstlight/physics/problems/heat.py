"""The heat equation on a bar, as in DeepXDE's example."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.reference.solution import Array, Solution

_DIFFUSIVITY = 0.4


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    return u_t - _DIFFUSIVITY * dde.grad.hessian(u, x, i=0, j=0)


def _solution(points: Array) -> Array:
    x, t = points[:, 0], points[:, 1]
    return np.exp(-_DIFFUSIVITY * math.pi**2 * t) * np.sin(math.pi * x)


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    return [
        dde.icbc.DirichletBC(geometry, lambda _: 0, everywhere),
        dde.icbc.IC(geometry, lambda points: np.sin(math.pi * points[:, :1]), everywhere),
    ]


HEAT = Problem(
    name="heat",
    equation="u_t = 0.4 u_xx",
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([0], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "boundary", "initial"),
    reference=lambda: Solution.of(_solution, [np.linspace(0, 1, 101), np.linspace(0, 1, 51)]),
    published=Points(domain=2540, boundary=80, initial=160),
    small=Points(domain=500, boundary=40, initial=40),
    source="DeepXDE's example heat, soft; Adam 1e-3 for 20000 steps, then L-BFGS",
)
