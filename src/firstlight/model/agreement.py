"""Whether all ranks have made the same plan: the one thing that has to be sent to be known."""

import hashlib
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.model.plan import Plan
from firstlight.model.task import Task


def check_agreement(plan: Plan, group: Any = None) -> None:
    """Raise, on every rank, if the ranks of ``group`` have made different plans.

    Plans are made by each rank alone. They are the same if models, arguments and versions are;
    where that is in doubt (a plan of a sharded model that holds values looks at this rank's), one
    call before ``plan.apply`` tells. It sends a digest of 16 bytes from each rank to all, and so
    every rank of the group must make it.

    Raises:
        FirstlightError: plans differ; the ranks that differ from this one are named.

    Example:
        >>> import firstlight, torch
        >>> from firstlight.model.sharding import check_agreement
        >>> check_agreement(firstlight.plan(torch.nn.Linear(2, 3)))  # alone, it agrees
    """
    if not dist.is_available() or not dist.is_initialized():
        return
    mine = digest(plan)
    found: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(found, mine, group=group)
    others = [rank for rank, digest in enumerate(found) if digest != mine]
    if others:
        raise FirstlightError(
            f"the plan of rank {dist.get_rank(group)} differs from that of ranks {others}; "
            "give every rank the same model, arguments and seed, or plan on the meta device"
        )


def digest(plan: Plan) -> bytes:
    """Return 16 bytes that two plans share if they write the same.

    Example:
        >>> import firstlight, torch
        >>> a, b = (firstlight.plan(torch.nn.Linear(2, 3), "he_normal", seed=s) for s in (0, 1))
        >>> digest(a) == digest(b)
        False
    """
    text = repr((plan.settings["seed"], [_written(task) for task in plan.tasks]))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _written(task: Task) -> tuple[Any, ...]:
    """Return all that what a task writes depends on, as text that every rank writes alike."""
    scheme = task.scheme.name if task.scheme else ""
    options = sorted((name, _text(value)) for name, value in task.options.items())
    shape = task.view.shape if task.view else task.slot.shape
    where = (task.where.position, task.where.depth) if task.where else ()
    value = (task.value, task.rows_value, task.framework)
    return (task.name, shape, scheme, options, where, value)


def _text(value: Any) -> str:
    """Name a function, whose address differs from rank to rank; write any other value out."""
    if isinstance(value, Tensor):
        return repr((tuple(value.shape), str(value.dtype), value.tolist()))
    if callable(value) and not isinstance(value, nn.Module):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    return str(value)
