"""Whether an activation is an odd sigmoid: the class of arXiv 2509.23085, property by property."""

import contextlib
import math
import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from firstlight.errors import OptionError
from firstlight.theory._odd_sigmoid_samples import Samples, sample
from firstlight.theory._odd_sigmoid_tests import PROPERTIES
from firstlight.theory.activations import (
    ACTIVATIONS,
    Activation,
    elementwise,
    label,
    scaled_name,
    split_name,
)

#: The members that are known by name, and omega = 1 / f'(0) of each.
ODD_SIGMOIDS = {
    "tanh": 1.0,
    "erf": math.sqrt(math.pi) / 2,
    "arctan": 1.0,
    "softsign": 1.0,
    "algebraic": 1.0,
    "gudermannian": 1.0,
}
#: Under what names torch has them.
_FUNCTIONS = {
    torch.tanh: "tanh",
    torch.Tensor.tanh: "tanh",
    functional.tanh: "tanh",
    torch.erf: "erf",
    torch.special.erf: "erf",
    torch.Tensor.erf: "erf",
    functional.softsign: "softsign",
    **{ACTIVATIONS[name]: name for name in ODD_SIGMOIDS},
}
_MODULES = {nn.Tanh: "tanh", nn.Softsign: "softsign"}


@dataclass(frozen=True)
class Property:
    """One property of an odd sigmoid, and what was found of it.

    Attributes:
        name: "odd", "bounded", "increasing", "f' falling" (on x > 0) or "smooth" (f' continuous).
        holds: whether the activation has it.
        closed_form: whether that is known of its formula; else it was tried on numbers.
        detail: the worst that was found, and at which x.
    """

    name: str
    holds: bool
    closed_form: bool
    detail: str

    def __post_init__(self) -> None:
        if self.name not in PROPERTIES:
            raise OptionError(f"a property is one of {', '.join(PROPERTIES)}; got {self.name!r}")


@dataclass(frozen=True)
class OddSigmoidCheck:
    """Whether an activation is an odd sigmoid.

    Attributes:
        activation: its name.
        omega: critical gain 1 / f'(0); NaN where f'(0) is not above 0.
        properties: the five of the class.
        looked_at: which places the numerical ones were tried on; "" where none were.
    """

    activation: str
    omega: float
    properties: tuple[Property, ...]
    looked_at: str = ""

    def __post_init__(self) -> None:
        if [each.name for each in self.properties] != list(PROPERTIES):
            raise OptionError(f"a check has the properties {', '.join(PROPERTIES)}, in this order")

    @property
    def member(self) -> bool:
        """Whether all five properties hold."""
        return all(each.holds for each in self.properties)

    @property
    def closed_form(self) -> bool:
        """Whether that is known of the formula, and not only numerical."""
        return all(each.closed_form for each in self.properties)

    @property
    def why_not(self) -> str:
        """The first property that fails, and where; "" for a member."""
        first = next((each for each in self.properties if not each.holds), None)
        return "" if first is None else f"not {first.name}, {first.detail}"

    def __str__(self) -> str:
        kind = "an odd sigmoid" if self.member else "no odd sigmoid"
        lines = [f"{self.activation}: {kind}, omega = {self.omega:.6g}"]
        for each in self.properties:
            lines.append(f"  {each.name:<11} {'yes' if each.holds else 'no':<4} {each.detail}")
        if self.looked_at:
            lines.append(f"  numerical: {self.looked_at}")
        return "\n".join(lines)


def check_odd_sigmoid(activation: Activation) -> OddSigmoidCheck:
    """Check whether an activation is odd, bounded, smooth and increasing, with f' falling on x > 0.

    tanh, erf, arctan, softsign, algebraic, gudermannian and f(scale x) of them are known in closed
    form: by name, as torch's functions or as modules of torch and ``firstlight.nn``. Everything
    else is tried: values on both sides of 0 and slopes at 18,000 places, evenly spaced next to 0
    and by a constant factor far out, on the scale of x that f'(0) and the bound give; jumps are
    followed down to neighbouring floats. That can refute, not prove: what happens between the
    places goes unseen. Smooth means a continuous f', as f'' of softsign jumps at 0.

    Args:
        activation: a name, one with a factor on x such as "tanh(2x)", or an elementwise callable.

    Raises:
        OptionError: the name is unknown, or the callable mixes elements or has no derivative.

    Example:
        >>> print(check_odd_sigmoid("tanh(2x)"))
        tanh(2x): an odd sigmoid, omega = 0.5
          odd         yes  closed form
          bounded     yes  closed form
          increasing  yes  closed form
          f' falling  yes  closed form
          smooth      yes  closed form
        >>> check_odd_sigmoid("sin").why_not
        "not increasing, f' = -1 at x = 15.71"

    Reference: arXiv 2509.23085.
    """
    name = odd_sigmoid_name(activation)
    if name:
        plain, scale = split_name(name)
        known = tuple(Property(each, True, True, "closed form") for each in PROPERTIES)
        return OddSigmoidCheck(name, ODD_SIGMOIDS[plain] / scale, known)
    return _tried(activation)


def odd_sigmoid_name(activation: Any) -> str:
    """Return the name of a member that is known in closed form, or "".

    Example:
        >>> odd_sigmoid_name(torch.nn.Tanh()), odd_sigmoid_name("erf(2x)"), odd_sigmoid_name("sin")
        ('tanh', 'erf(2x)', '')
    """
    if isinstance(activation, str):
        plain, scale = split_name(activation)
        return scaled_name(plain, scale) if plain in ODD_SIGMOIDS else ""
    if isinstance(activation, nn.Module):
        return _MODULES.get(type(activation)) or str(getattr(activation, "closed_form", ""))
    try:
        return _FUNCTIONS.get(activation, "")
    except TypeError:  # it cannot be hashed
        return ""


def odd_sigmoid_gain(activation: Activation) -> float:
    """Return omega = 1 / f'(0) of an odd sigmoid; refuse anything else.

    Args:
        activation: a name or an elementwise callable.

    Raises:
        OptionError: it is no odd sigmoid; the message says which property fails, and where.

    Example:
        >>> odd_sigmoid_gain("arctan"), odd_sigmoid_gain("tanh(2x)")
        (1.0, 0.5)
        >>> odd_sigmoid_gain("identity")
        Traceback (most recent call last):
        firstlight.errors.OptionError: expected an odd sigmoid such as tanh, ... not bounded, ...

    Reference: arXiv 2509.23085.
    """
    found = check_odd_sigmoid(activation)
    if not found.member:
        raise OptionError(
            "expected an odd sigmoid such as tanh, erf or softsign; "
            f"{label(activation)} is {found.why_not}"
        )
    return found.omega


#: What was found of callables that live on, with some of their values: they may change.
_found: "weakref.WeakKeyDictionary[Any, tuple[bytes, OddSigmoidCheck]]" = (
    weakref.WeakKeyDictionary()
)
_by_name: dict[str, OddSigmoidCheck] = {}


def _tried(activation: Activation) -> OddSigmoidCheck:
    """Try an activation on numbers, or remember what came of it."""
    f = elementwise(activation)
    if isinstance(activation, str):
        if activation not in _by_name:
            _by_name[activation] = _try(f, activation)
        return _by_name[activation]
    with torch.no_grad():
        some = f(torch.linspace(-8, 8, 257, dtype=torch.float64, device="cpu"))
        values = some.double().numpy().tobytes()
    try:
        before, found = _found[activation]
    except (KeyError, TypeError):
        before, found = b"", None
    if found is None or before != values:
        found = _try(f, label(activation))
        with contextlib.suppress(TypeError):  # no reference to it can be kept
            _found[activation] = values, found
    return found


def _try(f: Any, name: str) -> OddSigmoidCheck:
    seen = sample(f)
    properties = tuple(_property(seen, each) for each in PROPERTIES)
    looked_at = (
        f"{len(seen.x)} places from x = 0 to {float(seen.x[-1]):.2g} and their mirror images, "
        f"resolution {seen.eps:.1g}; not a proof"
    )
    return OddSigmoidCheck(name, 1 / seen.slope_at_zero, properties, looked_at)


def _property(seen: Samples, name: str) -> Property:
    if not seen.finite:
        return Property(name, False, False, f"f(0) is {float(seen.right[0]):g}")
    if not seen.differentiable and name not in ("odd", "bounded"):
        return Property(name, False, False, f"f'(0) is {float(seen.slopes[0]):g}")
    holds, detail = PROPERTIES[name](seen)
    return Property(name, holds, False, detail)
