"""The wave equation of a string with two modes, at a speed that a plain network can follow."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.reference.solution import Array, Solution

_SPEED = 2.0


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_xx = dde.grad.hessian(u, x, i=0, j=0)
    u_tt = dde.grad.hessian(u, x, i=1, j=1)
    return u_tt - _SPEED**2 * u_xx


def _solution(points: Array) -> Array:
    x, t = points[:, 0], points[:, 1]
    modes = [np.sin(n * math.pi * x) * np.cos(n * _SPEED * math.pi * t) for n in (1, 2)]
    return modes[0] + modes[1]


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    def exact(points: Array) -> Array:
        return _solution(points)[:, None]

    def speed(x: Tensor, u: Tensor, _: Any) -> Tensor:
        return dde.grad.jacobian(u, x, i=0, j=1)

    return [
        dde.icbc.DirichletBC(geometry, exact, everywhere),
        dde.icbc.IC(geometry, exact, everywhere),
        dde.icbc.OperatorBC(geometry, speed, lambda x, _: dde.utils.isclose(x[1], 0)),
    ]


WAVE = Problem(
    name="wave",
    equation="u_tt = 4 u_xx",
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([0], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "boundary", "initial", "initial u_t"),
    reference=lambda: Solution.of(_solution, [np.linspace(0, 1, 101), np.linspace(0, 1, 101)]),
    published=Points(domain=360, boundary=360, initial=360),
    small=Points(domain=360, boundary=120, initial=120),
    source="DeepXDE's example wave_1d (arXiv 2012.10047) at speed 2 in place of 10, which needs "
    "Fourier features; soft",
)
