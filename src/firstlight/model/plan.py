"""A plan: what every tensor of a model would get and why, before anything is changed."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from torch import nn

from firstlight.errors import FirstlightError
from firstlight.model.framework import has_start
from firstlight.model.prediction import Prediction, predict
from firstlight.model.refusals import check_module
from firstlight.model.resharding import reshard
from firstlight.model.target import aimed_at, is_spread
from firstlight.model.task import Task, assignment
from firstlight.model.trace import Trace
from firstlight.model.undo import Saved
from firstlight.model.writing import write


@dataclass(frozen=True)
class Assignment:
    """What one tensor, or one matrix of it, gets.

    Attributes:
        name: its first name, with a mark such as [q] where the tensor holds several matrices.
        names: all its names.
        kind: what it is: linear, conv, bias, norm weight, buffer ...
        shape: canonical (out, in, *kernel) for matrices.
        dtype: of the tensor.
        scheme: what fills it; "constant"; None where it is left alone.
        options: of the scheme.
        reason: why, or why it is left alone.
        through: the parametrization that it is written through, if one stands between.
        fan_in: inputs of one output unit.
        fan_out: outputs that one input unit reaches.
        reads: what its input comes from, as far as it was learnt.
        before: the activation that its input comes from.
        after: the activation that follows it.
        feeds: what its output goes into.
        gain: std * sqrt(fan_in).
        std: root mean square of the values that it will have; None where a parametrization
            decides.
        value: what a bias or norm is set to; ``rows_value`` for the forget gates in it.
        learnt: how the facts about the network around it were learnt.
    """

    name: str
    names: tuple[str, ...]
    kind: str
    shape: tuple[int, ...]
    dtype: str
    scheme: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    through: str = ""
    fan_in: int | None = None
    fan_out: int | None = None
    reads: str = ""
    before: str = ""
    after: str = ""
    feeds: str = ""
    gain: float | None = None
    std: float | None = None
    value: float | None = None
    rows_value: float | None = None
    learnt: str = ""


class Plan:
    """What ``initialize`` would do, as a table that can be read, applied and undone.

    Made by ``firstlight.plan``. Nothing is changed before ``apply``.
    """

    def __init__(
        self,
        model: nn.Module,
        tasks: list[Task],
        trace: Callable[[], Trace],
        settings: Mapping[str, Any],
        example: Any = None,
    ) -> None:
        self.model = model
        self.settings = dict(settings)
        self._learn = trace
        #: What is done with each tensor, or each matrix of one, in the model's order.
        self.tasks = tasks
        self._example = example
        self._saved: Saved | None = None
        self._written = model

    @cached_property
    def trace(self) -> Trace:
        """What was learnt of the network around the weights."""
        return self._learn()

    @cached_property
    def assignments(self) -> tuple[Assignment, ...]:
        """A row for every parameter and buffer, in the model's order."""
        return tuple(Assignment(**assignment(task, self.trace)) for task in self.tasks)

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """The second moment at the input of every activation that was traced, or why not."""
        return predict(self.tasks, self.trace, self._example)

    @property
    def blocked(self) -> dict[str, str]:
        """Why ``apply`` would be refused now, by name; empty where it would not."""
        blocked = {task.name: task.blocked for task in self.tasks if task.blocked}
        for task in self.tasks:
            tensor = task.slot.tensor
            if task.writes and tensor is not None and tensor.is_meta:
                blocked[task.name] = "is on the meta device; call module.to_empty(device=...) first"
        return blocked

    @property
    def unfilled(self) -> tuple[str, ...]:
        """Names of what nobody fills once the model went through ``to_empty``."""
        return tuple(
            task.name
            for task in self.tasks
            if task.framework and not has_start(self.model, task.slot)
        )

    def __iter__(self) -> Iterator[Assignment]:
        return iter(self.assignments)

    def __len__(self) -> int:
        return len(self.tasks)

    def __getitem__(self, name: str) -> Assignment:
        """Return the row of a parameter by any of its names."""
        for row in self.assignments:
            if name == row.name or name in row.names:
                return row
        raise FirstlightError(f"the plan has no parameter {name!r}")

    def apply(self, model: nn.Module | None = None, *, undo: bool = True) -> nn.Module:
        """Write what the plan says: all of it, or nothing.

        Args:
            model: what to write it into, if not the model that it was made for: one whose tensors
                have the same names and shapes, or a part of it, such as a pipeline's stage. It may
                be sharded; every rank then writes what it holds, and nothing is sent.
            undo: whether to keep a copy of what is overwritten, for ``undo`` and for failures on
                the way. Without one, whatever can fail is tried before the first write; only a
                layer's own start, after ``to_empty``, can fail later, and leaves NaN.

        Returns:
            The model.

        Raises:
            FirstlightError: a tensor cannot be written (on the meta device, without a shape), has
                changed its shape, name or mesh since, or a write did not land. The model is as
                it was.

        Example:
            >>> from torch import nn
            >>> plan = firstlight.plan(nn.Linear(3, 2), "zero")
            >>> plan.apply().weight.tolist()
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
        """
        seed = self.settings["seed"]
        target = self.model if model is None else model
        check_module(target)
        reshard(target)
        tasks = self.tasks
        elsewhere = model is not None or "empty" in self.settings  # to_empty unties weights
        if elsewhere or any(task.slot.spread for task in tasks) or is_spread(target):
            tasks = aimed_at(target, tasks)
        saved = write(target, tasks, self._example, keep=undo, planned=self.model, seed=seed)
        if undo and (self._saved is None or target is not self._written):
            self._saved = saved  # applied twice, it still undoes to the first state
            self._written = target
        return target

    def undo(self) -> nn.Module:
        """Put back, bit for bit, what ``apply`` found.

        Raises:
            FirstlightError: the plan was not applied, or without a copy, or was undone before, or
                a parameter is another tensor since.

        Example:
            >>> import torch
            >>> layer = torch.nn.Linear(3, 2)
            >>> before = layer.weight.detach().clone()
            >>> plan = firstlight.plan(layer, "zero")
            >>> torch.equal(plan.apply().weight, before), torch.equal(plan.undo().weight, before)
            (False, True)
        """
        if self._saved is None:
            raise FirstlightError("nothing to undo: the plan was not applied, or not with a copy")
        reshard(self._written)
        if self._saved.moved:
            raise FirstlightError(
                f"cannot undo: {self._saved.moved[0]} was replaced by another tensor since"
            )
        self._saved.restore()
        self._saved = None
        return self._written

    def __str__(self) -> str:
        from firstlight.model.plan_table import table

        return table(self)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values.

        Example:
            >>> from torch import nn
            >>> firstlight.plan(nn.Linear(3, 2), "zero").to_dict()["settings"]["scheme"]
            'zero'
        """
        rows = [{f.name: _plain(getattr(row, f.name)) for f in fields(row)} for row in self]
        predictions = [asdict(prediction) for prediction in self.predictions]
        return {
            "settings": {key: _plain(value) for key, value in self.settings.items()},
            "trace": self.trace.how,
            "assignments": rows,
            "predictions": predictions,
        }

    def to_json(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, default=str)

    def to_yaml(self) -> str:
        """Return the plan as overrides in YAML, to be edited and passed to ``plan`` again.

        Example:
            >>> from torch import nn
            >>> print(firstlight.plan(nn.Linear(3, 2), "zero").to_yaml())
            # scheme zero, seed 0
            overrides:
              weight: zero
              bias: 0.0
            <BLANKLINE>
        """
        from firstlight.model.plan_yaml import to_yaml

        return to_yaml(self)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return getattr(value, "__name__", str(value))
