"""The signals that fields are fitted to, by name: the repository's files, or what packages bring.

Files under the data folder: kodak/*.png, audio/gt_bach.wav, sphere/eraint_uvz.nc, shapes/*.obj.
Brought by packages: a photograph (scikit-learn), a scan of a head, terrain, a map of a coast, a
recording of a brain (Matplotlib), cells (scikit-image), a torus (trimesh).
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight import fields
from firstlight.errors import OptionError

if TYPE_CHECKING:
    from firstlight.papers.work import Work

#: The parts of a picture, by its width: the usual one, and one that no number in firstlight was
#: set with, which lies outside of it.
_USUAL = (0, 0, 512, 512)
_FRESH = {768: (512, 128, 768, 384), 512: (128, 512, 384, 768)}


def signal(work: "Work", name: str) -> fields.Signal:
    """Return a signal by its name, with samples held out: every second one where nothing is said.

    Args:
        work: whose data folder is looked into.
        name: "kodim05 128" (grey, 128 x 128), "kodim05 128 fresh" (another part of it), "kodim05
            128 whole" (nothing held out), the same of "china"; "scan", "terrain" and "cells" with
            a side; "bach 1 s" (half a second from there), "bach 1 s short" (a quarter), "brain";
            "era u" (every fourth), "coast"; "stanford-bunny 4096" (points), "torus 512".

    Raises:
        OptionError: there is no such signal.
        FirstlightError: it is a file that the data folder lacks.

    Example:
        >>> from firstlight.papers.work import Work
        >>> len(signal(Work({}), "china 32").train)
        256
    """
    first, *rest = name.split()
    for known, read in _READERS.items():
        if first.startswith(known):
            return read(work, name, tuple(rest))
    raise OptionError(f"no signal is called {name!r}; there are {', '.join(_READERS)}")


def _picture(image: Any, rest: tuple[str, ...]) -> fields.Signal:
    from PIL import Image

    side, *how = rest
    part = _FRESH[image.width] if "fresh" in how else _USUAL
    image = image.crop(part).resize((int(side), int(side)), Image.Resampling.LANCZOS)
    return fields.load(np.asarray(image), kind="image", every=1 if "whole" in how else 2)


@lru_cache
def _kodak(path: Path, rest: tuple[str, ...]) -> fields.Signal:
    from PIL import Image

    with Image.open(path) as image:
        return _picture(image.convert("L"), rest)


@lru_cache
def _brought(name: str) -> fields.Signal:
    """What packages bring."""
    first, *rest = name.split()
    if first == "brain":
        wave = np.frombuffer(_sample("eeg.dat"), np.float64)[:1600]
        return fields.load(wave / np.abs(wave).max(), kind="audio", rate=800, every=2)
    if first == "coast":
        from matplotlib.cbook import get_sample_data

        found: Any = get_sample_data("topobathy.npz")
        arrays = [found[each].astype(np.float64) for each in ("latitude", "longitude", "topo")]
        return fields.load(arrays, kind="sphere", every=4)
    if first == "torus":
        import trimesh

        mesh = trimesh.creation.torus(1.0, 0.4)
        return fields.load(mesh, kind="occupancy", points=int(rest[0]))
    return _grey(_PICTURES[first](), tuple(rest))


def _grey(values: np.ndarray, rest: tuple[str, ...]) -> fields.Signal:
    """The middle square of a picture of any numbers."""
    from PIL import Image

    side = min(values.shape)
    top, left = ((each - side) // 2 for each in values.shape)
    square = values[top : top + side, left : left + side].astype(np.float64)
    square = 255 * (square - square.min()) / (square.max() - square.min())
    image = Image.fromarray(square.round().astype(np.uint8))
    image = image.resize((int(rest[0]),) * 2, Image.Resampling.LANCZOS)
    return fields.load(np.asarray(image), kind="image", every=1 if "whole" in rest else 2)


def _sample(name: str) -> bytes:
    from matplotlib.cbook import get_sample_data

    found: Any = get_sample_data(name)
    with found as file:
        return bytes(file.read())


def _china() -> np.ndarray:
    from sklearn.datasets import load_sample_image

    return np.asarray(load_sample_image("china.jpg")).mean(-1)


def _scan() -> np.ndarray:
    return np.frombuffer(_sample("s1045.ima.gz"), np.uint16).reshape(256, 256)


def _terrain() -> np.ndarray:
    from matplotlib.cbook import get_sample_data

    found: Any = get_sample_data("jacksboro_fault_dem.npz")
    return np.asarray(found["elevation"])


def _cells() -> np.ndarray:
    from skimage import data

    return np.asarray(data.cell())


#: Pictures that packages bring.
_PICTURES: dict[str, Callable[[], np.ndarray]] = {
    "china": _china,
    "scan": _scan,
    "terrain": _terrain,
    "cells": _cells,
}


@lru_cache
def _sphere(path: Path, variable: str) -> fields.Signal:
    select = {"level": 500, "month": 1}
    return fields.load(path, variable=variable, select=select, every=4)


@lru_cache
def _sound(path: Path, start: float, seconds: float) -> fields.Signal:
    return fields.load(path, start=start, seconds=seconds, every=2)


@lru_cache
def _shape(path: Path, points: int) -> fields.Signal:
    return fields.load(path, points=points)


Read = Callable[["Work", str, tuple[str, ...]], fields.Signal]


def _of_packages(_: "Work", name: str, __: tuple[str, ...]) -> fields.Signal:
    return _brought(name)


_READERS: dict[str, Read] = {
    "kodim": lambda work, name, rest: _kodak(work.file(f"kodak/{name.split()[0]}.png"), rest),
    "bach": lambda work, _, rest: _sound(
        work.file("audio/gt_bach.wav"), float(rest[0]), 0.25 if "short" in rest else 0.5
    ),
    "era": lambda work, _, rest: _sphere(work.file("sphere/eraint_uvz.nc"), rest[0]),
    "stanford-bunny": lambda work, _, rest: _shape(
        work.file("shapes/stanford-bunny.obj"), int(rest[0])
    ),
    "rocker-arm": lambda work, _, rest: _shape(work.file("shapes/rocker-arm.obj"), int(rest[0])),
    **dict.fromkeys((*_PICTURES, "brain", "coast", "torus"), _of_packages),
}
