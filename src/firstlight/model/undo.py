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
        self._places: list[tuple[Storage, list[int]]] = []

    def add(self, storages: Iterable[Storage]) -> None:
        """Remember what ``storages`` hold now."""
        for storage in storages:
            stored = storage.stored()
            self._places.append((storage, [id(tensor) for tensor in stored]))
            for tensor in stored:
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

    @property
    def moved(self) -> list[str]:
        """Local names of what now lies in other tensors than those that were saved."""
        return [
            storage.local
            for storage, ids in self._places
            if storage.own and [id(tensor) for tensor in storage.stored()] != ids
        ]

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
