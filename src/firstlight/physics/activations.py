"""Activations by the names of DeepXDE and of ``firstlight.theory``."""

from collections.abc import Callable

from torch import Tensor

from firstlight import nn
from firstlight.errors import OptionError
from firstlight.theory.activations import ACTIVATIONS, named, split_name
from firstlight.theory.odd_sigmoid_class import odd_sigmoid_name

#: What DeepXDE has under these names.
DEEPXDE_ACTIVATIONS = ("tanh", "sin", "sigmoid", "silu", "elu", "gelu", "selu", "relu")
#: Whose derivative jumps, or which are no activation at all: a residual needs derivatives.
_NOT_SMOOTH = {
    "linear",
    "identity",
    "relu",
    "relu6",
    "leaky_relu",
    "selu",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
}
#: Those of ``firstlight.theory`` with a continuous derivative.
SMOOTH = tuple(name for name in ACTIVATIONS if name not in _NOT_SMOOTH)
_MODULES = {
    kind.formula: kind
    for kind in (nn.Tanh, nn.Erf, nn.Arctan, nn.Softsign, nn.Algebraic, nn.Gudermannian)
}


def check_activation(name: object) -> None:
    """Raise ``OptionError`` unless DeepXDE or ``firstlight.theory`` has it, smooth in the latter.

    Example:
        >>> from firstlight.physics.activations import check_activation
        >>> check_activation("relu"), check_activation("erf"), check_activation("tanh(2x)")
        (None, None, None)
    """
    if not isinstance(name, str) or not (name in DEEPXDE_ACTIVATIONS or _is_smooth(name)):
        others = ", ".join(each for each in SMOOTH if each not in DEEPXDE_ACTIVATIONS)
        raise OptionError(
            f"activation must be one of {', '.join(DEEPXDE_ACTIVATIONS)}, {others}, or a smooth "
            f"one with a factor above 0, as tanh(2x); got {name!r}"
        )


def _is_smooth(name: str) -> bool:
    try:
        return split_name(name)[0] in SMOOTH
    except OptionError:  # no such name, or no such factor
        return False


def activation(name: str) -> str | Callable[[Tensor], Tensor]:
    """Return what DeepXDE's networks take for a name: its own name, a module or a function.

    Example:
        >>> from firstlight.physics.activations import activation
        >>> activation("sin"), activation("erf"), activation("tanh(2x)")
        ('sin', Erf(), Tanh(scale=2.0))
    """
    if name in DEEPXDE_ACTIVATIONS:
        return name
    if odd_sigmoid_name(name):
        plain, scale = split_name(name)
        return _MODULES[plain](scale)
    return named(name)
