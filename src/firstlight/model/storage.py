"""Where a module keeps one of its tensors: as it is, or behind a parametrization.

A weight behind ``weight_norm`` or pruning is no parameter: it is computed from others on every
access or call. Each class here knows how one such kind is read and written.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from firstlight.init.shards import held, is_sharded
from firstlight.model.names import own_tensors


@dataclass(frozen=True, eq=False)
class Storage(ABC):
    """One tensor of a module, by its local name."""

    module: nn.Module
    local: str

    #: Whether ``read`` is the very memory that the model uses.
    direct = False
    #: Whether what is stored is the tensor itself, and not what makes it.
    own = False
    #: What stands between the tensor and what is stored; "" for nothing.
    through = ""

    @abstractmethod
    def read(self) -> Tensor:
        """Return the value that the module computes with, detached."""

    @abstractmethod
    def write(self, value: Tensor) -> None:
        """Make the module compute with ``value``, as far as the parametrization allows."""

    @abstractmethod
    def stored(self) -> list[Tensor]:
        """Return the parameters and buffers that hold the tensor."""

    def outline(self) -> Tensor:
        """Return a tensor of the shape and dtype that ``read`` gives; its values do not matter."""
        return self.read()

    def value(self) -> Tensor:
        """Return a copy of the whole value."""
        return self.read().clone()

    def landed(self) -> Tensor:
        """Return what can be read back of a write on this device."""
        return self.read()

    @property
    def frozen(self) -> bool:
        """Whether a parameter that holds the tensor is not to be trained."""
        parameters = [t for t in self.stored() if isinstance(t, nn.Parameter)]
        return any(not parameter.requires_grad for parameter in parameters)


class Direct(Storage):
    """A parameter or a buffer."""

    direct = own = True

    def outline(self) -> Tensor:
        """Return the tensor as it is stored: detaching one takes time, of a DTensor as a fill."""
        return self.stored()[0]

    def read(self) -> Tensor:
        """Return the value."""
        tensor = self.stored()[0]
        return tensor if nn.parameter.is_lazy(tensor) else tensor.detach()

    def write(self, value: Tensor) -> None:
        """Write the value."""
        self.read().copy_(value)

    def stored(self) -> list[Tensor]:
        """Return what holds it."""
        own = self.module.__dict__  # asked thousands of times: a module's own look-up is slow
        for kept in (own.get("_parameters"), own.get("_buffers")):
            # a scripted module keeps its tensors in something that is no dict
            if isinstance(kept, dict) and kept.get(self.local) is not None:
                return [kept[self.local]]
        return [getattr(self.module, self.local)]


class Sharded(Direct):
    """A DTensor: every rank fills what it holds, and nothing is sent."""

    direct = False
    through = "its shards"

    def shard(self) -> Tensor:
        """Return this rank's own memory."""
        with torch.no_grad():  # detaching a DTensor takes as long as filling a small one
            return self.stored()[0].to_local()  # type: ignore[attr-defined]

    def held(self) -> tuple[Tensor, ...]:
        """Return which indices of each dimension this rank holds."""
        return held(self.stored()[0])

    def write(self, value: Tensor) -> None:
        """Keep of a whole value what this rank holds."""
        for dim, index in enumerate(self.held()):
            value = value.index_select(dim, index.to(value.device))
        self.shard().copy_(value)

    def landed(self) -> Tensor:
        """Return this rank's part."""
        return self.shard()


class Parametrized(Storage):
    """Behind ``torch.nn.utils.parametrize``: written through ``right_inverse``."""

    @property
    def _list(self) -> parametrize.ParametrizationList:
        return self.module.parametrizations[self.local]  # type: ignore[index, return-value]

    @property
    def through(self) -> str:  # type: ignore[override]
        """What stands between."""
        return ", ".join(type(step).__name__.strip("_") for step in self._list)

    @property
    def one_way(self) -> bool:
        """Whether a step has no ``right_inverse``."""
        return not all(hasattr(step, "right_inverse") for step in self._list)

    def read(self) -> Tensor:
        """Return the value."""
        steps = list(self._list.modules())
        modes = [step.training for step in steps]
        try:  # spectral_norm goes on with its iteration at every look in training mode
            for step in steps:
                step.training = False
            with torch.no_grad():
                return getattr(self.module, self.local).detach()
        finally:
            for step, mode in zip(steps, modes, strict=True):
                step.training = mode

    def write(self, value: Tensor) -> None:
        """Write the value."""
        with torch.no_grad():
            setattr(self.module, self.local, value)

    def stored(self) -> list[Tensor]:
        """Return what holds it."""
        return [*self._list.parameters(), *self._list.buffers()]


class WeightNormHook(Storage):
    """Behind the older ``torch.nn.utils.weight_norm``: direction ``_v`` and length ``_g``."""

    through = "weight_norm"

    @property
    def _hook(self) -> WeightNorm:
        return next(
            hook
            for hook in self.module._forward_pre_hooks.values()
            if isinstance(hook, WeightNorm) and hook.name == self.local
        )

    def read(self) -> Tensor:
        """Return the value."""
        with torch.no_grad():
            return self._hook.compute_weight(self.module).detach()

    def write(self, value: Tensor) -> None:
        """Write the value."""
        length, direction = self.stored()
        with torch.no_grad():
            direction.copy_(value)
            length.copy_(torch.norm_except_dim(value, 2, self._hook.dim))
            setattr(self.module, self.local, self._hook.compute_weight(self.module))

    def stored(self) -> list[Tensor]:
        """Return what holds it."""
        return [self.module._parameters[self.local + end] for end in ("_g", "_v")]  # type: ignore[misc]


class Original(Storage):
    """Behind pruning or the older ``spectral_norm``, which keep it as ``_orig``."""

    @property
    def through(self) -> str:  # type: ignore[override]
        """What stands between."""
        return "pruning" if f"{self.local}_mask" in self.module._buffers else "spectral_norm"

    def read(self) -> Tensor:
        """Return the value, masked or divided by its norm."""
        for hook in self.module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == self.local:
                with torch.no_grad():
                    return hook.compute_weight(self.module, do_power_iteration=False).detach()
        mask = self.module._buffers.get(f"{self.local}_mask")
        kept = self.stored()[0].detach()
        return kept if mask is None else kept * mask

    def value(self) -> Tensor:
        """Return a copy of what is kept, mask and norm left out."""
        return self.stored()[0].detach().clone()

    def write(self, value: Tensor) -> None:
        """Write the value."""
        with torch.no_grad():
            self.stored()[0].copy_(value)
            mask = self.module._buffers.get(f"{self.local}_mask")
            if mask is not None:
                setattr(self.module, self.local, value * mask)

    def stored(self) -> list[Tensor]:
        """Return what holds it."""
        return [self.module._parameters[f"{self.local}_orig"]]  # type: ignore[list-item]


def storage_of(module: nn.Module, local: str) -> Storage | None:
    """Find where ``module`` keeps ``local``; None where it is computed in an unknown way.

    Example:
        >>> layer = torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> storage_of(layer, "weight").through, storage_of(layer, "bias").direct
        ('WeightNorm', True)
    """
    if parametrize.is_parametrized(module, local):
        return Parametrized(module, local)
    own = own_tensors(module)
    if local in own:
        kind = Sharded if is_sharded(own[local]) else Direct
        return kind(module, local)
    if f"{local}_orig" in own:
        return Original(module, local)
    if f"{local}_g" in own and f"{local}_v" in own:
        return WeightNormHook(module, local)
    return None
