"""What a field is fitted to, and the form that its values go back into."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.places import Places
from firstlight.fields.signals.samples import Samples

#: Values of a field at places, (n, outputs), scaled to [-1, 1], on the CPU.
Predict = Callable[[Places], Tensor]
#: Values of a field at some of a signal's samples, in their order.
PredictSamples = Callable[[Samples], Tensor]


@dataclass(frozen=True)
class Form(ABC):
    """How a field's values become a file again; plain numbers that a checkpoint keeps.

    Attributes:
        kind: its name in checkpoints.
        suffix: of the file that ``save`` writes where none is named.
    """

    kind: ClassVar[str]
    suffix: ClassVar[str]

    @abstractmethod
    def render(self, predict: Predict, **options: Any) -> Any:
        """What the field shows, as an array or a mesh."""

    @abstractmethod
    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write what the field shows; options as in ``render``."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values: what ``find_form`` reads."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class Signal(ABC):
    """Samples to fit a field to, others to judge it by, and the form to render it in.

    Attributes:
        name: where it came from, for messages.
        train: the samples that are fitted.
        held_out: samples that are never trained on; None where all are fitted.
        form: the way back.
        notes: what was assumed about it, one line each.
    """

    name: str
    train: Samples
    held_out: Samples | None
    form: Form
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def inputs(self) -> int:
        """Number of coordinates."""
        return self.train.inputs

    @property
    def outputs(self) -> int:
        """Number of values at a place."""
        return self.train.outputs

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between neighbouring training samples along each coordinate."""
        share = len(self.train.places) / len(self.train)
        return tuple(each * share ** (1 / self.inputs) for each in self.train.places.spacing)

    @abstractmethod
    def rows(self) -> np.ndarray:
        """Evenly spaced values, (..., length), whose spectrum stands for the signal's."""

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """How near a field is: "psnr" on what was fitted, "held_out_psnr", and what is usual.

        PSNR = 10 log10(4 / mean squared error),  values in [-1, 1]
        """
        measured = {"psnr": psnr(predict, self.train)}
        if self.held_out is not None:
            measured["held_out_psnr"] = psnr(predict, self.held_out)
        return measured


def decibels(mean_square: float) -> float:
    """PSNR of a mean squared error of values in [-1, 1]; infinite for 0.

    A field whose error is no finite number is infinitely bad.

    Example:
        >>> decibels(0.0004), decibels(math.nan)
        (40.0, -inf)
    """
    if not math.isfinite(mean_square):
        return -math.inf
    return 10 * math.log10(4 / mean_square) if mean_square > 0 else math.inf


#: Samples that are compared at once, which bounds the memory.
_AT_ONCE = 2**18


def psnr(predict: PredictSamples, samples: Samples) -> float:
    """PSNR over samples, weighted where they have weights."""
    predicted, total, weights = predict(samples), 0.0, 0.0
    for start in range(0, len(samples), _AT_ONCE):
        part = samples.between(start, start + _AT_ONCE)
        error = (predicted[start : start + _AT_ONCE].to(part.y) - part.y).double().square()
        weight = 1.0 if part.weight is None else part.weight.double()
        total += float((error * weight).sum())
        weights += len(error) if part.weight is None else float(part.weight.double().sum())
    return decibels(total / weights / samples.outputs)


def check_held_out(every: object, share: object) -> None:
    """Raise ``OptionError`` unless at most one of the two ways of holding out is asked for."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise OptionError(f"every must be a whole number of 1 or more, got {every!r}")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise OptionError(f"held_out must be a share from 0 to below 1, got {share!r}")
    if every > 1 and share:
        raise OptionError("every and held_out both hold samples out: give one of them")


def chosen_places(places: Any, every: int, share: float, seed: int) -> Tensor | None:
    """Numbers of the places to train on, ascending: a lattice's every n-th, or a random share.

    None stands for all of them, which needs no list.
    """
    check_held_out(every, share)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise OptionError(f"seed must be a whole number from 0 to below 2^63, got {seed!r}")
    if every > 1:
        return places.every(every)
    if share:
        kept = max(1, round(len(places) * (1 - share)))
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.zeros(len(places), dtype=torch.bool)
        chosen[torch.randperm(len(places), generator=generator)[:kept]] = True
        return chosen.nonzero().flatten()
    return None


def unreadable(path: Path, what: str, error: Exception | str) -> FirstlightError:
    """The error for a file that cannot be read as what it is taken for."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return FirstlightError(f"cannot read {path} as {what}: {reason}")


def check_readable(path: Path, what: str) -> None:
    """Raise ``FirstlightError`` unless there is a file that may be read and is not empty.

    Libraries that read files have many words for each of these, few of them clear.
    """
    if not path.is_file():
        raise unreadable(path, what, "there is no such file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise unreadable(path, what, error.strerror or error) from error
    if empty:
        raise unreadable(path, what, "the file is empty")


def options_of(form: Form, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise ``OptionError`` for an option of rendering that a form does not have."""
    for name in given:
        if name not in known:
            raise OptionError(f"{form.kind} is rendered with {', '.join(known)}; it has no {name}")
