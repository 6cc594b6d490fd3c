"""The framework's own start, for a model that comes from ``to_empty`` and holds nothing yet.

``reset_parameters`` is torch's way, ``_init_weights`` of the whole model Hugging Face's. Neither
says what it covers, so that is tried: what still holds the mark put there before is named.
"""

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.init.shards import is_sharded, own_part
from firstlight.model.names import names_by_id, plain_name
from firstlight.model.placed_draws import placed_draws
from firstlight.model.readback import norm
from firstlight.model.slots import Slot


def has_start(model: nn.Module, slot: Slot) -> bool:
    """Return whether the framework can give the slot's module a start of its own.

    Example:
        >>> from firstlight.model.slots import slots
        >>> layer = nn.Linear(2, 3)
        >>> has_start(layer, slots(layer)[0])
        True
    """
    module = slot.owner.module if slot.owner else slot.module
    return module is not None and any(True for _ in _starts(model, module))


def start(
    model: nn.Module, left: list[Slot], seed: int, planned: nn.Module, kept: Sequence[Tensor] = ()
) -> None:
    """Give ``left`` the framework's own start; the draws are keyed by seed, name and place.

    Layers start before what they stand in, as when a model is made: GPT-2's blocks draw some of
    their layers' weights again. Of a pipeline's stage only what the stage holds can do so.

    Args:
        model: what is written to.
        left: tensors of it, each with its planned name.
        seed: of the plan.
        planned: the whole model that the plan was made for, whose ``_init_weights`` is meant.
        kept: tensors of it that stay as they are, whatever a start does to them.

    Raises:
        FirstlightError: some hold what they held before: nobody fills them. Or a layer's own
            start has failed; then what it was to fill holds NaN.
    """
    if not left:
        return
    now = names_by_id(model)
    names = {now[id(t)][0]: slot.name for slot in left for t in _stored(slot) if id(t) in now}
    alone = [(_standing_in(slot), slot) for slot in left if slot.owner]
    for slot in left:
        _mark(_stored(slot))
    draws = placed_draws(model, seed, names=names, also=[module for module, _ in alone])
    with _untouched(kept), draws:
        for module, slot in alone:
            _start_module(planned, module, [slot], seed, _path(slot))
        for path, module, group in _upwards(model, left):
            _start_module(planned, module, group, seed, path)
    _share(left)
    _refuse([slot.name for slot in left if any(_marked(tensor) for tensor in _stored(slot))])


@contextlib.contextmanager
def _untouched(tensors: Sequence[Tensor]) -> Iterator[None]:
    before = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.detach().copy_(value)


def check_started(planned: nn.Module, left: list[Slot]) -> None:
    """Refuse, before anything is written, what no code is there to fill."""
    _refuse([slot.name for slot in left if not has_start(planned, slot)])


def _refuse(unfilled: list[str]) -> None:
    unfilled = list(dict.fromkeys(unfilled))
    if unfilled:
        shown = ", ".join(unfilled[:4]) + (" ..." if len(unfilled) > 4 else "")
        raise FirstlightError(
            f"nobody fills {shown} after to_empty ({len(unfilled)} in all); fill them yourself, "
            f"and pass exclude={unfilled[:1]!r} and so on"
        )


def _stored(slot: Slot) -> list[Tensor]:
    return slot.storage.stored() if slot.storage else []


def _path(slot: Slot) -> str:
    return slot.name.rpartition(".")[0]


def _upwards(model: nn.Module, left: list[Slot]) -> Iterator[tuple[str, nn.Module, list[Slot]]]:
    """Yield each module with tensors that are left to it or to its parts, those parts first."""
    groups: dict[int, list[Slot]] = {}
    for slot in left:
        if slot.owner is None:
            groups.setdefault(id(slot.module), []).append(slot)
    modules = [(plain_name(path), module) for path, module in model.named_modules()]
    own = {id(slot.module) for slot in left}
    wanted = {above for path, module in modules if id(module) in own for above in _above(path)}
    for path, module in sorted(modules, key=lambda item: -len(list(_above(item[0])))):
        if id(module) in groups or path in wanted:
            yield path, module, groups.get(id(module), [])


def _above(path: str) -> Iterator[str]:
    """Yield the paths of all that a module lies in."""
    while path:
        path = path.rpartition(".")[0]
        yield path


def _share(left: list[Slot]) -> None:
    """Give weights that were planned as one what their owner holds, where that is at hand."""
    owners = {slot.name: slot for slot in left if slot.owner is None}
    for slot in left:
        if slot.owner is not None and slot.name in owners:
            for tensor, owned in zip(_stored(slot), _stored(owners[slot.name]), strict=True):
                if own_part(tensor).shape == own_part(owned).shape and slot.spread == (
                    owners[slot.name].spread
                ):
                    own_part(tensor.detach()).copy_(own_part(owned.detach()))


def _standing_in(slot: Slot) -> nn.Module:
    """Return the planned owner of a tied tensor, holding the tensor where that stands alone now.

    An embedding and a head start in different ways; tied, both are what the owner makes of them.
    """
    owner = slot.owner
    assert owner is not None
    assert slot.storage is not None
    like = owner.module
    made = object.__new__(type(like))  # FSDP's modules can neither be made nor copied otherwise
    own = {
        local: tensor if tensor is None else nn.Parameter(torch.empty(tensor.shape, device="meta"))
        for local, tensor in like._parameters.items()
    }
    own[owner.local] = slot.storage.stored()[0]  # type: ignore[assignment]
    made.__dict__.update(like.__dict__, _parameters=own)
    return made


def _start_module(
    planned: nn.Module, module: nn.Module, group: list[Slot], seed: int, path: str
) -> None:
    """Run a module's own start; one that has no tensors left to it may start its parts."""
    tensors = [tensor for slot in group for tensor in _stored(slot)]
    digest = hashlib.blake2b(f"{seed}:{path}:framework".encode(), digest_size=4).digest()
    for make in _starts(planned, module):
        # what is drawn into temporary tensors is torch's own, and the same on every rank
        with torch.random.fork_rng(devices=_cuda(tensors)), torch.no_grad():
            torch.manual_seed(int.from_bytes(digest, "little"))
            try:
                make()
            except Exception as error:  # a layer's own code may raise anything
                _mark(tensors)
                raise FirstlightError(_failed(path, module, error)) from error
        if not any(_marked(tensor) for tensor in tensors):
            return


def _failed(path: str, module: nn.Module, error: Exception) -> str:
    layer = f"{path or 'the model'} ({type(module).__name__})"
    why = " ".join(str(error).split())
    return f"the own start of {layer} failed: {why}; fill it yourself, and exclude it from the plan"


def _starts(model: nn.Module, module: nn.Module) -> Iterator[Callable[[], object]]:
    whole = getattr(model, "_init_weights", None)
    if callable(whole):
        yield lambda: whole(module)
    for name in ("reset_parameters", "_reset_parameters"):
        own = getattr(module, name, None)
        if callable(own):
            yield own


def _cuda(tensors: list[Tensor]) -> set[torch.device]:
    return {tensor.device for tensor in tensors if tensor.device.type == "cuda"}


def _mark(tensors: list[Tensor]) -> None:
    """Write what no start gives to a tensor; of truth values there is none, so False must do."""
    for tensor in tensors:
        tensor.detach().fill_(_marking(tensor))


def _marking(tensor: Tensor) -> float | bool:
    if tensor.is_floating_point() or tensor.is_complex():
        return float("nan")
    return False if tensor.dtype == torch.bool else torch.iinfo(tensor.dtype).max


def _marked(tensor: Tensor) -> bool:
    """Return whether any mark is left; a norm finds them without a copy of the whole."""
    values = own_part(tensor.detach())
    if not values.numel():
        return False
    if tensor.dtype == torch.bool:
        return not is_sharded(tensor) and not bool(values.any())  # other ranks may hold a True
    if tensor.is_complex():
        values = torch.view_as_real(values)
    if values.is_floating_point():
        return math.isnan(norm(values))
    return bool((values == _marking(tensor)).any())
