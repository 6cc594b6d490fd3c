"""Batches of images: in which order, and from bytes to normalised numbers."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.data import Data, Split


def order(seed: int, epoch: int, count: int) -> Tensor:
    """Return the order of ``count`` images in one epoch; it depends on nothing else.

    Example:
        >>> from firstlight.comparison.batches import order
        >>> order(seed=0, epoch=0, count=5).sort().values
        tensor([0, 1, 2, 3, 4])
    """
    return torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(count))


def normalise(images: Tensor, normalisation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn bytes (N, C, H, W) into floats of mean 0 and variance 1 over the training set."""
    mean, std = normalisation
    return images.to(torch.float32).sub_(mean).div_(std)


def first(data: Data, seed: int, size: int) -> tuple[Tensor, Tensor]:
    """Return the (images, labels) that a run with this seed trains on first.

    Example:
        >>> from firstlight.comparison.batches import first
        >>> from firstlight.comparison.data import load
        >>> images, labels = first(load("digits"), seed=0, size=64)
        >>> images.shape, labels.shape
        (torch.Size([64, 1, 8, 8]), torch.Size([64]))
    """
    indices = order(seed, 0, len(data.train))[:size]
    return next(batches(data.train, data.normalisation, size, indices))


def batches(
    split: Split, normalisation: tuple[Tensor, Tensor], size: int, indices: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) of ``size`` at a time: those at ``indices``, or all as they come.

    Indexing tensors in memory costs a few microseconds a batch; a loader with workers costs
    more than training a small network.
    """
    for begin in range(0, len(split if indices is None else indices), size):
        end = begin + size
        chosen = slice(begin, end) if indices is None else indices[begin:end]
        yield normalise(split.images[chosen], normalisation), split.labels[chosen]
