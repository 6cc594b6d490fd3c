"""What was there before: copies of everything that a plan writes, and putting them back."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.model.storage import Storage


class Saved:
    """Values of tensors, and which tensors stood where: a parametrization may exchange some."""

    def __init__(self) -> None:
        self._values: list[tuple[Tensor, Tensor]] = []
        self._attributes: list[tuple[nn.Module, dict[str, Any], dict[str, Any]]] = []
        self._seen: set[int] = set()

    def add(self, storages: Iterable[Storage]) -> None:
        """Remember what ``storages`` hold now."""
        for storage in storages:
            for tensor in storage.stored():
                self.add_tensor(tensor)
            if storage.direct:
                continue
            for module in (storage.module, *_parametrizations(storage)):
                saved = dict(module._buffers)
                plain = {k: v for k, v in vars(module).items() if isinstance(v, Tensor)}
                self._attributes.append((module, saved, plain))
                for buffer in saved.values():
                    if buffer is not None:
                        self.add_tensor(buffer)

    def add_tensor(self, tensor: Tensor) -> None:
        """Remember the value of one tensor, once."""
        if id(tensor) not in self._seen:
            self._seen.add(id(tensor))
            self._values.append((tensor, tensor.detach().clone()))

    def restore(self) -> None:
        """Put everything back, bit for bit."""
        with torch.no_grad():
            for tensor, value in self._values:
                tensor.copy_(value)
        for module, buffers, plain in self._attributes:
            module._buffers.clear()
            module._buffers.update(buffers)
            vars(module).update(plain)


def _parametrizations(storage: Storage) -> list[nn.Module]:
    found = getattr(storage.module, "parametrizations", None)
    if found is None or storage.local not in found:
        return []
    return list(found[storage.local].modules())
