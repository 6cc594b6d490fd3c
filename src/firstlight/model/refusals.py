"""What a plan refuses, in words: a number that does not fit, a model without weights."""

import operator
from typing import Any

import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import Scheme
from firstlight.init.shards import is_sharded
from firstlight.model.kinds import Kept
from firstlight.model.overrides import Override
from firstlight.model.slots import Slot


def check_module(model: Any) -> None:
    """Refuse what is no module, a class of modules for one.

    Example:
        >>> check_module(nn.Linear)
        Traceback (most recent call last):
        firstlight.errors.OptionError: expected a torch.nn.Module, got the class Linear
    """
    if not isinstance(model, nn.Module):
        is_class = isinstance(model, type)
        what = f"the class {model.__name__}" if is_class else type(model).__name__
        raise OptionError(f"expected a torch.nn.Module, got {what}")


def whole_seed(seed: Any) -> int:
    """Return a seed as an int; raise ``OptionError`` unless it is a whole number >= 0.

    Example:
        >>> whole_seed(3)
        3
    """
    try:
        whole = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        whole = -1
    if whole < 0:
        raise OptionError(f"seed must be a whole number >= 0, got {seed!r}")
    return whole


def check_value(override: Override, dtype: torch.dtype) -> None:
    """Refuse a number that the tensor cannot hold."""
    for value in (override.value, override.rows_value):
        if value is None:
            continue
        whole = not dtype.is_floating_point and not dtype.is_complex
        largest = float(torch.iinfo(dtype).max if whole else torch.finfo(dtype).max)
        if abs(value) > largest or (whole and value != int(value)):
            raise OptionError(f"overrides[{override.text!r}]: {value:g} is no value of {dtype}")


def why_nothing(model: nn.Module, found: list[Slot]) -> str:
    """Return what the model has instead of weights that a kind describes."""
    for path, module in model.named_modules():
        if type(module).__module__.startswith("torch.ao.nn.quantized"):
            return f"; {path or 'it'} is quantised: initialize before quantising"
    for slot in found:
        if isinstance(slot.treatment, Kept) and slot.treatment.kind == "parameter":
            return f"; {slot.name}: {slot.treatment.reason}, give it a scheme in overrides"
    return ""


#: Why a scheme that runs the model cannot start a sharded one.
WHOLE_RUN = (
    "lsuv runs the model and divides its weights by what comes out, which shards of them cannot "
    "follow; fit it on one device and load that, or take 'orthogonal' or 'harmonic'"
)


def check_parallel(model: nn.Module, found: list[Slot], scheme: Scheme | None) -> None:
    """Raise ``OptionError`` where parameters are laid out so that no start can be written."""
    for module in model.modules():
        if type(module).__name__ == "FullyShardedDataParallel":
            raise OptionError(
                "FullyShardedDataParallel keeps its parameters flattened; initialize the model "
                "before it is wrapped, or shard it with torch.distributed.fsdp.fully_shard"
            )
    for slot in found:
        check_unparametrized(slot)
    if scheme is not None and scheme.data_driven and any(slot.spread for slot in found):
        raise OptionError(WHOLE_RUN)


def check_unparametrized(slot: Slot) -> None:
    """Raise ``OptionError`` for a weight whose parametrization would have to gather its shards."""
    if slot.storage is None or slot.storage.own or not any(map(is_sharded, slot.storage.stored())):
        return
    raise OptionError(
        f"{slot.name} is made by {slot.storage.through} of sharded tensors, and cannot be written "
        "without gathering them; initialize the model before it is sharded"
    )
