"""Whether all ranks have made the same plan: the one thing that has to be sent to be known."""

import hashlib
from typing import Any

import torch.distributed as dist

from firstlight.errors import FirstlightError
from firstlight.model.plan import Plan


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
    rows = [
        (row.name, row.shape, row.scheme, sorted(map(str, row.options.items())), row.value)
        for row in plan
    ]
    text = repr((plan.settings["seed"], rows))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
