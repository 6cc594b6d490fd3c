"""Public data sets: those that come with scikit-learn, and torchvision's, downloaded."""

from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.model import _torchvision

#: Images (N, H, W) or (N, H, W, C) as bytes, and their labels (N,), as a loader returns them.
Arrays = tuple[np.ndarray, np.ndarray]


def _digits(_: Path) -> tuple[Arrays, None]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images.astype(np.uint8), digits.target), None


def _downloaded(kind: str) -> Callable[[Path], tuple[Arrays, Arrays]]:
    def loader(root: Path) -> tuple[Arrays, Arrays]:
        _torchvision.prepare()
        try:
            from torchvision import datasets
        except ImportError as error:
            raise FirstlightError(
                f"{kind} needs torchvision: pip install 'firstlight[vision]'"
            ) from error
        try:
            sets = [getattr(datasets, kind)(root, train=train, download=True) for train in (1, 0)]
        except (OSError, RuntimeError, HTTPException) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise FirstlightError(f"{kind} could not be downloaded to {root}: {reason}") from error
        train, test = ((np.asarray(one.data), np.asarray(one.targets)) for one in sets)
        return train, test

    return loader


#: How each of them is read, in the order in which messages name them.
LOADERS: dict[str, Callable[[Path], tuple[Arrays, Arrays | None]]] = {
    "digits": _digits,
    "cifar10": _downloaded("CIFAR10"),
    "cifar100": _downloaded("CIFAR100"),
    "mnist": _downloaded("MNIST"),
    "fashion_mnist": _downloaded("FashionMNIST"),
}
