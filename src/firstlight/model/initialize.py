"""Initialize a whole model: every weight by one scheme, norms and biases at their usual values."""

import hashlib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import Scheme, find_scheme
from firstlight.init._tensor import check_writable
from firstlight.init._undo import restored_on_error
from firstlight.init.lsuv import unit_variance
from firstlight.init.schemes import Place
from firstlight.model.usual_values import Constant, usual_values
from firstlight.model.views import WeightView, views


def initialize(
    model: nn.Module,
    scheme: str = "harmonic",
    *,
    seed: int = 0,
    example: Any = None,
    exclude: Iterable[str] = (),
    **options: Any,
) -> nn.Module:
    """Give ``model`` a new start: weights by ``scheme``, biases zero, norms at one and zero.

    Covers Linear, Conv1-3d, ConvTranspose1-3d and MultiheadAttention (q, k and v apart); other
    modules are left as they are. Frozen parameters keep their values, a weight shared with an
    embedding too, and norms whose weight is all zeros: those close a residual branch on purpose.
    Random draws are keyed by ``seed`` and the weight's name, so inserting a layer changes no other
    layer's weights (but for the schemes that depend on depth or position: diagonal_plus_noise,
    siren, looks_linear); they come from the CPU, so they are the same on every device.
    ``harmonic`` takes its ``layer`` from the name in the same way, and ReLU's ``gain`` unless told
    otherwise: in networks without norms the signal must not fade.

    Args:
        model: any module; it is changed in place.
        scheme: a name in ``firstlight.init.SCHEMES``.
        seed: a whole number >= 0.
        example: one batch (tensor, tuple of arguments or dict), for data-driven schemes only.
        exclude: names or patterns such as "head.*"; those parameters are left alone.
        options: the scheme's own options, such as ``gain="relu"``.

    Returns:
        ``model``.

    Raises:
        OptionError: unknown scheme, an option it does not use, a pattern that matches nothing, or
            a weight that cannot be filled; raised before anything is changed.

    Example:
        >>> import firstlight
        >>> from torch.nn import GELU, Linear, Sequential
        >>> net = Sequential(Linear(8, 16), GELU(), Linear(16, 4))
        >>> net = firstlight.initialize(net, gain="gelu")
        >>> bool(net[0].weight.sum(1).abs().max() < 1e-6), bool(net[0].bias.any())
        (True, False)
    """
    chosen = find_scheme(scheme)
    chosen.check_options(options)
    _check_call(model, chosen, seed, example)
    found, constants = views(model), usual_values(model)
    if not found:
        raise OptionError("the model has no Linear, convolution or attention weight to initialize")
    keep = _Patterns(model, found, exclude)
    constants = [constant for constant in constants if not keep(*constant.names)]
    depth = 1 + found[-1].index
    chosen_views = [
        (view, _place(view, depth, seed))
        for view in found
        if not view.frozen and not keep(view.name, *view.parameter)
    ]
    for view, place in chosen_views:
        _check(chosen, view, place, options)
    for constant in constants:
        _check_constant(constant)
    # a batch can fail where no check sees it; nothing else writes after the checks
    state = chain(model.parameters(), model.buffers()) if chosen.data_driven else ()
    with torch.no_grad(), restored_on_error(state):
        for view, place in chosen_views:
            chosen(view.weight, place, options)
        for constant in constants:
            constant.tensor.fill_(constant.value)
        if chosen.data_driven:
            unit_variance(model, example, {view.parameter[0] for view, _ in chosen_views})
    return model


class _Patterns:
    """Names that are to be left alone, each given as it is or as a pattern."""

    def __init__(self, model: nn.Module, found: list[WeightView], exclude: Iterable[str]) -> None:
        if not isinstance(exclude, Iterable):
            raise OptionError(f"exclude takes name patterns, got {exclude!r}")
        self._patterns = [exclude] if isinstance(exclude, str) else list(exclude)
        names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
        names += [name for name, _ in model.named_buffers()] + [view.name for view in found]
        for pattern in self._patterns:
            if not isinstance(pattern, str):
                raise OptionError(f"exclude takes name patterns, got {pattern!r}")
            if not any(_matches(name, pattern) for name in names):
                raise OptionError(f"exclude={pattern!r} matches no parameter of the model")

    def __call__(self, *names: str) -> bool:
        """Return whether any of ``names`` is to be left alone."""
        return any(_matches(name, pattern) for name in names for pattern in self._patterns)


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)  # [q] in a name is no character class


def _check_call(model: nn.Module, scheme: Scheme, seed: int, example: Any) -> None:
    if not isinstance(model, nn.Module):
        raise OptionError(f"initialize expected a torch.nn.Module, got {model!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise OptionError(f"seed must be a whole number >= 0, got {seed!r}")
    if scheme.data_driven and example is None:
        raise OptionError(f"scheme {scheme.name!r} looks at data: pass example=batch")
    if not scheme.data_driven and example is not None:
        raise OptionError(f"scheme {scheme.name!r} does not look at data: drop example=")


def _place(view: WeightView, depth: int, seed: int) -> Place:
    """Say where ``view`` stands; its random numbers depend on seed and name alone."""
    digest = hashlib.blake2b(f"{seed}:{view.name}".encode(), digest_size=12).digest()
    last = view.index == depth - 1
    return Place(
        position="first" if view.index == 0 else "last" if last else "hidden",
        depth=depth,
        layer=int.from_bytes(digest[8:], "little"),
        # torch's generator on the CPU keeps the low 32 bits of a seed
        generator=torch.Generator().manual_seed(int.from_bytes(digest[:8], "little")),
        depthwise=view.depthwise,
    )


def _check(scheme: Scheme, view: WeightView, place: Place, options: dict[str, Any]) -> None:
    """Try the scheme on none of the weight's rows: everything is checked, nothing written."""
    if view.blocked:
        raise OptionError(f"{view.name} {view.blocked}, or exclude=[{view.name!r}]")
    try:
        scheme.check(view.weight, place, options)
    except OptionError as error:
        raise OptionError(f"{view.name}: {error}") from error


def _check_constant(constant: Constant) -> None:
    name, tensor = constant.names[0], constant.tensor
    if constant.blocked:
        raise OptionError(f"{name} {constant.blocked}; remove that first, or exclude=[{name!r}]")
    if nn.parameter.is_lazy(tensor):
        raise OptionError(f"{name} has no shape yet; run one batch through the model")
    check_writable(tensor, name)
