"""Counting a model's training steps by the optimizers that hold its parameters."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from weakref import WeakValueDictionary, finalize, ref

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

Before = Callable[[Optimizer], None]
After = Callable[[Optimizer, bool], None]
_numbers = count()
_counting: "WeakValueDictionary[int, Steps]" = WeakValueDictionary()


class Steps:
    """Counts the updates of a model.

    Optimizers that take turns, such as one for matrices and one for the rest, make one step
    together: a step begins when one of them steps again.

    Attributes:
        count: steps so far.
        alert: whether every optimizer's step matters, not just the first of a round.
    """

    def __init__(
        self,
        model: nn.Module,
        start: int,
        before: Before,
        after: After,
        compiled: Callable[[], None],
    ) -> None:
        """Count from ``start``; ``compiled`` is called where a step is compiled, and not seen."""
        self._model, self._before, self._after = model, before, after
        self.count, self.compiled, self.alert = start, compiled, True
        self._number = next(_numbers)
        _counting[self._number] = self
        torch.compiler.assume_constant_result(_while_compiling)
        self._round: set[int] = set()
        self._own: dict[int, tuple[Callable[[], Optimizer | None], int, bool]] = {}
        self._manual = False
        self.refresh()
        self._handles = _register(ref(self), self._number)
        finalize(self, _remove, self._handles)

    def refresh(self) -> None:
        """Look anew which parameters the model has."""
        self._parameters = {id(p) for p in self._model.parameters()}
        self._own.clear()

    def by_hand(self) -> None:
        """Count a step that no optimizer makes; from the first on, only these count."""
        if self._manual or not self._round:
            self.count += 1  # else it is the one that an optimizer has just made
        self._manual = True

    def close(self) -> None:
        """Remove the hooks."""
        _remove(self._handles)

    def begins(self, optimizer: Optimizer) -> None:
        """Hear that an optimizer, of whatever model, is about to step."""
        if self.alert and self._owns(optimizer):
            self._before(optimizer)

    def ends(self, optimizer: Optimizer) -> None:
        """Hear that it has."""
        if not self._owns(optimizer):
            return
        counted = not self._manual and (not self._round or id(optimizer) in self._round)
        if counted:
            self.count += 1
            self._round = {id(optimizer)}
        else:
            self._round.add(id(optimizer))
        if counted or self.alert:
            self._after(optimizer, counted)

    def _owns(self, optimizer: Optimizer) -> bool:
        found, groups, owned = self._own.get(id(optimizer), (_nothing, 0, False))
        if found() is not optimizer or groups != len(optimizer.param_groups):
            owned = any(id(p) in self._parameters for p in held(optimizer))
            self._own[id(optimizer)] = ref(optimizer), len(optimizer.param_groups), owned
        return owned


def _nothing() -> None:
    return None


def _register(steps: "ref[Steps]", number: int) -> list[Any]:
    """Hook into every optimizer, without keeping the counter and its model alive."""

    def before(optimizer: Optimizer, *_: Any) -> None:
        if torch.compiler.is_dynamo_compiling():
            _while_compiling(number)
        elif (alive := steps()) is not None:
            alive.begins(optimizer)

    def after(optimizer: Optimizer, *_: Any) -> None:
        if not torch.compiler.is_dynamo_compiling() and (alive := steps()) is not None:
            alive.ends(optimizer)

    return [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]


def _remove(handles: list[Any]) -> None:
    while handles:
        handles.pop().remove()


def _while_compiling(number: int) -> bool:
    """Tell a counter that Dynamo takes a step apart; runs while that does."""
    steps = _counting.get(number)
    if steps is not None:
        steps.compiled()
    return True


def held(optimizer: Optimizer) -> Iterable[Tensor]:
    """Yield an optimizer's parameters."""
    for group in optimizer.param_groups:
        yield from group["params"]
