"""Measuring inside a training pass: what is seen changes nothing, and ends with the pass."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack, _pop_mode, _push_mode

from firstlight.auditing.probe import Probe
from firstlight.auditing.watching.plan import Places, Plan
from firstlight.model.names import plain_name
from firstlight.model.trace.graph import substitute
from firstlight.model.trace.recorder import plain


class PassProbe(Probe):
    """A probe that is entered inside of a module's call and left at its end.

    Attributes:
        plan: what it looks for.
        places: of the nodes of this run.
        error: what went wrong in measuring; the pass goes on without it.
        half: whether float16 was seen, whose losses are usually scaled.
        over: whether the pass has ended.
        kind: of device.
    """

    def __init__(self, names: Mapping[int, str], plan: Plan, kind: str, frame: FrameType) -> None:
        super().__init__(names, plan.sites)
        self._pictures = False
        self.plan = plan
        self.places = Places(self.graph)
        self.error: Exception | None = None
        self.half = False
        self.over = False
        self.kind = kind
        self._frame: FrameType | None = frame
        self._handles: list[Any] = []

    def begin(self, root: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Look from now on; ``root`` itself has been called already."""
        for path, module in root.named_modules():
            if module is not root and not isinstance(module, torch.jit.ScriptModule):
                self._handles += self.watch(plain_name(path), module)
        with apart(self.kind):
            substitute(plain((args, kwargs)), self.placeholder)
        self.__enter__()

    def end(self) -> None:
        """Leave nothing behind; whatever was entered since stays."""
        self.over = True
        self._frame = None
        while self._handles:
            self._handles.pop().remove()
        if any(mode is self for mode in _get_current_function_mode_stack()):
            above = []
            while (top := _pop_mode()) is not self:
                above.append(top)
            for mode in reversed(above):
                _push_mode(mode)

    @property
    def inside(self) -> bool:
        """Whether the call in which it began is still running: an interruption skips hooks."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self._frame:
            frame = frame.f_back
        return frame is not None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func``, and look at it if it belongs to the pass."""
        if self.over or not self.inside:
            self.over = True
            return func(*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)

    def _add(self, *args: Any) -> None:
        if self.over:
            return
        try:
            with apart(self.kind):
                super()._add(*args)
        except Exception as error:  # no measure is worth a training run
            self.error, self.over = error, True

    def _look(self, index: int, value: Tensor) -> None:
        self.half = self.half or value.dtype == torch.float16
        planned = self.plan.index.get(self.places.of(index))
        if planned is not None:
            super()._look(planned, value)


@contextlib.contextmanager
def apart(kind: str) -> Iterator[None]:
    """Compute on a kind of device in full precision, unseen by any mode."""
    with torch._C.DisableTorchFunction(), _full_precision(kind):
        yield


@contextlib.contextmanager
def without_modes(kind: str) -> Iterator[None]:
    """The same, but modes that are entered inside do see."""
    held = []
    while _get_current_function_mode_stack():
        held.append(_pop_mode())
    try:
        with _full_precision(kind):
            yield
    finally:
        for mode in reversed(held):
            _push_mode(mode)


@contextlib.contextmanager
def _full_precision(kind: str) -> Iterator[None]:
    if torch.is_autocast_enabled(kind):
        with torch.autocast(kind, enabled=False):
            yield
    else:
        yield
