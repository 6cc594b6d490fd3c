"""Filling one tensor of a model: all of it, or of a DTensor what this rank holds."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from firstlight.init.shards import Piece, pieces
from firstlight.model.kinds import Matrix, Value
from firstlight.model.kinds.treatment import whole
from firstlight.model.layout import layouts
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
    mine = (held[0] == row).nonzero().flatten() if row is not None else held[0][:0]
    kept = local[mine].clone() if len(mine) else None
    found = _pieces(slot.treatment, tuple(storage.outline().shape), local, held)
    if found is None:
        _fill_mixed(slot, storage, group)
    else:
        for task in group:
            assert task.view is not None
            _fill_pieces(task, list(found[task.view.part]))
    if kept is not None:
        local[mine] = kept


def _pieces(
    treatment: Matrix, shape: tuple[int, ...], local: Tensor, held: tuple[Tensor, ...]
) -> list[Iterator[Piece]] | None:
    """Cut what this rank holds into blocks of each matrix; None where they are no blocks of it."""
    if treatment.split is whole:
        return [pieces(local, held, shape)]
    found = layouts(treatment, shape)
    known = [layout for layout in found if layout is not None]
    return [layout.pieces(local, held) for layout in known] if len(known) == len(found) else None


def _fill_pieces(task: Task, pieces: list[Piece]) -> None:
    """Fill the blocks of one matrix that this rank holds."""
    assert task.scheme is not None
    place = task.place()
    if task.scheme.blockwise:
        for piece in pieces:
            task.scheme(piece.tensor, place, task.options, piece.block)
    elif pieces:  # it is all or nothing, so all of it once
        made = torch.empty(pieces[0].block.shape, dtype=pieces[0].tensor.dtype, device="cpu")
        task.scheme(made, place, task.options)
        for piece in pieces:
            piece.tensor.copy_(piece.block.take(made))


def _fill_mixed(slot: Slot, storage: Sharded, group: list[Task]) -> None:
    """Fill a tensor whose matrices are no blocks of it: small ones, made whole on every rank.

    So are the filters of depthwise transposed convolutions.
    """
    like = storage.read()
    value = torch.empty(like.shape, dtype=like.dtype, device="cpu")
    # what is not written must stay, so the rank's own entries are put where they belong
    where = torch.meshgrid(*storage.held(), indexing="ij")
    value[where] = storage.shard().cpu()
    _fill_value(slot, group, value)
    storage.write(value)
