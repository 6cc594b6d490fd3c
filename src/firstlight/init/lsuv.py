"""Layer-sequential unit variance: a start fitted to one batch of data (arXiv 1511.06422)."""

import contextlib
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init._forward import call, measuring
from firstlight.init._owners import owned_elsewhere
from firstlight.init._tensor import check_fillable
from firstlight.init._undo import restored_on_error
from firstlight.init.orthogonal import orthogonal_
from firstlight.init.shards import is_sharded

_Layer = nn.Linear | nn.modules.conv._ConvNd
_Transposed = nn.modules.conv._ConvTransposeNd


def lsuv(
    model: nn.Module, batch: Any, *, generator: torch.Generator | None = None
) -> dict[str, float]:
    """Give every layer orthonormal weights, zero biases and, on ``batch``, outputs of variance 1.

        W <- W / std(W x),  layer after layer in the order of the forward pass

    One pass does it: each layer's output is measured, its weight scaled, and the scaled output
    handed on. Every Linear, convolution and transposed convolution takes part, once; frozen
    weights and weights shared with another kind of module (an embedding) are left alone. A layer
    that the batch does not reach stays orthonormal; so do the projections of MultiheadAttention,
    which are never called as layers. A bias that is not zero (a frozen one) counts as part of the
    output, whose variance then is not 1. During the pass dropout is off and batch norms
    use the batch; afterwards nothing but these weights and biases has changed, and after an error
    nothing at all.

    Args:
        model: any module.
        batch: a tensor, a tuple for ``model(*batch)`` or a dict for ``model(**batch)``.
        generator: source of randomness of the orthonormal weights.

    Returns:
        The standard deviation measured before scaling, by weight name in forward order.

    Raises:
        OptionError: the model has no such layer, or one whose weight is a DTensor or cannot be
            written; or the generator is none.
        FirstlightError: a layer's output on the batch is constant or not finite.

    Example:
        >>> import torch
        >>> from firstlight.init import lsuv
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
        >>> x = torch.randn(64, 8)
        >>> list(lsuv(net, x))
        ['0.weight', '2.weight']
        >>> round(net(x).std(correction=0).item(), 5)
        1.0

    Reference: Mishkin and Matas, arXiv 1511.06422.
    """
    if generator is not None and not isinstance(generator, torch.Generator):
        raise OptionError(f"lsuv's generator must be a torch.Generator or None, got {generator!r}")
    layers = _layers(model)
    _check_whole(layers)
    with restored_on_error(_parameters(layers), generator or torch.default_generator):
        for layer in layers.values():
            _make_orthonormal(layer, generator)
        return _scale(layers, model, batch)


def unit_variance(
    model: nn.Module, batch: Any, weights: Collection[str] | None = None
) -> dict[str, float]:
    """Scale the weights so that every layer's output on ``batch`` has variance 1.

    The second half of ``lsuv``, for any weights.

    Args:
        model: any module; its biases should be zero, or they count as part of the output.
        batch: a tensor, a tuple for ``model(*batch)`` or a dict for ``model(**batch)``.
        weights: names of the weights to scale, such as "0.weight"; None means all.

    Returns:
        The standard deviation measured before scaling, by weight name in forward order.

    Raises:
        OptionError: the model has no such layer, or one whose weight cannot be written.
        FirstlightError: a layer's output on the batch is constant or not finite.

    Example:
        >>> import torch
        >>> net = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.constant_(net.weight, 4.0)
        >>> unit_variance(net, torch.tensor([[-1.0], [1.0]]))
        {'weight': 4.0}
        >>> net.weight.item()
        1.0
    """
    layers = _layers(model)
    if weights is not None:
        layers = {name: layer for name, layer in layers.items() if name in weights}
    with restored_on_error(_parameters(layers)):
        return _scale(layers, model, batch)


def _scale(layers: dict[str, _Layer], model: nn.Module, batch: Any) -> dict[str, float]:
    """Run the one pass in which every layer's weight is divided by its output's deviation."""
    measured: dict[str, float] = {}
    done: set[int] = set()
    with measuring(model), contextlib.ExitStack() as stack:
        for name, layer in layers.items():
            hook = _scaling_hook(name, layer, measured, done)
            handle = layer.register_forward_hook(hook, prepend=True, with_kwargs=True)
            stack.callback(handle.remove)
        call(model, batch)
    return measured


def _scaling_hook(
    name: str, layer: _Layer, measured: dict[str, float], done: set[int]
) -> Callable[..., Tensor | None]:
    """Hook that scales a layer on its first call; ``done`` holds the weights already scaled."""

    def hook(_: nn.Module, args: Any, kwargs: Any, output: Tensor) -> Tensor | None:
        if id(layer.weight) in done:
            return None
        done.add(id(layer.weight))
        std = measured[name] = _spread(name, output, layer.weight.dtype)
        layer.weight.detach().div_(std)
        if layer.bias is None or not layer.bias.any():
            return output / std
        return layer.forward(*args, **kwargs)

    return hook


def _spread(name: str, output: Tensor, dtype: torch.dtype) -> float:
    """Standard deviation of a layer's output; refuse one by which no weight can be divided."""
    values = output if output.dtype == torch.float64 else output.float()
    std = float(values.std(correction=0))
    if not std < float("inf"):
        raise FirstlightError(f"lsuv: the output of layer {name!r} is not finite on this batch")
    rounding = torch.finfo(output.dtype).eps * float(values.abs().max())
    if std <= max(rounding, 1 / torch.finfo(dtype).max):
        raise FirstlightError(
            f"lsuv: the output of layer {name!r} is constant on this batch (standard deviation "
            f"{std:.3g}); give a batch with different samples, or check the layers before it"
        )
    return std


def _layers(model: nn.Module) -> dict[str, _Layer]:
    """Layers to initialize, by the name of their weight; check that each can be written."""
    others = owned_elsewhere(model, (nn.Linear, nn.modules.conv._ConvNd))
    layers: dict[str, _Layer] = {}
    for prefix, module in model.named_modules():
        if not isinstance(module, _Layer):
            continue
        name = f"{prefix}.weight" if prefix else "weight"
        weight = module._parameters.get("weight")
        if weight is None or nn.parameter.is_lazy(weight):
            raise OptionError(
                f"lsuv cannot write {name!r}, which is parametrized or not made yet; remove the "
                "parametrization, or pass a batch through the model, first"
            )
        if weight.requires_grad and id(weight) not in others:
            check_fillable(weight, f"lsuv ({name})")
            layers[name] = module
    if not layers:
        raise OptionError("lsuv found no trainable Linear or convolution in the model")
    return layers


def _check_whole(layers: dict[str, _Layer]) -> None:
    """Raise ``OptionError`` for a DTensor, whose start would differ from rank to rank."""
    for name, layer in layers.items():
        if is_sharded(layer.weight):
            raise OptionError(
                f"lsuv cannot fill {name!r}, which is a DTensor; call it before the model is "
                "sharded, or take firstlight.initialize with 'orthogonal' or 'harmonic'"
            )


def _make_orthonormal(layer: _Layer, generator: torch.Generator | None) -> None:
    """Fill the weight, each group of a convolution by itself, and zero the bias."""
    for block in layer.weight.detach().chunk(getattr(layer, "groups", 1)):
        orthogonal_(
            block.transpose(0, 1) if isinstance(layer, _Transposed) else block,
            generator=generator,
        )
    if layer.bias is not None and layer.bias.requires_grad:
        nn.init.zeros_(layer.bias)


def _parameters(layers: dict[str, _Layer]) -> list[Tensor]:
    return [p for layer in layers.values() for p in layer.parameters(recurse=False)]
