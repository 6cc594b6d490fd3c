"""What is differentiated: the loss that was given, the model's own, or a stand-in; said aloud."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.model.names import unwrapped
from firstlight.model.reason import reason
from firstlight.model.signature import accepts

#: Losses by name.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "bce_with_logits": functional.binary_cross_entropy_with_logits,
}
#: Keys under which a batch may hold what the output is compared with.
_TARGETS = ("labels", "label", "targets", "target")
Loss = str | Callable[..., Tensor] | None


@dataclass(frozen=True, eq=False)
class Objective:
    """A batch split into what the model reads and what its output is compared with.

    Attributes:
        inputs: what the model is called with.
        targets: what the output is compared with; None where there is nothing of the kind.
        loss: takes output and targets, or the output alone; None for the model's own or none.
    """

    inputs: Any
    targets: Any
    loss: Callable[..., Tensor] | None


@dataclass(frozen=True, eq=False)
class Value:
    """The loss at step 0.

    Attributes:
        loss: a scalar with its graph; None where the output has none that can be differentiated.
        real: whether it is a loss, not a stand-in.
        name: which it is, and where it comes from.
        uninformed: its value where the output knows nothing; None if not known.
        classes: how many classes there are; None where it is no classification.
    """

    loss: Tensor | None
    real: bool
    name: str
    uninformed: float | None = None
    classes: int | None = None


def objective(model: nn.Module, batch: Any, loss: Loss) -> Objective:
    """Split a batch: into inputs and targets, where the model cannot take it whole.

    A pair is (inputs, targets) where the model cannot take both, where a loss compares two, or
    where the second are labels, a whole number for each sample; else it is two arguments. Of a
    dict, labels or targets that the model's ``forward`` does not take are the targets.

    Raises:
        OptionError: the loss is no known name and no callable, or needs targets that are not there.
    """
    if isinstance(loss, str):
        check_choice(loss, LOSSES, "loss")
    elif loss is not None and not callable(loss):
        raise OptionError(f"loss must be a name or a callable, got {loss!r}")
    function = LOSSES[loss] if isinstance(loss, str) else loss
    forward = unwrapped(model).forward
    inputs, targets = _split(forward, batch, function)
    if targets is None and isinstance(loss, str):
        raise OptionError(f"loss {loss} needs targets: give the batch as a pair (inputs, targets)")
    if function is None and targets is not None:
        function = _usual(targets)
    return Objective(inputs, targets, function)


def _split(forward: Callable, batch: Any, loss: Callable | None) -> tuple[Any, Any]:
    if isinstance(batch, (tuple, list)) and len(batch) == 2 and isinstance(batch[0], Mapping):
        return _whole(forward, batch[0]), batch[1]
    if isinstance(batch, Mapping):
        known = [key for key in _TARGETS if key in batch and not _takes_name(forward, key)]
        if not known:
            return _whole(forward, batch), None
        rest = {k: v for k, v in batch.items() if k != known[0]}
        return _whole(forward, rest), batch[known[0]]
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        compares = loss is not None and _takes(loss, 2)
        wanted = compares or (loss is None and _are_labels(*batch))
        if not _takes(forward, 2) or (wanted and _takes(forward, 1)):
            return batch[0], batch[1]
    return batch, None


def _whole(forward: Callable, inputs: Mapping) -> Any:
    """Return a dict as one argument where a model's ``forward`` has no arguments of its names."""
    if not any(_takes_name(forward, str(key)) for key in inputs) and _takes(forward, 1):
        return (inputs,)
    return inputs


def _are_labels(inputs: Any, second: Any) -> bool:
    """Return whether a tensor holds a class for each sample of real-valued inputs."""
    if not (isinstance(inputs, Tensor) and isinstance(second, Tensor)):
        return False
    whole = second.dtype in (torch.int64, torch.int32, torch.uint8)
    one_each = second.ndim == 1 and inputs.ndim > 1 and len(second) == len(inputs)
    return whole and one_each and inputs.is_floating_point()


def _takes(function: Callable, count: int) -> bool:
    """Return whether a function, or a module, can be called with so many arguments."""
    target = function.forward if isinstance(function, nn.Module) else function
    return accepts(target, *range(count))


def _takes_name(function: Callable, name: str) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def _usual(targets: Any) -> Callable[..., Tensor] | None:
    if not isinstance(targets, Tensor):
        return None
    return functional.mse_loss if targets.is_floating_point() else functional.cross_entropy


def logits(result: Any) -> Tensor | None:
    """Return the tensor that a network's result is about: its logits, or the first real tensor.

    Example:
        >>> logits({"loss": torch.tensor(1.0), "logits": torch.ones(2)})
        tensor([1., 1.])
    """
    for name in ("logits", "prediction_logits", "out", "last_hidden_state"):
        value = result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)
        if isinstance(value, Tensor):
            return value
    if isinstance(result, Tensor):
        return result if result.is_floating_point() else None
    parts = result.values() if isinstance(result, Mapping) else result
    if not isinstance(parts, (tuple, list)) and not isinstance(result, Mapping):
        return None
    found = [logits(part) for part in parts if isinstance(part, (Tensor, tuple, list, Mapping))]
    real = [part for part in found if part is not None]
    return max(real, key=lambda part: part.ndim > 0) if real else None


def evaluate(task: Objective, result: Any) -> Value:
    """Return the loss of a network's result.

    Raises:
        FirstlightError: the loss cannot be computed from this output and these targets.
    """
    output = logits(result)
    if task.loss in LOSSES.values() and output is None:
        raise FirstlightError(
            f"the loss needs a real tensor from the model, which returned {type(result).__name__}"
        )
    if task.loss is not None:
        return _given(task, result if output is None else output)
    own = result.get("loss") if isinstance(result, Mapping) else getattr(result, "loss", None)
    if isinstance(own, Tensor) and own.numel() == 1:
        return _own(task, own, output)
    return _stand_in(output)


def _given(task: Objective, output: Any) -> Value:
    assert task.loss is not None
    try:
        loss = _call(task, output)
        scalar = isinstance(loss, Tensor) and loss.numel() == 1
    except FirstlightError:
        raise
    except Exception as error:  # the user's own function
        raise FirstlightError(f"the loss cannot be computed: {reason(error)}") from error
    if not scalar:
        raise FirstlightError(
            f"the loss must be one number, got {type(loss).__name__} "
            f"of shape {tuple(getattr(loss, 'shape', ()))}"
        )
    label = getattr(task.loss, "__name__", type(task.loss).__name__)
    classes = _classes(task, output)
    return Value(loss.reshape(()), True, label, _uninformed(task, output), classes)


def _call(task: Objective, output: Any) -> Tensor:
    assert task.loss is not None
    if task.targets is None:
        return task.loss(output)
    _check_targets(task, output)
    return task.loss(output, task.targets)


def _check_targets(task: Objective, output: Any) -> None:
    """Refuse a broadcast that nobody wants: (n, 1) against (n,) compares all with all."""
    targets = task.targets
    by_element = task.loss in (functional.mse_loss, functional.l1_loss)
    if by_element and isinstance(targets, Tensor) and output.shape != targets.shape:
        raise FirstlightError(
            f"output and targets must have one shape, got {tuple(output.shape)} and "
            f"{tuple(targets.shape)}"
        )


def _classes(task: Objective, output: Any) -> int | None:
    compares = task.loss is functional.cross_entropy or isinstance(task.loss, nn.CrossEntropyLoss)
    return output.shape[1 if output.ndim > 1 else 0] if compares else None


def _uninformed(task: Objective, output: Any) -> float | None:
    """Return the loss of an output that is the same everywhere: zeros, or the targets' mean."""
    guess = torch.zeros_like(output) if isinstance(output, Tensor) else None
    targets = task.targets
    if task.loss is functional.mse_loss and isinstance(targets, Tensor) and guess is not None:
        guess = guess + targets.float().mean().to(guess)
    try:
        with torch.no_grad():
            value = float(_call(task, guess))
    except Exception:  # the user's own function, on what it may not be made for
        return None
    return value if math.isfinite(value) else None


def _own(task: Objective, loss: Tensor, output: Tensor | None) -> Value:
    """Take the loss that the model itself returned, as Hugging Face's do."""
    inputs = task.inputs if isinstance(task.inputs, Mapping) else {}
    labels = next((inputs[key] for key in _TARGETS if key in inputs), None)
    classes = None
    whole = isinstance(labels, Tensor) and not labels.is_floating_point()
    if whole and output is not None and output.ndim > 1 and output.shape[-1] > 1:
        classes = output.shape[-1]
    known = math.log(classes) if classes else None
    return Value(loss.reshape(()), True, "the model's own loss", known, classes)


def _stand_in(output: Tensor | None) -> Value:
    """Take a fixed random direction of the output, where there is no loss."""
    if output is None:
        return Value(None, False, "the model returns no real tensor to differentiate")
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(output.shape, generator=generator).to(output)
    name = "a random direction of the output, as no loss was given"
    return Value((output * direction).sum() / math.sqrt(max(output.numel(), 1)), False, name)
