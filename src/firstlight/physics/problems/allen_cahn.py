"""The Allen-Cahn equation, periodic: two phases with sharp borders between them."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.points import Points
from firstlight.physics.problem import Problem, box, everywhere, in_time
from firstlight.physics.problems.periodic import periodic_conditions, periodic_features
from firstlight.physics.reference.etdrk4 import etdrk4
from firstlight.physics.reference.solution import Array, Solution

_DIFFUSION = 1e-4
_EQUATION = "u_t = 0.0001 u_xx - 5 u^3 + 5 u"
_GRID = 512


def _residual(dde: Any, x: Tensor, u: Tensor) -> Tensor:
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    return u_t - _DIFFUSION * dde.grad.hessian(u, x, i=0, j=0) + 5 * u**3 - 5 * u


def _initial(x: Array) -> Array:
    return x**2 * np.cos(np.pi * x)


def _conditions(dde: Any, geometry: Any) -> list[Any]:
    start = dde.icbc.IC(geometry, lambda points: _initial(points[:, :1]), everywhere)
    return [*periodic_conditions(dde, geometry), start]


@lru_cache
def _reference() -> Solution:
    x, t = -1 + 2 * np.arange(_GRID) / _GRID, np.linspace(0, 1, 51)
    u = etdrk4(
        _initial(x), 2, lambda k: 5 - _DIFFUSION * k**2, lambda u, _: -5 * u**3, t, step=2.5e-3
    )
    return Solution((x[::4], t), u[::4])


def _exact_start(x: Tensor, y: Tensor) -> Tensor:
    return x[:, :1] ** 2 * torch.cos(math.pi * x[:, :1]) + x[:, 1:] * y


ALLEN_CAHN = Problem(
    name="allen_cahn",
    equation=_EQUATION,
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([-1], [1], dde), 1, dde),
    residual=_residual,
    conditions=_conditions,
    terms=("equation", "periodic u", "periodic u_x", "initial"),
    reference=_reference,
    published=Points(domain=20000, boundary=200, initial=512),
    small=Points(domain=1000, boundary=80, initial=100),
    source="arXiv 2007.04542 (equation, u(x, 0) = x^2 cos(pi x), periodic, initial condition "
    "weighted by 100), soft; numbers of points ours",
    weights=(1.0, 1.0, 1.0, 100.0),
)

ALLEN_CAHN_HARD = Problem(
    name="allen_cahn_hard",
    equation=_EQUATION,
    coordinates=("x", "t"),
    geometry=lambda dde: in_time(box([-1], [1], dde), 1, dde),
    residual=_residual,
    conditions=lambda _dde, _geometry: [],
    terms=("equation",),
    reference=_reference,
    published=Points(domain=8000, boundary=400, initial=800),
    small=Points(domain=1000, boundary=50, initial=100),
    source="the same, hard: u = x^2 cos(pi x) + t N(cos pi x, sin pi x, t), periodic by its inputs "
    "(arXiv 2007.07442); points of DeepXDE's example of another Allen-Cahn equation",
    features=periodic_features,
    inputs=3,
    transform=_exact_start,
    hard=("initial", "periodic"),
)
