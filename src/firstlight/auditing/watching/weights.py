"""The weights at a watched step: what they are, and by how much the step changes them."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from firstlight.auditing.probe import norm
from firstlight.auditing.watching.watched import WatchedWeight
from firstlight.auditing.weights import measure_weights
from firstlight.model.views import WeightView

#: Entries of a matrix by which its change is told: their ratio is that of all to about a percent.
_ENTRIES = 1 << 16
_DETAILS = (
    "zero_rows",
    "constant_rows",
    "twin_rows",
    "rank",
    "full_rank",
    "stable_rank",
    "condition",
    "edge",
)


class WeightLook:
    """The weights that a forward pass reads, and what becomes of them in its step.

    Attributes:
        sharded: whether some were left out, of which each process has a part.
    """

    @torch.no_grad()
    def __init__(self, views: list[WeightView], *, everything: bool) -> None:
        self.sharded = any(_sharded(view) for view in views)
        self._views = [view for view in views if _readable(view)]
        self._found = [_measure(view) for view in self._views]
        if everything:
            self._found = _with_details(self._found, self._views)
        self._before = [_sample(view) for view in self._views]
        self._gradients: dict[int, float] = {}
        stored = [parameter for view in self._views for parameter in _stored(view)]
        self._known = {id(parameter) for parameter in stored}
        self._waiting = {id(parameter) for parameter in stored if parameter.requires_grad}

    @property
    def changed(self) -> bool:
        """Whether every weight that trains has had its update."""
        return not self._waiting

    @torch.no_grad()
    def gradients(self, parameters: Iterable[Tensor], scale: float = 1.0) -> None:
        """Read the gradients that an update is about to use; the first reading counts."""
        for parameter in parameters:
            wanted = id(parameter) in self._known and id(parameter) not in self._gradients
            gradient = parameter.grad if wanted else None
            if gradient is not None:
                values = gradient.coalesce().values() if gradient.is_sparse else gradient
                self._gradients[id(parameter)] = norm(values) / scale

    def updated(self, parameters: Iterable[Tensor]) -> None:
        """Note that an update of these is over."""
        self._waiting -= {id(parameter) for parameter in parameters}

    @torch.no_grad()
    def result(self, *, stepped: bool) -> tuple[WatchedWeight, ...]:
        """Return what is known; ``stepped`` says that there was an update."""
        return tuple(
            replace(
                found,
                gradient_norm=self._gradient(view),
                update_ratio=_ratio(before, _sample(view)) if stepped else None,
            )
            for found, view, before in zip(self._found, self._views, self._before, strict=True)
        )

    def _gradient(self, view: WeightView) -> float | None:
        norms = [self._gradients[id(p)] for p in _stored(view) if id(p) in self._gradients]
        return math.hypot(*norms) if norms else None


def _stored(view: WeightView) -> list[Tensor]:
    return view.slot.storage.stored() if view.slot.storage is not None else []


def _sharded(view: WeightView) -> bool:
    return any(type(parameter).__name__ == "DTensor" for parameter in _stored(view))


def _readable(view: WeightView) -> bool:
    if view.blocked or _sharded(view):
        return False
    return not view.weight.is_meta and view.weight.is_floating_point()


def _measure(view: WeightView) -> WatchedWeight:
    matrix = view.weight.detach()
    matrix = matrix.reshape(len(matrix), -1)
    rms = norm(matrix) / math.sqrt(max(matrix.numel(), 1))
    kind = torch.float64 if matrix.dtype == torch.float64 else torch.float32
    sums = norm(matrix.sum(1, dtype=kind)) / math.sqrt(max(len(matrix), 1))
    independent = rms * math.sqrt(matrix.shape[1])
    return WatchedWeight(view.name, view.slot.name, rms, sums / independent if independent else 0.0)


def _with_details(found: list[WatchedWeight], views: list[WeightView]) -> list[WatchedWeight]:
    known: dict[str, Any] = {one.name: one for one in measure_weights(views, {})}
    return [
        replace(one, **{name: getattr(known[one.name], name) for name in _DETAILS})
        if one.name in known
        else one
        for one in found
    ]


def _sample(view: WeightView) -> Tensor:
    """Copy some entries, from all rows and columns alike."""
    matrix = view.weight.detach()
    flat = matrix.reshape(-1)
    step = max(1, math.ceil(flat.numel() / _ENTRIES))
    columns = max(1, flat.numel() // max(len(matrix), 1))
    while step > 1 and math.gcd(step, columns) > 1:
        step += 1
    kind = torch.float64 if matrix.dtype == torch.float64 else torch.float32
    return flat[::step].to(kind, copy=True)


def _ratio(before: Tensor, after: Tensor) -> float | None:
    size = norm(before)
    return norm(after - before) / size if size else None
