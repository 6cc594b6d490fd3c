"""What theory says the measures should be, from the weights and the inputs' mean and variance."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from firstlight import theory
from firstlight.auditing.features import Features
from firstlight.auditing.signal import Scale
from firstlight.auditing.sites import Site
from firstlight.errors import FirstlightError
from firstlight.model.slots import Slot
from firstlight.model.views import WeightView


@dataclass(frozen=True, eq=False)
class Layer:
    """A weight matrix (m, n) with its bias, as theory needs them.

    Attributes:
        parameter: the weight's name.
        matrix: float32, kernels flattened.
        bias: (m,); None without one.
    """

    parameter: str
    matrix: Tensor
    bias: Tensor | None

    @property
    def inputs(self) -> int:
        """n, the fan-in."""
        return self.matrix.shape[1]

    @cached_property  # a pass over the matrix, asked for several times
    def rms(self) -> float:
        """Root mean square of the entries."""
        return float(self.matrix.norm()) / math.sqrt(self.matrix.numel())

    @property
    def sound(self) -> bool:
        """Whether theory can be asked: the entries are finite, and not all zero."""
        return 0 < self.rms < math.inf


class Layers:
    """The layers of a model by the names that a graph's node reads."""

    def __init__(self, views: list[WeightView], slots: list[Slot]) -> None:
        self._views: dict[str, list[WeightView]] = {}
        for view in views:
            if not view.blocked and view.role != "table":
                self._views.setdefault(view.slot.name, []).append(view)
        self._slots = {slot.name: slot for slot in slots}

    def weight(self, names: tuple[str, ...]) -> str:
        """Return the parameter that is a weight among some names, "" if there is not just one."""
        found = [name for name in names if name in self._views]
        return found[0] if len(found) == 1 else ""

    def layer(self, names: tuple[str, ...]) -> Layer | None:
        """Return the one weight among some names, groups below each other; None if there is none.

        Where its matrices have unlike fan-ins there is no one theory for all rows, and none either.
        """
        name = self.weight(names)
        rows = [_rows(view) for view in self._views.get(name, [])]
        found = [part for part in rows if part is not None]
        if not found or len(found) < len(rows) or len({part.shape[1] for part in found}) > 1:
            return None
        matrix = torch.cat(found) if len(found) > 1 else found[0]
        return Layer(name, matrix, self._bias(names, name, len(matrix)))

    def _bias(self, names: tuple[str, ...], weight: str, units: int) -> Tensor | None:
        for name in names:
            slot = self._slots.get(name)
            tensor = slot.tensor if slot is not None and name != weight else None
            if tensor is not None and tuple(tensor.shape) == (units,):
                return tensor.detach().float()
        return None


def _rows(view: WeightView) -> Tensor | None:
    weight = view.weight.detach()
    if type(weight).__name__ == "DTensor" or weight.is_meta or not weight.is_floating_point():
        return None
    return weight.reshape(len(weight), -1).float()


def on_probability(layer: Layer, source: Scale, inputs: Features | None) -> Tensor:
    """Return P(z > 0) of each unit: the general form of Theorem 1 of arXiv 2505.12909.

    With the mean and the variance of every input, where they are known one by one.
    """
    known = inputs.taps(layer.inputs) if inputs is not None else None
    if known is None:
        return theory.on_probability_of(layer.matrix, source.mean, source.variance, layer.bias)
    return theory.on_probability_of(layer.matrix, known.mean, known.variance, layer.bias)


def thresholds(layer: Layer, source: Scale) -> tuple[float, float]:
    """Return lambda(0.1) and lambda(0.3), the |S| above which a unit is skewed."""
    first, second = (
        theory.skew_threshold(
            alpha, inputs=layer.inputs, mean=source.mean, std=source.std, weight_std=layer.rms
        )
        for alpha in (0.1, 0.3)
    )
    return first, second


def chi(site: Site, layer: Layer, second_moment: float) -> float | None:
    """Return the mean field's gradient factor, sigma_w^2 E[f'(z)^2] with z ~ N(0, q)."""
    if not 0 < second_moment < math.inf:
        return None
    try:
        slope = theory.squared_slope(site.activation.named, second_moment)
    except FirstlightError:
        return None
    return layer.inputs * layer.rms**2 * slope


def skewed(probability: Tensor, alpha: float) -> float:
    """Return the share of units whose probability is more than alpha from one half.

    Example:
        >>> import torch
        >>> skewed(torch.tensor([0.5, 0.9]), 0.3)
        0.5
    """
    return float(((probability - 0.5).abs() > alpha).double().mean())
