"""One thing that a plan does: fill a matrix, set a value, or leave a tensor alone."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from firstlight.init import Scheme, Stream
from firstlight.init.schemes import Place
from firstlight.init.shards import is_sharded
from firstlight.model.kinds import Matrix, Value
from firstlight.model.readback import norm
from firstlight.model.slots import Slot
from firstlight.model.trace import Facts, Trace
from firstlight.model.views import WeightView


@dataclass(frozen=True, eq=False)
class Task:
    """What one tensor, or one matrix of it, gets.

    Attributes:
        slot: the tensor.
        view: the matrix, of a tensor that is made of some.
        scheme: what fills the matrix; None leaves it alone, or sets ``value``.
        options: of the scheme.
        value: what a bias or norm is set to; None leaves it alone.
        rows_value: what the rows in the slot's treatment get instead.
        where: position, depth and seed.
        reason: why.
        blocked: why it can't be written now, or "".
        framework: whether the framework's own start is to fill it, after ``to_empty``.
    """

    slot: Slot
    view: WeightView | None = None
    scheme: Scheme | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None
    rows_value: float | None = None
    where: "Where | None" = None
    reason: str = ""
    blocked: str = ""
    framework: bool = False

    @property
    def name(self) -> str:
        """Name of the matrix or tensor."""
        return self.view.name if self.view else self.slot.name

    @property
    def writes(self) -> bool:
        """Whether the task changes anything."""
        return self.scheme is not None or self.value is not None

    def place(self) -> Place:
        """Say where the matrix stands, with a fresh stream of random numbers."""
        assert self.where is not None
        assert self.view is not None
        return self.where.place(self.view)


@dataclass(frozen=True)
class Where:
    """Where a matrix stands in its network."""

    position: Any
    depth: int
    seed: int

    def place(self, view: WeightView) -> Place:
        """Return the place; its random numbers depend on seed and name alone."""
        digest = hashlib.blake2b(f"{self.seed}:{view.name}".encode(), digest_size=12).digest()
        return Place(
            position=self.position,
            depth=self.depth,
            layer=int.from_bytes(digest[8:], "little"),
            stream=Stream.named(self.seed, view.name),
            depthwise=view.depthwise,
        )


def assignment(task: Task, trace: Trace) -> dict[str, Any]:
    """Return the row of a task, as the fields of an ``Assignment``."""
    tensor = task.slot.tensor
    known = trace.facts.get(task.slot.name) if task.view else None
    shape = task.view.shape if task.view else task.slot.shape
    std = _std(task, tensor)
    fan_in = math.prod(shape[1:]) if task.view and len(shape) > 1 else None
    return {
        "name": task.name,
        "names": task.slot.names,
        "kind": task.slot.treatment.kind,
        "shape": shape,
        "dtype": str(tensor.dtype).removeprefix("torch.") if tensor is not None else "",
        "scheme": _scheme(task),
        "options": dict(task.options),
        "reason": task.blocked or _reason(task),
        "through": task.slot.storage.through if task.slot.storage else "",
        "fan_in": fan_in,
        "fan_out": shape[0] * math.prod(shape[2:]) if fan_in is not None else None,
        "gain": std * math.sqrt(fan_in) if std is not None and fan_in else None,
        "std": std,
        "value": task.value,
        "rows_value": task.rows_value,
        **_around(known, trace),
    }


def _around(known: Facts | None, trace: Trace) -> dict[str, str]:
    if known is None:
        return {}
    return {
        "reads": known.reads,
        "before": known.before.name if known.before else "",
        "after": known.after.name if known.after else "",
        "feeds": known.feeds,
        "learnt": trace.how,
    }


def _reason(task: Task) -> str:
    """Return why, and what the scheme found at the weight's place."""
    note = task.scheme.note_of(task.place(), task.options) if task.scheme else ""
    return f"{task.reason}; {note}" if note else task.reason


def _scheme(task: Task) -> str | None:
    if task.scheme is not None:
        return task.scheme.name
    return None if task.value is None else "constant"


#: Parametrizations behind which a weight is what was written to it; "" is none at all.
_FAITHFUL = ("", "WeightNorm", "weight_norm", "its shards")


def _std(task: Task, tensor: Tensor | None) -> float | None:
    """Return the root mean square after the plan: computed where it writes, else measured."""
    if task.value is not None:
        return abs(task.value) if task.rows_value is None else None
    if task.scheme is not None:
        assert task.view is not None
        through = task.slot.storage.through if task.slot.storage else ""
        if through not in _FAITHFUL or task.scheme.data_driven:
            return None
        std = task.scheme.std(task.view.shape, task.place(), task.options)
        return None if math.isnan(std) else std
    if task.view is None or task.view.blocked or tensor is None or tensor.is_meta:
        return None
    if not isinstance(task.slot.treatment, (Matrix, Value)) or is_sharded(tensor):
        return None  # a shard's values say nothing of the whole, and asking the others costs
    return root_mean_square(task.view.weight)


def root_mean_square(tensor: Tensor) -> float:
    """Return sqrt(E[w^2]), summed in float32 or float64.

    Example:
        >>> import torch
        >>> root_mean_square(torch.full((4,), -3.0))
        3.0
    """
    return norm(tensor) / math.sqrt(max(tensor.numel(), 1))
