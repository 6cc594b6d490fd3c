"""Schemes as DeepXDE's initializers: by name, for one weight after the other."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.init import SCHEMES, parse_scheme
from firstlight.init.schemes import Scheme, find_scheme
from firstlight.init.stream import Randomness, Stream, check_randomness
from firstlight.physics.deepxde import deepxde

#: DeepXDE's own, which keep its draws.
DEEPXDE_INITIALIZERS = ("Glorot normal", "Glorot uniform", "He normal", "He uniform")


@dataclass(frozen=True)
class Initializer:
    """Fills one weight at a time, as DeepXDE's networks ask for while they are built.

    Attributes:
        scheme: its name.
        options: of its fill.
        generator: source of randomness; None is torch's own, which ``torch.manual_seed`` and
            ``deepxde.config.set_random_seed`` seed.
    """

    scheme: str
    options: dict[str, Any] = field(default_factory=dict)
    generator: Randomness = None

    def __call__(self, weight: Tensor) -> Tensor:
        """Fill ``weight`` in place."""
        scheme = SCHEMES[self.scheme]
        given = {**scheme.defaults, **scheme.fixed, **self.options}
        if scheme.random:
            given["generator"] = self.generator
        return scheme.fill(weight, **given)


def initializer(
    scheme: str, *, generator: Randomness = None, **options: Any
) -> Callable[[Tensor], Tensor]:
    """Return a scheme as DeepXDE's networks take it, in the place of an initializer's name.

    It sees one weight at a time, and so must be told what it cannot see, as the depth and the
    activation of diagonal_plus_noise; ``firstlight.physics.initialize`` finds that in the network.
    Schemes that look at data or at a weight's place are for whole networks only.

    Args:
        scheme: a name in ``firstlight.init.SCHEMES``, or one of DeepXDE's own ("Glorot normal",
            "Glorot uniform", "He normal", "He uniform"), which stays as it is.
        generator: source of randomness; None is torch's own.
        **options: of the scheme's fill. ``depth`` counts layers as the fill does.

    Raises:
        OptionError: no such scheme, an option that it does not use or lacks, a generator that is
            none, or a scheme that needs the whole network.

    Example:
        >>> import torch
        >>> from firstlight.physics import initializer
        >>> fill = initializer("diagonal_plus_noise", depth=10**6, activation="tanh")
        >>> fill(torch.empty(4, 2)).round().abs().tolist()
        [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]

    Reference: arXiv 2509.23085 for diagonal_plus_noise.
    """
    if scheme in DEEPXDE_INITIALIZERS:
        if options or generator is not None:
            raise OptionError(f"{scheme} is DeepXDE's own and takes no options or generator")
        return deepxde().nn.initializers.get(scheme)
    check_randomness(generator)
    return _checked(scheme, options, generator)


def _checked(name: str, options: dict[str, Any], generator: Randomness) -> Initializer:
    scheme = find_scheme(name, *DEEPXDE_INITIALIZERS)
    needs = "a batch of data" if scheme.data_driven else None
    if scheme.positional and "depth" not in scheme.options:
        needs = "each weight's place in the network"
    if needs is not None:
        raise OptionError(
            f"{name} needs {needs}, which an initializer does not see: call "
            f"firstlight.physics.initialize(net, {name!r})"
        )
    scheme.check_options(options)
    for missing in _missing(scheme, options):
        raise OptionError(
            f"initializer {name!r} needs {missing}, which it does not see: give it, as in "
            f"{name}:depth=31:activation=tanh, or call firstlight.physics.initialize(net, {name!r})"
        )
    # no values, but every option is looked at; a stream, for torch's own shall not go on
    Initializer(name, dict(options), Stream(0))(torch.empty(0, 2, device="cpu"))
    return Initializer(name, dict(options), generator)


def _missing(scheme: Scheme, options: dict[str, Any]) -> list[str]:
    """What a fill asks for and nobody has said."""
    known = {*options, *scheme.defaults, *scheme.fixed}
    parameters = inspect.signature(scheme.fill).parameters.values()
    empty = {each.name for each in parameters if each.default is inspect.Parameter.empty}
    missing = sorted((empty & scheme.options) - known)
    if "depth" in scheme.options and not known & {"depth", "sigma"}:
        missing = ["depth", *(each for each in missing if each != "depth")]
    return missing


class _Names(dict[str, Any]):
    """DeepXDE's table of initializers; a name that it lacks may be one of our schemes."""

    def __missing__(self, text: str) -> Any:
        name, options = parse_scheme(text, *self)
        return _checked(name, options, None)


def register() -> None:
    """Let DeepXDE find our schemes by name wherever it takes an initializer's.

    ``deepxde.nn.FNN(layers, "tanh", "orthogonal")``, or with options as in
    ``"diagonal_plus_noise:depth=31:activation=tanh"``. DeepXDE's own names mean what they did.

    Raises:
        FirstlightError: DeepXDE cannot be used.

    Example:
        >>> from firstlight.physics import register
        >>> from firstlight.physics.deepxde import deepxde
        >>> register()
        >>> dde = deepxde()
        >>> net = dde.nn.FNN([2, 16, 16, 1], "tanh", "diagonal_plus_noise:depth=3:activation=tanh")
        >>> bool(net.linears[1].weight.diagonal().mean() > 0.5)
        True
    """
    table = deepxde().nn.initializers
    if not isinstance(table.INITIALIZER_DICT, _Names):
        table.INITIALIZER_DICT = _Names(table.INITIALIZER_DICT)
