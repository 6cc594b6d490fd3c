"""Activations by name, with a scale within: f(scale x)."""

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from firstlight.errors import OptionError, check_choice, positive
from firstlight.theory import ACTIVATIONS, Activation


@dataclass(frozen=True)
class _Scaled:
    name: str
    scale: float

    @property
    def __name__(self) -> str:
        return f"{self.name}:scale={self.scale:g}"

    def __call__(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.name](x if self.scale == 1 else self.scale * x)


@lru_cache
def scaled_activation(text: str) -> _Scaled:
    """Read "tanh", or "tanh:scale=2" for tanh(2 x).

    Raises:
        OptionError: no such activation, or a scale that is not above 0.

    Example:
        >>> import torch
        >>> round(float(scaled_activation("tanh:scale=2")(torch.tensor(1.0))), 4)
        0.964
    """
    if not isinstance(text, str):
        raise OptionError(f"activation must be a name as in tanh or tanh:scale=2, got {text!r:.60}")
    name, *options = text.split(":")
    check_choice(name, ACTIVATIONS, "activation")
    scale = 1.0
    for option in options:
        key, _, value = option.partition("=")
        try:
            scale = positive(float(value), "scale") if key == "scale" and len(options) == 1 else 0.0
        except ValueError:
            scale = 0.0
        if not scale:
            raise OptionError(f"activation must read as in tanh or tanh:scale=2, got {text!r}")
    return _Scaled(name, scale)


def known_as(text: str) -> Activation:
    """What schemes and theory are told: the name where there is no scale, as names are faster."""
    scaled = scaled_activation(text)
    return scaled.name if scaled.scale == 1 else scaled
