"""The padding row of a sharded embedding, reached where it lies: torch would gather the table."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from firstlight.init.shards import held, is_sharded, own_part
from firstlight.model.parameter_draws import memory


def padding_rows(modules: Iterable[nn.Module]) -> dict[Any, int]:
    """Return the padding row of every embedding whose table is sharded, by where that lies."""
    tables = [m for m in modules if isinstance(m, (nn.Embedding, nn.EmbeddingBag))]
    return {
        place(table.weight): table.padding_idx
        for table in tables
        if table.padding_idx is not None and is_sharded(table.weight) and not table.weight.is_meta
    }


def own_row(table: Any, row: int) -> Tensor:
    """Return of a DTensor's row what this rank holds, if anything.

    Whatever sets it to zero reaches the table so, and not a copy of the row.
    """
    from torch.distributed.tensor import DTensor, Replicate

    local, where = own_part(table), (held(table)[0] == row).nonzero()
    mine = local[int(where)] if len(where) else local[:0]
    everywhere = [Replicate()] * table.device_mesh.ndim
    shape, stride = table.shape[1:], table.stride()[1:]
    return DTensor.from_local(mine, table.device_mesh, everywhere, shape=shape, stride=stride)


def place(table: Tensor) -> tuple[Any, ...]:
    """Return where a sharded table lies; of one of which this rank holds nothing, its shape."""
    return memory(table) if own_part(table).numel() else tuple(table.shape)
