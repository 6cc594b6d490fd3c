"""Poisson's equation on an interval and on a square."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere
from firstlight.physics.reference.solution import Array, Solution


def _residual_1d(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    return -dde.grad.hessian(u, x) - math.pi**2 * torch.sin(math.pi * x)


def _residual_2d(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_xx = dde.grad.hessian(u, x, i=0, j=0)
    u_yy = dde.grad.hessian(u, x, i=1, j=1)
    return -u_xx - u_yy - 2 * math.pi**2 * torch.sin(math.pi * x).prod(dim=1, keepdim=True)


def _solution(points: Array) -> Array:
    return np.sin(np.pi * points).prod(axis=1)


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    return [dde.icbc.DirichletBC(geometry, lambda _: 0, everywhere)]


POISSON_1D = Problem(
    name="poisson_1d",
    equation="-u_xx = pi^2 sin(pi x)",
    coordinates=("x",),
    geometry=lambda dde: box([-1], [1], dde),
    residual=_residual_1d,
    conditions=_conditions,
    terms=("equation", "boundary"),
    reference=lambda: Solution.of(_solution, [np.linspace(-1, 1, 401)]),
    published=Points(domain=16, boundary=2),
    small=Points(domain=16, boundary=2),
    source="DeepXDE's example Poisson_Dirichlet_1d, soft; Adam 1e-3 for 10000 steps",
)

POISSON_2D = Problem(
    name="poisson_2d",
    equation="-u_xx - u_yy = 2 pi^2 sin(pi x) sin(pi y)",
    coordinates=("x", "y"),
    geometry=lambda dde: box([-1, -1], [1, 1], dde),
    residual=_residual_2d,
    conditions=_conditions,
    terms=("equation", "boundary"),
    reference=lambda: Solution.of(_solution, [np.linspace(-1, 1, 101)] * 2),
    published=Points(domain=1200, boundary=120),
    small=Points(domain=400, boundary=80),
    source="ours, the 1-D problem on a square, soft; as many points as DeepXDE's Poisson_Lshape",
)
