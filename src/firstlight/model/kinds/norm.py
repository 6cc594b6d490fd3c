"""Norms: scales, shifts and running statistics, torch's own and other libraries'.

Another library's norm need not be a subclass of torch's, and need not start at one: Gemma's
multiplies by 1 + weight. Which of the two a norm is, is measured on random inputs.
"""

import copy
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from firstlight.init.shards import own_part
from firstlight.model.kinds.treatment import Kept, Treatment, Value

NORMS = (
    nn.modules.batchnorm._NormBase,  # batch and instance norms, synchronised ones too
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_STATISTICS = {"running_mean": 0.0, "running_var": 1.0, "num_batches_tracked": 0.0}
#: Norms that hold loaded statistics in buffers and are never to change.
_FIXED = ("FrozenBatchNorm",)


def norm(module: nn.Module, *_: object) -> dict[str, Treatment]:
    """Describe a norm: weight one (or zero, where it adds one), bias zero, statistics reset."""
    if any(word in type(module).__name__ for word in _FIXED):
        reason = "a frozen norm keeps what was loaded"
        names = [*module._parameters, *module._buffers]
        return dict.fromkeys(names, Kept("norm", reason))
    weight = Value("norm weight", 1.0)
    if not isinstance(module, NORMS):
        neutral = _neutral(module)
        if neutral is None:
            reason = f"{type(module).__name__} does not tell which weight is neutral"
            return {"weight": Kept("norm", reason), "bias": Kept("norm", reason)}
        weight = Value("norm weight", neutral)
    statistics = {name: Value("norm statistic", value) for name, value in _STATISTICS.items()}
    return {"weight": weight, "bias": Value("norm bias", 0.0), **statistics}


def is_norm(module: nn.Module) -> bool:
    """Return whether ``module`` is a norm: by its class, or by its name and its one vector."""
    if isinstance(module, NORMS):
        return True
    own = {name for name, tensor in module._parameters.items() if tensor is not None}
    named = "norm" in type(module).__name__.lower()
    scale = module._parameters.get("weight")
    if any(word in type(module).__name__ for word in _FIXED):
        return True
    return named and own <= {"weight", "bias"} and scale is not None and scale.ndim == 1


def closes_a_branch(module: nn.Module) -> bool:
    """Return whether a torch norm's weight is all zeros, with which a residual branch starts."""
    weight = module._parameters.get("weight")
    if not isinstance(module, NORMS) or weight is None or nn.parameter.is_lazy(weight):
        return False
    if weight.is_meta:
        return False
    own = own_part(weight.detach())
    return bool(own.numel()) and not own.any()


def _neutral(module: Any) -> float | None:
    """Return the weight with which the norm's outputs have second moment 1, of 1 and 0."""
    width = len(module._parameters["weight"])
    rows = max(4, min(32, 4096 // max(width, 1)))  # enough for a mean, and little to compute
    for shape in ((rows, width), (4, width, 8, 8), (4, 8, 8, width)):  # rows, or images
        found = _tried(module, shape, width)
        if found is not None:
            return found
    return None


def _tried(module: Any, shape: tuple[int, ...], width: int) -> float | None:
    bare = copy.copy(module)  # hooks, of FSDP say, are for the model's own passes
    bare._forward_hooks, bare._forward_pre_hooks = {}, {}
    for value in (1.0, 0.0):
        fixed: dict[str, Tensor] = {"weight": torch.full((width,), value, device="cpu")}
        if module._parameters.get("bias") is not None:
            fixed["bias"] = torch.zeros(width, device="cpu")
        try:
            with torch.no_grad():
                out = functional_call(bare, fixed, (_inputs(shape).clone(),))
            second = float(out.float().pow(2).mean())
        except Exception:
            return None
        if 0.9 < second < 1.1:
            return value
    return None


@lru_cache(4)  # a deep model has many norms of one width
def _inputs(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), device="cpu")
