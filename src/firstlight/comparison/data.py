"""Labelled images for a comparison: loaded once, kept as bytes, split the same way every time."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison import _folder
from firstlight.errors import FirstlightError, OptionError
from firstlight.model import _torchvision

#: Where data sets are downloaded to unless ``data_root`` says otherwise.
DATA_ROOT = Path("~/.cache/firstlight")

#: Images (N, H, W) or (N, H, W, C) as bytes, and their labels (N,), as a loader returns them.
Arrays = tuple[np.ndarray, np.ndarray]

_SPLIT_SEED = 0  # every split of one data set is the same, in every run and on every machine


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) as bytes, and their labels (N,) from 0 to classes - 1."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> "Split":
        """Return the images at ``indices``, in increasing order."""
        chosen = torch.from_numpy(np.sort(indices))
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> "Split":
        """Return the same split on ``device``."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False)
class Data:
    """A training set, and a set that no run is trained on."""

    name: str
    train: Split
    test: Split
    classes: int

    _parts: dict[tuple[int | None, bool], "Data"] = field(default_factory=dict, repr=False)

    @property
    def in_channels(self) -> int:
        """Channels of an image: 1 or 3."""
        return self.train.images.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of an image in pixels."""
        height, width = self.train.images.shape[2:]
        return height, width

    def select(self, train_size: int | None, held_out: bool) -> "Data":
        """Return what one run sees; a second call returns the same object.

        Args:
            train_size: images to train on, a fixed choice with every class's share; None is all.
            held_out: judge on a tenth of the training images instead of the test set.

        Raises:
            OptionError: more images asked for than there are, or fewer than classes.

        Example:
            >>> from firstlight.comparison.data import load
            >>> part = load("digits").select(500, held_out=True)
            >>> len(part.train), len(part.test)
            (450, 50)
        """
        if train_size in (None, len(self.train)) and not held_out:
            return self
        if (train_size, held_out) not in self._parts:
            self._parts[train_size, held_out] = self._select(train_size, held_out)
        return self._parts[train_size, held_out]

    def _select(self, train_size: int | None, held_out: bool) -> "Data":
        train, test = self.train, self.test
        if train_size is not None and train_size != len(train):
            if not self.classes <= train_size < len(train):
                raise OptionError(
                    f"train_size must lie between {self.classes} (the classes) and {len(train)} "
                    f"(the training images of {self.name}), got {train_size}"
                )
            train = train.take(_subset(train.labels.numpy(), train_size))
        if held_out:
            if len(train) < 2 * self.classes:
                raise OptionError(
                    f"tuning needs at least {2 * self.classes} training images of {self.name} (two "
                    f"of each class), got {len(train)}"
                )
            judged = max(self.classes, len(train) // 10)
            one, other = _split(train.labels.numpy(), len(train) - judged, self.name)
            train, test = train.take(one), train.take(other)
        return Data(self.name, train, test, self.classes)

    def to(self, device: torch.device) -> "Data":
        """Return the same data on ``device``."""
        if self.train.images.device == device:
            return self
        moved = Data(self.name, self.train.to(device), self.test.to(device), self.classes)
        mean, std = self.normalisation
        vars(moved)["normalisation"] = mean.to(device), std.to(device)
        return moved

    @functools.cached_property
    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel over the training set, (1, C, 1, 1)."""
        total = torch.zeros(1, self.in_channels, 1, 1, dtype=torch.float64)
        squares = torch.zeros_like(total)
        for block in self.train.images.split(4096):  # the whole set in float64 may not fit
            values = block.double()
            total += values.sum((0, 2, 3), keepdim=True)
            squares += values.square().sum((0, 2, 3), keepdim=True)
        mean = total / (self.train.images.numel() / self.in_channels)
        variance = squares / (self.train.images.numel() / self.in_channels) - mean**2
        # a channel that never varies has nothing to scale
        return mean.float(), torch.where(variance > 1e-6, variance, 1.0).sqrt().float()

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of all images and labels: other data have another one.

        Example:
            >>> from firstlight.comparison.data import load
            >>> load("digits").fingerprint == load("digits").fingerprint
            True
        """
        found = hashlib.blake2b(digest_size=10)
        for split in (self.train, self.test):
            for part in (split.images, split.labels):
                found.update(str(tuple(part.shape)).encode())
                found.update(np.ascontiguousarray(part.numpy()).data)
        return found.hexdigest()


def load(name: str, root: str | Path | None = None) -> Data:
    """Load the data set called ``name``.

    Args:
        name: digits, cifar10, cifar100, mnist, fashion_mnist, or parquet:PATH.
        root: folder for downloads, ``~/.cache/firstlight`` by default.

    Raises:
        OptionError: no such data set.
        FirstlightError: it cannot be downloaded, read or decoded.

    Example:
        >>> from firstlight.comparison.data import load
        >>> digits = load("digits")
        >>> len(digits.train), len(digits.test), digits.classes, digits.image_size
        (1437, 360, 10, (8, 8))
    """
    check(name)
    if is_file(name):
        from firstlight.comparison import _parquet

        parts = _parquet.load(name.removeprefix("parquet:"))
    else:
        parts = _LOADERS[name](Path(root or DATA_ROOT).expanduser())
    return _data(name, *parts)


def check(name: str, *others: str) -> None:
    """Raise ``OptionError`` unless ``name`` is the name of a data set; it names others, too."""
    if name not in _LOADERS and not is_file(name):
        known = ", ".join([*_LOADERS, "parquet:PATH", "folder:PATH", *others])
        raise OptionError(f"data must be one of {known}; got {name!r}")
    if name.startswith("folder:"):
        _folder.Options.of(name)


def is_file(name: str) -> bool:
    """Return whether ``name`` is a file of the user's, which may change; the others never do."""
    return name.startswith(("parquet:", "folder:"))


def file_fingerprint(name: str) -> str:
    """Return a hash of the files that ``name`` stands for, without loading them, or "".

    It is that of all bytes for parquet:PATH, and of names and sizes for folder:PATH, whose images
    may be too many to read. Data sets that never change have none.

    Args:
        name: as ``load`` takes it.

    Raises:
        OptionError: no such data set.
        FirstlightError: its files cannot be read.

    Example:
        >>> from firstlight.comparison.data import file_fingerprint
        >>> file_fingerprint("digits")
        ''
    """
    check(name)
    if not is_file(name):
        return ""
    if name.startswith("folder:"):
        return _folder.listing(_folder.Options.of(name)).fingerprint()
    from firstlight.comparison import _contents

    return _contents.fingerprint(name)


def _subset(labels: np.ndarray, count: int) -> np.ndarray:
    """Choose ``count`` indices; each class keeps its share."""
    from sklearn.utils import resample

    return resample(
        np.arange(len(labels)),
        replace=False,
        n_samples=count,
        stratify=labels,
        random_state=_SPLIT_SEED,
    )


def _split(labels: np.ndarray, first: int, name: str) -> tuple[np.ndarray, np.ndarray]:
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
        np.arange(len(labels)), train_size=first, stratify=labels, random_state=_SPLIT_SEED
    )
    return one, other


def _data(name: str, train: Arrays, test: Arrays | None) -> Data:
    """Number the labels, and split where the data set came as one part."""
    if test is None:
        one, other = (np.sort(part) for part in _split(train[1], 4 * len(train[1]) // 5, name))
        train, test = (train[0][one], train[1][one]), (train[0][other], train[1][other])
    names = np.unique(np.concatenate([train[1], test[1]]))
    if len(names) < 2:
        raise FirstlightError(f"{name} has one class only; 2 or more are needed")
    return Data(name, _numbered(train, names), _numbered(test, names), len(names))


def _numbered(arrays: Arrays, names: np.ndarray) -> Split:
    """Turn images (N, H, W) or (N, H, W, C) and labels into tensors."""
    images, labels = arrays
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return Split(
        torch.from_numpy(np.ascontiguousarray(images)),
        torch.from_numpy(np.searchsorted(names, labels).astype(np.int64)),
    )


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


_LOADERS: dict[str, Callable[[Path], tuple[Arrays, Arrays | None]]] = {
    "digits": _digits,
    "cifar10": _downloaded("CIFAR10"),
    "cifar100": _downloaded("CIFAR100"),
    "mnist": _downloaded("MNIST"),
    "fashion_mnist": _downloaded("FashionMNIST"),
}
