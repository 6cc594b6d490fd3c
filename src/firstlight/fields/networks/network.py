"""What every network of a neural field is given by: plain numbers, and how to build it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol

from torch import nn

from firstlight.errors import OptionError, check_choice, positive, whole_number

#: One number for every layer but the last, or one for each of them.
Alpha = float | tuple[float, ...]

#: Coordinates that a field may have.
_MOST_INPUTS = 4
#: Values of a field at a place.
_MOST_OUTPUTS = 2**12
#: Numbers that a network may hold: 4 GiB. A checkpoint from a stranger can ask for no more.
_MOST_NUMBERS = 2**30
#: Widest and deepest layers, which bounds the search for a width and the number of modules.
MOST_WIDTH = 2**14
MOST_DEPTH = 2**8


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
        whole_number(self.width, "width", 1, MOST_WIDTH)
        whole_number(self.depth, "depth", 2, MOST_DEPTH)
        check_choice(self.distribution, ("uniform", "normal"), "distribution")
        self._check_alpha()

    def _check_alpha(self) -> None:
        """Raise ``OptionError`` for an alpha that is no number above 0, nor as many as layers."""
        self.alphas()

    def alphas(self) -> tuple[float, ...]:
        """The weight scale of every layer but the last."""
        scaled = self.depth - 1
        if not isinstance(self.alpha, tuple):
            return (positive(self.alpha, "alpha"),) * scaled
        if len(self.alpha) != scaled:
            raise OptionError(
                f"alpha must be one number or one for each of {scaled} layers (the last has "
                f"none), got {len(self.alpha)}"
            )
        return tuple(positive(each, "alpha") for each in self.alpha)

    def weight_layers(self) -> int:
        """Number of modules with trained numbers of their own, each of which has a rate."""
        return self.depth

    def check_rates(self, rates: Sequence[float] | None) -> None:
        """Raise ``OptionError`` unless there is one factor of the rate for each weight layer.

        Example:
            >>> from firstlight.fields.networks.sine import Sine
            >>> Sine(depth=3).check_rates((1.0, 1.0, 0.1))
        """
        layers = self.weight_layers()
        if rates is not None and len(rates) != layers:
            raise OptionError(
                f"layer_rates must have one factor for each of the network's {layers} layers, got "
                f"{len(rates)}"
            )

    def with_room(self, parameters: int, inputs: int, outputs: int) -> "Network":
        """This network, without what would leave no room for its layers among so many numbers."""
        del parameters, inputs, outputs
        return self

    def resolved(self, signal: Facts) -> "Network":
        """This network with every number that depends on the signal filled in."""
        del signal
        return self

    def check_resolved(self) -> None:  # noqa: B027  (most families ask nothing)
        """Raise ``OptionError`` for a number that depends on a signal and is not filled in."""

    @abstractmethod
    def blank(self, inputs: int, outputs: int) -> nn.Module:
        """The network on the meta device: shapes, but no numbers and no memory."""

    @abstractmethod
    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number of what ``blank`` made, which has memory now."""

    def build(self, inputs: int, outputs: int, seed: int = 0) -> nn.Module:
        """Make the network: (n, inputs) to (n, outputs), float32; ``seed`` and names fix it.

        Raises:
            OptionError: something depends on a signal, or the network is too large.
        """
        self.check_resolved()
        module = self._checked_blank(inputs, outputs)
        held = [*module.parameters(), *module.buffers()]
        if (numbers := sum(each.numel() for each in held)) > _MOST_NUMBERS:
            raise OptionError(
                f"a network may hold 2^30 numbers, this one holds {numbers}; take a smaller one"
            )
        module.to_empty(device="cpu")
        self.fill(module, seed)
        return module

    def parameters(self, inputs: int, outputs: int) -> int:
        """Number of trainable numbers, without making them; a complex one counts twice.

        Example:
            >>> from firstlight.fields.networks.sine import Sine
            >>> Sine(width=10, depth=2).parameters(2, 3)
            63
        """
        module = self._checked_blank(inputs, outputs)
        return sum(each.numel() for each in module.parameters() if each.requires_grad)

    def _checked_blank(self, inputs: int, outputs: int) -> nn.Module:
        whole_number(inputs, "inputs", 1, _MOST_INPUTS)
        whole_number(outputs, "outputs", 1, _MOST_OUTPUTS)
        return self.blank(inputs, outputs)

    def sizes(self, inputs: int, outputs: int) -> list[int]:
        """Neurons of each layer, from the coordinates to the values."""
        return [inputs, *[self.width] * (self.depth - 1), outputs]

    def with_alpha(self, alpha: Alpha) -> "Network":
        """The same network at another weight scale."""
        return replace(self, alpha=alpha)

    def as_dict(self) -> dict[str, Any]:
        """Plain values: what ``find_network`` reads."""
        return {"family": self.family, **asdict(self)}

    to_plain = as_dict  # so runs.plain writes networks
