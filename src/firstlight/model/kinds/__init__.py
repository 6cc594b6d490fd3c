"""Which tensors a module of each kind has, and what they are: one file per family of layers."""

from collections.abc import Callable

import torch
from torch import nn

from firstlight.model.kinds.attention import attention
from firstlight.model.kinds.convolution import (
    CONVOLUTIONS,
    TRANSPOSED,
    convolution,
    transposed_convolution,
)
from firstlight.model.kinds.embedding import embedding
from firstlight.model.kinds.experts import are_experts, experts
from firstlight.model.kinds.linear import (
    bilinear,
    is_transposed_linear,
    linear,
    transposed_linear,
)
from firstlight.model.kinds.norm import is_norm, norm
from firstlight.model.kinds.recurrent import LAYERS, recurrent
from firstlight.model.kinds.router import is_router, router
from firstlight.model.kinds.treatment import Kept, Matrix, Part, Split, Treatment, Value

Describe = Callable[[nn.Module, nn.Module, str], dict[str, Treatment]]
_Is = Callable[[nn.Module], bool]


def _of(*kinds: type) -> _Is:
    return lambda module: isinstance(module, kinds)


#: The first row whose test holds describes the module.
KINDS: tuple[tuple[_Is, Describe], ...] = (
    (_of(nn.MultiheadAttention), attention),
    (_of(nn.Linear), linear),
    (_of(nn.Bilinear), bilinear),
    (_of(*CONVOLUTIONS), convolution),
    (_of(*TRANSPOSED), transposed_convolution),
    (_of(nn.Embedding, nn.EmbeddingBag), embedding),
    (_of(*LAYERS), recurrent),
    (is_transposed_linear, transposed_linear),
    (is_norm, norm),
    (are_experts, experts),
    (is_router, router),
)


def describe(module: nn.Module, parent: nn.Module, local: str) -> dict[str, Treatment]:
    """Return what each tensor of ``module`` is, by its local name; of tensors it may lack, too.

    Args:
        module: any module; its own tensors alone are described.
        parent: the module that it is a child of.
        local: its name there.

    Example:
        >>> from firstlight.model.kinds import describe
        >>> describe(nn.Linear(2, 3), nn.Module(), "fc")["bias"]
        Value(kind='bias', value=0.0, rows=None)
    """
    if isinstance(module, torch.jit.ScriptModule):
        return {}
    for matches, treatments in KINDS:
        if matches(module):
            return treatments(module, parent, local)
    return {}


__all__ = ["KINDS", "Kept", "Matrix", "Part", "Split", "Treatment", "Value", "describe"]
