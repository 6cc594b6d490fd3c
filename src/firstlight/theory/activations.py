"""Activations by name, and any callable made ready for mathematics in float64."""

import copy
import math
import re
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstlight.errors import OptionError, check_choice, positive

Activation = str | Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "identity": lambda x: x,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "celu": functional.celu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "swish": functional.silu,
    "mish": functional.mish,
    "softplus": functional.softplus,
    "hardswish": functional.hardswish,
    "sigmoid": torch.sigmoid,
    "hardsigmoid": functional.hardsigmoid,
    "tanh": torch.tanh,
    "hardtanh": functional.hardtanh,
    "softsign": functional.softsign,
    "sin": torch.sin,
    "erf": torch.erf,
    "arctan": lambda x: torch.atan(x * (math.pi / 2)) * (2 / math.pi),
    "gudermannian": lambda x: 2 * torch.atan(torch.tanh(x / 2)),
    # hypot, as the square of a large x overflows, in float16 from 256 on
    "algebraic": lambda x: x / torch.hypot(x, torch.ones_like(x)),
}

#: A name with a factor on x, such as "tanh(2x)".
_SCALED = re.compile(r"(\w+)\(([0-9.eE+-]+)x\)")


def scaled_name(name: str, scale: float) -> str:
    """Name f(scale x), in a way that ``split_name`` reads back without loss.

    Example:
        >>> scaled_name("tanh", 1.0), scaled_name("tanh", 2.0), scaled_name("erf", 0.1)
        ('tanh', 'tanh(2x)', 'erf(0.1x)')
    """
    return name if scale == 1 else f"{name}({repr(float(scale)).removesuffix('.0')}x)"


def split_name(name: str) -> tuple[str, float]:
    """Return the name and the factor on x of an activation's name.

    Raises:
        OptionError: no such activation, or the factor is no number above 0.

    Example:
        >>> split_name("tanh(2x)"), split_name("relu")
        (('tanh', 2.0), ('relu', 1.0))
    """
    found = _SCALED.fullmatch(name)
    plain, factor = found.groups() if found else (name, "1")
    if plain not in ACTIVATIONS:
        check_choice(name, ACTIVATIONS, "activation")
    try:
        return plain, positive(float(factor), "the factor on x")
    except ValueError:
        raise OptionError(
            f"activation must be a name, or one with a factor above 0, 'tanh(2x)'; got {name!r}"
        ) from None


def named(name: str) -> Callable[[Tensor], Tensor]:
    """Return the function that a name stands for, such as "tanh" or "tanh(2x)".

    Raises:
        OptionError: no such activation.

    Example:
        >>> named("tanh(2x)")(torch.tensor(0.5)) == torch.tanh(torch.tensor(1.0))
        tensor(True)
    """
    plain, scale = split_name(name)
    f = ACTIVATIONS[plain]
    return f if scale == 1 else lambda x: f(scale * x)


def label(activation: object) -> str:
    """Name an activation in one line of an error message.

    Example:
        >>> label("relu"), label(torch.tanh), label(nn.Tanh())
        ("'relu'", 'tanh', 'Tanh')
    """
    if isinstance(activation, (str, int, float)):
        return repr(activation)
    return getattr(activation, "__name__", type(activation).__name__)


def elementwise(activation: Activation) -> Callable[[Tensor], Tensor]:
    """Return ``activation`` as a function that takes float64 vectors and works element by element.

    A module is copied, moved to the CPU and to float64, and put in evaluation mode. What works in
    float32 alone is given float32.

    Args:
        activation: a name in ``ACTIVATIONS``, one with a factor on x such as "tanh(2x)", a function
            or a module.

    Raises:
        OptionError: the name is unknown, or the callable does not act on each element alone.

    Example:
        >>> elementwise("relu")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    if isinstance(activation, str):
        return named(activation)
    if not callable(activation):
        raise OptionError(f"activation must be a name or a callable, got {label(activation)}")
    f = activation
    if isinstance(activation, nn.Module):
        f = copy.deepcopy(activation).cpu().double().eval()
    try:
        _check_elementwise(f)
    except OptionError:
        single = _in_float32(activation)
        try:
            _check_elementwise(single)
        except OptionError:
            pass
        else:
            return single
        raise
    return f


def _in_float32(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return ``activation`` as it is in float32, for float64 vectors."""
    f = activation
    if isinstance(activation, nn.Module):
        f = copy.deepcopy(activation).cpu().float().eval()

    def single(x: Tensor) -> Tensor:
        return f(x.float()).double()

    single.__name__ = label(activation)
    return single


def _check_elementwise(f: Callable[[Tensor], Tensor]) -> None:
    """Refuse what mixes elements (softmax), changes the shape (GLU) or draws at random."""
    x = torch.tensor([-1.7, 0.3, 1.1, 2.9], dtype=torch.float64, device="cpu")
    try:
        with torch.no_grad():
            together, alone = f(x.clone()), torch.cat([f(part.clone()) for part in x.split(1)])
            same = together.shape == x.shape and torch.allclose(together, alone, equal_nan=True)
    except Exception as error:  # a user's own function may raise anything
        reason = " ".join(str(error).split())
        raise OptionError(
            f"activation {label(f)} cannot be evaluated on a vector ({reason}); "
            "give a function of each element alone"
        ) from error
    if together.is_complex():
        raise OptionError(f"activation {label(f)} must be real, it gives complex numbers")
    if not same:
        raise OptionError(f"activation must act on each element alone, {label(f)} does not")


def derivative(f: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the derivative of an elementwise function, by automatic differentiation.

    Raises:
        OptionError: on evaluation, where the function cannot be differentiated.

    Example:
        >>> derivative(torch.tanh)(torch.zeros(2))
        tensor([1., 1.])
    """

    def slope(x: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()  # a clone, as x may be made in inference mode
            y = f(x.clone()).sum()  # a clone, as f may work in place
            if not y.requires_grad:
                raise OptionError(f"activation {label(f)} cannot be differentiated by autograd")
            return torch.autograd.grad(y, x)[0]

    return slope
