"""Convolutions: a matrix per group, and per phase of a strided transposed one.

A transposed convolution of stride s writes output position p from the taps t with

    t dilation = p + padding  (mod s)

alone, so it is s (in each axis) convolutions side by side: its phases. Every output unit sees the
inputs of one phase, and so one phase is one matrix, with that many inputs.
"""

import math
from functools import partial
from itertools import product
from typing import Any

from torch import Tensor, nn

from firstlight.model.kinds.treatment import Matrix, Part, Treatment, Value

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convolution(module: Any, *_: object) -> dict[str, Treatment]:
    """Describe Conv1-3d, whose weight is (out, in / groups, *kernel)."""
    depthwise = is_depthwise(module)
    split = partial(_grouped, groups=1 if depthwise else module.groups)
    kind = "depthwise conv" if depthwise else "conv"
    role = "depthwise" if depthwise else "weight"
    return {"weight": Matrix(kind, split, role), "bias": Value("bias", 0.0)}


def transposed_convolution(module: Any, *_: object) -> dict[str, Treatment]:
    """Describe ConvTranspose1-3d, whose weight is (in, out / groups, *kernel)."""
    depthwise = is_depthwise(module)
    split = partial(_transposed, module=module, depthwise=depthwise)
    kind = "depthwise conv_transpose" if depthwise else "conv_transpose"
    role = "depthwise" if depthwise else "weight"
    return {"weight": Matrix(kind, split, role), "bias": Value("bias", 0.0)}


def is_depthwise(module: Any) -> bool:
    """Return whether each channel of a convolution is filtered alone."""
    return 1 < module.groups == module.in_channels


def _grouped(weight: Tensor, groups: int) -> list[Part]:
    if groups == 1:
        return [Part("", weight)]
    return [Part(f"[{group}]", rows) for group, rows in enumerate(weight.chunk(groups))]


def _transposed(weight: Tensor, module: Any, depthwise: bool) -> list[Part]:
    parts: list[Part] = []
    groups = 1 if depthwise else module.groups
    for group, block in enumerate(weight.chunk(groups)):
        # one channel in, its filters out: rows of a depthwise layer are its channels
        matrix = block.flatten(0, 1).unsqueeze(1) if depthwise else block.transpose(0, 1)
        mark = f"[{group}]" if groups > 1 else ""
        parts += [Part(mark + label, view) for label, view in _phases(matrix, module)]
    return parts


def _phases(matrix: Tensor, module: Any) -> list[tuple[str, Tensor]]:
    """Return the matrix of each phase that has taps; one without a mark where there is one."""
    axes = [
        _taps(kernel, stride, dilation)
        for kernel, stride, dilation in zip(
            module.kernel_size, module.stride, module.dilation, strict=True
        )
    ]
    if all(len(axis) == 1 for axis in axes):
        return [("", matrix)]
    found = []
    for chosen in product(*axes):
        mark = ",".join(str(taps.start) for taps in chosen)
        index: Any = (slice(None), slice(None), *chosen)
        found.append((f"[{mark}]", matrix[index]))
    return found


def _taps(kernel: int, stride: int, dilation: int) -> list[slice]:
    """Return the taps of each phase of one axis: every step-th from a first one on."""
    step = stride // math.gcd(stride, dilation)
    return [slice(first, None, step) for first in range(min(step, kernel))]
