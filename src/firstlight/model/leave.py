"""Why a parameter is left alone unless its owner asks for it by name."""

import torch
from torch import Tensor, nn

from firstlight.init.shards import own_part
from firstlight.model.kinds import Kept, Matrix, Value
from firstlight.model.kinds.norm import closes_a_branch
from firstlight.model.slots import Slot

EXCLUDED = "excluded"
FROZEN = "frozen"
LOADED = "loaded from a checkpoint"
EMBEDDING = "an embedding's rows are read as they are; the framework's table stays"


def why_left_alone(slot: Slot, *, empty: bool = False) -> str:
    """Return why nothing should be written to ``slot`` unasked, or "".

    Frozen parameters, loaded ones, embeddings, all zeros (unless the model is ``empty``, fresh
    from ``to_empty``), and what its library marks.

    Example:
        >>> from torch import nn
        >>> from firstlight.model.slots import slots
        >>> why_left_alone(slots(nn.Linear(2, 3).requires_grad_(False))[0])
        'frozen'
    """
    if isinstance(slot.treatment, Kept):
        return slot.treatment.reason
    if slot.frozen:
        return FROZEN
    assert slot.storage is not None
    stored = slot.storage.stored()
    if any(getattr(tensor, "_is_hf_initialized", False) for tensor in stored):
        return LOADED
    if any(getattr(tensor, "_no_reinit", False) for tensor in stored):
        return "its library marks it: not to be initialized anew"
    if isinstance(slot.treatment, Value) and not empty and closes_a_branch(slot.storage.module):
        return "its norm's weight is all zeros: it closes a residual branch on purpose"
    if isinstance(slot.treatment, Matrix):
        if slot.treatment.role == "table":
            return EMBEDDING
        if not empty and all_zero(stored[0]):
            return "all zeros: it starts a branch closed on purpose"
    return ""


def copied_from_checkpoint(model: nn.Module) -> bool:
    """Return whether a Hugging Face model was loaded and then copied, which drops its marks."""
    source = getattr(getattr(model, "config", None), "_name_or_path", "")
    marked = any(hasattr(parameter, "_is_hf_initialized") for parameter in model.parameters())
    return bool(source) and not marked


def all_zero(tensor: Tensor) -> bool:
    """Return whether a tensor with memory holds zeros alone; most are seen not to at a glance."""
    if nn.parameter.is_lazy(tensor) or tensor.is_meta or not tensor.numel():
        return False
    with torch.no_grad():
        tensor = own_part(tensor)
        if not tensor.numel():  # of a shard that holds nothing, nothing is known
            return False
        first = tensor.detach()[:1] if tensor.ndim else tensor.detach()
        return not bool(first.any()) and not bool(tensor.any())


def shared_memory(found: list[Slot]) -> dict[str, str]:
    """Return, by name, the parameters that lie in the memory of an earlier one, and which it is.

    Two parameters of one memory are one weight: a head made of ``embedding.weight.t()``, say.
    """
    owners: dict[tuple[str, int], list[tuple[int, int, str]]] = {}
    shared: dict[str, str] = {}
    for slot in found:
        if slot.buffer or slot.storage is None or not slot.storage.direct:
            continue
        tensor = slot.storage.stored()[0]
        if type(tensor) not in (nn.Parameter, Tensor) or tensor.is_meta or not tensor.numel():
            continue
        if tensor.layout != torch.strided:
            continue
        start = tensor.data_ptr()
        extent = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
        end = start + (extent + 1) * tensor.element_size()
        key = (str(tensor.device), tensor.untyped_storage().data_ptr())
        for other_start, other_end, other in owners.setdefault(key, []):
            if start < other_end and other_start < end:
                shared[slot.name] = other
                break
        owners[key].append((start, end, slot.name))
    return shared
