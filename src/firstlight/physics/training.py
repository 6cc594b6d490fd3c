"""One training: DeepXDE's Adam, then its L-BFGS, with the error beside the loss."""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from firstlight.physics.deepxde import arithmetic, quiet
from firstlight.physics.network import build_network
from firstlight.physics.problem import Problem
from firstlight.physics.reference.solution import Solution
from firstlight.physics.result import Look, PinnRun, StepZero
from firstlight.physics.specification import PinnSpec
from firstlight.physics.watch import Watch, predict, relative_error


def train(
    problem: Problem,
    spec: PinnSpec,
    *,
    solution: Solution | None = None,
    device: torch.device | str = "cpu",
    show: Callable[[Look], None] = lambda _: None,
    asked: Callable[[], bool] = lambda: False,
) -> tuple[PinnRun, dict[str, Tensor]]:
    """Train one network on a problem.

    The loss is never recorded without the error against the reference. The network with the least
    loss at a look is what counts: whoever solves an equation has no error to choose by.

    Args:
        problem: what is solved.
        spec: network and budget.
        solution: the reference; None computes it.
        device: where to train.
        show: told every look.
        asked: whether to end at once.

    Returns:
        What happened, and the weights at the least loss, by name.

    Raises:
        OptionError: the scheme cannot fill the network, or the points are none.

    Example:
        >>> from firstlight.physics import PinnSpec, train
        >>> from firstlight.physics.problems import find_problem
        >>> spec = PinnSpec(depth=2, width=8, adam_steps=20, lbfgs_steps=20, every=20)
        >>> run, weights = train(find_problem("poisson_1d"), spec)
        >>> [look.step for look in run.looks], run.stopped
        ([0, 20, 40], 'finished')
    """
    found = problem.reference() if solution is None else solution
    with arithmetic(spec.precision, device) as dde:
        data = problem.data(problem.sized(spec.points), spec.seed)
        net = build_network(problem, spec, data.train_x)
        watch = Watch(found, spec.seconds, show, asked)
        model = dde.Model(data, net)
        _optimize(dde, model, problem, spec, watch)
    weights = {name: each.cpu() for name, each in watch.best.items()}
    return _run(spec, watch), weights


def _optimize(dde: Any, model: Any, problem: Problem, spec: PinnSpec, watch: Watch) -> None:
    weights = list(problem.loss_weights)
    if spec.adam_steps:
        with quiet():
            model.compile("adam", lr=spec.learning_rate, loss_weights=weights, verbose=0)
        model.train(
            iterations=spec.adam_steps,
            display_every=spec.every,
            callbacks=[watch.adam(spec.every)],
            verbose=0,
        )
    if spec.lbfgs_steps and not watch.stopped:
        with _lbfgs(dde, spec.lbfgs_steps):
            with quiet():
                model.compile("L-BFGS", loss_weights=weights, verbose=0)
            model.train(callbacks=[watch.lbfgs(spec.every, spec.lbfgs_steps)], verbose=0)


@contextlib.contextmanager
def _lbfgs(dde: Any, most: int) -> Iterator[None]:
    """DeepXDE's options of L-BFGS, which are the process's: as they were, but for the length.

    No tolerance ends it early (DeepXDE's own choice for the loss): equal budgets are equal.
    """
    options = dde.optimizers.LBFGS_options
    before = dict(options)
    options.update(maxiter=most, gtol=0.0, ftol=0.0, fun_per_step=25 * most)
    try:
        yield
    finally:
        options.clear()
        options.update(before)


def _run(spec: PinnSpec, watch: Watch) -> PinnRun:
    finite = [look for look in watch.looks if math.isfinite(look.loss)]
    best = min(finite, key=lambda look: look.loss, default=None)
    last = watch.looks[-1]
    notes: tuple[str, ...] = ()
    if watch.stopped == "collapsed":
        where = "before the first step" if last.step == 0 else f"at step {last.step}"
        notes = (f"the loss was not a number {where}: take a smaller learning rate",)
    return PinnRun(
        scheme=spec.scheme,
        seed=spec.seed,
        learning_rate=spec.learning_rate,
        looks=tuple(watch.looks),
        error=math.inf if best is None else best.error,
        loss=math.inf if best is None else best.loss,
        best_step=0 if best is None else best.step,
        steps=last.step,
        seconds=last.seconds,
        stopped=watch.stopped or "finished",
        notes=notes,
    )


def step_zero(
    problem: Problem,
    spec: PinnSpec,
    seeds: range,
    *,
    solution: Solution | None = None,
    device: torch.device | str = "cpu",
    asked: Callable[[], bool] = lambda: False,
) -> StepZero:
    """Loss and error of networks of many seeds before the first step; all see the same points.

    Args:
        problem: what is solved.
        spec: network; its seed is that of the points.
        seeds: of the weights.
        solution: the reference; None computes it.
        device: where to compute.
        asked: whether to end at once.

    Example:
        >>> from firstlight.physics import PinnSpec, step_zero
        >>> from firstlight.physics.problems import find_problem
        >>> found = step_zero(find_problem("poisson_1d"), PinnSpec(depth=3, width=8), range(5))
        >>> len(found.losses), len(found.errors)
        (5, 5)
    """
    found = problem.reference() if solution is None else solution
    losses, errors = [], []
    with arithmetic(spec.precision, device) as dde:
        data = problem.data(problem.sized(spec.points), spec.seed)
        grid = torch.as_tensor(found.points, dtype=torch.get_default_dtype())
        for seed in seeds:
            if asked():
                raise KeyboardInterrupt
            net = build_network(problem, replace(spec, seed=seed), data.train_x)
            model = dde.Model(data, net)
            with quiet():
                model.compile("adam", lr=1e-3, loss_weights=list(problem.loss_weights), verbose=0)
            model.train(iterations=0, verbose=0)
            losses.append(float(model.train_state.loss_train.sum()))
            errors.append(relative_error(net, found, grid))
    return StepZero(spec.scheme, tuple(losses), tuple(errors))


def solve(problem: Problem, spec: PinnSpec, weights: dict[str, Tensor], solution: Solution) -> Any:
    """Values of a trained network on the reference's grid, in its shape."""
    with arithmetic(spec.precision):
        data = problem.data(problem.sized(spec.points), spec.seed)
        net = build_network(problem, spec, data.train_x)
        net.load_state_dict(weights)
        grid = torch.as_tensor(solution.points, dtype=torch.get_default_dtype())
        return predict(net, grid).reshape(solution.values.shape)
