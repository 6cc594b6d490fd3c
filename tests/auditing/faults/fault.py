"""What a fault is: how it is planted, which verdict must name it, and where it fits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass
class Planted:
    """A network and a batch to plant a fault in, and what the network's parts are called."""

    model: nn.Module
    batch: Any
    names: Mapping[str, str]

    def __getitem__(self, role: str) -> torch.Tensor:
        """The values of a parameter, by its role."""
        return self.model.get_parameter(self.names[role]).data

    def module(self, role: str) -> Any:
        return self.model.get_submodule(self.names[role])

    @property
    def inputs(self) -> torch.Tensor:
        return self.batch[0]

    @inputs.setter
    def inputs(self, value: torch.Tensor) -> None:
        self.batch = (value, self.batch[1])


@dataclass(frozen=True)
class Finding:
    """A verdict that must be there.

    Attributes:
        check, level: of the verdict.
        where: the role of the layer that it must name first, "=" and a name, or "" for none.
        among: whether it is enough that the layer is named among others.
    """

    check: str
    level: str
    where: str = ""
    among: bool = False


@dataclass(frozen=True)
class Fault:
    """One row.

    Attributes:
        name: of the fault.
        on: architectures that it fits.
        plant: does it.
        finds: what the audit must say.
        mends: how many of these the advice must remove when it is run, the first ones.
    """

    name: str
    on: tuple[str, ...]
    plant: Callable[[Planted], None]
    finds: tuple[Finding, ...]
    mends: int = 1


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split())
