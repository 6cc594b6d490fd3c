"""Writing a plan into its model: all of it, or nothing."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, groupby
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init._tensor import check_fillable, check_writable
from firstlight.init.lsuv import unit_variance
from firstlight.model import framework
from firstlight.model.kinds import Matrix, Part, Value
from firstlight.model.names import unwrapped
from firstlight.model.readback import Landed, check_landed, remember
from firstlight.model.slots import Slot
from firstlight.model.storage import Storage
from firstlight.model.task import Task
from firstlight.model.undo import Saved
from firstlight.model.views import parts


def write(model: nn.Module, tasks: list[Task], example: Any, *, keep: bool, seed: int = 0) -> Saved:
    """Write every task; return what was there before, of all or of what could still fail.

    Raises:
        FirstlightError: something cannot be written, or did not land; the model is as it was.
    """
    todo = [(slot, list(group)) for slot, group in groupby(tasks, key=lambda task: task.slot)]
    todo = [(slot, [t for t in group if t.writes or t.blocked]) for slot, group in todo]
    todo = [(slot, group) for slot, group in todo if group]
    present = {id(module) for module in unwrapped(model).modules()}
    for slot, group in todo:
        _check_present(slot, present)
        _check(slot, group)
    fitted = {task.slot.name for task in tasks if task.scheme and task.scheme.data_driven}
    saved = Saved()
    # what a parametrization does with a value is its own affair, so those come first
    todo.sort(key=lambda item: bool(item[0].storage and item[0].storage.direct))
    storages = [slot.storage for slot, _ in todo if slot.storage]
    saved.add(storage for storage in storages if keep or not storage.direct)
    if fitted and not keep:
        for tensor in chain(model.parameters(), model.buffers()):
            saved.add_tensor(tensor)
    left = list(dict.fromkeys(task.slot for task in tasks if task.framework))
    for slot in left:
        assert slot.storage is not None
        for tensor in slot.storage.stored():
            check_writable(tensor, slot.name)
    saved.add(slot.storage for slot in left if slot.storage and keep)
    with torch.no_grad(), _interrupt_later() as interrupts, _restored_on_error(saved):
        framework.start(unwrapped(model), left, seed)
        landed = _write_all(todo)
        if fitted:
            _fit(model, example, fitted)
        for (slot, _), expected in zip(todo, landed, strict=True):
            check_landed(slot, expected, fitted=slot.name in fitted)
        if interrupts and keep:
            saved.restore()
    return saved


def _check_present(slot: Slot, present: set[int]) -> None:
    """Refuse a plan of what the model no longer holds, or of what was frozen since."""
    if id(slot.module) not in present:
        raise FirstlightError(f"{slot.name} belongs to a layer that is gone; make a new plan")
    assert slot.storage is not None
    if slot.storage.frozen and not slot.frozen and not slot.buffer:
        raise FirstlightError(f"{slot.name} was frozen since the plan was made; make a new one")


def _check(slot: Slot, group: list[Task]) -> None:
    """Refuse what cannot be written, with nothing written yet."""
    for task in group:
        if task.blocked:
            raise OptionError(f"{task.name} {task.blocked}, or exclude=[{task.name!r}]")
    assert slot.storage is not None
    for tensor in slot.storage.stored():
        check_writable(tensor, slot.name)
    value = slot.storage.outline()
    if isinstance(slot.treatment, Matrix) and group[0].view is not None:
        found = parts(slot, value if slot.storage.direct else slot.outline)
        for task in group:
            assert task.view is not None
            part = found[task.view.part] if task.view.part < len(found) else None
            if part is None or part.shape != task.view.shape:
                raise FirstlightError(
                    f"{task.name} had shape {task.view.shape} when the plan was made, now it is "
                    f"{tuple(value.shape)}; make a new plan"
                )
            if slot.storage.direct:
                _check_tensor(task, part)


def _check_tensor(task: Task, part: Part) -> None:
    """Refuse memory that no fill can write; the scheme and its options the plan has tried."""
    assert task.scheme is not None
    try:
        check_fillable(part.view, task.scheme.name)
    except OptionError as error:
        raise OptionError(f"{task.name}: {error}") from error


def _write_all(todo: list[tuple[Slot, list[Task]]]) -> list[Landed]:
    """Write every tensor, several at a time: each has its own stream of random numbers.

    What a parametrization does is not known to bear company, so those come first, one by one.
    """
    alone = [(s, g) for s, g in todo if s.storage is None or not s.storage.direct]
    together = todo[len(alone) :]
    landed = [_write(slot, group) for slot, group in alone]
    workers = torch.get_num_threads()
    drawn = any(t.scheme and t.scheme.random for _, g in together for t in g)
    # inference mode belongs to a thread, and its tensors can be written in it alone
    if workers == 1 or not drawn or torch.is_inference_mode_enabled():
        return landed + [_write(slot, group) for slot, group in together]

    def write_one(item: tuple[Slot, list[Task]]) -> Landed:
        with torch.no_grad():  # the mode belongs to a thread
            return _write(*item)

    with ThreadPoolExecutor(workers) as pool:
        return landed + list(pool.map(write_one, together))


def _write(slot: Slot, group: list[Task]) -> Landed:
    """Write the tasks of one tensor; return what it must now hold."""
    assert slot.storage is not None
    with slot.edit(whole=not slot.storage.direct and _whole(slot, group)) as value:
        if isinstance(slot.treatment, Matrix) and group[0].view is not None:
            row = slot.treatment.kept_row
            kept = value[row].clone() if row is not None else None
            _fill(slot, group, value)
            if kept is not None:
                value[row] = kept
        else:
            _set(slot, group[0], value)
        landed = remember(value, zero=_may_be_zero(group))
    return landed if slot.storage.direct else replace(landed, sample=_sample_of(slot.storage))


def _may_be_zero(group: list[Task]) -> bool:
    """Return whether what is written is, or may be, zero in every entry."""
    return all(task.scheme is None and not task.rows_value for task in group)


def _sample_of(storage: Storage) -> Tensor:
    return remember(storage.landed()).sample


def _whole(slot: Slot, group: list[Task]) -> bool:
    """Return whether the tasks write all of a tensor."""
    if not isinstance(slot.treatment, Matrix) or group[0].view is None:
        return True
    return slot.treatment.kept_row is None and len(group) == len(parts(slot, slot.outline))


def _fill(slot: Slot, group: list[Task], value: Tensor) -> None:
    found = parts(slot, value)
    for task in group:
        assert task.scheme is not None
        assert task.view is not None
        part = found[task.view.part]
        matrix = part.matrix()
        task.scheme(matrix, task.place(), task.options)
        part.write(matrix)


def _set(slot: Slot, task: Task, value: Tensor) -> None:
    assert task.value is not None
    value.fill_(task.value)
    if isinstance(slot.treatment, Value) and slot.treatment.rows and task.rows_value is not None:
        value[slot.treatment.rows] = task.rows_value


def _fit(model: nn.Module, example: Any, names: set[str]) -> None:
    """Scale the weights to the batch; a batch that does not fit the model is one line."""
    try:
        unit_variance(unwrapped(model), example, names)
    except FirstlightError:
        raise
    except Exception as error:  # the user's own forward may raise anything
        reason = " ".join(str(error).split())
        raise FirstlightError(f"the model cannot be run on the example: {reason}") from error


@contextlib.contextmanager
def _restored_on_error(saved: Saved) -> Iterator[None]:
    try:
        yield
    except BaseException:  # whatever it was, the model must not be half written
        saved.restore()
        raise


@contextlib.contextmanager
def _interrupt_later() -> Iterator[list[Any]]:
    """Let Ctrl-C wait until the model is written: half of it would be worse than a moment more."""
    if threading.current_thread() is not threading.main_thread():
        yield []
        return
    caught: list[Any] = []
    before: Callable[..., Any] | int | None = signal.getsignal(signal.SIGINT)
    if before is None:  # a handler that Python did not install, and could not put back
        yield []
        return
    signal.signal(signal.SIGINT, lambda *arguments: caught.append(arguments))
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])
