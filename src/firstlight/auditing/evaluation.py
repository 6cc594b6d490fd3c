"""One run of a model with a graph behind its output, which leaves the model as it was."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.dropout_off import DropoutOff
from firstlight.auditing.untouched import untouched
from firstlight.errors import FirstlightError
from firstlight.init._forward import call
from firstlight.model.names import plain_name


@contextlib.contextmanager
def differentiable(model: nn.Module) -> Iterator[None]:
    """Turn gradients on and dropout off; afterwards the model is as it was, its parameters too.

    Example:
        >>> table = nn.Embedding(1, 4, max_norm=0.01)
        >>> before = table.weight.clone()
        >>> with differentiable(table):
        ...     _ = table(torch.tensor([0]))
        >>> torch.equal(table.weight, before)
        True
    """
    with untouched(model), _tables_kept(model), _caches_kept(model), DropoutOff():
        yield


@contextlib.contextmanager
def _tables_kept(model: nn.Module) -> Iterator[None]:
    """Put back the embeddings that ``max_norm`` rescales in every forward pass."""
    kinds = (nn.Embedding, nn.EmbeddingBag)
    tables = [m.weight for m in model.modules() if isinstance(m, kinds) and m.max_norm is not None]
    values = [table.detach().clone() for table in tables]
    try:
        yield
    finally:
        with torch.no_grad():
            for table, value in zip(tables, values, strict=True):
                if not torch.equal(table, value):
                    table.copy_(value)


@contextlib.contextmanager
def _caches_kept(model: nn.Module) -> Iterator[None]:
    """Put back what a run leaves in dicts of the modules: tensors that hold on to a graph."""
    dicts = [d for module in model.modules() for d in vars(module).values() if type(d) is dict]
    values = [dict(d) for d in dicts]
    try:
        yield
    finally:
        for found, value in zip(dicts, values, strict=True):
            found.clear()
            found.update(value)


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
