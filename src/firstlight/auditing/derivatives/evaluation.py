"""The outputs of one run of a model as a matrix, and the parameters that they depend on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.init._forward import call
from firstlight.model.names import plain_name


def run(model: nn.Module, batch: Any) -> Tensor:
    """Return the outputs of ``model`` on ``batch`` as a matrix.

    They are the model's output if it is a tensor, its logits if it has some, or else the first
    floating-point tensor in it.

    Args:
        model: any module.
        batch: a tensor, a tuple of arguments or a dict of them.

    Returns:
        Outputs (samples, outputs per sample).

    Raises:
        FirstlightError: there is no such output, it has no samples, or it is not finite.

    Example:
        >>> run(nn.Flatten(0), torch.ones(2, 3)).shape
        torch.Size([6, 1])
    """
    output = first_floating(call(model, batch))
    if output is None:
        raise FirstlightError("the model returns no floating-point tensor with a sample dimension")
    if output.numel() == 0:
        raise FirstlightError(f"the model's output is empty: its shape is {tuple(output.shape)}")
    if output.is_complex():
        raise FirstlightError("the model's output is complex; its real and imaginary part are not")
    if not torch.isfinite(output.detach()).all():
        raise FirstlightError("the model's output on this batch is not finite")
    return output.reshape(output.shape[0], -1)


def first_floating(result: Any) -> Tensor | None:
    """Return the logits or else the first floating-point tensor that is not a single number.

    Example:
        >>> first_floating({"loss": torch.tensor(1.0), "logits": torch.ones(2)})
        tensor([1., 1.])
    """
    if isinstance(result, Tensor):
        fits = result.is_floating_point() or result.is_complex()
        return result if fits and result.ndim > 0 else None
    if dataclasses.is_dataclass(result) and not isinstance(result, Mapping):
        result = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
    if isinstance(result, Mapping):
        result = [result.get("logits"), *result.values()]
    if not isinstance(result, (tuple, list)):
        return None
    return next((t for t in map(first_floating, result) if t is not None), None)


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that are trained, each once.

    Raises:
        FirstlightError: there are none, or there are some without values or with complex ones.

    Example:
        >>> list(trainable(nn.Linear(2, 2)))
        ['weight', 'bias']
    """
    found = {plain_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise FirstlightError("the model has no trainable parameters: all are frozen, or none is")
    for name, parameter in found.items():
        if nn.parameter.is_lazy(parameter) or parameter.is_meta:
            raise FirstlightError(f"{name!r} has no values yet; materialize the model first")
        if parameter.is_complex():
            raise FirstlightError(f"{name!r} is complex; a tangent kernel is for real parameters")
        if hasattr(parameter, "full_tensor"):
            raise FirstlightError(f"{name!r} is sharded; take the kernel of a gathered copy")
    return found
