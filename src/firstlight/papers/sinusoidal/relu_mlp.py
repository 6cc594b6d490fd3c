"""ReLU, linear, ReLU, linear ... on random vectors: the network of Appendix C.2."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from firstlight.errors import check_choice
from firstlight.model.initialize import initialize
from firstlight.papers.sinusoidal.published_code import published_code_

if TYPE_CHECKING:
    import pandas as pd

#: The scheme as the authors' code computes it, in float32.
CODE = "published_code"


def inputs(law: str, samples: int, width: int, seed: int) -> Tensor:
    """Draw random vectors, (samples, width).

    Args:
        law: normal, N(0, 1); uniform, U(-1, 1); or positive, U(0, 1), whose mean is not 0.
        samples: how many.
        width: of each.
        seed: of the draws.

    Example:
        >>> bool((inputs("positive", 4, 3, seed=0) > 0).all())
        True
    """
    check_choice(law, ("normal", "uniform", "positive"), "law")
    generator = torch.Generator().manual_seed(seed)
    if law == "normal":
        return torch.randn(samples, width, generator=generator)
    drawn = torch.rand(samples, width, generator=generator)
    return drawn if law == "positive" else 2 * drawn - 1


def network(schemes: Sequence[str], batch: Tensor, seed: int) -> nn.Sequential:
    """Build one square linear layer behind a ReLU for each scheme, and give it that start.

    Args:
        schemes: one for each layer; lsuv for all or none of them.
        batch: what the first layer reads, (samples, width).
        seed: of the weights.
    """
    width = batch.shape[1]
    layers = [nn.Linear(width, width) for _ in schemes]
    net = nn.Sequential(*(part for layer in layers for part in (nn.ReLU(), layer)))
    if set(schemes) == {CODE}:
        for layer in layers:
            published_code_(layer.weight)
            nn.init.zeros_(layer.bias)
        return net
    own = {f"{2 * at + 1}.weight": scheme for at, scheme in enumerate(schemes)}
    others = {name: scheme for name, scheme in own.items() if scheme != schemes[0]}
    example = batch if "lsuv" in schemes else None
    initialize(net, schemes[0], overrides=others or None, seed=seed, example=example)
    return net


@dataclass(frozen=True, eq=False)
class Layer:
    """One linear layer on a batch.

    Attributes:
        weight: (neurons, inputs).
        read: what it reads, behind the ReLU, (samples, inputs).
        made: its pre-activations, (samples, neurons).
    """

    weight: Tensor
    read: Tensor
    made: Tensor


def walk(net: nn.Sequential, batch: Tensor) -> Iterator[Layer]:
    """Pass a batch through, layer after layer."""
    with torch.no_grad():
        parts = list(net)
        for relu, layer in zip(parts[0::2], parts[1::2], strict=True):
            read = relu(batch)
            batch = layer(read)
            assert isinstance(layer, nn.Linear)
            yield Layer(layer.weight.detach(), read, batch)


def neurons(
    schemes: Sequence[str], *, law: str, samples: int, width: int, seed: int
) -> "pd.DataFrame":
    """Return one row per neuron: its layer, its row sum S, and how often it is on.

    Columns: layer (from 1), neuron, row_sum, on_share; and of its layer: input_mean, input_std
    (over samples and inputs), weight_std.
    """
    import pandas as pd

    batch = inputs(law, samples, width, seed)
    parts = []
    for at, layer in enumerate(walk(network(schemes, batch, seed), batch), 1):
        row: dict[str, Any] = {
            "layer": at,
            "neuron": range(width),
            "row_sum": layer.weight.double().sum(1).numpy().astype("float32"),
            "on_share": (layer.made > 0).double().mean(0).numpy().astype("float32"),
            "input_mean": float(layer.read.double().mean()),
            "input_std": float(layer.read.double().std(correction=0)),
            "weight_std": float(layer.weight.double().std(correction=0)),
        }
        parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True)
