"""A batch where there are no data: inputs and targets by chance, and what they are in words."""

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from firstlight.auditing.objective import Loss, logits
from firstlight.auditing.untouched import untouched
from firstlight.init._forward import call
from firstlight.model.sample import sample
from firstlight.model.trace.graph import substitute

#: Samples of one batch, where nobody says: of usual size, of many numbers, of tokens.
_USUAL, _LARGE, _TEXTS = 64, 16, 8
_MANY = 50_000


def usual_count(model: nn.Module, shape: Sequence[int]) -> int:
    """Return how many samples a laptop looks at in seconds.

    Example:
        >>> usual_count(nn.ReLU(), (3, 32, 32)), usual_count(nn.ReLU(), (3, 224, 224))
        (64, 16)
    """
    if getattr(model, "main_input_name", None) == "input_ids":
        return _TEXTS
    return _LARGE if math.prod(shape) > _MANY else _USUAL


def invented(
    model: nn.Module, shape: Sequence[int], count: int, *, loss: Loss = None, seed: int = 0
) -> tuple[Any, str]:
    """Draw a batch; it has targets where the loss needs them, or the model is known to classify.

    Args:
        model: whose batch it will be.
        shape: of one sample: (channels, height, width) of an image, (length,) of a text.
        count: samples.
        loss: as for ``firstlight.audit``.
        seed: of the draw.

    Returns:
        The batch, and what it is in words.

    Raises:
        OptionError: a model of texts takes one length, or the batch would be huge.

    Example:
        >>> batch, said = invented(nn.Linear(8, 4), (8,), 32, loss="cross_entropy")
        >>> batch[0].shape, batch[1].shape, said
        (torch.Size([32, 8]), torch.Size([32]), '32 standard normal samples of 8, random labels')
    """
    inputs = beside(model, sample(model, shape, count, seed))
    generator = torch.Generator().manual_seed(seed + 1)  # targets are independent of the inputs
    size = "x".join(map(str, shape))
    texts = isinstance(inputs, dict) and "input_ids" in inputs
    what = f"{count} random texts of {size} tokens" if texts else f"{count} standard normal samples"
    what = what if texts else f"{what} of {size}"
    if isinstance(inputs, dict) and loss is None:
        labels, how = _own_labels(model, inputs, generator)
        return beside(model, inputs if labels is None else {**inputs, "labels": labels}), what + how
    few = beside(model, sample(model, shape))
    targets, how = _targets(model, few, count, loss, generator)
    return (inputs if targets is None else (inputs, beside(model, targets))), what + how


def beside(model: nn.Module, batch: Any) -> Any:
    """Move a batch to where a model is; real numbers become of the model's kind.

    Example:
        >>> beside(nn.Linear(2, 2).double(), torch.ones(2)).dtype
        torch.float64
    """
    place = next(model.parameters(), None)
    if place is None:
        return batch
    device, dtype = place.device, place.dtype

    def moved(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return x.to(device, dtype if x.is_floating_point() and dtype.is_floating_point else None)

    return substitute(batch, moved)


def _own_labels(
    model: Any, inputs: dict[str, Tensor], generator: Generator
) -> tuple[Tensor | None, str]:
    """Return labels for the loss of a transformers' model: the tokens, or random classes."""
    if "labels" not in inspect.signature(model.forward).parameters:
        return None, ""
    count = len(next(iter(inputs.values())))
    if model.get_output_embeddings() is not None:
        tokens = inputs.get("decoder_input_ids", inputs.get("input_ids"))
        return tokens, "" if tokens is None else ", the tokens as labels"
    single = type(model).__name__.endswith(("ForSequenceClassification", "ForImageClassification"))
    if not single or model.config.num_labels < 2:
        return None, ""
    return torch.randint(model.config.num_labels, (count,), generator=generator), ", random labels"


def _targets(
    model: nn.Module, few: Any, count: int, loss: Loss, generator: Generator
) -> tuple[Tensor | None, str]:
    """Return targets by chance of the output's size; none where nothing compares with any."""
    loss = "cross_entropy" if loss is None and _classifies(model) else loss
    output = _look(model, few) if isinstance(loss, str) else None
    if output is None or output.ndim < 2:
        return None, ""
    if loss == "cross_entropy":
        shape = (count, *output.shape[2:])
        return torch.randint(output.shape[1], shape, generator=generator), ", random labels"
    drawn = torch.randn(count, *output.shape[1:], generator=generator)
    targets = (drawn > 0).to(drawn) if loss == "bce_with_logits" else drawn
    return targets, ", random targets"


def _classifies(model: Any) -> bool:
    where = type(model).__module__
    package = where.partition(".")[0]
    if package == "timm":
        return getattr(model, "num_classes", 0) > 0
    other = (".detection.", ".optical_flow.", ".segmentation.")
    return package == "torchvision" and not any(kind in f"{where}." for kind in other)


def _look(model: nn.Module, few: Any) -> Tensor | None:
    """Return what the model makes of a few samples; None where it cannot: an audit says why."""
    try:
        with untouched(model), torch.no_grad():
            return logits(call(model, few))
    except Exception:  # the user's own forward
        return None
