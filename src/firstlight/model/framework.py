"""The framework's own start, for a model that comes from ``to_empty`` and holds nothing yet.

``reset_parameters`` is torch's way, ``_init_weights`` of the whole model Hugging Face's. Neither
says what it covers, so that is tried: what still holds the mark put there before is named.
"""

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.init.shards import own_part
from firstlight.model.placed_draws import placed_draws
from firstlight.model.slots import Slot


def has_start(model: nn.Module, slot: Slot) -> bool:
    """Return whether the framework can give the slot's module a start of its own.

    Example:
        >>> from firstlight.model.slots import slots
        >>> layer = nn.Linear(2, 3)
        >>> has_start(layer, slots(layer)[0])
        True
    """
    return slot.module is not None and any(True for _ in _starts(model, slot.module))


def start(model: nn.Module, left: list[Slot], seed: int) -> None:
    """Give ``left`` the framework's own start; the draws are keyed by seed, name and place.

    Raises:
        FirstlightError: some hold what they held before: nobody fills them.
    """
    by_module: dict[int, list[Slot]] = {}
    for slot in left:
        by_module.setdefault(id(slot.module), []).append(slot)
    unfilled: list[str] = []
    with placed_draws(model, seed):
        for group in by_module.values():
            unfilled += _start_module(model, group, seed)
    _refuse(unfilled)


def check_started(model: nn.Module, left: list[Slot]) -> None:
    """Refuse, before anything is written, what no code is there to fill."""
    _refuse([slot.name for slot in left if not has_start(model, slot)])


def _refuse(unfilled: list[str]) -> None:
    if unfilled:
        shown = ", ".join(unfilled[:4]) + (" ..." if len(unfilled) > 4 else "")
        raise FirstlightError(
            f"nobody fills {shown} after to_empty ({len(unfilled)} in all); fill them yourself, "
            f"and pass exclude={unfilled[:1]!r} and so on"
        )


def _start_module(model: nn.Module, group: list[Slot], seed: int) -> list[str]:
    module = group[0].module
    assert module is not None
    tensors = [(slot.name, t) for slot in group if slot.storage for t in slot.storage.stored()]
    for _, tensor in tensors:
        tensor.detach().copy_(_mark(tensor))
    key = f"{seed}:{group[0].name.rpartition('.')[0]}:framework"
    digest = hashlib.blake2b(key.encode(), digest_size=4).digest()
    for make in _starts(model, module):
        # what is drawn into temporary tensors is torch's own, and the same on every rank
        with torch.random.fork_rng(devices=_cuda(tensors)), torch.no_grad():
            torch.manual_seed(int.from_bytes(digest, "little"))
            make()
        if not any(_marked(tensor) for _, tensor in tensors):
            return []
    return [name for name, tensor in tensors if _marked(tensor)]


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


def _mark(tensor: Tensor) -> Tensor:
    if tensor.is_floating_point() or tensor.is_complex():
        return torch.full_like(tensor, float("nan"))
    if tensor.dtype == torch.bool:
        return torch.zeros_like(tensor)
    return torch.full_like(tensor, torch.iinfo(tensor.dtype).min)


def _marked(tensor: Tensor) -> bool:
    if tensor.dtype == torch.bool or not tensor.numel():
        return False
    values = own_part(tensor.detach())
    if tensor.is_floating_point() or tensor.is_complex():
        return bool(values.isnan().any())
    return bool((values == torch.iinfo(tensor.dtype).min).any())
