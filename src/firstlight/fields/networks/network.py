"""What every network of a neural field is given by: plain numbers, and how to build it."""

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from firstlight.errors import OptionError, check_choice, positive
from firstlight.init import Stream, variance_scaling_

#: One number for every layer but the last, or one for each of them.
Alpha = float | tuple[float, ...]


class Facts(Protocol):
    """What a network may ask a signal before it is built."""

    @property
    def inputs(self) -> int:
        """Number of coordinates, each between -1 and 1."""

    @property
    def outputs(self) -> int:
        """Number of values at a place."""

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between neighbouring training samples along each coordinate."""

    def rows(self) -> Any:
        """Evenly spaced values, (..., length)."""


@dataclass(frozen=True, kw_only=True)
class Network(ABC):
    """A family of networks from coordinates in [-1, 1]^inputs to values.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers, the last included.
        alpha: weight scale (arXiv 2410.04779) of every weight matrix but the last, as a number or
            one for each of them.
        distribution: "uniform" or "normal" draws.
    """

    family: ClassVar[str]

    width: int = 256
    depth: int = 5
    alpha: Alpha = 1.0
    distribution: str = "uniform"

    def __post_init__(self) -> None:
        for name, least in (("width", 1), ("depth", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise OptionError(
                    f"{name} must be a whole number of {least} or more, got {value!r}"
                )
        check_choice(self.distribution, ("uniform", "normal"), "distribution")
        if not isinstance(self.alpha, str):
            self.alphas()

    def alphas(self) -> tuple[float, ...]:
        """The weight scale of every layer but the last."""
        scaled = self.depth - 1
        if not isinstance(self.alpha, tuple | list):
            return (positive(self.alpha, "alpha"),) * scaled
        if len(self.alpha) != scaled:
            raise OptionError(
                f"alpha must be one number or one for each of {scaled} layers (the last has "
                f"none), got {len(self.alpha)}"
            )
        return tuple(positive(each, "alpha") for each in self.alpha)

    def resolved(self, signal: Facts) -> "Network":
        """This network with every number that depends on the signal filled in."""
        del signal
        return self

    @abstractmethod
    def build(self, inputs: int, outputs: int, seed: int = 0) -> nn.Module:
        """Make the network: (n, inputs) to (n, outputs), float32; ``seed`` and names fix it."""

    def with_alpha(self, alpha: Alpha) -> "Network":
        """The same network at another weight scale."""
        return replace(self, alpha=alpha)

    def as_dict(self) -> dict[str, Any]:
        """Plain values: what ``find_network`` reads."""
        return {"family": self.family, **asdict(self)}


def fill_bias(bias: Tensor, bound: float, seed: int, name: str) -> None:
    """Fill a bias with U(-bound, bound), whatever the draws of the weights; 0 for bound 0."""
    if bound == 0:
        nn.init.zeros_(bias)
        return
    column = bias.detach().view(-1, 1)  # one input, so the variance is gain^2
    variance_scaling_(
        column,
        gain=bound / math.sqrt(3),
        distribution="uniform",
        generator=Stream.named(seed, name),
    )
