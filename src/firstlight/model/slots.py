"""Every tensor of a model, each once, with all its names and what it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.init.shards import is_sharded
from firstlight.model.kinds import Kept, Matrix, Treatment, describe
from firstlight.model.names import names_by_id, own_tensors, plain_name, unwrapped
from firstlight.model.storage import Storage, storage_of

#: A weight that no parameter holds, as a hypernetwork's.
COMPUTED = Kept("computed", "computed from other tensors whenever it is used")


@dataclass(frozen=True, eq=False)
class Slot:
    """One tensor that a model computes with.

    Attributes:
        name: its first name.
        names: every name that it has; a tied one has several.
        storage: where it lies; None where it is computed in an unknown way.
        treatment: what it is.
        buffer: whether it is a buffer.
        frozen: whether it is not to be trained.
        spread: of a DTensor, the placements and the mesh that it lies on; else "".
        owner: of a tied tensor that stands alone now, where it lay when it was planned.
    """

    name: str
    names: tuple[str, ...]
    storage: Storage | None
    treatment: Treatment
    buffer: bool = False
    frozen: bool = False
    spread: str = ""
    owner: Storage | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; () where it has none yet. Of a DTensor, that of the whole."""
        tensor = self.storage.outline() if self.storage else None
        return () if tensor is None or lazy(tensor) else tuple(tensor.shape)

    @property
    def module(self) -> nn.Module | None:
        """The module that owns it."""
        return self.storage.module if self.storage else None

    @property
    def tensor(self) -> Tensor | None:
        """Its value now; the model's own memory where nothing stands between."""
        return self.storage.read() if self.storage else None

    @property
    def outline(self) -> Tensor:
        """A tensor of its shape and dtype without memory, to see how it is split."""
        assert self.storage is not None
        tensor = self.storage.outline()
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")

    @contextmanager
    def edit(self) -> Iterator[Tensor]:
        """Give the value to write into; it lands when the block ends without an error."""
        assert self.storage is not None
        if self.storage.direct:
            yield self.storage.read()
            return
        value = self.storage.value()
        yield value
        self.storage.write(value)


def slots(model: nn.Module) -> list[Slot]:
    """Return every parameter and buffer of ``model``, and every weight computed from some.

    In registration order. What a parametrization holds follows the weight that it makes.

    Example:
        >>> from torch import nn
        >>> [(slot.name, slot.treatment.kind) for slot in slots(nn.Linear(2, 3))]
        [('weight', 'linear'), ('bias', 'bias')]
    """
    model = unwrapped(model)
    names, found = names_by_id(model), dict[int, Slot]()
    hidden: dict[int, str] = {}  # what a parametrization holds: the name of what it makes
    for path, module, treatments in _described(model):
        for local, treatment in treatments.items():
            slot = _slot(module, path, local, treatment, names)
            if slot is None:
                continue
            if slot.storage and not slot.storage.own:
                hidden |= {id(tensor): slot.name for tensor in slot.storage.stored()}
            key = _key(slot, module, local)
            found[key] = _stricter(found.get(key), slot)
    rest = _rest(model, names, found, hidden)
    order = {id(tensor): index for index, tensor in enumerate(_in_order(model))}
    everything = [*found.values(), *rest]
    return sorted(everything, key=lambda slot: order.get(_first_stored(slot), len(order)))


def _described(model: nn.Module) -> Iterator[tuple[str, nn.Module, dict[str, Treatment]]]:
    modules = dict(model.named_modules())
    for path, module in modules.items():
        parent, _, local = path.rpartition(".")
        yield plain_name(path), module, describe(module, modules.get(parent, model), local)


def _slot(
    module: nn.Module,
    path: str,
    local: str,
    treatment: Treatment,
    names: dict[int, tuple[str, ...]],
) -> Slot | None:
    """Return the slot of ``local``, or None where the module has no such tensor."""
    name = f"{path}.{local}" if path else local
    storage = storage_of(module, local)
    if storage is None:
        value = vars(module).get(local)
        return Slot(name, (name,), None, COMPUTED) if isinstance(value, Tensor) else None
    if not storage.own:
        held = [t for t in storage.stored() if isinstance(t, nn.Parameter)]
        every = (name, *(n for tensor in held for n in names.get(id(tensor), ())[:1]))
        return Slot(name, every, storage, treatment, frozen=storage.frozen)
    tensor = storage.stored()[0]
    own = names.get(id(tensor), (name,))
    buffer = local in module._buffers
    frozen = _all_frozen(module) if buffer else not tensor.requires_grad
    return Slot(own[0], own, storage, treatment, buffer, frozen, _spread(tensor))


def _spread(tensor: Any) -> str:
    """Describe where a DTensor lies."""
    if not is_sharded(tensor):
        return ""
    mesh = tensor.device_mesh
    size = "x".join(map(str, mesh.shape))
    return f"{tuple(tensor.placements)} over a mesh of {size} ranks"


def _all_frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


def _key(slot: Slot, module: nn.Module, local: str) -> int:
    if slot.storage and slot.storage.own:
        return id(slot.storage.stored()[0])
    return hash((id(module), local))


def _stricter(first: Slot | None, second: Slot) -> Slot:
    """Of two owners of a tied tensor, take the embedding: its rows are read as they are."""
    if first is None:
        return second
    table = isinstance(second.treatment, Matrix) and second.treatment.role == "table"
    return second if table else first


def _rest(
    model: nn.Module,
    names: dict[int, tuple[str, ...]],
    found: dict[int, Slot],
    hidden: dict[int, str],
) -> Iterator[Slot]:
    """Yield what no kind describes, with the reason why it is left alone."""
    for module in model.modules():
        for local, tensor in own_tensors(module).items():
            if id(tensor) in found:
                continue
            buffer = not isinstance(tensor, nn.Parameter)
            kind = "buffer" if buffer else "parameter"
            reason = f"{type(module).__name__} is no layer with known weights"
            if isinstance(module, torch.jit.ScriptModule):
                reason = "scripted: initialize before torch.jit.script"
            if id(tensor) in hidden:
                kind, reason = "parametrization", f"{hidden[id(tensor)]} is written through it"
            elif buffer:
                reason = "a buffer, not a weight"
            own = names.get(id(tensor), (local,))
            storage = storage_of(module, local)
            frozen = not buffer and not tensor.requires_grad
            treatment = Kept(kind, reason)
            spread = _spread(tensor)
            found[id(tensor)] = Slot(own[0], own, storage, treatment, buffer, frozen, spread)
            yield found[id(tensor)]


def _in_order(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        yield from own_tensors(module).values()


def _first_stored(slot: Slot) -> int:
    return id(slot.storage.stored()[0]) if slot.storage else -1


def lazy(tensor: Tensor) -> bool:
    """Return whether a tensor has no shape yet."""
    return nn.parameter.is_lazy(tensor)


def real(dtype: torch.dtype) -> bool:
    """Return whether values of ``dtype`` are real floating-point numbers that fills can make."""
    return dtype.is_floating_point and torch.finfo(dtype).bits >= 16
