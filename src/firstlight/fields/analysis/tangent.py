"""Tangent kernel of a field network on some of a signal's points, measured and in closed form."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from firstlight.auditing.derivatives import tangent_kernel
from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.fields.signals.samples import Samples

#: Points beyond which a kernel takes long.
_MOST = 4096


@dataclass(frozen=True)
class Kernel:
    """Eigenvalues of a tangent kernel on points.

    Attributes:
        eigenvalues: descending, over the largest, so the first is 1.
        condition: largest over smallest; infinite where the kernel is singular.
    """

    eigenvalues: tuple[float, ...]
    condition: float


def sample_points(samples: Samples, count: int = 256, seed: int = 0) -> Tensor:
    """Coordinates of ``count`` samples drawn without repetition, of all where there are fewer.

    Returns:
        Shape (n, inputs), float32.

    Raises:
        OptionError: the count is not from 2 to 4096.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> sample_points(read_image(np.zeros((8, 8), np.uint8)).train, 5).shape
        torch.Size([5, 2])
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= _MOST:
        raise OptionError(f"points must be a whole number from 2 to {_MOST}, got {count!r}")
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(samples), generator=generator)[:count].sort().values
    return samples.at(chosen.to(samples.device)).x.cpu()


def measured_kernel(network: nn.Module, points: Tensor) -> Kernel | None:
    """The empirical tangent kernel, in one random direction of the outputs.

        Theta = J J^T,   J[n, p] = d (u . f(x_n)) / d parameter_p

    Args:
        network: as it is now; it is left so.
        points: coordinates, (n, inputs).

    Returns:
        Its eigenvalues; None where outputs or gradients are not finite.

    Example:
        >>> kernel = measured_kernel(nn.Linear(1, 1), torch.tensor([[-1.0], [1.0]]))
        >>> kernel.eigenvalues, kernel.condition
        ((1.0, 1.0), 1.0)

    Reference: arXiv 1806.07572.
    """
    points = points.to(next(network.parameters()).device)
    try:
        found = tangent_kernel(network, points, method="exact", outputs=1)
    except FirstlightError:  # a collapsed network's
        return None
    largest = found.largest or 1.0
    return Kernel(tuple(each / largest for each in found.eigenvalues), found.condition)


def closed_form(network: Network, points: Tensor) -> Kernel | None:
    """Eigenvalues of ``theory.SineKernel.tangent`` on points; None where it is not known.

    It is what Adam follows: layers count by the roots of their parts, where Theta has the parts.

    Args:
        network: its specification, every number filled in.
        points: coordinates, (n, inputs).
    """
    kernel = sine_kernel(network, points.shape[1])
    if kernel is None:
        return None
    places = points.double().numpy()
    matrix = kernel.tangent(places[:, None] - places[None])
    values = np.maximum(np.linalg.eigvalsh(matrix)[::-1], 0.0)
    floor = len(values) * np.finfo(np.float64).eps * values[0]
    condition = float(values[0] / values[-1]) if values[-1] > floor else math.inf
    return Kernel(tuple((values / values[0]).tolist()), condition)
