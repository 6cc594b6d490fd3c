"""The Korteweg-de Vries equation, periodic: a cosine breaks up into solitons."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.problems.periodic import periodic_conditions
from firstlight.physics.reference.etdrk4 import etdrk4
from firstlight.physics.reference.solution import Solution

_DISPERSION = 0.0025
_GRID = 256


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_x = dde.grad.jacobian(u, x, i=0, j=0)
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    u_xx = dde.grad.hessian(u, x, i=0, j=0)
    u_xxx = torch.autograd.grad(u_xx.sum(), x, create_graph=True)[0][:, :1]
    return u_t + u * u_x + _DISPERSION * u_xxx


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    start = dde.icbc.IC(geometry, lambda points: np.cos(np.pi * points[:, :1]), everywhere)
    return [*periodic_conditions(dde, geometry), start]


@lru_cache
def _reference() -> Solution:
    x, t = -1 + 2 * np.arange(_GRID) / _GRID, np.linspace(0, 1, 101)
    u = etdrk4(
        np.cos(np.pi * x),
        2,
        lambda k: 1j * _DISPERSION * k**3,
        lambda u, derivative: -derivative(u * u / 2),
        t,
        step=1e-3,
    )
    return Solution((x, t[::2]), u[:, ::2])


KDV = Problem(
    name="kdv",
    equation="u_t + u u_x + 0.0025 u_xxx = 0",
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([-1], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "periodic u", "periodic u_x", "initial"),
    reference=_reference,
    published=Points(domain=20000, boundary=200, initial=512),
    small=Points(domain=1000, boundary=80, initial=100),
    source="arXiv 1711.10561 (equation, u(x, 0) = cos(pi x), periodic), soft; numbers of points "
    "ours",
)
