"""Initialize a whole model: every weight by one scheme, norms and biases at their usual values."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import Scheme, find_scheme
from firstlight.init.lsuv import unit_variance
from firstlight.init.schemes import Place
from firstlight.model.views import WeightView, views

_NORMS = (
    nn.modules.batchnorm._NormBase,  # batch and instance norms, synchronised ones too
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_WITH_BIAS = (nn.Linear, nn.modules.conv._ConvNd, nn.MultiheadAttention)


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

    Covers Linear, Conv1-3d, ConvTranspose1-3d and MultiheadAttention (q, k and v apart). Frozen
    parameters keep their values, and so do norms whose weight is all zeros: those close a residual
    branch on purpose. Random draws are keyed by ``seed`` and the weight's name, so inserting a
    layer changes no other layer's weights; they come from the CPU, so they are the same on every
    device. ``harmonic`` takes its ``layer`` from the name in the same way, and ReLU's ``gain``
    unless told otherwise: in networks without norms the signal must not fade.

    Args:
        model: any module; it is changed in place.
        scheme: a name in ``firstlight.init.SCHEMES``.
        seed: a whole number >= 0.
        example: one batch (tensor, tuple of arguments or dict), for data-driven schemes only.
        exclude: name patterns such as "head.*"; those weights and biases are left alone.
        options: the scheme's own options, such as ``gain="relu"``.

    Returns:
        ``model``.

    Raises:
        OptionError: unknown scheme, an option it does not use, or a weight it cannot fill; raised
            before anything is changed.

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
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise OptionError(f"seed must be a whole number >= 0, got {seed!r}")
    if chosen.data_driven and example is None:
        raise OptionError(f"scheme {scheme!r} looks at data: pass example=batch")
    if not chosen.data_driven and example is not None:
        raise OptionError(f"scheme {scheme!r} does not look at data: drop example=")
    patterns = [exclude] if isinstance(exclude, str) else list(exclude)
    found = [view for view in views(model) if not _matches(view.name, patterns)]
    places = [_place(index, len(found), view.name, seed) for index, view in enumerate(found)]
    for view, place in zip(found, places, strict=True):
        _check(chosen, view, place, options)
    with _restored_on_error(model) if chosen.data_driven else nullcontext():
        for view, place in zip(found, places, strict=True):
            chosen(view.weight, place, options)
        _reset_rest(model, patterns)
        if chosen.data_driven:
            unit_variance(model, example, {view.name.partition("[")[0] for view in found})
    return model


@contextmanager
def _restored_on_error(model: nn.Module) -> Iterator[None]:
    """Put the model's state back if the block raises; a batch can fail where no check sees it."""
    saved = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        yield
    except BaseException:
        model.load_state_dict(saved)
        raise


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _place(index: int, count: int, name: str, seed: int) -> Place:
    """Say where the weight called ``name`` stands; its numbers depend on seed and name alone."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=12).digest()
    return Place(
        position="first" if index == 0 else "last" if index == count - 1 else "hidden",
        depth=count,
        layer=int.from_bytes(digest[8:], "little"),
        generator=torch.Generator().manual_seed(int.from_bytes(digest[:8], "little")),
    )


def _check(scheme: Scheme, view: WeightView, place: Place, options: dict[str, Any]) -> None:
    """Try the scheme on none of the weight's rows: everything is checked, nothing written."""
    try:
        scheme.check(view.weight, place, options)
    except OptionError as error:
        raise OptionError(
            f"{view.name}: {error}; choose another scheme or exclude it: exclude=[{view.name!r}]"
        ) from error


def _reset_rest(model: nn.Module, patterns: list[str]) -> None:
    """Put biases at zero and norms at one and zero, where they are trainable."""
    for prefix, module in model.named_modules():
        dot = f"{prefix}." if prefix else ""
        if isinstance(module, _NORMS) and not _matches(f"{dot}weight", patterns):
            _reset_norm(module)
        elif isinstance(module, _WITH_BIAS):
            for local in ("bias", "in_proj_bias"):
                bias = getattr(module, local, None)
                if bias is not None and bias.requires_grad and not _matches(dot + local, patterns):
                    nn.init.zeros_(bias)


def _reset_norm(module: Any) -> None:
    if any(not parameter.requires_grad for parameter in module.parameters(recurse=False)):
        return
    # all zeros: the norm that closes a residual branch, put there on purpose
    if module.weight is None or module.weight.any():
        module.reset_parameters()
