"""How much memory operations ask for."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Largest(TorchDispatchMode):
    """Remembers the largest new memory that any operation asked for."""

    def __init__(self, model):
        super().__init__()
        tensors = [*model.parameters(), *model.buffers()]
        self.known = {t.untyped_storage().data_ptr() for t in tensors}
        self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for out in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(out, torch.Tensor) and not out.is_meta:
                memory = out.untyped_storage()
                if memory.data_ptr() not in self.known:
                    self.bytes = max(self.bytes, memory.nbytes())
        return result
