"""Second moments at the activations' inputs, predicted from the plan before it is applied."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from firstlight.init.shards import is_sharded
from firstlight.model.moments.density import Density
from firstlight.model.moments.propagate import Moments, Planned, propagate
from firstlight.model.moments.weights import WeightStatistics, planned_statistics
from firstlight.model.task import Task
from firstlight.model.trace import Trace
from firstlight.model.trace.chain import Chains
from firstlight.model.trace.graph import Graph

#: Relative standard deviation, over draws of the weights, from which nothing is predicted.
MAX_DEVIATION = 0.1


@dataclass(frozen=True)
class Prediction:
    """What the input of one activation will be like.

    Attributes:
        path: the module in which the activation stands.
        activation: its name.
        second_moment: E[z^2] at its input; None where it cannot be predicted.
        reason: why it cannot, or "".
    """

    path: str
    activation: str
    second_moment: float | None
    reason: str = ""


def predict(tasks: list[Task], trace: Trace, example: Any) -> tuple[Prediction, ...]:
    """Return a prediction for every activation of the trace, in the order of execution.

    Without an example the data is taken to have mean 0 and second moment 1 in every element.
    """
    if trace.graph is None:
        return ()
    graph = trace.graph
    fitted = any(task.scheme is not None and task.scheme.data_driven for task in tasks)
    tensors = _tensors(tasks)
    chains = Chains(graph, tensors)
    planned = _planned(tasks, tensors)
    moments = propagate(graph, chains, planned, _inputs(graph, example))
    found = []
    for index in sorted(trace.activations):
        site = trace.activations[index]
        here = moments[site.root]
        second, reason = (None, here) if isinstance(here, str) else _certain(here)
        if fitted:
            second, reason = None, "the weights are fitted to the batch when they are written"
        found.append(Prediction(site.path, site.name, second, reason))
    return tuple(found)


def _certain(here: Density) -> tuple[float | None, str]:
    """Return the second moment, or that chance decides on it more than anything else."""
    if not math.isfinite(here.second):
        return None, "the batch holds no finite values"
    deviation = math.sqrt(here.spread)
    if deviation <= MAX_DEVIATION:
        return here.second, ""
    return None, (
        f"at this width and depth chance decides: over draws of the weights it varies by "
        f"{deviation:.0%}"
    )


def _tensors(tasks: list[Task]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for task in tasks:
        if task.slot.name not in found and task.slot.storage is not None:
            tensor = task.slot.tensor
            if tensor is not None and not is_sharded(tensor):
                found[task.slot.name] = tensor
    return found


def _planned(tasks: list[Task], tensors: Mapping[str, Tensor]) -> Planned:
    by_name = {name: list(group) for name, group in groupby(tasks, key=lambda task: task.slot.name)}

    @cache
    def weights(name: str) -> list[WeightStatistics] | str | None:
        group = by_name.get(name, [])
        if not group or group[0].view is None or group[0].view.role == "table":
            return None
        return planned_statistics(group)

    def squares(name: str) -> float | None:
        group = by_name.get(name, [])
        if group and group[0].value is not None:
            return group[0].value ** 2
        tensor = tensors.get(name)
        if tensor is None or tensor.is_meta or not tensor.numel() or tensor.is_complex():
            return None
        return float(tensor.float().square().mean())

    owners = {name: group[0].slot.module for name, group in by_name.items() if group[0].slot.module}
    return Planned(weights, squares, owners)


def _inputs(graph: Graph, example: Any) -> dict[int, Moments]:
    """Return the moments of the batch, or of the standard normal data taken for one."""
    nodes = [node for node in graph.nodes if node.category == "input"]
    batch = _leaves(example)
    if len(batch) != len(nodes):
        return {node.index: Density.gaussian(1.0) for node in nodes}
    return {node.index: _measured(x) for node, x in zip(nodes, batch, strict=True)}


def _leaves(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _leaves(part)]
    return []


def _measured(x: Tensor) -> Moments:
    if not x.is_floating_point():
        return "whole numbers, not a signal"
    if x.is_meta:
        return Density.gaussian(1.0)
    values = x.detach().double().cpu()
    second = float(values.square().mean())
    # features lie last in rows of features, and second in images
    axis = -1 if values.ndim <= 3 else 1
    common = _common(values, axis, second) if values.ndim > 1 else 0.0
    mean = float(values.mean())
    spread = math.sqrt(max(second - mean**2, 0.0))
    shape = Density.gaussian(1.0).shape
    if spread > 0:
        quantiles = torch.linspace(0, 1, len(shape) + 2, dtype=torch.float64)[1:-1]
        sample = values.flatten()[:: max(1, values.numel() // 100_000)]
        shape = (torch.quantile(sample, quantiles).numpy() - mean) / spread
    others = [i for i in range(values.ndim) if i != axis % values.ndim] if values.ndim > 1 else [0]
    cross = float(values.mean(others).square().mean())
    return Density(mean, second, common, shape, cross, _angle(values, axis))


def _common(values: Tensor, axis: int, second: float) -> float:
    """Return what features have in common beyond what so few of them share by chance."""
    features = values.shape[axis]
    if features < 2:
        return second
    seen = float(values.mean(axis).square().mean())
    return max((seen - second / features) / (1 - 1 / features), 0.0)


def _angle(values: Tensor, axis: int) -> float:
    """Return the mean squared cosine between the features of a few samples."""
    rows = values.movedim(axis, -1).flatten(0, -2) if values.ndim > 1 else values[:, None]
    if values.ndim > 3:  # what a convolution reads is a patch, more like an image than a pixel
        rows = values.flatten(1)
    rows = rows[:: max(1, len(rows) // 64)]
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-30)
    squares = (rows @ rows.T).square()
    others = len(rows) * (len(rows) - 1)  # a sample's angle to itself is no matter
    return float(squares.sum() - squares.diagonal().sum()) / others if others else 1.0
