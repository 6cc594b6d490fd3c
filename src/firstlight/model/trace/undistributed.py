"""A parallelized model without what torch.distributed hangs on its modules' calls.

FSDP gathers parameters before a module runs, tensor parallelism turns its inputs into DTensors.
To learn how data flows through the network neither is wanted: nothing may be sent, and the
tensors without memory that stand in for the parameters are whole.
"""

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from torch import nn

#: What a module holds, as against what is hung on it.
_TENSORS = ("_parameters", "_buffers", "_modules")


@contextlib.contextmanager
def undistributed(model: nn.Module) -> Iterator[None]:
    """Take torch.distributed's hooks and states off, and the class that FSDP adds, for a while."""
    with contextlib.ExitStack() as stack:
        for module in model.modules():
            _take_entries(module, stack)
            _take_class(module, stack)
        yield


def _take_entries(module: nn.Module, stack: contextlib.ExitStack) -> None:
    for name, entries in list(vars(module).items()):
        if not isinstance(entries, dict) or not entries or name in _TENSORS:
            continue
        kept = OrderedDict((key, each) for key, each in entries.items() if not _theirs(each))
        if len(kept) < len(entries):
            vars(module)[name] = kept
            stack.callback(vars(module).__setitem__, name, entries)


def _take_class(module: nn.Module, stack: contextlib.ExitStack) -> None:
    """Give the module its own class back: FSDP's cannot be copied."""
    cls = type(module)
    if len(cls.__bases__) == 2 and _theirs(cls.__bases__[0]):
        stack.callback(setattr, module, "__class__", cls)
        module.__class__ = cls.__bases__[1]


def _theirs(thing: Any) -> bool:
    while isinstance(thing, functools.partial):
        thing = thing.func
    return str(getattr(thing, "__module__", "")).startswith("torch.distributed.")
