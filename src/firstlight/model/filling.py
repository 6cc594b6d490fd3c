"""Filling one tensor of a model: all of it, or of a DTensor what this rank holds."""

from dataclasses import replace

import torch
from torch import Tensor

from firstlight.model.kinds import Matrix, Value
from firstlight.model.layout import Layout, layouts
from firstlight.model.readback import Landed, remember
from firstlight.model.slots import Slot
from firstlight.model.storage import Sharded
from firstlight.model.task import Task
from firstlight.model.views import parts


def fill(slot: Slot, group: list[Task]) -> Landed:
    """Write the tasks of one tensor; return what it must now hold."""
    assert slot.storage is not None
    if isinstance(slot.storage, Sharded):
        _fill_shards(slot, slot.storage, group)
        # a rank may well hold zeros alone: of the identity's blocks, most
        return remember(slot.storage.shard(), zero=True)
    with slot.edit() as value:
        _fill_value(slot, group, value)
        landed = remember(value, zero=_may_be_zero(group))
    if slot.storage.direct:
        return landed
    return replace(landed, sample=remember(slot.storage.landed()).sample)


def _fill_value(slot: Slot, group: list[Task], value: Tensor) -> None:
    """Fill a tensor that is all there."""
    if not isinstance(slot.treatment, Matrix) or group[0].view is None:
        _set(slot, group[0], value)
        return
    row = slot.treatment.kept_row
    kept = value[row].clone() if row is not None else None
    found = parts(slot, value)
    for task in group:
        assert task.scheme is not None
        assert task.view is not None
        part = found[task.view.part]
        matrix = part.matrix()
        task.scheme(matrix, task.place(), task.options)
        part.write(matrix)
    if kept is not None:
        value[row] = kept


def _set(slot: Slot, task: Task, value: Tensor, held: tuple[Tensor, ...] | None = None) -> None:
    """Set a bias or norm to its value, or the part of it whose indices are ``held``."""
    assert task.value is not None
    value.fill_(task.value)
    rows = slot.treatment.rows if isinstance(slot.treatment, Value) else None
    if rows is not None and task.rows_value is not None:
        mine = rows if held is None else (held[0] >= rows.start) & (held[0] < rows.stop)
        value[mine] = task.rows_value


def _may_be_zero(group: list[Task]) -> bool:
    """Return whether what is written is, or may be, zero in every entry."""
    return all(task.scheme is None and not task.rows_value for task in group)


def _fill_shards(slot: Slot, storage: Sharded, group: list[Task]) -> None:
    """Fill what this rank holds, without the rest and without the other ranks."""
    local, held = storage.shard(), storage.held()
    if not local.numel():
        return
    if not isinstance(slot.treatment, Matrix) or group[0].view is None:
        _set(slot, group[0], local, held)
        return
    row = slot.treatment.kept_row
    mine = held[0] == row if row is not None else torch.zeros_like(held[0], dtype=torch.bool)
    kept = local[mine].clone()
    found = layouts(slot.treatment, storage.read().shape)
    if any(layout is None for layout in found):
        _fill_mixed(slot, storage, group)
    else:
        for task in group:
            assert task.view is not None
            layout = found[task.view.part]
            assert layout is not None
            _fill_pieces(task, layout, local, held)
    local[mine] = kept


def _fill_pieces(task: Task, layout: Layout, local: Tensor, held: tuple[Tensor, ...]) -> None:
    """Fill the blocks of one matrix that this rank holds."""
    assert task.scheme is not None
    pieces, place = list(layout.pieces(local, held)), task.place()
    if task.scheme.blockwise:
        for piece in pieces:
            task.scheme(piece.tensor, place, task.options, piece.block)
    elif pieces:  # it is all or nothing, so all of it once
        whole = torch.empty(layout.shape, dtype=local.dtype, device="cpu")
        task.scheme(whole, place, task.options)
        for piece in pieces:
            piece.tensor.copy_(piece.block.take(whole))


def _fill_mixed(slot: Slot, storage: Sharded, group: list[Task]) -> None:
    """Fill a tensor whose matrices are no blocks of it: small ones, made whole on every rank.

    So are the filters of depthwise transposed convolutions.
    """
    like = storage.read()
    whole = torch.empty(like.shape, dtype=like.dtype, device="cpu")
    # what is not written must stay, so the rank's own entries are put where they belong
    where = torch.meshgrid(*storage.held(), indexing="ij")
    whole[where] = storage.shard().cpu()
    _fill_value(slot, group, whole)
    storage.write(whole)
