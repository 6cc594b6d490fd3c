"""Mixtures of experts that keep all experts in one tensor: a matrix for each of them."""

from functools import partial

from torch import Tensor, nn

from firstlight.model.kinds.fused import split_rows
from firstlight.model.kinds.treatment import Kept, Matrix, Part, Treatment, Value

_NAMES = ("gate_up_proj", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")
#: From the inner width back to the model's.
_INWARD = ("down_proj", "w2")
_WIDTH = ("hidden_size", "hidden_dim")


def experts(module: nn.Module, *_: object) -> dict[str, Treatment]:
    """Describe tensors of shape (experts, out, in) or (experts, in, out), whichever fits."""
    if type(module).__name__.endswith("ParallelExperts"):
        return {"weight": Matrix("experts", partial(_per_expert, turned=False, gated=False))}
    turned = _turned(module)
    found: dict[str, Treatment] = {}
    for local, tensor in module._parameters.items():
        if tensor is None:
            continue
        if local in _NAMES and tensor.ndim == 3:
            found[local] = _matrix(local, tensor, turned)
        elif local.endswith("bias"):
            found[local] = Value("bias", 0.0)
    return found


def are_experts(module: nn.Module) -> bool:
    """Return whether ``module`` holds a three-dimensional weight by one of the usual names."""
    names = ("weight",) if type(module).__name__.endswith("ParallelExperts") else _NAMES
    tensors = (module._parameters.get(name) for name in names)
    return any(tensor is not None and tensor.ndim == 3 for tensor in tensors)


def _turned(module: nn.Module) -> bool | None:
    """Return whether the tensors are (experts, in, out): said by the module, or by their shapes.

    One shape alone may not tell: OLMoE's inner width is half of the model's, GPT-OSS's is the same.
    """
    said = getattr(module, "is_transposed", None)
    if isinstance(said, bool):
        return said
    width = next((getattr(module, name) for name in _WIDTH if hasattr(module, name)), 0)
    for local, tensor in module._parameters.items():
        if local not in _NAMES or tensor is None or tensor.ndim != 3:
            continue
        outputs, inputs = tensor.shape[1:]
        as_is, turned = (outputs, inputs) if local in _INWARD else (inputs, outputs)
        if (as_is == width) != (turned == width):
            return bool(turned == width)
    return None


def _matrix(local: str, tensor: Tensor, turned: bool | None) -> Treatment:
    if turned is None:
        reason = f"shape {tuple(tensor.shape)} does not tell inputs from outputs"
        return Kept("experts", reason)
    return Matrix("experts", partial(_per_expert, turned=turned, gated=local == "gate_up_proj"))


def _per_expert(weight: Tensor, turned: bool, gated: bool) -> list[Part]:
    parts: list[Part] = []
    for index, expert in enumerate(weight):
        matrix = expert.transpose(0, 1) if turned else expert
        if not gated or turned:  # some turned ones interleave gate and value
            parts.append(Part(f"[{index}]", matrix))
            continue
        half = len(matrix) // 2
        for part in split_rows(matrix, ("gate", "up"), (half, half)):
            parts.append(Part(f"[{index}]{part.label}", part.view))
    return parts
