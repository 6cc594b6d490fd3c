"""Which tensors a plan's tasks are for now: the model may be sharded, or a stage of it."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from torch import nn

from firstlight.errors import FirstlightError
from firstlight.init.shards import is_sharded
from firstlight.model.refusals import check_unparametrized
from firstlight.model.slots import Slot, slots
from firstlight.model.task import Task


def aimed_at(model: nn.Module, tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks of the tensors that ``model`` has, with the places where those lie now.

    Tensors are known by name. The model may hold fewer than were planned, as a pipeline's stage
    does, but none that was not.

    Raises:
        FirstlightError: a tensor was not planned, has another shape, or lies on another mesh than
            the one that the plan was made for.
    """
    by_name = _by_name(tasks)
    found: list[Task] = []
    unknown: list[str] = []
    for slot in slots(model):
        check_unparametrized(slot)
        group = next((by_name[name] for name in slot.names if name in by_name), None)
        if group is None:
            unknown.append(slot.name)
            continue
        moved = _moved(group[0].slot, slot)  # one for all matrices of a tensor: they go together
        found += [_aimed(task, moved) for task in group]
    if unknown:
        raise FirstlightError(_unknown(unknown, list(by_name)))
    return found


def _by_name(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Return the tasks of each tensor by every name of it.

    A name may be one tensor's first and another's second: what weight_norm keeps has names of its
    own, which the weight that it makes bears, too. Then it is the first one's.
    """
    groups: dict[int, list[Task]] = {}
    for task in tasks:
        groups.setdefault(id(task.slot), []).append(task)
    by_name = {group[0].slot.name: group for group in groups.values()}
    for group in groups.values():
        for name in group[0].slot.names:
            by_name.setdefault(name, group)
    return by_name


def _unknown(unknown: list[str], planned: list[str]) -> str:
    close = get_close_matches(unknown[0], planned, 1)
    near = f"; it has {close[0]!r}" if close else ""
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return (
        f"the plan knows no {unknown[0]!r}{more}{near}. Weights depend on names: if it was renamed "
        "since, or the model is another one, make a new plan"
    )


def _moved(planned: Slot, now: Slot) -> Slot:
    """Return the planned slot where the tensor lies now."""
    if planned.spread and planned.spread != now.spread:
        there = now.spread or "no mesh"
        raise FirstlightError(
            f"{planned.name} lay on {planned.spread} when the plan was made, and lies on {there} "
            "now; make a new plan"
        )
    if planned.shape != now.shape:
        raise FirstlightError(
            f"{planned.name} had shape {planned.shape} when the plan was made, now it is "
            f"{now.shape}; make a new plan"
        )
    untied = len(planned.names) > 1 and planned.module is not now.module
    owner = planned.storage if untied and planned.storage and planned.storage.own else None
    return replace(planned, storage=now.storage, spread=now.spread, owner=owner)


def _aimed(task: Task, slot: Slot) -> Task:
    return replace(task, slot=slot, view=replace(task.view, slot=slot) if task.view else None)


def is_spread(model: nn.Module) -> bool:
    """Return whether a model has DTensors among its parameters or buffers."""
    return any(is_sharded(t) for t in (*model.parameters(), *model.buffers()))
