"""Diffusion with a source, as in DeepXDE's example."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.reference.solution import Array, Solution


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    source = torch.exp(-x[:, 1:]) * (1 - math.pi**2) * torch.sin(math.pi * x[:, :1])
    return u_t - dde.grad.hessian(u, x, i=0, j=0) + source


def _solution(points: Array) -> Array:
    return np.sin(np.pi * points[:, 0]) * np.exp(-points[:, 1])


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    def exact(points: Array) -> Array:
        return _solution(points)[:, None]

    return [
        dde.icbc.DirichletBC(geometry, exact, everywhere),
        dde.icbc.IC(geometry, exact, everywhere),
    ]


DIFFUSION = Problem(
    name="diffusion",
    equation="u_t = u_xx - exp(-t) (1 - pi^2) sin(pi x)",
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([-1], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "boundary", "initial"),
    reference=lambda: Solution.of(_solution, [np.linspace(-1, 1, 101), np.linspace(0, 1, 51)]),
    published=Points(domain=40, boundary=20, initial=10),
    small=Points(domain=40, boundary=20, initial=10),
    source="DeepXDE's example diffusion_1d, soft; Adam 1e-3 for 10000 steps",
)
