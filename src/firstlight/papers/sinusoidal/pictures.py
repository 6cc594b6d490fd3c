"""Real images for networks at their start: CIFAR-10 where it is on disk, else two photographs."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.data import load
from firstlight.errors import check_choice
from firstlight.papers.work import Work

#: CIFAR-10's test images as one parquet file.
CIFAR10 = "cifar10-test.parquet"


def pictures(work: Work, count: int, side: int, seed: int = 0) -> Tensor:
    """Return images (count, 3, side, side) of mean 0 and standard deviation 1 per channel.

    The setting ``images`` says which: cifar10, of ``--data``, resized; or photographs, pieces of
    the two that scikit-learn brings.

    Args:
        work: with the setting images.
        count: how many.
        side: in pixels.
        seed: of the choice.

    Raises:
        FirstlightError: cifar10, and no file of it.
    """
    check_choice(work["images"], ("cifar10", "photographs"), "images")
    chosen = _cifar10(work, count, seed) if work["images"] == "cifar10" else _pieces(count, seed)
    values = chosen.float()
    if values.shape[-1] != side:
        values = torch.nn.functional.interpolate(
            values, size=(side, side), mode="bilinear", antialias=True
        )
    mean, std = values.mean((0, 2, 3), keepdim=True), values.std((0, 2, 3), keepdim=True)
    return (values - mean) / std


def _cifar10(work: Work, count: int, seed: int) -> Tensor:
    images = load(f"parquet:{work.file(CIFAR10)}").test.images
    generator = np.random.default_rng(seed)
    return images[torch.from_numpy(generator.choice(len(images), count, replace=False))]


def _pieces(count: int, seed: int) -> Tensor:
    from sklearn.datasets import load_sample_image

    generator = np.random.default_rng(seed)
    photographs: list[Any] = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    pieces = []
    for at in range(count):
        photograph = photographs[at % 2]
        top, left = (int(generator.integers(0, end - 64)) for end in photograph.shape[:2])
        pieces.append(photograph[top : top + 64, left : left + 64])
    return torch.from_numpy(np.stack(pieces)).permute(0, 3, 1, 2)
