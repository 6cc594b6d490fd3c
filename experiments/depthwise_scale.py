"""Which start, at its own scale, suits a network of depthwise and 1x1 convolutions?

The network is that of experiments/depthwise.py. `harmonic_default_depthwise` is harmonic but for
the depthwise filters, which keep the framework's start.
`python experiments/depthwise_scale.py --data parquet:... --out results/...`
"""

import math

from _run import run
from torch import Generator, Tensor

from firstlight.init import harmonic_, variance_scaling_


def harmonic_default_depthwise(tensor: Tensor, *, layer: int, generator: Generator) -> Tensor:
    """harmonic with ReLU's gain; PyTorch's U(-1/sqrt(n), 1/sqrt(n)) in depthwise filters."""
    if tensor.ndim == 4 and tensor.shape[1] == 1:
        gain = math.sqrt(1 / 3)
        return variance_scaling_(tensor, gain=gain, distribution="uniform", generator=generator)
    return harmonic_(tensor, gain="relu", layer=layer)


if __name__ == "__main__":
    run(
        __doc__,
        "depthwise:network",
        ["default", "he_normal", "orthogonal", "harmonic"],
        {"harmonic_default_depthwise": harmonic_default_depthwise},
        match_variance=False,
    )
