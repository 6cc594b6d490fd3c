"""Whether all ranks have made the same plan: the one thing that has to be sent to be known."""

import hashlib
import sys
from types import CodeType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from firstlight.errors import FirstlightError, OptionError
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
    if not isinstance(plan, Plan):
        raise OptionError(
            f"expected a plan, as firstlight.plan makes it, got {type(plan).__name__}"
        )
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
    own = sys.modules["firstlight"].__version__  # importing it would reach the layers above
    versions = (own, torch.__version__, np.__version__)
    text = repr((versions, plan.settings["seed"], [_written(task) for task in plan.tasks]))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _written(task: Task) -> tuple[Any, ...]:
    """Return all that what a task writes depends on, as text that every rank writes alike."""
    scheme = task.scheme.name if task.scheme else ""
    options = sorted((name, _text(value)) for name, value in task.options.items())
    shape = task.view.shape if task.view else task.slot.shape
    where = (task.where.position, task.where.depth) if task.where else ()
    value = (task.value, task.rows_value, task.framework)
    tensor = task.slot.storage.outline() if task.slot.storage else None
    dtype = str(tensor.dtype) if tensor is not None else ""
    return (task.name, shape, dtype, scheme, options, where, value)


def _text(value: Any) -> str:
    """Name a function, whose address differs from rank to rank; write any other value out."""
    if isinstance(value, Tensor):
        return repr((tuple(value.shape), str(value.dtype), value.tolist()))
    if callable(value) and not isinstance(value, nn.Module):
        code = getattr(value, "__code__", None)  # two lambdas may have one name
        written = (code.co_code, code.co_names, _constants(code)) if code else ()
        return repr((getattr(value, "__module__", ""), getattr(value, "__qualname__", ""), written))
    return str(value)


def _constants(code: CodeType) -> list[Any]:
    """Return a function's numbers and words; what it defines itself would show its address."""
    return [value for value in code.co_consts if not isinstance(value, CodeType)]
