"""What norms, dropout and geometry do to a signal's moments, as far as the node tells."""

from typing import Any

from torch import nn

from firstlight.model.kinds.norm import NORMS
from firstlight.model.trace.graph import Node


def normalises(node: Node) -> bool:
    """Return whether a norm uses the batch's or the sample's statistics, not running ones."""
    module: Any = node.module
    if isinstance(module, nn.modules.batchnorm._NormBase):
        return module.training or module.running_var is None
    if module is None and node.op == "batch_norm":
        return bool(node.kwargs.get("training", node.args[5] if len(node.args) > 5 else False))
    return True


def keeps_mean(node: Node) -> bool:
    """Return whether a norm divides without subtracting the mean, as RMSNorm does."""
    if node.module is None:
        return node.op == "rms_norm"
    return isinstance(node.module, nn.RMSNorm) or not isinstance(node.module, NORMS)


def epsilon(node: Node) -> float:
    """Return what a norm adds to the variance."""
    own = getattr(node.module, "eps", None)
    given = node.kwargs.get("eps")
    return own or given or 1e-5


def reached(module: Any) -> float:
    """Return the share of a transposed convolution's outputs that any input reaches."""
    if not isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        return 1.0
    axes: Any = zip(module.kernel_size, module.stride, module.dilation, strict=True)
    share = 1.0
    for kernel, stride, dilation in axes:
        phases = {tap * dilation % stride for tap in range(kernel)}
        share *= len(phases) / stride
    return share


def dropped(node: Node) -> float:
    """Return the share of elements that a dropout sets to zero as the network stands."""
    module: Any = node.module
    if module is not None:
        p = getattr(module, "p", None) or getattr(module, "drop_prob", None) or 0.0
        return float(p) if module.training else 0.0
    p = node.kwargs.get("p", node.args[1] if len(node.args) > 1 else 0.5)
    training = node.kwargs.get("training", node.args[2] if len(node.args) > 2 else True)
    return float(p) if training and isinstance(p, (int, float)) and p < 1 else 0.0


def size(shape: tuple[int, ...]) -> int:
    """Return how many elements a tensor of a shape has."""
    size = 1
    for length in shape:
        size *= length
    return size
