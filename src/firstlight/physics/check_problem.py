"""Try a user's own problem before anything is trained on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from firstlight.errors import FirstlightError, OptionError
from firstlight.model.reason import reason
from firstlight.physics.deepxde import arithmetic, quiet
from firstlight.physics.network import build_network
from firstlight.physics.points import Points
from firstlight.physics.problem import Problem
from firstlight.physics.reference.solution import Solution
from firstlight.physics.specification import PinnSpec

#: Points of each kind on which a problem is tried.
_FEW = 8
_NETWORK = PinnSpec(scheme="Glorot normal", depth=1, width=4)


def check_problem(problem: Any, name: str) -> Problem:
    """Return a problem that a user's own code made, tried on a few points; its reference is kept.

    Args:
        problem: what the code returned.
        name: by which messages call it.

    Raises:
        OptionError: it is none, a part of it raises, or its parts do not fit each other.

    Example:
        >>> from firstlight.physics.check_problem import check_problem
        >>> from firstlight.physics.problems.poisson import POISSON_1D
        >>> check_problem(POISSON_1D, "mine:poisson").terms
        ('equation', 'boundary')
    """
    if not isinstance(problem, Problem):
        raise OptionError(
            f"problem {name} must return a firstlight.physics.Problem, got {type(problem).__name__}"
        )
    with arithmetic() as dde:
        with _part(name, "its geometry"):
            _check_geometry(problem, dde)
        with _part(name, "its reference"):
            solution = problem.reference()
            _check_reference(problem, solution)
        with _part(name, "its conditions"):
            points = Points(_FEW, _FEW if problem.small.boundary else 0, _FEW)
            data = problem.data(points, seed=0)
        with _part(name, "its features"):
            _check_features(problem, data.train_x)
        with _part(name, "its transform"):
            net = build_network(problem, _NETWORK, data.train_x)
            _check_output(net(torch.as_tensor(data.train_x)), len(data.train_x))
        with _part(name, "its residual"):
            _check_residual(dde, problem, data.train_x, net)
        with _part(name, "its loss"):
            _check_loss(dde, problem, data, net)
    return replace(problem, reference=lambda: solution)  # it may have taken long


@contextmanager
def _part(name: str, what: str) -> Iterator[None]:
    """Name the problem and the part of it that is wrong."""
    try:
        yield
    except FirstlightError as error:
        raise OptionError(f"problem {name}, {what}: {error}") from error
    except (Exception, SystemExit) as error:  # the user's own code, which may ask Python to exit
        raise OptionError(f"problem {name}, {what}: {reason(error)}") from error


def _check_geometry(problem: Problem, dde: Any) -> None:
    dimension = getattr(problem.geometry(dde), "dim", None)
    if dimension is None:
        raise OptionError("expected one of DeepXDE's geometries, which have a dimension")
    if dimension != len(problem.coordinates):
        raise OptionError(
            f"coordinates name {len(problem.coordinates)} "
            f"({', '.join(problem.coordinates)}), the geometry has {dimension}"
        )


def _check_reference(problem: Problem, solution: Any) -> None:
    if not isinstance(solution, Solution):
        raise OptionError(f"expected a firstlight.physics.Solution, got {type(solution).__name__}")
    if len(solution.axes) != len(problem.coordinates):
        raise OptionError(
            f"expected {len(problem.coordinates)} axes, one for each of "
            f"{', '.join(problem.coordinates)}; got {len(solution.axes)}"
        )
    if not np.any(solution.values):
        raise OptionError("it is 0 everywhere, and an error relative to it is not a number")


def _check_features(problem: Problem, points: Any) -> None:
    inputs = torch.as_tensor(points)
    features = inputs if problem.features is None else problem.features(inputs)
    if tuple(features.shape) != (len(inputs), problem.network_inputs):
        raise OptionError(
            f"inputs says {problem.network_inputs}: expected features of shape "
            f"{(len(inputs), problem.network_inputs)} for {len(inputs)} points, got "
            f"{tuple(features.shape)}"
        )


def _check_output(values: torch.Tensor, count: int) -> None:
    if tuple(values.shape) != (count, 1):
        raise OptionError(
            f"expected u of shape {(count, 1)} for {count} points, got {tuple(values.shape)}"
        )


def _check_residual(dde: Any, problem: Problem, points: Any, net: Any) -> None:
    inputs = torch.as_tensor(points).requires_grad_()
    found = problem.residual(dde, inputs, net(inputs))
    dde.grad.clear()  # it keeps derivatives of this network
    if isinstance(found, torch.Tensor) and found.numel() != len(inputs):
        raise OptionError(
            f"expected shape {(len(inputs), 1)} for {len(inputs)} points, got {tuple(found.shape)}"
        )


def _check_loss(dde: Any, problem: Problem, data: Any, net: Any) -> None:
    model = dde.Model(data, net)
    with quiet():
        model.compile("adam", lr=1e-3, verbose=0)  # no weights: they may be too few or too many
    model.train(iterations=0, verbose=0)
    found = len(model.train_state.loss_train)
    if found != len(problem.terms):
        raise OptionError(
            f"expected {len(problem.terms)} terms ({', '.join(problem.terms)}), got {found}"
        )
