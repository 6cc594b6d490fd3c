"""Folders of images: one folder for each class, or Tiny-ImageNet's annotations."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstlight.errors import FirstlightError, OptionError
from firstlight.model.named import split

#: Other files are no images, and are ignored.
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
#: Where the images lie that judge, the first that there is; ImageNet's test has no labels.
_JUDGING = ("val", "validation", "test")
_ANNOTATIONS = "val_annotations.txt"
_LARGEST = 4096


@dataclass(frozen=True)
class Options:
    """What a name ``folder:PATH:size=64`` asks for; None keeps the images' own size."""

    root: Path
    size: int | None

    @classmethod
    def of(cls, name: str) -> "Options":
        """Read ``name``; raise ``OptionError`` where it says anything else."""
        text, options = split(name)
        path = text.removeprefix("folder:")
        unknown = sorted(set(options) - {"size"})
        if not path or unknown:
            got = f"the option {unknown[0]!r}" if unknown else "no path"
            raise OptionError(f"data must be folder:PATH or folder:PATH:size=64; got {got}")
        size = options.get("size")
        if size is not None and (type(size) is not int or not 1 <= size <= _LARGEST):
            raise OptionError(
                f"{text}: size must be a whole number of pixels from 1 to {_LARGEST}, got {size!r}"
            )
        try:
            return cls(Path(path).expanduser().resolve(), size)
        except (OSError, ValueError, RuntimeError) as error:  # no such user, a loop of links
            raise OptionError(f"data {text}: {error}") from error


@dataclass(frozen=True)
class File:
    """One image: its name below the root, its class, and what tells whether it has changed."""

    name: str
    kind: str
    size: int
    modified: int

    @classmethod
    def of(cls, entry: "os.DirEntry[str]", root: Path, kind: str) -> "File":
        """Describe what a folder lists; the name is the same on every system."""
        stat = entry.stat()
        name = entry.path[len(str(root)) + 1 :].replace(os.sep, "/")
        return cls(name, kind, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Listing:
    """All images under a root in the order of their classes and names; none is opened."""

    options: Options
    train: list[File]
    test: list[File] | None

    @property
    def files(self) -> list[File]:
        """Those of both parts."""
        return self.train + (self.test or [])

    def labels(self) -> np.ndarray:
        """Return the number of each file's class, classes sorted by name, (N,)."""
        numbers = {kind: number for number, kind in enumerate(sorted({f.kind for f in self.train}))}
        return np.array([numbers[file.kind] for file in self.files], np.int64)

    def fingerprint(self) -> str:
        """Hash names, classes and sizes, not contents: a million images would take long."""
        found = hashlib.blake2b(f"{self.options.size} {len(self.train)}".encode(), digest_size=10)
        for file in self.files:
            found.update(os.fsencode(f"\0{file.name}\0{file.kind}\0{file.size}"))
        return found.hexdigest()

    def key(self) -> str:
        """Hash all that the decoded images depend on: where they lie and when they were written."""
        found = hashlib.blake2b(os.fsencode(self.options.root), digest_size=16)
        found.update(self.fingerprint().encode())
        found.update(np.array([file.modified for file in self.files], np.int64).data)
        return found.hexdigest()


def listing(options: Options) -> Listing:
    """List the images under ``options.root``.

    Layouts: ``train/CLASS`` with ``val/CLASS``, ``validation/CLASS`` or ``test/CLASS``; ``CLASS``
    alone, which is split; and Tiny-ImageNet's ``val/images`` with ``val/val_annotations.txt``.
    Images may lie in folders below that of their class. What begins with a dot is ignored.

    Raises:
        FirstlightError: no such folder, or not laid out so.
    """
    root = options.root
    if not root.is_dir():
        raise FirstlightError(f"folder: {shown(root)} is no folder")
    try:
        if not _has_folders(root / "train"):  # it may also be a class of that name, with images
            return Listing(options, _by_class(root, root), None)
        judging = next((root / part for part in _JUDGING if (root / part).is_dir()), None)
        if judging is None:
            raise FirstlightError(
                f"folder: {shown(root)} has train, but none of {', '.join(_JUDGING)}; to judge on "
                "a part of the training images, name the folder train itself"
            )
        train = _by_class(root / "train", root)
        annotated = (judging / _ANNOTATIONS).is_file()
        test = _annotated(judging, root) if annotated else _by_class(judging, root)
    except OSError as error:
        raise FirstlightError(f"folder: {shown(root)} cannot be read: {error}") from error
    untrained = sorted({file.kind for file in test} - {file.kind for file in train})
    if untrained:
        raise FirstlightError(
            f"folder: {shown(judging)} has the class {shown(untrained[0])!r}, which "
            f"{shown(root / 'train')} lacks"
        )
    return Listing(options, train, test)


def shown(path: object) -> str:
    """Return a path as text that can be printed, whatever bytes a file's name has."""
    return os.fsencode(str(path)).decode("utf-8", "replace")


def _by_class(folder: Path, root: Path) -> list[File]:
    """List the images in the folders of ``folder``, each the class of all below it."""
    with os.scandir(folder) as entries:
        kinds = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    found = [File.of(entry, root, kind) for kind in kinds for entry in _images(str(folder / kind))]
    if not found:
        raise FirstlightError(
            f"folder: {shown(folder)} must hold a folder for each class, with images "
            f"({', '.join(SUFFIXES)}) in it; there are none"
        )
    return found


def _has_folders(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def _images(folder: str) -> Iterator["os.DirEntry[str]"]:
    """List the images anywhere in ``folder``, sorted; nothing that is no file, as a pipe."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith("."):  # such as "._x.jpg", which macOS leaves
            continue
        if entry.is_dir():
            yield from _images(entry.path)
        elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
            yield entry


def _annotated(folder: Path, root: Path) -> list[File]:
    """List Tiny-ImageNet's images for judging, whose classes stand in a file."""
    kinds = {}
    path = folder / _ANNOTATIONS
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.split("\t")
        if len(words) < 2:
            raise FirstlightError(
                f"folder: {shown(path)}, line {number}: expected an image's name, a tab and its "
                f"class; got {shown(line)[:40]!r}"
            )
        kinds[words[0]] = words[1]
    found = []
    for entry in _images(str(folder / "images")):
        if entry.name not in kinds:
            raise FirstlightError(f"folder: {shown(entry.path)} has no line in {shown(path)}")
        found.append(File.of(entry, root, kinds[entry.name]))
    if not found:
        raise FirstlightError(f"folder: {shown(folder / 'images')} holds no images")
    return sorted(found, key=lambda file: (file.kind, file.name))
