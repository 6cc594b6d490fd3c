"""Initialize a whole DeepXDE network by a scheme's name."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init import SCHEMES
from firstlight.init.schemes import find_scheme
from firstlight.model import initialize as initialize_model
from firstlight.model.leave import all_zero
from firstlight.model.refusals import whole_seed
from firstlight.physics.deepxde import deepxde
from firstlight.physics.initializers import DEEPXDE_INITIALIZERS

#: Beyond which torch's generator takes no seed.
_SEEDS = 2**64
#: DeepXDE's names of activations that it hands to torch under another.
_ACTIVATIONS = {"silu": "silu", "sin": "sin", "tanh": "tanh"}


def initialize(
    net: nn.Module, scheme: str, *, seed: int = 0, example: Any = None, **options: Any
) -> nn.Module:
    """Give a DeepXDE network a new start: ``firstlight.initialize`` with what the network shows.

    Biases become zero, as DeepXDE has them. DeepXDE's own initializers keep their names ("Glorot
    normal", "Glorot uniform", "He normal", "He uniform") and their draws: the weights are those
    that a network built after ``torch.manual_seed(seed)`` would get. A network whose weights are
    all zero ("zeros") is filled as any other is; zeros in some layers alone are left.

    Args:
        net: any ``deepxde.nn`` network; it is changed in place.
        scheme: a name in ``firstlight.init.SCHEMES``, "auto", or one of DeepXDE's own.
        seed: a whole number >= 0; below 2^64 for DeepXDE's own.
        example: a batch of inputs; data-driven schemes (lsuv) need one.
        **options: of the scheme; the activation is found where it is not given.

    Returns:
        ``net``.

    Raises:
        OptionError: no such scheme or seed, an option that it does not use, or a network that the
            scheme cannot fill; raised before anything is changed.

    Example:
        >>> from firstlight.physics import initialize
        >>> from firstlight.physics.deepxde import deepxde
        >>> net = deepxde().nn.FNN([2, 16, 16, 1], "tanh", "Glorot normal")
        >>> net = initialize(net, "diagonal_plus_noise")
        >>> [round(x) for x in net.linears[1].weight.diagonal().tolist()[:3]]
        [1, 1, 1]

    Reference: arXiv 2509.23085 for diagonal_plus_noise.
    """
    if scheme in DEEPXDE_INITIALIZERS:
        if options:
            raise OptionError(f"{scheme} is DeepXDE's own and takes no options, got {options}")
        return _as_deepxde(net, scheme, seed)
    if scheme != "auto":
        find_scheme(scheme, "auto", *DEEPXDE_INITIALIZERS)
        if "activation" in SCHEMES[scheme].required and "activation" not in options:
            options = {**options, "activation": _activation(net, scheme)}
    # who names weights says what is wanted of zeros, too
    named = {"include", "exclude", "overrides"} & set(options)
    with contextlib.nullcontext() if named else _not_zero(net):
        return initialize_model(net, scheme, seed=seed, example=example, **options)


@contextlib.contextmanager
def _not_zero(net: nn.Module) -> Iterator[None]:
    """Give a network of zeros other weights for a while: a layer of zeros counts as wanted."""
    weights = [layer.weight for layer in _layers(net) if layer.weight.requires_grad]
    if not weights or not all(map(all_zero, weights)):
        yield
        return
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for weight in weights:
                nn.init.xavier_normal_(weight)
        yield
    except BaseException:  # Ctrl-C too: what is refused or ended leaves the zeros that there were
        for weight in weights:
            nn.init.zeros_(weight)
        raise


def _layers(net: nn.Module) -> list[nn.Linear]:
    modules = net.modules() if isinstance(net, nn.Module) else ()
    return [layer for layer in modules if isinstance(layer, nn.Linear)]


def _as_deepxde(net: nn.Module, name: str, seed: int) -> nn.Module:
    """Draw in the order in which DeepXDE's constructors do, which is that of the modules.

    A new Linear draws weights and bias of its own before DeepXDE fills them, so that is done too.
    """
    if whole_seed(seed) >= _SEEDS:
        raise OptionError(f"seed must be below 2^64 for {name}, got {seed!r}")
    fill = deepxde().nn.initializers.get(name)
    layers = _layers(net)
    if not layers:
        raise OptionError(f"{type(net).__name__} has no Linear layers; {name} has nothing to fill")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers:
            layer.reset_parameters()
            with torch.no_grad():
                fill(layer.weight)
                if layer.bias is not None:
                    layer.bias.zero_()
    return net


def _activation(net: nn.Module, scheme: str) -> Any:
    """What DeepXDE's networks call ``activation``."""
    found = getattr(net, "activation", None)
    if isinstance(found, list):
        found = found[0] if len(set(found)) == 1 else None
    if found is None:
        raise FirstlightError(
            f"{scheme} needs the activation, which {type(net).__name__} does not tell: give "
            "activation, as in activation='tanh'"
        )
    return _ACTIVATIONS.get(getattr(found, "__name__", ""), found)
