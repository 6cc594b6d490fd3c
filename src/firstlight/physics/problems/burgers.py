"""Burgers' equation at small viscosity: a wave that steepens into a shock at x = 0."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.reference.cole_hopf import cole_hopf
from firstlight.physics.reference.solution import Array, Solution

_VISCOSITY = 0.01 / math.pi


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_x = dde.grad.jacobian(u, x, i=0, j=0)
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    return u_t + u * u_x - _VISCOSITY * dde.grad.hessian(u, x, i=0, j=0)


def _initial(points: Array) -> Array:
    return -np.sin(np.pi * points[:, :1])


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    return [
        dde.icbc.DirichletBC(geometry, lambda _: 0, everywhere),
        dde.icbc.IC(geometry, _initial, everywhere),
    ]


def _reference() -> Solution:
    axes = [np.linspace(-1, 1, 257), np.linspace(0, 1, 51)]
    return Solution.of(lambda points: cole_hopf(points, _VISCOSITY), axes)


BURGERS = Problem(
    name="burgers",
    equation="u_t + u u_x = (0.01/pi) u_xx",
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([-1], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "boundary", "initial"),
    reference=_reference,
    published=Points(domain=20000, boundary=1000, initial=500),
    small=Points(domain=2000, boundary=100, initial=100),
    source="arXiv 2509.23085: u(x, 0) = -sin(pi x), u(+-1, t) = 0, soft; Adam 1e-3 for 300 steps, "
    "then L-BFGS; 30 tanh layers of width 16",
)
