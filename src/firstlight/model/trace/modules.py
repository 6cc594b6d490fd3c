"""Which modules a trace does not look into, and what each of them is then called."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from firstlight import theory
from firstlight.errors import FirstlightError
from firstlight.model.kinds.experts import are_experts
from firstlight.model.kinds.linear import is_transposed_linear
from firstlight.model.kinds.norm import is_norm

_FUNCTIONS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((nn.Linear,), "linear"),
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), "conv2d"),
    ((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), "conv_transpose2d"),
    ((nn.Bilinear,), "bilinear"),
    ((nn.MultiheadAttention,), "multi_head_attention_forward"),
    ((nn.RNNBase, nn.RNNCellBase), "lstm"),
    ((nn.Embedding, nn.EmbeddingBag), "embedding"),
    ((nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout), "dropout"),
    ((nn.Identity,), "identity"),
    ((nn.Flatten, nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle), "reshape"),
    ((nn.Softmax, nn.LogSoftmax, nn.Softmax2d), "softmax"),
    (
        tuple(getattr(nn, f"{kind}Pool{d}d") for kind in ("Max", "Avg") for d in (1, 2, 3)),
        "max_pool2d",
    ),
    (
        tuple(getattr(nn, f"Adaptive{kind}Pool{d}d") for kind in ("Max", "Avg") for d in (1, 2, 3)),
        "adaptive_avg_pool2d",
    ),
    ((nn.Upsample,), "interpolate"),
    (
        (nn.modules.padding._ConstantPadNd, nn.modules.padding._ReflectionPadNd),
        "pad",
    ),
    ((nn.LocalResponseNorm, nn.CrossMapLRN2d), "norm_module"),
)
#: torch's own modules that are made of others.
COMPOSITE = (
    nn.Transformer,
    nn.TransformerEncoder,
    nn.TransformerDecoder,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
)
_elementwise: "WeakKeyDictionary[nn.Module, bool]" = WeakKeyDictionary()


def leaf(module: nn.Module) -> str:
    """Return the name of the operation that ``module`` is, or "" if it is to be looked into.

    Example:
        >>> leaf(nn.Linear(2, 3)), leaf(nn.GELU()), leaf(nn.Sequential())
        ('linear', 'activation_module', '')
    """
    if isinstance(module, torch.jit.ScriptModule):
        return ""
    for kinds, name in _FUNCTIONS:
        if isinstance(module, kinds):
            return name
    if is_transposed_linear(module):
        return "linear"
    if is_norm(module):
        return "" if _activates(module) else "norm_module"
    if are_experts(module):
        return "experts"
    if type(module).__name__ in ("DropPath", "StochasticDepth"):
        return "drop_path"
    return "activation_module" if is_activation(module) else ""


def _activates(norm: nn.Module) -> bool:
    """Return whether a norm applies an activation of its own behind it, as timm's do."""
    return any(leaf(child) not in ("identity", "dropout") for child in norm.children())


def is_activation(module: nn.Module) -> bool:
    """Return whether ``module`` is a function of each element alone; tried, not guessed."""
    if isinstance(module, (nn.PReLU, nn.RReLU)):
        return True
    if any(True for _ in module.children()) or module._parameters or module._buffers:
        return False
    if module not in _elementwise:
        _elementwise[module] = _try(module)
    return _elementwise[module]


def _try(module: nn.Module) -> bool:
    if type(module).__module__.startswith("torch.nn.modules.loss"):
        return False
    try:
        f = theory.activations.elementwise(module)
        x = torch.linspace(-2, 2, 5, dtype=torch.float64, device="cpu").view(1, 5)
        with torch.no_grad():
            y: Any = f(x.clone())
    except (FirstlightError, RuntimeError, TypeError, ValueError, IndexError):
        return False
    return isinstance(y, Tensor) and not torch.equal(x, y)


def apply_module(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return what an activation module computes, in float64 and for evaluation."""
    return theory.activations.elementwise(module)
