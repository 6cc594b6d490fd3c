"""Writing a plan into its model: all of it, or nothing."""

import contextlib
import math
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, groupby
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init._draw import ALONE
from firstlight.init._tensor import check_fillable, check_writable
from firstlight.init.lsuv import unit_variance
from firstlight.init.shards import own_part
from firstlight.model import framework
from firstlight.model.filling import fill
from firstlight.model.kinds import Matrix, Part
from firstlight.model.leave import EXCLUDED
from firstlight.model.names import unwrapped
from firstlight.model.readback import Landed, check_landed, holds_nan
from firstlight.model.refusals import WHOLE_RUN
from firstlight.model.slots import Slot, lazy
from firstlight.model.task import Task
from firstlight.model.undo import Saved
from firstlight.model.views import parts

#: A tensor, and what is written to it.
_Item = tuple[Slot, list[Task]]


def write(
    model: nn.Module,
    tasks: list[Task],
    example: Any,
    *,
    keep: bool,
    planned: nn.Module,
    seed: int = 0,
) -> Saved:
    """Write every task; return what was there before, of all or of what could still fail.

    ``model`` may be a part of the one that was ``planned``, or another one like it.

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
    for task in tasks:
        _check_kept(task)
    fitted = {task.slot.name for task in tasks if task.scheme and task.scheme.data_driven}
    if fitted and any(slot.spread for slot, _ in todo):
        raise FirstlightError(WHOLE_RUN)
    saved = Saved()
    # what a parametrization does with a value is its own affair, so those come first
    todo.sort(key=lambda item: bool(item[0].storage and item[0].storage.direct))
    storages = [slot.storage for slot, _ in todo if slot.storage]
    saved.add(storage for storage in storages if keep or not storage.own)
    if fitted and not keep:
        for tensor in chain(model.parameters(), model.buffers()):
            saved.add_tensor(tensor)
    left = list(dict.fromkeys(task.slot for task in tasks if task.framework))
    framework.check_started(unwrapped(planned), left)
    for slot in left:
        assert slot.storage is not None
        for tensor in slot.storage.stored():
            check_writable(tensor, slot.name)
    saved.add(slot.storage for slot in left if slot.storage and keep)
    with torch.no_grad(), _interrupt_later() as interrupts, _restored_on_error(saved):
        framework.start(
            unwrapped(model), left, seed, unwrapped(planned), _kept(tasks) if left else ()
        )
        landed = _fill_all(todo)
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


def _kept(tasks: list[Task]) -> list[Tensor]:
    """Return what the plan neither writes nor leaves to the framework."""
    slots = {id(t.slot): t.slot for t in tasks if not t.writes and not t.framework}
    busy = {id(t.slot) for t in tasks if t.writes or t.framework}
    kept = [slot for key, slot in slots.items() if key not in busy and slot.storage]
    found = [t for slot in kept if slot.storage for t in slot.storage.stored()]
    return [tensor for tensor in found if not lazy(tensor) and not tensor.is_meta]


def _check_kept(task: Task) -> None:
    """Refuse to leave alone a parameter that holds no start, as after a forgotten ``empty``."""
    slot = task.slot
    if task.writes or task.framework or task.blocked or task.reason == EXCLUDED or slot.buffer:
        return
    if slot.treatment.kind == "parametrization":  # what it makes is written through it
        return
    for tensor in slot.storage.stored() if slot.storage else ():
        if not lazy(tensor) and not tensor.is_meta and holds_nan(own_part(tensor.detach())):
            raise FirstlightError(
                f"{task.name} holds NaN, and the plan leaves it alone; if the model comes from "
                f"to_empty, pass empty=True, or else exclude=[{task.name!r}]"
            )


def _check(slot: Slot, group: list[Task]) -> None:
    """Refuse what cannot be written, with nothing written yet."""
    for task in group:
        if task.blocked:
            raise OptionError(f"{task.name} {task.blocked}, or exclude=[{task.name!r}]")
    assert slot.storage is not None
    for tensor in slot.storage.stored():
        check_writable(tensor, slot.name)
    value = slot.storage.outline()
    for task in group:
        _check_range(task, value.dtype)
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


#: No scheme draws values beyond so many of its standard deviations.
_FARTHEST = 8


def _check_range(task: Task, dtype: torch.dtype) -> None:
    """Refuse values that the dtype rounds to zero or to infinity, as far as a scheme tells."""
    if task.scheme is None or task.view is None or task.scheme.data_driven:
        return
    limits = torch.finfo(dtype)
    if limits.max > 1e30:  # it holds whatever a gain can ask for
        return
    std = task.scheme.std(task.view.shape, task.place(), task.options)
    smallest = limits.smallest_normal * limits.eps
    if std * _FARTHEST > limits.max or 0 < std < smallest:
        what = "all zeros" if std < 1 else "not finite"
        raise OptionError(
            f"{task.name} would be {what} in {dtype}: its values have the root mean square "
            f"{std:.3g}; take another gain or dtype"
        )


def _fill_all(todo: list[_Item]) -> list[Landed]:
    """Fill every tensor: large ones by all of torch's threads, small random ones several at once.

    What a parametrization does is not known to bear company.
    """
    small = [item for item in todo if _drawn_alone(*item)]
    workers = torch.get_num_threads()
    # inference mode belongs to a thread, and its tensors can be written in it alone
    if workers == 1 or torch.is_inference_mode_enabled():
        small = []
    together = {id(slot) for slot, _ in small}
    landed = {id(slot): fill(slot, group) for slot, group in todo if id(slot) not in together}

    def fill_one(item: _Item) -> Landed:
        with torch.no_grad():  # the mode belongs to a thread
            return fill(*item)

    with ThreadPoolExecutor(workers) as pool:
        landed |= zip((id(slot) for slot, _ in small), pool.map(fill_one, small), strict=True)
    return [landed[id(slot)] for slot, _ in todo]


def _drawn_alone(slot: Slot, group: list[Task]) -> bool:
    """Return whether one thread draws each matrix of a tensor."""
    drawn = [task.view.shape for task in group if task.view and task.scheme and task.scheme.random]
    direct = slot.storage is not None and slot.storage.direct
    return direct and bool(drawn) and all(math.prod(shape) <= ALONE for shape in drawn)


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
