"""Values of a signal at places, scaled to [-1, 1]."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.fields.signals.places import Places

#: The smallest float32 of full precision; a span of less would be a division by 0.
_TINY = torch.finfo(torch.float32).tiny


class Batch(NamedTuple):
    """Some of the samples.

    Attributes:
        x: coordinates, (n, inputs), float32.
        y: values, (n, outputs), float32, between -1 and 1.
        weight: importance of each, (n, 1), or None where all are alike.
    """

    x: Tensor
    y: Tensor
    weight: Tensor | None


@dataclass(frozen=True)
class Span:
    """The interval of a signal's values that becomes [-1, 1].

        scaled = (value - middle) / half,  middle = (low + high) / 2,  half = (high - low) / 2

    Attributes:
        low: the value that becomes -1.
        high: the value that becomes 1; a signal that is constant has low = high, and becomes 0.
    """

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The value that becomes 0."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """How much of the value is 1."""
        return (self.high - self.low) / 2 or 1.0

    def scaled(self, values: Tensor) -> Tensor:
        """To [-1, 1], float32."""
        return values.to(torch.float32).sub(self.middle).div_(max(self.half, _TINY))

    def restored(self, scaled: Tensor) -> Tensor:
        """Back, float32."""
        return scaled.to(torch.float32).mul(self.half).add_(self.middle)


@dataclass(frozen=True)
class Samples:
    """Places where a signal is known, and its values there, as they are stored.

    Attributes:
        places: all places that the values are numbered by.
        values: (len(places), outputs), of the type they were read in.
        span: what of the values becomes [-1, 1].
        weights: importance of each place, of mean 1, (len(places),); None where all are alike.
        chosen: numbers of the places that belong here; None takes all.

    Example:
        >>> from firstlight.fields.signals.places import Lattice
        >>> values = torch.tensor([[0], [255]], dtype=torch.uint8)
        >>> Samples(Lattice.cells((2,)), values, Span(0, 255)).all().y.flatten().tolist()
        [-1.0, 1.0]
    """

    places: Places
    values: Tensor
    span: Span
    weights: Tensor | None = None
    chosen: Tensor | None = None

    def __post_init__(self) -> None:
        if self.values.dim() != 2 or len(self.values) != len(self.places):
            raise OptionError(
                f"values must have the shape ({len(self.places)}, outputs), "
                f"got {tuple(self.values.shape)}"
            )
        if self.weights is not None and self.weights.shape != self.values.shape[:1]:
            raise OptionError(
                f"weights must have the shape ({len(self.places)},), "
                f"got {tuple(self.weights.shape)}"
            )

    def __len__(self) -> int:
        return len(self.places) if self.chosen is None else len(self.chosen)

    @property
    def inputs(self) -> int:
        """Number of coordinates."""
        return self.places.inputs

    @property
    def outputs(self) -> int:
        """Number of values at a place."""
        return self.values.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the values are, and batches are made."""
        return self.values.device

    def to(self, device: torch.device | str) -> "Samples":
        """The same samples on another device."""
        weights = None if self.weights is None else self.weights.to(device)
        chosen = None if self.chosen is None else self.chosen.to(device)
        places, values = self.places.to(device), self.values.to(device)
        return replace(self, places=places, values=values, weights=weights, chosen=chosen)

    def subset(self, chosen: Tensor) -> "Samples":
        """Only the places with these numbers."""
        return replace(self, chosen=chosen)

    def at(self, rows: Tensor) -> Batch:
        """The samples with these numbers, 0 to len - 1."""
        numbers = rows if self.chosen is None else self.chosen[rows].long()
        weight = None if self.weights is None else self.weights[numbers].float()[:, None]
        return Batch(self.places.at(numbers), self.span.scaled(self.values[numbers]), weight)

    def between(self, start: int, stop: int) -> Batch:
        """The samples from number ``start`` to before ``stop``."""
        return self.at(torch.arange(start, min(stop, len(self)), device=self.device))

    def all(self) -> Batch:
        """Every sample at once."""
        return self.between(0, len(self))

    def random(self, count: int, generator: torch.Generator) -> Batch:
        """``count`` samples drawn with replacement, without leaving the device."""
        return self.at(torch.randint(len(self), (count,), generator=generator, device=self.device))


def held_out_of(samples: Samples, chosen: Tensor | None) -> tuple[Samples, Samples | None]:
    """Split samples into the places with the numbers ``chosen`` and the others, None if no others.

    ``chosen`` is None where all are.

    Raises:
        OptionError: nothing is chosen.
    """
    if chosen is None:
        return samples, None
    if len(chosen) == 0:
        raise OptionError("no sample is left to train on; hold out fewer of them")
    rest = torch.ones(len(samples.places), dtype=torch.bool)
    rest[chosen] = False
    others = rest.nonzero().flatten().to(torch.int32)
    return samples.subset(chosen.to(torch.int32)), samples.subset(others) if len(others) else None
