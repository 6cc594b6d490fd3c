"""What an unfinished fit keeps on disk, checked before any of it is used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.fields.optimizer import kept_shapes
from firstlight.fields.result import Point
from firstlight.runs.plain import read_number

#: Of the optimiser's state by parameter and name.
States = dict[int, dict[str, Tensor]]


@dataclass(frozen=True)
class Kept:
    """The state of a fit between two steps.

    Attributes:
        field: the network's own state, at the best step.
        now: the trained weights now.
        optimizer: what the optimiser keeps.
        generator: state of the random batches.
        step: updates so far.
        seconds: until then.
        uncounted: of those, what the limit of seconds does not count.
        curve: a point for every look.
        recent: errors of the last batches.
    """

    field: dict[str, Tensor]
    now: list[Tensor]
    optimizer: States
    generator: Tensor
    step: int
    seconds: float
    uncounted: float
    curve: list[Point]
    recent: list[float]

    @classmethod
    def checked(
        cls,
        tensors: dict[str, Tensor],
        progress: dict[str, Any],
        trained: Sequence[Tensor],
        optimizer: str,
        generator: Tensor,
    ) -> "Kept":
        """Read it from a file's tensors and plain values.

        Args:
            tensors: by name, those of the field among them.
            progress: plain values.
            trained: the weights that are trained, for their shapes.
            optimizer: its name.
            generator: a state of the same kind of random numbers.

        Raises:
            FirstlightError: something is missing, or is not what it should be.
        """
        expected = {f"now.{place}": (each.shape, each.dtype) for place, each in enumerate(trained)}
        expected["generator"] = (generator.shape, generator.dtype)
        step, seconds, uncounted, curve, recent = _plain(progress)
        if step:
            shapes = kept_shapes(optimizer, dict(enumerate(trained)))
            expected |= {f"optimizer.{name}": each for name, each in shapes.items()}
        field = {name[6:]: each for name, each in tensors.items() if name.startswith("field.")}
        state = {name: each for name, each in tensors.items() if not name.startswith("field.")}
        for name in expected.keys() ^ state.keys():
            raise _damaged(f"tensor {name} is {'missing' if name in expected else 'too much'}")
        for name, (shape, dtype) in expected.items():
            if (state[name].shape, state[name].dtype) != (shape, dtype):
                raise _damaged(f"tensor {name} has the wrong shape or type")
        states: States = {}
        for name, each in state.items():
            if name.startswith("optimizer."):
                _, place, key = name.split(".")
                states.setdefault(int(place), {})[key] = each
        now = [state[f"now.{place}"] for place in range(len(trained))]
        drawn = _usable(state["generator"])
        return cls(field, now, states, drawn, step, seconds, uncounted, curve, recent)


def _plain(progress: dict[str, Any]) -> tuple[int, float, float, list[Point], list[float]]:
    try:
        step, curve = progress["step"], [_point(each) for each in progress["curve"]]
        recent = [read_number(each) for each in progress["recent"]]
        seconds = read_number(progress["seconds"])
        uncounted = read_number(progress.get("uncounted", 0.0))  # older files have none
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged("its curve or steps are no numbers") from error
    steps = [point.step for point in curve]
    if type(step) is not int or not steps or steps != sorted(set(steps)):
        raise _damaged("its steps are not in order")
    if not 0 <= steps[0] <= steps[-1] <= step or any(point.psnr == -math.inf for point in curve):
        raise _damaged("its steps or PSNR are out of range")
    if not 0 <= uncounted <= seconds < math.inf:
        raise _damaged("its time is out of range")
    return step, seconds, uncounted, curve, recent


def _point(given: Any) -> Point:
    step, seconds, psnr = given
    if type(step) is not int:
        raise ValueError("a step is a whole number")
    return Point(step, read_number(seconds), read_number(psnr))


def _usable(state: Tensor) -> Tensor:
    try:
        torch.Generator().set_state(state)
    except RuntimeError as error:
        raise _damaged("its random numbers have no valid state") from error
    return state


def _damaged(what: str) -> FirstlightError:
    return FirstlightError(
        f"the checkpoint of the unfinished fit is damaged: {what}; remove it to begin anew"
    )
