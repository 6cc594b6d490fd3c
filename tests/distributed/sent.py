"""A hook on every collective and every message: how many bytes this rank has handed to one."""

import contextlib

from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Sent(TorchDispatchMode):
    """Counts the calls and the bytes of all that goes through torch's collectives."""

    def __init__(self):
        super().__init__()
        self.calls, self.bytes = [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(issubclass(kind, DTensor) for kind in types):
            return NotImplemented  # let it take itself apart: what it sends comes by here again
        if func.namespace in ("c10d", "_c10d_functional", "_c10d_functional_autograd"):
            self.calls.append(str(func))
            given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in given)
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def nothing_sent(note):
    """Fail if anything is sent before the block ends."""
    with Sent() as sent:
        yield
    assert not sent.calls, (note, sent.calls)
