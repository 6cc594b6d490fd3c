"""What a deep network does to signals and gradients before it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.studies.deep_network import DeepModule
from firstlight.studies.replicas import Passed, Replicas
from firstlight.studies.scaled_activation import scaled_activation
from firstlight.theory.layer_maps import LayerMaps

#: Layers that are kept, spread over the depth.
_KEPT = 40


@dataclass(frozen=True)
class DepthSignal:
    """Signals by hidden layer, each of one seed; float64.

    Attributes:
        seed: of the draws.
        layers: numbers of the hidden layers that follow, from 1.
        spread: standard deviation of what each layer hands on, over samples and neurons.
        apart: the part of it that tells samples from each other: root mean square over neurons of
            the standard deviation over samples.
        gradient: norm of the gradient at each layer's output, of a random direction at the last.
        chi: factor by which squared gradients grow per layer backwards, the geometric mean.
        chi_mean_field: what mean-field theory has for wide random weights of these mean squares;
            None for networks with norms or residual connections, and of one layer.
    """

    seed: int
    layers: tuple[int, ...]
    spread: tuple[float, ...]
    apart: tuple[float, ...]
    gradient: tuple[float, ...]
    chi: float | None
    chi_mean_field: float | None

    @property
    def spread_ratio(self) -> float:
        """Last layer's spread over the first's."""
        return _ratio(self.spread[-1], self.spread[0])

    @property
    def apart_ratio(self) -> float:
        """How far samples are apart in the last layer, over the first."""
        return _ratio(self.apart[-1], self.apart[0])

    @property
    def gradient_ratio(self) -> float:
        """The first layer's gradient over the last's."""
        return _ratio(self.gradient[0], self.gradient[-1])


def measure_signal(
    modules: Sequence[DeepModule], seeds: Sequence[int], batch: Tensor
) -> tuple[DepthSignal, ...]:
    """Pass samples forward and a random direction backward, in float64.

    Args:
        modules: of one shape, one for each seed; they stay as they are.
        seeds: of their draws.
        batch: samples (B, inputs), two or more.

    Raises:
        OptionError: there are too few samples.

    Example:
        >>> from firstlight.studies.deep_network import DeepNetwork
        >>> network = DeepNetwork(8, 2, (8,), 3, "linear")
        >>> module = network.build()
        >>> for layer in module.layers:
        ...     _ = torch.nn.init.eye_(layer.weight), torch.nn.init.zeros_(layer.bias)
        >>> (found,) = measure_signal([module], [0], torch.randn(16, 8))
        >>> found.spread_ratio, found.gradient_ratio, found.chi
        (1.0, 1.0, 1.0)
    """
    if len(batch) < 2:
        raise OptionError(f"a signal's spread needs two samples or more, got {len(batch)}")
    replicas = Replicas(modules, torch.float64)
    passed = replicas(batch.double()[None, None], training=True, keep=True)
    last = passed.hidden[-1]
    random = np.random.default_rng(0).standard_normal(last.shape[1:])
    direction = torch.from_numpy(random).expand_as(last)
    gradient = _gradient_norms(passed.hidden, direction)
    shown = _shown(len(passed.hidden))
    columns = _Columns(
        torch.stack([h.detach().flatten(1).std(1, correction=0) for h in passed.hidden]),
        torch.stack([_apart(h.detach()) for h in passed.hidden]),
        gradient,
    )
    return tuple(
        DepthSignal(
            seed,
            tuple(layer + 1 for layer in shown),
            spread=tuple(columns.spread[shown, number].tolist()),
            apart=tuple(columns.apart[shown, number].tolist()),
            gradient=tuple(columns.gradient[shown, number].tolist()),
            chi=_chi(columns.gradient[:, number]),
            chi_mean_field=_chi_mean_field(replicas, passed, number),
        )
        for number, seed in enumerate(seeds)
    )


class _Columns(NamedTuple):
    """Of each hidden layer and replica."""

    spread: Tensor
    apart: Tensor
    gradient: Tensor


def _gradient_norms(hidden: Sequence[Tensor], direction: Tensor) -> Tensor:
    """Norms (depth, R) of the gradients of what layers hand on; no gradient outlives its layer."""
    norms = torch.empty(len(hidden), len(direction), dtype=direction.dtype)

    def keep(layer: int, gradient: Tensor) -> None:
        norms[layer] = gradient.flatten(1).norm(dim=1)

    for layer, h in enumerate(hidden):
        h.register_hook(partial(keep, layer))
    torch.autograd.grad((hidden[-1] * direction).sum(), hidden[0])
    return norms


def _apart(h: Tensor) -> Tensor:
    return h.var(1, correction=0).mean(1).sqrt()


def _shown(depth: int) -> list[int]:
    """Hidden layers from 0, first and last among them."""
    return sorted({round(layer) for layer in np.linspace(0, depth - 1, min(depth, _KEPT))})


def _chi(gradient: Tensor) -> float | None:
    depth = len(gradient)
    ratio = _ratio(float(gradient[0]), float(gradient[-1]))
    return ratio ** (2 / (depth - 1)) if depth > 1 else None


def _chi_mean_field(replicas: Replicas, passed: Passed, number: int) -> float | None:
    """Geometric mean of sigma_w^2 E[f'(h)^2], from the second layer to the last."""
    network = replicas.network
    if network.structure != "plain" or network.depth < 2:
        return None
    activation = scaled_activation(network.activation)
    q = float(passed.before[number].detach().square().mean())
    logarithm = 0.0
    for weight in replicas.weights()[1:-1]:
        own = weight[number].detach()
        maps = LayerMaps(activation, max(own.shape[1] * float(own.square().mean()), 1e-30))
        q = maps.variance(q)
        logarithm += np.log(max(maps.chi(q), 1e-300))
    return float(np.exp(logarithm / (network.depth - 1)))


def _ratio(one: float, other: float) -> float:
    return one / other if other else 0.0
