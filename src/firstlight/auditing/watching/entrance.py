"""The hooks on a model: its watched forward passes are opened and closed here."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from firstlight.auditing.watching.compiled import Eager, Gates, inside
from firstlight.auditing.watching.hook import Hook
from firstlight.auditing.watching.look import Looker
from firstlight.auditing.watching.pass_probe import PassProbe
from firstlight.model.names import unwrapped


@dataclass(frozen=True)
class Calls:
    """What is called, and when.

    Attributes:
        wanted: tells whether the next training pass is to be watched.
        begins: before every pass; is told whether it is one of training, and tells whether it is
            to be watched.
        seen: after a watched pass.
        failed: when measuring raised something.
    """

    wanted: Callable[[], bool]
    begins: Callable[[bool], bool]
    seen: Callable[[PassProbe], None]
    failed: Callable[[Exception], None]


class Entrance:
    """Stands before a model's forward pass, and behind it where it is watched.

    Attributes:
        hidden: whether passes were seen only after the compiler had been told to stand aside.
    """

    def __init__(self, model: nn.Module, looker: Looker, calls: Calls) -> None:
        self._root, self._looker, self._calls = unwrapped(model), looker, calls
        self._eager, self.hidden = Eager(), False
        self._armed = self._gated = False
        self._probe: PassProbe | None = None
        self._gates = Gates(model, self._gate_opens, self._gate_closes)
        self._handles: list[Any] = [
            self._root.register_forward_pre_hook(Hook(self._enter), with_kwargs=True)
        ]

    def arm(self) -> None:
        """Keep the compiler aside until the next pass, in case it is what hides the model."""
        self._eager.on()
        self._armed = self._eager.held

    def release(self) -> None:
        """Give up a pass that did not come to its end, and what ``arm`` did."""
        self._armed = self._gated = False
        self._end()

    def _end(self) -> None:
        if not (self._armed or self._gated):
            self._eager.off()
        if self._probe is not None:
            self._probe.end()
            self._probe = None
        while len(self._handles) > 1:
            self._handles.pop().remove()

    def close(self) -> None:
        """Remove every hook."""
        self.release()
        self._gates.close()
        self._handles.pop().remove()

    def _training(self) -> bool:
        return self._root.training and torch.is_grad_enabled()

    def _gate_opens(self) -> None:
        if self._probe is None and self._training() and self._calls.wanted():
            self._eager.on()
            self._gated = True

    def _gate_closes(self) -> None:
        self._gated = False
        if self._probe is None and not self._armed:
            self._eager.off()

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module is not self._root or (self._probe is not None and self._probe.inside):
            return  # a copy, or the model calls itself
        if self._probe is not None:
            self._end()  # an interruption ended the last pass
        if self._calls.begins(self._training()) and not inside():
            self.hidden = self.hidden or self._armed
            self._begin(args, kwargs)
        elif self._armed:
            self.release()

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._eager.on()  # parts of the model may be compiled
        try:
            frame = sys._getframe(3)  # the module's own call, around both hooks
            probe = self._looker.open(args, kwargs, frame)
            probe.begin(self._root, args, kwargs)
        except Exception as error:  # no measure is worth a training run
            self._end()
            self._calls.failed(error)
            return
        self._probe = probe
        leave = self._root.register_forward_hook(
            Hook(self._leave), with_kwargs=True, always_call=True
        )
        self._handles.append(leave)

    def _leave(self, module: nn.Module, _args: Any, _kwargs: Any, result: Any) -> None:
        if module is not self._root or self._probe is None:
            return
        probe = self._probe
        self._end()
        if result is None and sys.exc_info()[0] is not None:
            return  # the model raised
        if probe.error is not None:
            self._calls.failed(probe.error)
        else:
            self._calls.seen(probe)
