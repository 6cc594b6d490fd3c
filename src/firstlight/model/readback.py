"""Reading back what was written: a write that did not land is an error, not a surprise later."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.model.slots import Slot

#: Entries of each tensor that are compared one by one.
_SAMPLE = 1024
#: Entries of half precision that are made float32 at once.
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class Landed:
    """What some entries of a tensor must hold now, and whether any may be other than zero."""

    sample: Tensor
    zero: bool


def remember(value: Tensor, *, zero: bool = False) -> Landed:
    """Take down what was just written; ``zero`` says that all of it is.

    Example:
        >>> remember(torch.ones(4)).sample
        tensor([1., 1., 1., 1.])
    """
    return Landed(_sample(value).clone(), zero)


def check_landed(slot: Slot, expected: Landed, *, fitted: bool = False) -> None:
    """Read the tensor anew, through the model: its sample, and that all of it is finite.

    A parametrization may make something else of a value (spectral_norm divides it, pruning masks
    it), and a fitted weight was scaled afterwards: of those the sample is not compared.
    """
    assert slot.storage is not None
    value = slot.storage.landed()
    sampled = not fitted and slot.storage.own
    if sampled and expected.zero and value.numel() <= _SAMPLE:
        _compare(slot, value, expected)  # a bias or norm, all of it sampled
        return
    size = norm(value)
    if not math.isfinite(size) or (size == 0 and not expected.zero and value.numel()):
        what = "all zeros" if size == 0 else "not finite"
        raise FirstlightError(
            f"{slot.name} is {what} in {value.dtype} once it is written; take another gain or dtype"
        )
    if sampled:
        _compare(slot, value, expected)


def _compare(slot: Slot, value: Tensor, expected: Landed) -> None:
    if not torch.equal(_sample(value), expected.sample):
        raise FirstlightError(
            f"{slot.name} does not hold what was written to it: it may share memory with another "
            "parameter, or the write did not reach it"
        )


def holds_nan(value: Tensor) -> bool:
    """Return whether one of some entries is no number.

    Example:
        >>> holds_nan(torch.full((4,), float("nan")))
        True
    """
    return bool(_sample(value).isnan().any())


def norm(value: Tensor) -> float:
    """Return the Euclidean norm, summed in float32 or float64 without a copy of the whole."""
    if value.dtype in (torch.float32, torch.float64):
        return float(torch.linalg.vector_norm(value))
    flat = value.reshape(-1)
    return math.sqrt(sum(float(part.float().square().sum()) for part in flat.split(_BLOCK)))


def _sample(value: Tensor) -> Tensor:
    """Return evenly spaced entries."""
    step = max(1, value.numel() // _SAMPLE)
    if value.is_contiguous() or value.ndim < 2:
        return value.reshape(-1)[::step]
    rows = value[:: max(1, len(value) // _SAMPLE)]
    return rows.flatten(1)[:, 0] if rows.ndim == 2 else rows.select(-1, 0)
