"""Deciding on every tensor of a model: what the user asked for, what must stay, what auto takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from torch import nn

from firstlight.errors import OptionError, number
from firstlight.init import SCHEMES, Scheme
from firstlight.init.shards import own_part
from firstlight.model.framework import has_start
from firstlight.model.kinds import Kept, Matrix, Value
from firstlight.model.leave import (
    EXCLUDED,
    LOADED,
    all_zero,
    copied_from_checkpoint,
    shared_memory,
    why_left_alone,
)
from firstlight.model.names import unwrapped
from firstlight.model.odd_sigmoid import odd_sigmoid_at
from firstlight.model.overrides import Override, Overrides
from firstlight.model.patterns import Patterns
from firstlight.model.plan import Plan
from firstlight.model.refusals import check_parallel, check_value, why_nothing
from firstlight.model.resharding import reshard
from firstlight.model.rules import rule_for, why
from firstlight.model.setting import Setting
from firstlight.model.slots import Slot, lazy, slots
from firstlight.model.task import Task, Where
from firstlight.model.trace import Trace, trace
from firstlight.model.views import WeightView, slot_views, why_blocked

FRAMEWORKS = "the framework's start stays, as for its weights"
NOT_INCLUDED = "not included"


@dataclass(frozen=True)
class Asked:
    """What the user asked for, as ``firstlight.plan`` takes it; ``scheme`` is None for auto."""

    name: str
    scheme: Scheme | None
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Any = None
    include: Any = ()
    exclude: Any = ()
    seed: int = 0
    example: Any = None
    forget_bias: float | None = None
    empty: bool = False


class Planner:
    """Decides on every tensor of one model."""

    def __init__(self, model: nn.Module, asked: Asked) -> None:
        self.model, self.asked = model, asked
        reshard(model)  # FSDP's gathered copies have the dtype of its passes, and are thrown away
        self.slots = slots(model)
        check_parallel(model, self.slots, asked.scheme)
        self.views = _views(self.slots)
        named = [
            (slot, [view.name for view in self.views.get(slot.name, [])]) for slot in self.slots
        ]
        self.overrides = Overrides(asked.overrides, named)
        self._take_for_matrices()
        if not any(map(_role, self.slots)):
            raise OptionError(
                "the model has no Linear, convolution, attention or recurrent weight to initialize"
                + why_nothing(model, self.slots)
            )
        self.include = Patterns("include", asked.include, named)
        self.include.check_useful(named)
        self.exclude = Patterns("exclude", asked.exclude, named)
        self.forget_bias = self._forget_bias(asked.forget_bias)
        tensors = (slot.tensor for slot in self.slots)
        self.empty = asked.empty or any(t.is_meta for t in tensors if t is not None)
        self.shared = {} if self.empty else shared_memory(self.slots)
        self.copied = copied_from_checkpoint(unwrapped(model))
        self._tried: list[tuple[Any, ...]] = []
        self.filled: set[int] = set()  # modules whose weights get a new start
        self.last = max((v.index for vs in self.views.values() for v in vs), default=0)

    def _take_for_matrices(self) -> None:
        """Take a parameter of no known layer for a matrix (out, in) where a scheme is given it."""
        for place, slot in enumerate(self.slots):
            override = self.overrides.find(slot)
            if override is None or override.scheme is None or not isinstance(slot.treatment, Kept):
                continue
            tensor = slot.tensor
            if slot.buffer or tensor is None or tensor.ndim < 2:
                raise OptionError(
                    f"overrides[{override.text!r}]: {slot.name} is no weight matrix; "
                    "give a number or 'keep'"
                )
            taken = replace(slot, treatment=Matrix("parameter"))
            self.slots[place] = taken
            self.views[slot.name] = list(slot_views(taken, len(self.views)))

    def plan(self) -> Plan:
        """Return the plan: matrices first, since biases go with their weights."""
        matrices = {s.name: list(self._tasks(s)) for s in self.slots if s.name in self.views}
        self.filled = {
            id(task.slot.module) for made in matrices.values() for task in made if task.writes
        }
        tasks = [t for s in self.slots for t in matrices.get(s.name) or self._tasks(s)]
        settings = {"scheme": self.asked.name, "seed": self.asked.seed, **self.asked.options}
        return Plan(
            self.model, tasks, lambda: self.trace, settings | self._besides(), self.asked.example
        )

    def _besides(self) -> dict[str, Any]:
        """Return what else the plan was asked for, as text where it is no plain value."""
        besides: dict[str, Any] = {"empty": True} if self.empty else {}
        for what, patterns in (("include", self.include), ("exclude", self.exclude)):
            if patterns:
                besides[what] = [each.text for each in patterns.all]
        if self.overrides.all:
            besides["overrides"] = [override.text for override in self.overrides.all]
        if self.forget_bias is not None:
            besides["forget_bias"] = self.forget_bias
        return besides

    @cached_property
    def trace(self) -> Trace:
        """What the network around the weights is like; learnt when it is first asked for."""
        return trace(self.model, self.asked.example, self.slots)

    def _forget_bias(self, value: float | None) -> float | None:
        if value is None:
            return None
        if not any(isinstance(s.treatment, Value) and s.treatment.rows for s in self.slots):
            raise OptionError("forget_bias is for LSTMs with biases, and the model has none")
        return number(value, "forget_bias")

    def _tasks(self, slot: Slot) -> Iterator[Task]:
        views = self.views.get(slot.name)
        made = [self._single(slot)] if views is None else [self._matrix(slot, v) for v in views]
        for task in made:
            self._validate(task)
            yield self._framework(task)

    def _framework(self, task: Task) -> Task:
        """Leave what an empty model's plan does not write to the framework's own start."""
        if not self.empty or task.writes or task.reason == EXCLUDED:
            return task
        made = task.slot.treatment.kind == "parametrization" and not task.slot.buffer
        if task.slot.storage is None or made:  # what makes a weight is written through it
            return task
        after = "its layer's own start, after to_empty"
        if not has_start(self.model, task.slot):
            usual = task.slot.treatment
            if isinstance(usual, Value):
                reason = f"{usual.kind} starts at {usual.value:g}: nobody else fills it"
                return replace(task, value=usual.value, reason=reason)
            after = "nobody fills it after to_empty"
        return replace(task, framework=True, reason=f"{task.reason}; {after}")

    def _single(self, slot: Slot) -> Task:
        """Decide on a bias, a norm, or something that is left alone."""
        reason = self._left_alone(slot, slot.name)
        if reason:
            return Task(slot, reason=reason)
        override = self.overrides.find(slot)
        if override is not None:
            return self._override_value(slot, override)
        assert isinstance(slot.treatment, Value)
        assert slot.tensor is not None
        cannot = why_blocked(slot, slot.tensor)
        if cannot:
            return Task(slot, reason=cannot, blocked=_waits(slot))
        rows_value = self.forget_bias if slot.treatment.rows else None
        if self.asked.scheme is None and rows_value is None and id(slot.module) not in self.filled:
            return Task(slot, reason=FRAMEWORKS)  # auto: biases go with their weights
        said = "starts at" if rows_value is None else f"forget gates at {rows_value:g}, else"
        reason = f"{slot.treatment.kind} {said} {slot.treatment.value:g}"
        return Task(slot, value=slot.treatment.value, rows_value=rows_value, reason=reason)

    def _override_value(self, slot: Slot, override: Override) -> Task:
        """Set a tensor to the number that the user gave for it."""
        if override.value is None:
            raise OptionError(
                f"overrides[{override.text!r}]: {slot.name} is no weight matrix; "
                "give a number or 'keep'"
            )
        assert slot.tensor is not None
        check_value(override, slot.tensor.dtype)
        return Task(
            slot,
            value=override.value,
            rows_value=override.rows_value,
            reason=f"override {override.text}",
            blocked=_waits(slot),
        )

    def _matrix(self, slot: Slot, view: WeightView) -> Task:
        override = self.overrides.find(slot, view.name)
        reason = self._left_alone(slot, view.name)
        if reason:
            return Task(slot, view, reason=reason)
        if view.blocked:
            waits = _waits(slot)
            return Task(slot, view, reason=view.blocked, blocked=waits)
        if override is not None and override.scheme is None:
            raise OptionError(f"overrides[{override.text!r}]: {view.name} takes a scheme or 'keep'")
        if override is not None and override.scheme is not None:
            return self._fill(view, override.scheme, override.options, f"override {override.text}")
        if self.asked.scheme is not None and view.role == "recurrent":
            return self._fill(view, SCHEMES["orthogonal"], {}, "a layer's own past: orthogonal")
        if self.asked.scheme is not None:
            reason = self._asked_for(view, self.asked.scheme)
            return self._fill(view, self.asked.scheme, self.asked.options, reason)
        return self._auto(view)

    def _asked_for(self, view: WeightView, scheme: Scheme) -> str:
        if scheme.feedforward and view.kind.startswith("recurrent"):
            raise OptionError(
                f"{view.name}: scheme {scheme.name!r} counts layers, not steps in time, and is no "
                "start for a recurrent layer; give this weight another scheme in overrides, such "
                "as 'orthogonal'"
            )
        if scheme.branch_note:  # else the network need not be traced
            known = self.trace.facts.get(view.slot.name)
            if known is not None and known.feeds == "residual":
                return f"as asked, but {scheme.branch_note}"
        return "as asked"

    def _auto(self, view: WeightView) -> Task:
        known = self.trace.facts.get(view.slot.name)
        setting = Setting(view, known, self.trace, lambda: self.zero_branches)
        rule = rule_for(setting)
        if rule is None or rule.scheme is None:
            return Task(view.slot, view, reason=why(rule))
        task = self._fill(view, SCHEMES[rule.scheme], rule.options(setting), why(rule))
        try:
            self._validate(task)
        except OptionError as error:
            return Task(view.slot, view, reason=f"{why(rule)}, but {error}")
        return task

    @cached_property
    def zero_branches(self) -> bool:
        """Whether weights at the ends of residual branches are zero."""
        ends = [
            slot
            for slot in self.slots
            if (known := self.trace.facts.get(slot.name)) and isinstance(slot.treatment, Matrix)
            if known.feeds == "residual" and slot.storage
        ]
        for slot in () if self.empty else ends:
            if slot.spread and slot.tensor is not None and not own_part(slot.tensor).numel():
                raise OptionError(
                    f"this rank holds no entry of {slot.name}, so it cannot tell, as the others "
                    "can, whether the branch starts closed; plan the model on the meta device, "
                    "before it is sharded, and apply the plan to the sharded one"
                )
        return any(all_zero(slot.storage.stored()[0]) for slot in ends if slot.storage)

    def _fill(
        self, view: WeightView, scheme: Scheme, options: Mapping[str, Any], reason: str
    ) -> Task:
        where = Where(self._position(view, scheme), self._depth(view, scheme), self.asked.seed)
        options = {**options, **self._from_network(view, scheme, options)}
        return Task(view.slot, view, scheme, options, where=where, reason=reason)

    def _from_network(
        self, view: WeightView, scheme: Scheme, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the options that the network around a weight answers, where the user did not."""
        if "activation" not in scheme.traced - set(options):
            return {}
        facts = self.trace.facts.get(view.slot.name)
        try:
            return {"activation": odd_sigmoid_at(facts, self.trace)}
        except OptionError as error:
            raise OptionError(
                f"{view.name}: scheme {scheme.name!r} {error}; give activation='tanh', say, or "
                "this weight another scheme in overrides"
            ) from error

    def _position(self, view: WeightView, scheme: Scheme) -> str:
        """Return where the weight stands: by the data's way, or else by registration."""
        if not scheme.positional:
            return "hidden"
        known = self.trace.facts.get(view.slot.name)
        if known is not None:
            last = known.height == 0 and known.depth > 0
            return "first" if known.depth == 0 else "last" if last else "hidden"
        return "first" if view.index == 0 else "last" if view.index == self.last else "hidden"

    def _depth(self, view: WeightView, scheme: Scheme) -> int:
        """Return how many weights lie on the longest way through this one."""
        if not scheme.positional:
            return 1 + self.last
        known = self.trace.facts.get(view.slot.name)
        return known.depth + known.height + 1 if known else self.trace.depth or 1 + self.last

    def _left_alone(self, slot: Slot, name: str) -> str:
        """Return why nothing is written here, or "" where something may be."""
        override: Override | None = self.overrides.find(slot, name)
        if self.exclude(slot, name):
            if override is not None and override.meant.exact:
                raise OptionError(f"{name} stands in overrides and is excluded: drop one of them")
            return EXCLUDED
        if override is not None and override.keeps:
            return f"override {override.text}: keep"
        included = self.include(slot, name)
        if self.include and not included and override is None:
            return NOT_INCLUDED
        if slot.name in self.shared:
            return f"shares memory with {self.shared[slot.name]}"
        if override is not None and override.value is not None and slot.storage is not None:
            return ""  # any tensor can be set to a number
        asked = (included or override is not None) and not isinstance(slot.treatment, Kept)
        if asked:
            return ""
        reason = why_left_alone(slot, empty=self.empty)
        loaded = self.copied and not slot.buffer and not self.empty
        return reason or (LOADED if loaded else "")

    def _validate(self, task: Task) -> None:
        """Try the scheme on none of the weight's rows; once for all weights of one shape."""
        if task.scheme is None or task.view is None or not task.view.shape:
            return
        place = task.place()
        key = (task.scheme.name, task.view.shape, place.position, place.depthwise, task.options)
        if key in self._tried:
            return
        try:
            task.scheme.check_shape_of(task.view.shape, place, task.options)
        except OptionError as error:
            raise OptionError(f"{task.name}: {error}") from error
        self._tried.append(key)


def _role(slot: Slot) -> str:
    return slot.treatment.role if isinstance(slot.treatment, Matrix) else ""


def _views(found: list[Slot]) -> dict[str, list[WeightView]]:
    views: dict[str, list[WeightView]] = {}
    index = 0
    for slot in found:
        if isinstance(slot.treatment, Matrix):
            views[slot.name] = list(slot_views(slot, index))
            index += _role(slot) != "table"
    return views


def _waits(slot: Slot) -> str:
    """Return what must happen before the slot can be written, or ""."""
    tensor = slot.tensor
    assert tensor is not None
    return why_blocked(slot, tensor) if lazy(tensor) else ""
