"""Reading back what was written: a write that did not land is an error, not a surprise later."""

from dataclasses import dataclass

import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.model.slots import Slot

#: Entries of each tensor that are compared one by one.
_SAMPLE = 1024


@dataclass(frozen=True, eq=False)
class Landed:
    """What a tensor must hold now: its norm, and some of its entries."""

    norm: float
    sample: Tensor


def remember(value: Tensor) -> Landed:
    """Take down what was just written.

    Example:
        >>> remember(torch.ones(4)).norm
        2.0
    """
    return Landed(_norm(value), _sample(value).clone())


def check_landed(slot: Slot, expected: Landed, *, fitted: bool = False) -> None:
    """Read the tensor anew, through the model, and compare.

    A parametrization may make something else of a value (spectral_norm divides it, pruning masks
    it), and a fitted weight was scaled afterwards: those must be finite, and not all zero.
    """
    assert slot.storage is not None
    value = slot.storage.landed()
    norm = _norm(value)
    if fitted or not slot.storage.own:
        if not norm < float("inf") or (norm == 0 and expected.norm > 0):
            raise FirstlightError(f"{slot.name}: the write through {slot.storage.through} failed")
        return
    same = torch.equal(_sample(value), expected.sample)
    if not (same and norm == expected.norm) or norm != norm:
        raise FirstlightError(
            f"{slot.name} does not hold what was written to it: it may share memory with another "
            "parameter, or the write did not reach it"
        )


def _norm(value: Tensor) -> float:
    dtype = torch.float64 if value.dtype == torch.float64 else torch.float32
    if not value.is_floating_point():
        value = value.float()
    return float(torch.linalg.vector_norm(value, dtype=dtype))


def _sample(value: Tensor) -> Tensor:
    """Return evenly spaced rows or entries."""
    flat = value.reshape(-1) if value.is_contiguous() else value.flatten(0, -2)[:, 0]
    return flat[:: max(1, flat.numel() // _SAMPLE)]
