"""FSDP2's parameters between forward and backward: gathered copies, which are thrown away."""

from torch import nn

from firstlight.init.shards import is_kind


def reshard(model: nn.Module) -> None:
    """Put the sharded parameters back in their place, where a forward has left gathered ones.

    Whatever is written to those is lost when they are freed. No rank waits for another.

    Example:
        >>> reshard(nn.Linear(2, 2))  # of other modules nothing is asked
    """
    for module in model.modules():
        # known by name: importing torch.distributed.fsdp takes longer than most models' start
        if is_kind(type(module), "FSDPModule"):  # type: ignore[arg-type]
            module.reshard()  # type: ignore[operator]
