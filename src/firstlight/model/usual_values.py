"""Biases and norms at their usual values: which tensors, and which value each one gets."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

_NORMS = (
    nn.modules.batchnorm._NormBase,  # batch and instance norms, synchronised ones too
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_WITH_BIAS = (nn.Linear, nn.modules.conv._ConvNd, nn.MultiheadAttention)
_STATISTICS = {"running_mean": 0.0, "running_var": 1.0, "num_batches_tracked": 0.0}


class Constant(NamedTuple):
    """A tensor of a model, and the value that all of it gets."""

    name: str
    tensor: Tensor
    value: float


def usual_values(model: nn.Module) -> list[Constant]:
    """Return biases (0), norm weights (1), norm biases (0) and running statistics of ``model``.

    Frozen parameters are left out, and so are norms whose weight is all zeros: those close a
    residual branch on purpose.

    Example:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
        >>> [(constant.name, constant.value) for constant in usual_values(model)]
        [('0.bias', 0.0), ('1.weight', 1.0), ('1.bias', 0.0)]
    """
    found: list[Constant] = []
    for prefix, module in model.named_modules():
        dot = f"{prefix}." if prefix else ""
        values = {}
        if isinstance(module, _NORMS):
            values = {"weight": 1.0, "bias": 0.0} | _STATISTICS
            if _is_closed(module):
                continue
        elif isinstance(module, _WITH_BIAS):
            values = {"bias": 0.0, "in_proj_bias": 0.0}
        found += [
            Constant(dot + local, tensor, values[local])
            for local, tensor in _own(module)
            if local in values
        ]
    return found


def _own(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield trainable parameters, then buffers unless every parameter is frozen."""
    parameters = dict(module.named_parameters(recurse=False))
    trainable = {name: p for name, p in parameters.items() if p.requires_grad}
    yield from trainable.items()
    if trainable or not parameters:
        yield from module.named_buffers(recurse=False)


def _is_closed(norm: nn.Module) -> bool:
    weight = getattr(norm, "weight", None)
    if weight is None or nn.parameter.is_lazy(weight) or weight.is_meta:
        return False
    return not weight.any()
