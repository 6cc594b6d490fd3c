"""Volumes: arrays of one to four axes, as videos, scans and measured fields are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.errors import FirstlightError, OptionError, check_choice, number
from firstlight.fields.signals.array_reading import read_array
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Samples, Span, held_out_of
from firstlight.fields.signals.signal import (
    Form,
    Predict,
    check_held_out,
    chosen_places,
    options_of,
)
from firstlight.fields.signals.slabs import check_extent, rendered, target_shape
from firstlight.fields.signals.storage import RANGES, stored
from firstlight.files import write_atomically

_TYPES = (*RANGES, "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
_MOST_AXES = 4
#: Entries of a last axis that is taken for channels where nobody says what it is.
_FEW = 4


@dataclass(frozen=True)
class VolumeForm(Form):
    """An array's shape, type and range.

    Attributes:
        shape: cells along each of 1 to 4 axes.
        channels: numbers of a cell, the array's last axis; None where it has no such axis.
        dtype: NumPy's name of the numbers' type.
        low: the number that is -1 in the field.
        high: the number that is 1.

    Raises:
        OptionError: the numbers do not go together, or the array would be larger than 4 GiB.

    Example:
        >>> import torch
        >>> form = VolumeForm((2, 3), None, "int8", -128, 127)
        >>> form.render(lambda places: -torch.ones(len(places), 1), size=(1, 2)).tolist()
        [[-128, -128]]
    """

    kind = "volume"
    suffix = ".npy"

    shape: tuple[int, ...]
    channels: int | None
    dtype: str
    low: float
    high: float

    def __post_init__(self) -> None:
        check_choice(self.dtype, _TYPES, "a volume's type")
        if not isinstance(self.shape, tuple) or not 1 <= len(self.shape) <= _MOST_AXES:
            raise OptionError(f"a volume has 1 to {_MOST_AXES} axes, got the shape {self.shape!r}")
        outputs = 1 if self.channels is None else self.channels
        check_extent(self.shape, outputs, np.dtype(self.dtype))
        if number(self.low, "low") > number(self.high, "high"):
            raise OptionError(f"low must be at most high, got {self.low} and {self.high}")
        least, most = _limits(np.dtype(self.dtype))
        if self.low < least or self.high > most:
            raise OptionError(f"{self.low} to {self.high} is beyond the range of {self.dtype}")

    @property
    def span(self) -> Span:
        """The numbers that become -1 and 1."""
        return Span(self.low, self.high)

    def render(
        self,
        predict: Predict,
        *,
        scale: float | None = None,
        size: tuple[int, ...] | None = None,
        **unknown: Any,
    ) -> np.ndarray:
        """The array, at ``scale`` times its size along each axis, or of ``size``."""
        options_of(self, unknown, ("scale", "size"))
        shape = target_shape(self.shape, scale, size)
        values = rendered(predict, shape, self.channels or 1, self.span, np.dtype(self.dtype))
        return values[..., 0] if self.channels is None else values

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write a .npy file, or a .npz file with the one array "volume"."""
        if path.suffix.lower() not in (".npy", ".npz"):
            raise OptionError(f"a volume is written as .npy or .npz; got the name {path.name!r}")
        values = self.render(predict, **options)

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                if path.suffix.lower() == ".npy":
                    np.save(file, values, allow_pickle=False)
                else:
                    np.savez_compressed(file, volume=values)

        write_atomically(path, write)
        return path


def _limits(dtype: np.dtype) -> tuple[float, float]:
    """The least and largest number of a type, of those that float64 tells apart."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return max(-1e300, float(np.finfo(dtype).min)), min(1e300, float(np.finfo(dtype).max))
    return max(-(2**53), int(np.iinfo(dtype).min)), min(2**53, int(np.iinfo(dtype).max))


@dataclass(frozen=True)
class Volume(Gridded):
    """An array's numbers at the middles of its cells, each axis from -1 to 1."""


def read_volume(
    source: Any,
    *,
    channels_last: bool | None = None,
    every: int = 1,
    held_out: float = 0.0,
    seed: int = 0,
) -> Volume:
    """Read an array as samples of a field of as many coordinates as it has axes.

        scaled = 2 (value - low) / (high - low) - 1

    low and high are the least and largest number of the type for integers of 8 and 16 bits and
    bool, and of the array for others.

    Args:
        source: a .npy file, a .npz file of one array, or an array.
        channels_last: whether the last axis numbers several values of one place; None says so of
            the last of three or more axes where it has 4 entries or fewer.
        every: train on each axis' every n-th place, and hold out the others.
        held_out: or hold out this share, drawn with ``seed``.
        seed: of the held-out places.

    Raises:
        FirstlightError: no array, of too many axes, not numbers, NaN or infinite, or over 4 GiB.
        OptionError: every and held_out are wrong, or both given.

    Example:
        >>> volume = read_volume(np.linspace(0, 5, 24).reshape(2, 3, 4), channels_last=False)
        >>> volume.inputs, volume.outputs, volume.form.span
        (3, 1, Span(low=0.0, high=5.0))
    """
    check_held_out(every, held_out)
    name = str(source) if isinstance(source, str | Path) else "volume"
    array = read_array(source)
    if array.dtype.name not in _TYPES:
        raise FirstlightError(
            f"{name} must hold real numbers of one of {', '.join(_TYPES)}; got {array.dtype}"
        )
    shape, channels = _axes(array.shape, channels_last)
    values, span, between = stored(array)
    form = VolumeForm(shape, channels, array.dtype.name, between.low, between.high)
    places = Lattice.cells(shape)
    samples = Samples(places, values.reshape(len(places), -1), span)
    train, rest = held_out_of(samples, chosen_places(places, every, held_out, seed))
    return Volume(name, train, rest, form, every)


def _axes(shape: tuple[int, ...], channels_last: bool | None) -> tuple[tuple[int, ...], int | None]:
    """Cells along each axis of space, and the number of channels."""
    if channels_last not in (None, True, False):
        raise OptionError(f"channels_last must be True, False or None, got {channels_last!r}")
    if channels_last is None:
        channels_last = len(shape) >= 3 and shape[-1] <= _FEW
    cells, channels = (shape[:-1], shape[-1]) if channels_last else (shape, None)
    if not 1 <= len(cells) <= _MOST_AXES:
        raise FirstlightError(
            f"a volume has 1 to {_MOST_AXES} axes beside its channels, got an array of {shape}; "
            "reshape it, or give channels_last"
        )
    return cells, channels
