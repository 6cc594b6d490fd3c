"""Watching what ``torch.compile`` has compiled: a watched step runs as it is written.

Dynamo traces forward hooks into its graph, or drops them, and no mode of ours is seen by what it
compiled (pytorch#117758). So hooks do nothing while they are traced, and the stance "force_eager"
is taken for the one forward pass that is watched.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from weakref import WeakSet

import torch
from torch import nn

from firstlight.auditing.watching.hook import Hook


class Eager:
    """The stance "force_eager", on and off; several watchers may want it at a time."""

    _holders: ClassVar["WeakSet[Eager]"] = WeakSet()
    _stance: ClassVar[Any] = None

    @property
    def held(self) -> bool:
        """Whether it is on for this one."""
        return self in Eager._holders

    def on(self) -> None:
        """Let what is called from now on run uncompiled; nothing to do where nothing compiles."""
        known = hasattr(torch.compiler, "set_stance")  # since torch 2.6
        if self.held or not known or "torch._dynamo" not in sys.modules or inside():
            return
        if Eager._stance is None:
            Eager._stance = torch.compiler.set_stance("force_eager")
        Eager._holders.add(self)

    def off(self) -> None:
        """Return to the stance before, unless another one needs it."""
        Eager._holders.discard(self)
        if Eager._stance is not None and not Eager._holders:
            Eager._stance.__exit__(None, None, None)
            Eager._stance = None


def inside() -> bool:
    """Return whether Python is being run by Dynamo, which then compiles what is called next."""
    if "torch._dynamo" not in sys.modules:
        return False
    from torch._C._dynamo import eval_frame

    return getattr(eval_frame, "get_eval_frame_callback", bool)() not in (None, False)


class Gate:
    """Stands around a module's compiled call."""

    def __init__(
        self, compiled: Callable[..., Any], opens: Callable[[], None], closes: Callable[[], None]
    ) -> None:
        self.compiled, self._opens, self._closes = compiled, opens, closes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call what was compiled."""
        self._opens()
        try:
            return self.compiled(*args, **kwargs)
        finally:
            self._closes()


class Gates:
    """The calls through which a model goes that was compiled before it was watched.

    The stance is kept to their end: with ``fullgraph=True`` they look whether anything was
    compiled, and accept that nothing was under another stance than the usual one.
    """

    def __init__(
        self, model: nn.Module, opens: Callable[[], None], closes: Callable[[], None]
    ) -> None:
        self._modules, self._handles = list(wrappers(model)), list[Any]()
        before, after = Hook(lambda *_: opens()), Hook(lambda *_: closes())
        for module in self._modules:
            if "_orig_mod" in module._modules:
                self._handles.append(module.register_forward_pre_hook(before, prepend=True))
                self._handles.append(module.register_forward_hook(after, always_call=True))
            if module._compiled_call_impl is not None:
                module._compiled_call_impl = Gate(module._compiled_call_impl, opens, closes)

    def close(self) -> None:
        """Remove what stands there."""
        while self._handles:
            self._handles.pop().remove()
        for module in self._modules:
            if isinstance(module._compiled_call_impl, Gate):
                module._compiled_call_impl = module._compiled_call_impl.compiled


def wrappers(model: nn.Module) -> Iterator[nn.Module]:
    """Yield a model and all that it wraps, down to the user's own module."""
    yield model
    children = dict(model.named_children())
    for name in ("_orig_mod", "module"):
        inner = children.get(name)
        wraps = name == "_orig_mod" or isinstance(
            model, (nn.DataParallel, nn.parallel.DistributedDataParallel)
        )
        if inner is not None and wraps:
            yield from wrappers(inner)
            return
