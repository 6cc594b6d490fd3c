"""Fully connected layers: one matrix, or several fused along the outputs."""

from torch import Tensor, nn

from firstlight.model.kinds.fused import fused_rows
from firstlight.model.kinds.treatment import Matrix, Part, Split, Treatment, Value, whole


def linear(module: nn.Module, parent: nn.Module, local: str) -> dict[str, Treatment]:
    """Describe a Linear, whose weight is (out, in)."""
    weight = _weight_shape(module)
    rows = fused_rows(parent, local, *weight) if weight else None
    split = rows or whole
    return {"weight": Matrix("linear", split), "bias": Value("bias", 0.0)}


def transposed_linear(module: nn.Module, parent: nn.Module, local: str) -> dict[str, Treatment]:
    """Describe Hugging Face's Conv1D, whose weight is (in, out)."""
    inputs, outputs = module.weight.shape  # type: ignore[misc]
    rows = fused_rows(parent, local, int(outputs), int(inputs)) or whole
    return {"weight": Matrix("linear (in, out)", _transposed(rows)), "bias": Value("bias", 0.0)}


def bilinear(*_: object) -> dict[str, Treatment]:
    """Describe a Bilinear, whose weight is (out, in1, in2): its inputs are the in1 in2 products."""
    return {"weight": Matrix("bilinear"), "bias": Value("bias", 0.0)}


def is_transposed_linear(module: nn.Module) -> bool:
    """Return whether ``module`` is Hugging Face's Conv1D, which need not be installed."""
    weight = module._parameters.get("weight")
    named = type(module).__name__ == "Conv1D" and hasattr(module, "nf")
    return named and weight is not None and weight.ndim == 2


def _transposed(rows: Split) -> Split:
    def split(weight: Tensor) -> list[Part]:
        return rows(weight.transpose(0, 1))

    return split


def _weight_shape(module: nn.Module) -> tuple[int, int] | None:
    outputs, inputs = getattr(module, "out_features", 0), getattr(module, "in_features", 0)
    return (outputs, inputs) if outputs and inputs else None
