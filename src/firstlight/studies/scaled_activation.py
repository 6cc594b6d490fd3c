"""Activations as a study's options name them: "tanh", and "tanh(2x)" or "tanh:scale=2"."""

from functools import lru_cache

from firstlight.errors import OptionError, check_choice, positive
from firstlight.theory import ACTIVATIONS
from firstlight.theory.activations import scaled_name, split_name


@lru_cache
def scaled_activation(text: str) -> str:
    """Read "tanh", "tanh(2x)" or "tanh:scale=2"; return its name in ``firstlight.theory``.

    Raises:
        OptionError: no such activation, or a scale that is not above 0.

    Example:
        >>> [scaled_activation(text) for text in ("tanh:scale=1", "tanh:scale=2", "tanh(2.0x)")]
        ['tanh', 'tanh(2x)', 'tanh(2x)']
    """
    if not isinstance(text, str):
        raise OptionError(f"activation must be a name as in tanh or tanh(2x), got {text!r:.60}")
    if ":" not in text:
        return scaled_name(*split_name(text))
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
            raise OptionError(
                f"activation must read as in tanh, tanh(2x) or tanh:scale=2, got {text!r}"
            )
    return scaled_name(name, scale)


def stored_activation(text: str) -> str:
    """Name an activation as files of finished parts do, which are older than "tanh(2x)" here.

    Example:
        >>> stored_activation("tanh"), stored_activation("tanh(2x)")
        ('tanh', 'tanh:scale=2')
    """
    name, scale = split_name(scaled_activation(text))
    return name if scale == 1 else f"{name}:scale={repr(scale).removesuffix('.0')}"
