"""Labelled images for a comparison: loaded once, kept as bytes, split the same way every time."""

import functools
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison import _folder, corpus, text
from firstlight.comparison._public import LOADERS, Arrays
from firstlight.comparison.mapped import Mapped
from firstlight.comparison.split import Split, halves, subset
from firstlight.errors import FirstlightError, OptionError

_log = logging.getLogger("firstlight")

#: Where data sets are downloaded to unless ``data_root`` says otherwise.
DATA_ROOT = Path("~/.cache/firstlight")

_AT_ONCE = 4096  # images that are looked at together: all in float64 may not fit


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
            train = train.take(subset(train.labels.numpy(), train_size))
        if held_out:
            if len(train) < 2 * self.classes:
                raise OptionError(
                    f"tuning needs at least {2 * self.classes} training images of {self.name} (two "
                    f"of each class), got {len(train)}"
                )
            judged = max(self.classes, len(train) // 10)
            one, other = halves(train.labels.numpy(), len(train) - judged, self.name)
            train, test = train.take(one), train.take(other)
        return Data(self.name, train, test, self.classes)

    def to(self, device: torch.device) -> "Data":
        """Return the same data on ``device``; images stay where they are if they do not fit it."""
        if self.train.images.device == device:
            return self
        fits = self._fits(device)
        train, test = self.train.to(device, fits), self.test.to(device, fits)
        moved = Data(self.name, train, test, self.classes)
        mean, std = self.normalisation
        vars(moved)["normalisation"] = mean.to(device), std.to(device)
        return moved

    def _fits(self, device: torch.device) -> bool:
        """Return whether all images take less than half of what the device has left."""
        if device.type != "cuda":
            return isinstance(self.train.images, Tensor)
        # the allocator keeps what an earlier run has freed
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        left = torch.cuda.mem_get_info(device)[0] + kept
        return self.train.images.numel() + self.test.images.numel() < left / 2

    @functools.cached_property
    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel over the training set, (1, C, 1, 1)."""
        total, squares = _sums(self.train.images).double().view(2, 1, self.in_channels, 1, 1)
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
                for begin in range(0, len(part), _AT_ONCE):
                    block = part[begin : begin + _AT_ONCE]
                    found.update(np.ascontiguousarray(block.numpy()).data)
        return found.hexdigest()


def load(
    name: str, root: str | Path | None = None, note: Callable[[str], None] = _log.info
) -> Data:
    """Load the data set called ``name``.

    Images of a folder are decoded once, to a file that is mapped into memory: it may be larger than
    memory. They lie in ``PATH/train/CLASS`` and ``PATH/val/CLASS`` (or validation, or test), or in
    ``PATH/CLASS``, or as Tiny-ImageNet's; all have one size, or are scaled and cut to ``size``.

    Args:
        name: digits, cifar10, cifar100, mnist, fashion_mnist, parquet:PATH, folder:PATH, or
            folder:PATH:size=64.
        root: folder for downloads and decoded images, ``~/.cache/firstlight`` by default.
        note: is told what takes long.

    Raises:
        OptionError: no such data set.
        FirstlightError: it cannot be downloaded, read, decoded or kept.

    Example:
        >>> from firstlight.comparison.data import load
        >>> digits = load("digits")
        >>> len(digits.train), len(digits.test), digits.classes, digits.image_size
        (1437, 360, 10, (8, 8))
    """
    check(name)
    if corpus.is_text(name):
        raise OptionError(f"images are needed here, {name} is a text")
    folder = Path(root or DATA_ROOT).expanduser()
    if name.startswith("folder:"):
        return _of_folder(name, folder, note)
    if is_file(name):
        from firstlight.comparison import _parquet

        parts = _parquet.load(name.removeprefix("parquet:"))
    else:
        parts = LOADERS[name](folder)
    return _data(name, *parts)


def load_any(
    name: str, root: str | Path | None = None, note: Callable[[str], None] = _log.info
) -> Data | text.Text:
    """Load images as ``load`` does, or the text called wikitext2 or text:PATH.

    Example:
        >>> from firstlight.comparison.data import load_any
        >>> load_any("digits").classes
        10
    """
    if corpus.is_text(name):
        return text.load(name, Path(root or DATA_ROOT).expanduser())
    return load(name, root, note)


def check(name: str, *others: str) -> None:
    """Raise ``OptionError`` unless ``name`` is the name of a data set; it names others, too."""
    if corpus.is_text(name):
        corpus.Source.of(name)
        return
    if name not in LOADERS and not is_file(name):
        known = ", ".join([*LOADERS, "parquet:PATH", "folder:PATH", *corpus.NAMES, *others])
        raise OptionError(f"data must be one of {known}; got {name!r}")
    if name.startswith("folder:"):
        _folder.Options.of(name)


def is_file(name: str) -> bool:
    """Return whether ``name`` is a file of the user's, which may change; the others never do."""
    return name.startswith(("parquet:", "folder:", "text:"))


def file_fingerprint(name: str) -> str:
    """Return a hash of the files that ``name`` stands for, without loading them, or "".

    It is that of all bytes for parquet:PATH and text:PATH, and of names and sizes for folder:PATH,
    whose images may be too many to read. Data sets that never change have none.

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

    if not corpus.is_text(name):
        return _contents.fingerprint(name)
    source = corpus.Source.of(name)
    mark = _contents.fingerprint(f"text:{source.pattern}")
    folder = Path(source.tokenizer or "")
    if source.tokenizer is None or not folder.is_dir():
        return mark
    return mark + _contents.fingerprint(f"text:{folder}/*.*")


def _of_folder(name: str, root: Path, note: Callable[[str], None]) -> Data:
    from firstlight.comparison import _decoded

    found = _folder.listing(_folder.Options.of(name))
    labels = found.labels()
    if labels.max() < 1:
        raise FirstlightError(f"{name} has one class only; 2 or more are needed")
    one, other = np.arange(len(found.train)), np.arange(len(found.train), len(labels))
    if found.test is None:
        one, other = halves(labels, 4 * len(labels) // 5, name)
    whole = Split(_decoded.load(found, root / "decoded", note), torch.from_numpy(labels))
    data = Data(name, whole.take(one), whole.take(other), int(labels.max()) + 1)
    vars(data)["fingerprint"] = found.fingerprint()
    return data


def _sums(images: Tensor | Mapped) -> Tensor:
    """Sum and sum of squares of each channel, (2, C): whole numbers below 2**53, exact."""
    if isinstance(images, Mapped):
        return images.sums()
    found = torch.zeros(2, images.shape[1], dtype=torch.float64)
    for block in images.split(_AT_ONCE):
        values = block.double()
        found += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
    return found


def _data(name: str, train: Arrays, test: Arrays | None) -> Data:
    """Number the labels, and split where the data set came as one part."""
    if test is None:
        one, other = (np.sort(part) for part in halves(train[1], 4 * len(train[1]) // 5, name))
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
