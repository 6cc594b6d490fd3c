"""Activations as a study's options name them: "tanh", or "tanh:scale=2" for tanh(2 x)."""

from functools import lru_cache

from firstlight.errors import OptionError, check_choice, positive
from firstlight.theory import ACTIVATIONS
from firstlight.theory.activations import scaled_name


@lru_cache
def scaled_activation(text: str) -> str:
    """Read "tanh", or "tanh:scale=2" for tanh(2 x); return its name in ``firstlight.theory``.

    Raises:
        OptionError: no such activation, or a scale that is not above 0.

    Example:
        >>> scaled_activation("tanh"), scaled_activation("tanh:scale=2")
        ('tanh', 'tanh(2x)')
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
    return scaled_name(name, scale)
