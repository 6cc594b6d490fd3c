"""The framework's own start, for a model that comes from ``to_empty`` and holds nothing yet.

``reset_parameters`` is torch's way, ``_init_weights`` of the whole model Hugging Face's. Neither
says what it covers, so that is tried: what still holds the mark put there before is named.
"""

import hashlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.init.shards import own_part
from firstlight.model.names import names_by_id
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


def start(model: nn.Module, left: list[Slot], seed: int, planned: nn.Module) -> None:
    """Give ``left`` the framework's own start; the draws are keyed by seed, name and place.

    Args:
        model: what is written to.
        left: tensors of it, each with its planned name.
        seed: of the plan.
        planned: the whole model that the plan was made for, whose ``_init_weights`` is meant.

    Raises:
        FirstlightError: some hold what they held before: nobody fills them. Or a layer's own
            start has failed; then what it was to fill holds NaN.
    """
    if not left:
        return
    stored = {
        id(tensor): slot.name for slot in left if slot.storage for tensor in slot.storage.stored()
    }
    now = names_by_id(model)
    names = {now[held][0]: name for held, name in stored.items() if held in now}
    unfilled: list[str] = []
    groups = list(_by_module(left))
    with placed_draws(model, seed, names=names, also=[module for module, _ in groups]):
        for module, group in groups:
            unfilled += _start_module(planned, module, group, seed)
    _refuse(unfilled)


def check_started(planned: nn.Module, left: list[Slot]) -> None:
    """Refuse, before anything is written, what no code is there to fill."""
    _refuse([slot.name for slot in left if not has_start(planned, slot)])


def _refuse(unfilled: list[str]) -> None:
    if unfilled:
        shown = ", ".join(unfilled[:4]) + (" ..." if len(unfilled) > 4 else "")
        raise FirstlightError(
            f"nobody fills {shown} after to_empty ({len(unfilled)} in all); fill them yourself, "
            f"and pass exclude={unfilled[:1]!r} and so on"
        )


def _by_module(left: list[Slot]) -> Iterator[tuple[nn.Module, list[Slot]]]:
    """Yield the modules that are to start, each with those of its tensors that are left to it."""
    groups: dict[int, list[Slot]] = {}
    for slot in left:
        if slot.owner is not None:
            yield _standing_in(slot), [slot]
        else:
            groups.setdefault(id(slot.module), []).append(slot)
    for group in groups.values():
        module = group[0].module
        assert module is not None
        yield module, group


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


def _start_module(planned: nn.Module, module: nn.Module, group: list[Slot], seed: int) -> list[str]:
    tensors = [(slot.name, t) for slot in group if slot.storage for t in slot.storage.stored()]
    for _, tensor in tensors:
        tensor.detach().fill_(_mark(tensor))
    path = group[0].name.rpartition(".")[0]
    digest = hashlib.blake2b(f"{seed}:{path}:framework".encode(), digest_size=4).digest()
    for make in _starts(planned, module):
        # what is drawn into temporary tensors is torch's own, and the same on every rank
        with torch.random.fork_rng(devices=_cuda(tensors)), torch.no_grad():
            torch.manual_seed(int.from_bytes(digest, "little"))
            _run(make, f"{path or 'the model'} ({type(module).__name__})")
        if not any(_marked(tensor) for _, tensor in tensors):
            return []
    return [name for name, tensor in tensors if _marked(tensor)]


def _run(make: Callable[[], object], layer: str) -> None:
    try:
        make()
    except Exception as error:  # a layer's own code may raise anything
        raise FirstlightError(
            f"the own start of {layer} failed: {' '.join(str(error).split())}; fill it yourself, "
            "and exclude it from the plan"
        ) from error


def _starts(model: nn.Module, module: nn.Module) -> Iterator[Callable[[], object]]:
    whole = getattr(model, "_init_weights", None)
    if callable(whole):
        yield lambda: whole(module)
    for name in ("reset_parameters", "_reset_parameters"):
        own = getattr(module, name, None)
        if callable(own):
            yield own


def _cuda(tensors: list[tuple[str, Tensor]]) -> set[torch.device]:
    return {t.device for _, t in tensors if t.device.type == "cuda"}


def _mark(tensor: Tensor) -> float | bool:
    """Return a value that no start gives to a tensor; of truth values there is none."""
    if tensor.is_floating_point() or tensor.is_complex():
        return float("nan")
    return False if tensor.dtype == torch.bool else torch.iinfo(tensor.dtype).min


def _marked(tensor: Tensor) -> bool:
    """Return whether any mark is left; a norm finds them without a copy of the whole."""
    values = own_part(tensor.detach())
    if tensor.dtype == torch.bool or not values.numel():
        return False
    if tensor.is_complex():
        values = torch.view_as_real(values)
    if values.is_floating_point():
        return math.isnan(norm(values))
    return bool((values == _mark(tensor)).any())
