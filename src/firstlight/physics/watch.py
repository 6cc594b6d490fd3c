"""What is seen of a training: a callback of DeepXDE's that looks, keeps the best, and ends it."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.physics.deepxde import deepxde
from firstlight.physics.reference.solution import Solution
from firstlight.physics.result import Look

#: Grid points that the network computes at a time.
_AT_A_TIME = 50_000


class Watch:
    """Follows one training through Adam and L-BFGS.

    Args:
        solution: what the error is against.
        seconds: of training; None: no limit.
        show: told every look.
        asked: whether to end at once (Ctrl-C).

    Attributes:
        looks: so far.
        stopped: why the training ended early; "" where it did not.
        best: weights at the least loss.
    """

    def __init__(
        self,
        solution: Solution,
        seconds: float | None,
        show: Callable[[Look], None],
        asked: Callable[[], bool],
    ) -> None:
        self.looks: list[Look] = []
        self.stopped = ""
        self.best: dict[str, Tensor] = {}
        self._solution, self._limit, self._show, self._asked = solution, seconds, show, asked
        self._grid = torch.as_tensor(solution.points, dtype=torch.get_default_dtype())
        self._least = math.inf
        self._gone, self._since = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return self._gone + time.perf_counter() - self._since

    def look(self, model: Any, step: int) -> None:
        """Record loss and error; ``model`` has just computed its losses."""
        if self.looks and self.looks[-1].step == step:
            return
        self._gone = self.seconds
        losses = tuple(float(each) for each in model.train_state.loss_train)
        found = Look(
            step, self._gone, losses, relative_error(model.net, self._solution, self._grid)
        )
        self.looks.append(found)
        if not math.isfinite(found.loss):
            self.end(model, "collapsed")
        elif found.loss < self._least:
            self._least = found.loss
            self.best = {
                name: each.detach().clone() for name, each in model.net.state_dict().items()
            }
        self._show(found)
        self._since = time.perf_counter()

    def check(self, model: Any) -> None:
        """End where it is time to."""
        if self._asked():
            self.end(model, "interrupted")
        elif self._limit is not None and self.seconds >= self._limit:
            self.end(model, "seconds")

    def end(self, model: Any, reason: str) -> None:
        """Let DeepXDE end the training; the first reason counts."""
        self.stopped = self.stopped or reason
        model.stop_training = True

    def adam(self, every: int) -> Any:
        """The callback for Adam."""
        watch = self

        class Adam(deepxde().callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self) -> None:
                watch.look(self.model, self.model.train_state.step)
                watch.check(self.model)

            def on_epoch_end(self) -> None:
                step = self.model.train_state.step
                if step % every == 0:
                    watch.look(self.model, step)
                watch.check(self.model)

            def on_train_end(self) -> None:
                if watch.looks[-1].step != self.model.train_state.step:
                    self.model._test(verbose=0)
                    watch.look(self.model, self.model.train_state.step)

        return Adam()

    def lbfgs(self, every: int, most: int) -> Any:
        """The callback for L-BFGS, which DeepXDE lets go ``every`` iterations at a time."""
        watch = self

        class Lbfgs(deepxde().callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self) -> None:
                self.first = self.model.train_state.step
                watch.look(self.model, self.first)
                watch.check(self.model)

            def on_epoch_begin(self) -> None:
                group = self.model.opt.param_groups[0]
                group["max_iter"] = min(every, most - self.done())

            def on_epoch_end(self) -> None:
                step = self.first + self.done()
                if step == watch.looks[-1].step:  # a gradient of zero: DeepXDE would go on
                    watch.end(self.model, "converged")
                watch.look(self.model, step)
                watch.check(self.model)

            def on_train_end(self) -> None:
                step = self.first + self.done()
                if watch.looks[-1].step != step:  # DeepXDE leaves its loop before it looks
                    self.model.train_state.step = step
                    self.model._test(verbose=0)
                    watch.look(self.model, step)
                if not watch.stopped and self.done() < most:
                    watch.stopped = "converged"

            def done(self) -> int:
                return int(self.model.opt.state_dict()["state"].get(0, {}).get("n_iter", 0))

        return Lbfgs()


def relative_error(net: Any, solution: Solution, grid: Tensor) -> float:
    """Relative L2 error of a network; not a number where the network is none."""
    return solution.error(predict(net, grid))


def predict(net: Any, grid: Tensor) -> np.ndarray:
    """The network's values at points (n, d), as (n,) float64."""
    with torch.no_grad():
        parts = [net(part) for part in grid.split(_AT_A_TIME)]
    return torch.cat(parts)[:, 0].cpu().double().numpy()
