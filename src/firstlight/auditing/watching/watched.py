"""What one watched step showed, and the names under which trackers hear of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from firstlight.auditing.measures import ActivationMeasures, AttentionMeasures

#: What of an activation goes to trackers ...
_ACTIVATION = (
    "mean",
    "second_moment",
    "output_second_moment",
    "skewed_10",
    "skewed_10_predicted",
    "skewed_30",
    "skewed_30_predicted",
    "dead",
    "saturated",
    "oui",
    "effective_rank",
    "correlation",
    "gradient_norm",
    "chi",
    "chi_predicted",
)
#: ... and of a weight.
_WEIGHT = (
    "rms",
    "row_sum_ratio",
    "gradient_norm",
    "update_ratio",
    "zero_rows",
    "constant_rows",
    "twin_rows",
    "rank",
    "stable_rank",
    "condition",
    "edge",
)


class WatchWarning(UserWarning):
    """A watcher sees nothing, or less than was asked for; the message names the remedy."""


@dataclass(frozen=True)
class WatchedWeight:
    """One logical weight matrix at one step.

    Attributes:
        name: its name, with a mark such as [q] where a parameter holds several.
        parameter: the parameter that holds it.
        rms: root mean square of its entries, as the forward pass read them.
        row_sum_ratio: rms of the row sums over rms sqrt(in): about 1 for independent entries.
        gradient_norm: of the whole parameter's gradient as the optimizer got it: accumulated over
            the passes of the step, unscaled, clipped; None where none came.
        update_ratio: norm of the change that the step made over the norm before; None where the
            step was not seen to its end.
        zero_rows, constant_rows, twin_rows, rank, full_rank, stable_rank, condition, edge: as an
            audit measures them; None unless ``weights="all"``.
    """

    name: str
    parameter: str
    rms: float
    row_sum_ratio: float
    gradient_norm: float | None = None
    update_ratio: float | None = None
    zero_rows: int | None = None
    constant_rows: int | None = None
    twin_rows: int | None = None
    rank: int | None = None
    full_rank: int | None = None
    stable_rank: float | None = None
    condition: float | None = None
    edge: float | None = None


@dataclass(frozen=True)
class Watched:
    """What one training step showed.

    Attributes:
        step: updates of the weights before it.
        activations: of the step's first forward pass, in order of execution, without sketches.
        weights: in order of registration.
        attentions: softmaxes over scores.
        names: of the activations in trackers.
    """

    step: int
    activations: tuple[ActivationMeasures, ...]
    weights: tuple[WatchedWeight, ...]
    attentions: tuple[AttentionMeasures, ...] = ()
    names: tuple[str, ...] = ()

    def values(self, prefix: str = "") -> dict[str, float]:
        """Return every number by its name, such as ``activations/1/skewed_10``.

        Names consist of letters, digits and ``_ . - /``, which TensorBoard, W&B and MLflow take.
        """
        return {f"{prefix}{name}": value for name, value in self._values()}

    def _values(self) -> Iterator[tuple[str, float]]:
        for name, activation in zip(self.names, self.activations, strict=True):
            yield from _numbers(f"activations/{legal(name)}", activation, _ACTIVATION)
        for weight in self.weights:
            yield from _numbers(f"weights/{legal(weight.name)}", weight, _WEIGHT)
        labels = numbered(attention.path for attention in self.attentions)
        for label, attention in zip(labels, self.attentions, strict=True):
            yield from _numbers(f"attentions/{legal(label)}", attention, ("entropy",))


def _numbers(label: str, record: Any, names: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    for name in names:
        value = getattr(record, name)
        if value is not None:
            yield f"{label}/{name}", float(value)


def legal(name: str) -> str:
    """Return a name of which every tracker can make a path.

    Example:
        >>> legal("attn.in_proj_weight[q]"), legal("")
        ('attn.in_proj_weight.q', 'model')
    """
    marked = re.sub(r"\[([^\[\]]*)\]", r".\1", name)
    return re.sub(r"[^A-Za-z0-9_./-]", "_", marked) or "model"


def numbered(names: Iterable[str]) -> list[str]:
    """Return names with numbers behind those that come several times.

    Example:
        >>> numbered(["relu", "tanh", "relu"])
        ['relu_1', 'tanh', 'relu_2']
    """
    names = list(names)
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(f"{name}_{seen[name]}" if names.count(name) > 1 else name)
    return found
