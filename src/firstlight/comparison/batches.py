"""Batches of images: in which order, and from bytes to normalised numbers."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.ahead import ahead
from firstlight.comparison.data import Data, Split
from firstlight.comparison.mapped import Mapped

_WORKERS = 2  # threads that gather images, of which one may wait for the disk
_DEPTH = 4  # batches gathered before they are asked for


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

    They are on the device of ``normalisation``. Indexing tensors in memory costs a few microseconds
    a batch; a loader with workers costs more than training a small network.
    """
    indices = torch.arange(len(split)) if indices is None else indices
    parts = indices.to(split.labels.device).split(size)
    found = pixels(split.images, normalisation[0].device, indices, size)
    for part, images in zip(parts, found, strict=True):
        yield normalise(images, normalisation), split.labels[part]


def pixels(
    images: Tensor | Mapped,
    device: torch.device,
    indices: Tensor,
    size: int,
    ahead_of_use: bool | None = None,
) -> Iterator[Tensor]:
    """Yield the bytes of ``size`` images at a time, on ``device``.

    Args:
        images: on ``device`` or not.
        device: where they are wanted.
        indices: of all images that are wanted, in this order.
        size: images of a part.
        ahead_of_use: let other threads gather images that are not on ``device``, a few parts ahead,
            so that it need not wait; where None, only if it is not the processor, which would have
            to share its time with them.

    Example:
        >>> import torch
        >>> from firstlight.comparison.batches import pixels
        >>> from firstlight.comparison.data import load
        >>> images = load("digits").train.images
        >>> [len(part) for part in pixels(images, images.device, torch.arange(100), size=64)]
        [64, 36]
    """
    if isinstance(images, Tensor) and images.device == device:
        # ten times as fast as indexing: it copies whole images
        yield from (images.index_select(0, part) for part in indices.to(device).split(size))
        return
    source = images if isinstance(images, Mapped) else Mapped(images.numpy(), np.empty(0))
    parts = indices.cpu().split(size)
    if ahead_of_use is None:
        ahead_of_use = device.type != "cpu"
    if not ahead_of_use:
        yield from (source[part].to(device) for part in parts)
        return
    gather = partial(_gather, source, device.type == "cuda")
    with closing(ahead(gather, parts, workers=_WORKERS, depth=_DEPTH)) as found:
        yield from (part.to(device, non_blocking=True) for part in found)


def _gather(images: Mapped, pinned: bool, chosen: Tensor) -> Tensor:
    """Copy images to memory, ``pinned`` where a GPU is to fetch them while it works."""
    found = torch.empty((len(chosen), *images.shape[1:]), dtype=torch.uint8, pin_memory=pinned)
    images.gather(chosen.numpy(), found.numpy())
    return found
