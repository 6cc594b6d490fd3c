"""What ``firstlight audit`` looks at: a model by name, and a batch, real or by chance."""

import inspect
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstlight.cli.arguments import shape
from firstlight.cli.extras import require
from firstlight.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from firstlight.auditing.objective import Loss

#: What is no data set: samples by chance.
RANDOM = "random"
_USUAL = 64  # images of a batch
_OURS = "3x32x32"  # what our own networks look at by chance
_SEEDS = 2**32  # what NumPy takes


@dataclass(frozen=True)
class Asked:
    """What was typed; None where nothing was."""

    model: str
    data: str | None = None
    input: str | None = None
    batch_size: int | None = None
    loss: str | None = None
    seed: int = 0
    data_root: Path | None = None

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError(f"--batch-size must be a whole number above 0, got {self.batch_size}")
        if not 0 <= self.seed < _SEEDS:
            raise OptionError(
                f"--seed must be a whole number from 0 to {_SEEDS - 1}, got {self.seed}"
            )
        if self.input is not None:
            shape(self.input)


@dataclass(frozen=True, eq=False)
class Subject:
    """A network, the batch that it is run on, its loss, and what the batch is in words."""

    model: "nn.Module"
    batch: Any
    loss: "Loss"
    about: str


def subject(asked: Asked) -> Subject:
    """Build the network and make the batch.

    Where no data are named, our own networks look at digits, others at samples by chance.

    Raises:
        OptionError: a name or a value that is not accepted, or two that do not fit.
        FirstlightError: the data cannot be read, or need packages that are not there.
    """
    from firstlight.model import zoo
    from firstlight.model.named import split

    loss = _loss(asked.loss)
    ours = split(asked.model)[0] in zoo.__all__
    data = asked.data
    if data is None:
        data = "digits" if ours and asked.input is None else RANDOM
    if data == RANDOM:
        return _by_chance(asked, loss, ours)
    if ":" in data and not data.startswith("parquet:"):
        return _own(asked, data, loss)
    return _real(asked, data, loss)


def _loss(name: str | None) -> "Loss":
    from firstlight.auditing.objective import LOSSES
    from firstlight.model.named import own

    prefix, colon, rest = (name or "").partition(":")
    if prefix and colon and rest:
        return own(prefix, rest, "loss")
    if name is not None and name not in LOSSES:
        known = ", ".join([*LOSSES, "module:function"])
        raise OptionError(f"loss must be one of {known}; got {name!r}")
    return name


def _seed(seed: int) -> None:
    """Seed every generator that a network of the user's own may ask, as a comparison does."""
    import numpy as np
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def _images(size: tuple[int, ...]) -> dict[str, Any] | None:
    """Return what networks are built for, where samples of this shape are images."""
    return {"in_channels": size[0], "image_size": size[1:]} if len(size) == 3 else None


def _by_chance(asked: Asked, loss: "Loss", ours: bool) -> Subject:
    from firstlight.auditing.invented import invented, usual_count
    from firstlight.model.named import build
    from firstlight.model.usual_input import usual_input

    text = asked.input or (_OURS if ours else None)
    given = shape(text) if text is not None else ()
    _seed(asked.seed)
    model = build(asked.model, images=_images(given))
    size = given or usual_input(model)
    if size is None:
        raise OptionError(
            f"nothing says what {asked.model} looks at: give --data, or the shape of a sample, as "
            "in --input 3x224x224"
        )
    count = asked.batch_size or usual_count(model, size)
    wanted = "cross_entropy" if ours and loss is None else loss
    batch, said = invented(model, size, count, loss=wanted, seed=asked.seed)
    return Subject(model, batch, loss, f"{said}: no real data")


def _own(asked: Asked, name: str, loss: "Loss") -> Subject:
    """Call the user's own code for a batch."""
    from firstlight.model.named import build, own
    from firstlight.model.reason import reason

    for option, value in (("--input", asked.input), ("--batch-size", asked.batch_size)):
        if value is not None:
            raise OptionError(f"{option} is not used: {name} returns the whole batch; leave it out")
    prefix, _, rest = name.partition(":")
    make = own(prefix, rest, "data")
    _seed(asked.seed)
    try:
        batch = make()
    except (Exception, SystemExit) as error:  # the user's own code, which may ask Python to exit
        raise OptionError(f"data {name} cannot be made: {reason(error)}") from error
    inputs = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
    if not isinstance(inputs, Mapping) and not hasattr(inputs, "shape"):
        raise OptionError(
            f"data {name} must return a batch, which is a tensor, a pair (inputs, targets) or a "
            f"dict; got {type(batch).__name__}"
        )
    _seed(asked.seed)
    model = build(asked.model, images=_images(tuple(getattr(inputs, "shape", ()))[1:]))
    return Subject(model, batch, loss, f"that of {name}")


def _real(asked: Asked, name: str, loss: "Loss") -> Subject:
    require(f"--data {name}")
    from firstlight.comparison import batches, models
    from firstlight.comparison import data as sets

    sets.check(name, RANDOM, "module:factory")
    make = models.fitting(asked.model)
    data = sets.load(name, asked.data_root)
    size = "x".join(map(str, data.train.images.shape[1:]))
    count = _count(asked, name, size, len(data.train))
    _seed(asked.seed)
    model = make(data)
    images, labels = batches.first(data, asked.seed, count)
    about = f"{count} training images of {name}, {size}, {data.classes} classes, normalised"
    return Subject(model, _labelled(asked, model, images, labels), loss, about)


def _count(asked: Asked, name: str, size: str, most: int) -> int:
    """Return how many images are looked at; refuse what does not fit the data."""
    if asked.input not in (None, size):
        raise OptionError(
            f"--input {asked.input} does not fit --data {name}, whose images are {size}; leave one "
            "of them out"
        )
    count = asked.batch_size or min(_USUAL, most)
    if count > most:
        raise OptionError(f"--batch-size must be at most {most} for {name}, got {count}")
    return count


def _labelled(asked: Asked, model: "nn.Module", images: "Tensor", labels: "Tensor") -> Any:
    """Return a batch as the model takes it: transformers' have names, and losses of their own."""
    from firstlight.auditing.invented import beside

    images, labels = beside(model, (images, labels))
    wanted = getattr(model, "main_input_name", None)
    if not isinstance(wanted, str) or not hasattr(model, "config"):
        return images, labels
    if wanted != "pixel_values":
        raise OptionError(f"{asked.model} takes {wanted}, --data are images; leave --data out")
    if asked.loss is not None:
        return {wanted: images}, labels
    takes = "labels" in inspect.signature(model.forward).parameters
    return {wanted: images, "labels": labels} if takes else {wanted: images}
