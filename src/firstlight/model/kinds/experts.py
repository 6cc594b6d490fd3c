"""Mixtures of experts that keep all experts in one tensor: a matrix for each of them."""

from functools import partial

from torch import Tensor, nn

from firstlight.model.kinds.fused import split_rows
from firstlight.model.kinds.treatment import Kept, Matrix, Part, Treatment, Value

_NAMES = ("gate_up_proj", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")
_WIDTH = ("hidden_size", "hidden_dim")


def experts(module: nn.Module, *_: object) -> dict[str, Treatment]:
    """Describe tensors of shape (experts, out, in) or (experts, in, out), whichever fits."""
    width = next((getattr(module, name) for name in _WIDTH if hasattr(module, name)), 0)
    found: dict[str, Treatment] = {}
    for local, tensor in module._parameters.items():
        if tensor is None:
            continue
        if local in _NAMES and tensor.ndim == 3:
            found[local] = _matrix(local, tensor, width)
        elif local.endswith("bias"):
            found[local] = Value("bias", 0.0)
    return found


def are_experts(module: nn.Module) -> bool:
    """Return whether ``module`` holds a three-dimensional weight by one of the usual names."""
    tensors = (module._parameters.get(name) for name in _NAMES)
    return any(tensor is not None and tensor.ndim == 3 for tensor in tensors)


def _matrix(local: str, tensor: Tensor, width: int) -> Treatment:
    inner = local in ("down_proj", "w2")  # from the inner width back to the model's
    outputs, inputs = tensor.shape[1:]
    as_is, turned = (outputs, inputs) if inner else (inputs, outputs)
    if (as_is == width) == (turned == width):
        reason = f"shape {tuple(tensor.shape)} does not tell inputs from outputs"
        return Kept("experts", reason)
    split = partial(_per_expert, turned=turned == width, gated=local == "gate_up_proj")
    return Matrix("experts", split)


def _per_expert(weight: Tensor, turned: bool, gated: bool) -> list[Part]:
    parts: list[Part] = []
    for index, expert in enumerate(weight):
        matrix = expert.transpose(0, 1) if turned else expert
        if not gated or turned:  # turned ones interleave gate and value by columns
            parts.append(Part(f"[{index}]", matrix))
            continue
        half = len(matrix) // 2
        for part in split_rows(matrix, ("gate", "up"), (half, half)):
            parts.append(Part(f"[{index}]{part.label}", part.view))
    return parts
