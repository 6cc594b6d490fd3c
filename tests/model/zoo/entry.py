"""What a zoo entry is, and the small batches entries are tried with."""

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Entry:
    """One model: how to build it, a batch for it, and the optional package it comes from."""

    build: Callable[[], nn.Module]
    example: Callable[[], Any] | None = None  # None: it cannot run, as on the meta device
    needs: str | None = None

    @property
    def available(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Callable[[], torch.Tensor]:
    """A batch of standard normal numbers, the same each time."""
    return lambda: torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def tokens(*shape: int, size: int = 64) -> Callable[[], torch.Tensor]:
    """A batch of token numbers from 3 (past any padding, start and end) up to ``size``."""
    return lambda: torch.randint(3, size, shape, generator=torch.Generator().manual_seed(0))


def arguments(*parts: Callable[[], Any]) -> Callable[[], tuple]:
    return lambda: tuple(part() for part in parts)


def keywords(**parts: Callable[[], Any]) -> Callable[[], dict]:
    return lambda: {name: part() for name, part in parts.items()}


def forward(model: nn.Module, batch: Any) -> Any:
    """Call ``model`` as the kind of batch asks for."""
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, tuple) else model(batch)


def load(name: str) -> ModuleType:
    """Import ``name``, which may import torchvision, only when a model is built from it."""
    from firstlight.model._torchvision import prepare

    prepare()
    return importlib.import_module(name)


@contextmanager
def quiet(*messages: str):
    """Ignore the warnings whose beginnings match; every other is still an error in tests."""
    with warnings.catch_warnings():
        for message in messages:
            warnings.filterwarnings("ignore", message=message)
        yield
