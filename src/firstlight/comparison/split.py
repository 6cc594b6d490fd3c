"""One part of a data set, and how a part is chosen: the same way every time."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.mapped import Mapped
from firstlight.errors import FirstlightError

_SEED = 0  # every split of one data set is the same, in every run and on every machine


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) as bytes, and their labels (N,) from 0 to classes - 1."""

    images: Tensor | Mapped
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> "Split":
        """Return the images at ``indices``, in increasing order."""
        chosen = np.sort(indices)
        rows = torch.from_numpy(chosen)
        images = self.images
        taken = images.take(chosen) if isinstance(images, Mapped) else images[rows]
        return Split(taken, self.labels[rows])

    def to(self, device: torch.device, images: bool = True) -> "Split":
        """Return the same split on ``device``, or its labels only."""
        return Split(self.images.to(device) if images else self.images, self.labels.to(device))


def subset(labels: np.ndarray, count: int) -> np.ndarray:
    """Choose ``count`` indices; each class keeps its share."""
    from sklearn.utils import resample

    return resample(
        np.arange(len(labels)),
        replace=False,
        n_samples=count,
        stratify=labels,
        random_state=_SEED,
    )


def halves(labels: np.ndarray, first: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Divide the indices in two, ``first`` of them in the one; each class keeps its share."""
    from sklearn.model_selection import train_test_split

    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise FirstlightError(
            f"{name} cannot be split class by class: a class must have 2 images, "
            f"{str(names[counts.argmin()])[:40]!r} has one"
        )
    if min(first, len(labels) - first) < len(names):
        raise FirstlightError(
            f"{name} cannot be split class by class: {len(labels)} images are too few for "
            f"{len(names)} classes"
        )
    one, other = train_test_split(
        np.arange(len(labels)), train_size=first, stratify=labels, random_state=_SEED
    )
    return one, other
