"""A tensor's memory as NumPy sees it, leaving the tensor as it was."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

_TYPES: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}


def array_on(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    """Return a writable array on the memory of a tensor on the CPU, float32 or float64.

    ``tensor.numpy()`` would forbid for good that the tensor's storage be resized, which FSDP does.
    None stands for a tensor whose memory does not lie there, or holds its values otherwise.

    Example:
        >>> import torch
        >>> w = torch.zeros(2)
        >>> array_on(w)[1] = 5
        >>> w, w.untyped_storage().resizable()
        (tensor([0., 5.]), True)
    """
    if tensor.device.type != "cpu" or tensor.dtype not in _TYPES or tensor.is_neg():
        return None
    if not tensor.data_ptr():  # a wrapper of other tensors
        return None
    return np.asarray(_Memory(tensor))


class _Memory:
    """Tells NumPy where a tensor lies; the array holds on to it, and so to the tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self.__array_interface__ = {
            "version": 3,
            "data": (tensor.data_ptr(), False),  # not read-only
            "typestr": _TYPES[tensor.dtype].str,
            "shape": tuple(tensor.shape),
            "strides": tuple(step * tensor.element_size() for step in tensor.stride()),
        }
