"""What is learned from some data: which batches, through which network, what is right."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from firstlight.comparison import batches, masking, models
from firstlight.comparison.data import Data
from firstlight.comparison.text import Text
from firstlight.errors import OptionError

#: What the network looks at, and the numbers of the classes that are right, one per prediction.
Batch = tuple[Any, Tensor]

_TEST = 1_000_003  # the mask of judged rows is one for all runs: no seed of a run is as large
_MASKS = 1  # sets the draw of masks apart from that of the order


class Task(Protocol):
    """Classification: every batch has logits (predictions, classes), and targets."""

    @property
    def about(self) -> str:
        """What a network must take, in words."""

    @property
    def classes(self) -> int:
        """How many a prediction tells apart."""

    @property
    def places(self) -> int:
        """Pixels of an image or tokens of a row: how often a weight is used in each, at most."""

    def build(self, model: str) -> nn.Module:
        """Build the network called ``model`` for the data."""

    def example(self, seed: int, size: int) -> Tensor:
        """Return what the network is called with in the first step of a run."""

    def training(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, which depend on the seed and the epoch alone."""

    def judging(self, size: int) -> Iterator[Batch]:
        """Yield the batches that judge, which are the same for all runs."""

    def logits(self, network: nn.Module, inputs: Any) -> Tensor:
        """Return what ``network`` predicts for the inputs of a batch."""


def task(data: Data | Text) -> Task:
    """Return what is learned from ``data``: the class of an image, hidden words of a text.

    Example:
        >>> from firstlight.comparison.data import load
        >>> task(load("digits")).about
        'the images of digits, 1 x 8 x 8'
    """
    return Words(data) if isinstance(data, Text) else Images(data)


@dataclass(frozen=True)
class Images:
    """The class of an image."""

    data: Data

    @property
    def about(self) -> str:
        """The images, in words."""
        height, width = self.data.image_size
        return f"the images of {self.data.name}, {self.data.in_channels} x {height} x {width}"

    @property
    def classes(self) -> int:
        """Classes of images."""
        return self.data.classes

    @property
    def places(self) -> int:
        """Pixels of an image."""
        height, width = self.data.image_size
        return height * width

    def build(self, model: str) -> nn.Module:
        """Build the network called ``model`` for these images."""
        data = self.data
        return models.factory(model)(data.in_channels, data.image_size, data.classes)

    def example(self, seed: int, size: int) -> Tensor:
        """Return the images of the first step."""
        return batches.first(self.data, seed, size)[0]

    def training(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """Yield every image once, but for a last one alone."""
        train = self.data.train
        indices = batches.order(seed, epoch, len(train)).to(train.labels.device)
        if 1 < size < len(indices) and len(indices) % size == 1:
            indices = indices[:-1]  # batch norm cannot learn from a last batch of one image
        return batches.batches(train, self.data.normalisation, size, indices)

    def judging(self, size: int) -> Iterator[Batch]:
        """Yield the test images."""
        return batches.batches(self.data.test, self.data.normalisation, size)

    def logits(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """Return one row of logits per image."""
        return network(inputs)


@dataclass(frozen=True)
class Words:
    """Masked-language modelling: the hidden tokens of a row (arXiv 1810.04805)."""

    data: Text

    @property
    def about(self) -> str:
        """The rows, in words."""
        return f"the rows of {self.data.name}, {self.data.context} of {self.classes} tokens"

    @property
    def classes(self) -> int:
        """Tokens that there are."""
        return self.data.vocabulary.size

    @property
    def places(self) -> int:
        """Tokens of a row."""
        return self.data.context

    def build(self, model: str) -> nn.Module:
        """Build the network called ``model`` for these tokens."""
        return models.factory(model)(self.classes, self.data.context)

    def example(self, seed: int, size: int) -> Tensor:
        """Return the tokens of the first step, some of them hidden."""
        return next(self.training(seed, 0, size))[0][0]

    def training(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """Yield every row once; other tokens are hidden in each epoch."""
        train = self.data.train
        masks = masking.draw(train.cpu(), self.data.vocabulary, seed, epoch, _MASKS)
        order = batches.order(seed, epoch, len(train))
        return self._batches(train, masks, order.to(train.device), size)

    def judging(self, size: int) -> Iterator[Batch]:
        """Yield the test rows; the hidden tokens are the same for all runs."""
        test = self.data.test
        return self._batches(test, self._judged, torch.arange(len(test), device=test.device), size)

    @functools.cached_property
    def _judged(self) -> masking.Masks:
        return masking.draw(self.data.test.cpu(), self.data.vocabulary, _TEST)

    def _batches(
        self, rows: Tensor, masks: masking.Masks, order: Tensor, size: int
    ) -> Iterator[Batch]:
        places, written = (part.to(rows.device) for part in masks)
        for chosen in order.split(size):
            tokens, at = rows[chosen].long(), places[chosen].long()
            targets = tokens.gather(1, at)
            yield (tokens.scatter(1, at, written[chosen].long()), at), targets.flatten()

    def logits(self, network: nn.Module, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """Return one row of logits per hidden token."""
        tokens, places = inputs
        if getattr(network, "takes_places", False):
            return network(tokens, places).flatten(0, 1)
        found = network(tokens)
        found = getattr(found, "logits", found)  # transformers' answer with an object
        expected = (*tokens.shape, self.classes)
        if not isinstance(found, Tensor) or found.shape != expected:
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise OptionError(
                f"a network that reads texts must return logits {expected}, got {got}"
            )
        return found[torch.arange(len(found), device=found.device)[:, None], places].flatten(0, 1)
