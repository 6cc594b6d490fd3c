"""The closed-form kernels of a sine network's specification."""

import math

from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import KNOWN, Sine
from firstlight.theory import SineKernel


def sine_kernel(network: Network, inputs: int) -> SineKernel | None:
    """The closed-form kernels of a network; None where there are none.

    Known are sine networks with SIREN's start or gradient control, at one alpha for all layers.

    Example:
        >>> sine_kernel(Sine(alpha=1.5, depth=4), inputs=2).layers
        3
    """
    if not isinstance(network, Sine) or network.start not in KNOWN:
        return None
    alphas = set(network.alphas())
    if len(alphas) > 1:
        return None
    with_bias = network.start == "siren"
    return SineKernel(
        layers=network.depth - 1,
        inputs=inputs,
        width=network.width,
        omega_0=network.factors()[0],
        omega=network.omega,
        alpha=alphas.pop(),
        weight_scale=KNOWN[network.start],
        # U(-1/sqrt(n), 1/sqrt(n)) times omega
        bias_scale=network.omega / math.sqrt(3 * network.width) if with_bias else 0.0,
        distribution=network.distribution,
    )
