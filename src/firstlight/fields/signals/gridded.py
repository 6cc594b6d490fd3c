"""Signals on the cells of a box: images and volumes."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from firstlight.fields.signals.signal import Signal

#: Numbers that ``rows`` looks at, and the longest row: enough for a spectrum, done in a second.
_MOST_NUMBERS = 2**21
_LONGEST = 2**18


@dataclass(frozen=True)
class Gridded(Signal):
    """A signal whose places are ``Lattice.cells``.

    Attributes:
        every: of how many cells along each axis one is trained on.
    """

    every: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return self.train.places.shape  # type: ignore[attr-defined]

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between neighbouring training samples along each coordinate."""
        if self.every == 1:
            return super().spacing
        return tuple(min(2.0, each * self.every) for each in self.train.places.spacing)

    def rows(self) -> np.ndarray:
        """Rows of the trained lattice along its last axis, for each output: (rows, length).

        The longest axis instead of the last where that has one sample. Some rows, evenly spread,
        where there are many; held-out samples amid a row are interpolated, so that no number of
        theirs is used.
        """
        numbers = self._numbers()
        values = self.train.span.scaled(self.train.values[numbers]).double().cpu().numpy()
        if self.every == 1 and self.train.chosen is not None:
            known = torch.zeros(len(self.train.places), dtype=torch.bool)
            known[self.train.chosen.long().cpu()] = True
            _interpolate(values, known[numbers].numpy())
        return np.moveaxis(values, -1, 0).reshape(-1, values.shape[1])

    def _numbers(self) -> torch.Tensor:
        """Numbers of the places that ``rows`` looks at, (rows, length)."""
        trained = tuple(len(range(0, side, self.every)) for side in self.shape)
        along = len(trained) - 1 if trained[-1] > 1 else int(np.argmax(trained))
        length = min(trained[along], _LONGEST)
        across = (*trained[:along], 1, *trained[along + 1 :])
        count = min(math.prod(across), max(1, _MOST_NUMBERS // (length * self.outputs)))
        lines = np.linspace(0, math.prod(across) - 1, count).round().astype(np.int64)
        numbers = np.zeros((count, 1), dtype=np.int64)
        for axis, (side, place) in enumerate(
            zip(self.shape, np.unravel_index(lines, across), strict=True)
        ):
            steps = np.arange(length) if axis == along else place[:, None]
            numbers = numbers * side + steps * self.every
        return torch.from_numpy(numbers)


def _interpolate(values: np.ndarray, known: np.ndarray) -> None:
    """Replace what is not known of each row, (rows, length, outputs), by what stands beside it."""
    positions = np.arange(values.shape[1])
    for row, there in zip(values, known, strict=True):
        for column in row.T:
            column[:] = np.interp(positions, positions[there], column[there]) if there.any() else 0
