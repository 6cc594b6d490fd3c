"""Biases and norms at their usual values: which tensors, and which value each one gets."""

from typing import NamedTuple

from torch import Tensor, nn

from firstlight.model.names import names_by_id
from firstlight.model.views import COMPUTED

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

    names: tuple[str, ...]  # every name that the tensor has in the model
    tensor: Tensor
    value: float
    blocked: str = ""  # why it cannot be written, or ""


def usual_values(model: nn.Module) -> list[Constant]:
    """Return biases (0), norm weights (1), norm biases (0) and running statistics of ``model``.

    Frozen parameters are left out, and so are norms whose weight is all zeros: those close a
    residual branch on purpose.

    Example:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
        >>> [(constant.names, constant.value) for constant in usual_values(model)]
        [(('0.bias',), 0.0), (('1.weight',), 1.0), (('1.bias',), 0.0)]
    """
    names = names_by_id(model)
    found: list[Constant] = []
    for prefix, module in model.named_modules():
        dot = f"{prefix}." if prefix else ""
        for local, value in _values(module).items():
            tensor = getattr(module, local, None)
            if tensor is None or _is_frozen(module, tensor):
                continue
            own = names.get(id(tensor))
            blocked = "" if own else COMPUTED
            found.append(Constant(own or (dot + local,), tensor, value, blocked))
    return found


def _values(module: nn.Module) -> dict[str, float]:
    """Return the usual value of each tensor that ``module`` may have, by its local name."""
    if isinstance(module, _NORMS):
        return {} if _is_closed(module) else {"weight": 1.0, "bias": 0.0} | _STATISTICS
    return {"bias": 0.0, "in_proj_bias": 0.0} if isinstance(module, _WITH_BIAS) else {}


def _is_frozen(module: nn.Module, tensor: Tensor) -> bool:
    """Return whether a parameter is frozen; a buffer or computed tensor is with all parameters."""
    if isinstance(tensor, nn.Parameter):
        return not tensor.requires_grad
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


def _is_closed(norm: nn.Module) -> bool:
    weight = getattr(norm, "weight", None)
    if weight is None or nn.parameter.is_lazy(weight) or weight.is_meta:
        return False
    return not weight.any()
