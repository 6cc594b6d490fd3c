"""Where the numbers go: Accelerate and its trackers, TensorBoard's writer, a function."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstlight.errors import FirstlightError, OptionError, check_choice

#: Takes the numbers by name, and the step.
Log = Callable[[dict[str, float], int], Any]


@dataclass(frozen=True)
class Target:
    """Where the numbers go.

    Attributes:
        log: takes them.
        finish: is called when all were sent.
        here: whether it is this process that sends.
        owner: the accelerator, if one was given.
        missing: says why ``log`` goes nowhere, or "".
    """

    log: Log
    finish: Callable[[], Any] = lambda: None
    here: bool = True
    owner: Any = None
    missing: Callable[[], str] = lambda: ""


def target(to: Any) -> Target:
    """Return where ``to`` leads.

    Raises:
        OptionError: it is nothing that takes numbers.
        FirstlightError: a tracker cannot be started.
    """
    if to is None:
        return Target(_nowhere)
    if isinstance(to, str):
        return _named(to)
    if hasattr(to, "trackers") and hasattr(to, "is_main_process"):
        return _accelerator(to)
    if callable(getattr(to, "add_scalar", None)):
        return Target(lambda values, step: _scalars(to, values, step))
    if callable(getattr(to, "log", None)):
        return Target(lambda values, step: to.log(values, step=step))
    if callable(to):
        return Target(to)
    raise OptionError(
        "to must be an Accelerator, a tracker, a SummaryWriter, a function of (values, step) or a "
        f"name such as 'tensorboard:runs'; got {type(to).__name__}"
    )


def _accelerator(to: Any) -> Target:
    def missing() -> str:
        if to.trackers:
            return ""
        return (
            "the accelerator has no tracker: give it log_with=..., and call its init_trackers "
            "before training"
        )

    return Target(
        lambda values, step: to.log(values, step=step),
        here=to.is_main_process,
        owner=to,
        missing=missing,
    )


def _scalars(writer: Any, values: dict[str, float], step: int) -> None:
    for name, value in values.items():
        writer.add_scalar(name, value, step)


def _named(to: str) -> Target:
    """Start one of Accelerate's trackers: "tensorboard:runs/first", "wandb:project"."""
    name, _, rest = to.partition(":")
    try:
        from accelerate import PartialState
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS
    except ModuleNotFoundError as error:
        raise FirstlightError(
            "trackers by name need accelerate: pip install 'firstlight[compare]'"
        ) from error
    check_choice(name, LOGGER_TYPE_TO_CLASS, "the tracker")
    kind = LOGGER_TYPE_TO_CLASS[name]
    if kind.requires_logging_directory and not rest:
        raise OptionError(f"{name} needs a directory: to='{name}:runs'")
    if not PartialState().is_main_process:
        return Target(_nowhere, here=False)
    tracker = _start(name, kind, rest)
    return Target(lambda values, step: tracker.log(values, step=step), tracker.finish)


def _start(name: str, kind: Any, rest: str) -> Any:
    path = Path(rest)
    place = (path.name, str(path.parent)) if kind.requires_logging_directory else (rest or "run",)
    try:
        tracker = kind(*place)
        getattr(tracker, "start", lambda: None)()  # older ones start when they are made
    except (ImportError, OSError) as error:
        raise FirstlightError(f"the tracker {name} cannot be started: {error}") from error
    return tracker


def _nowhere(values: dict[str, float], step: int) -> None:
    """Keep the numbers in the history only."""
