"""Where a signal is known: points of a lattice, of a sphere, or anywhere."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from firstlight.errors import OptionError


class Places(ABC):
    """A numbered list of points, whose coordinates are computed when they are asked for."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Number of coordinates of a point."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def at(self, numbers: Tensor) -> Tensor:
        """Coordinates of the points with these numbers: shape (n,) to (n, inputs), float32."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "Places":
        """The same points, from tables on another device, so that no batch copies them again."""

    @property
    @abstractmethod
    def spacing(self) -> tuple[float, ...]:
        """Distance of a point to its neighbour along each coordinate, in coordinates."""


@dataclass(frozen=True)
class Lattice(Places):
    """All points of a box whose coordinates lie on the axes' ticks, the last axis fastest.

    Attributes:
        ticks: one 1-D float32 tensor for each axis.

    Example:
        >>> box = Lattice.cells((2, 4))
        >>> len(box), box.at(torch.tensor([0, 7])).tolist()
        (8, [[-0.5, -0.75], [0.5, 0.75]])
    """

    ticks: tuple[Tensor, ...]

    @classmethod
    def cells(cls, shape: tuple[int, ...]) -> "Lattice":
        """Middles of shape[0] x shape[1] x ... equal cells that fill [-1, 1]^d."""
        return cls(
            tuple(
                (2 * torch.arange(n, dtype=torch.float64) + 1).div(n).sub(1).float() for n in shape
            )
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of ticks of each axis."""
        return tuple(len(axis) for axis in self.ticks)

    @property
    def inputs(self) -> int:
        """Number of axes."""
        return len(self.ticks)

    def __len__(self) -> int:
        return math.prod(self.shape)

    def at(self, numbers: Tensor) -> Tensor:
        """Coordinates of the points with these numbers."""
        columns = []
        for axis in reversed(self.ticks):
            columns.append(axis.to(numbers.device)[numbers % len(axis)])
            numbers = torch.div(numbers, len(axis), rounding_mode="floor")
        return torch.stack(columns[::-1], -1)

    def to(self, device: torch.device | str) -> "Lattice":
        """The same points with their ticks on another device."""
        return Lattice(tuple(axis.to(device) for axis in self.ticks))

    @property
    def spacing(self) -> tuple[float, ...]:
        """Mean distance of neighbouring ticks; 2 where an axis has one."""
        return tuple(
            float((axis[-1] - axis[0]).abs()) / (len(axis) - 1) if len(axis) > 1 else 2.0
            for axis in self.ticks
        )

    def every(self, step: int) -> Tensor:
        """Numbers of the points whose place on every axis is a multiple of ``step``.

        Example:
            >>> Lattice.cells((3, 4)).every(2).tolist()
            [0, 2, 8, 10]
        """
        numbers = torch.zeros(1, dtype=torch.long)
        for n in self.shape:
            numbers = (numbers[:, None] * n + torch.arange(0, n, step)).flatten()
        return numbers


@dataclass(frozen=True)
class Globe(Places):
    """Points of a latitude-longitude lattice on the unit sphere, longitude fastest.

        (cos lat cos lon, cos lat sin lon, sin lat)

    Attributes:
        latitude: in degrees, 1-D.
        longitude: in degrees, 1-D.
        device: where its tables are.

    Example:
        >>> Globe(torch.tensor([0.0, 90.0]), torch.tensor([90.0])).at(torch.tensor([0])).round()
        tensor([[0., 1., 0.]])
    """

    latitude: Tensor
    longitude: Tensor
    device: torch.device | str = "cpu"

    @property
    def lattice(self) -> Lattice:
        """The same points in degrees."""
        return Lattice((self.latitude, self.longitude))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of latitudes and of longitudes."""
        return self.lattice.shape

    @property
    def inputs(self) -> int:
        """Three: points are unit vectors."""
        return 3

    def __len__(self) -> int:
        return len(self.lattice)

    def at(self, numbers: Tensor) -> Tensor:
        """Unit vectors of the points with these numbers."""
        cosines, sines = self._tables
        (across, along), (up, aside) = cosines.at(numbers).unbind(-1), sines.at(numbers).unbind(-1)
        return torch.stack((across * along, across * aside, up), -1)

    def to(self, device: torch.device | str) -> "Globe":
        """The same points with their tables on another device."""
        return replace(self, device=device)

    @cached_property
    def _tables(self) -> tuple[Lattice, Lattice]:
        """Cosines and sines of both axes: float64 once, on the CPU, as not every device has it."""
        axes = [torch.deg2rad(axis.cpu().double()) for axis in self.lattice.ticks]
        cosines, sines = (
            Lattice(tuple(function(axis).float().to(self.device) for axis in axes))
            for function in (torch.cos, torch.sin)
        )
        return cosines, sines

    @property
    def spacing(self) -> tuple[float, ...]:
        """The larger step of the two, on the equator, for each coordinate."""
        return (math.radians(max(self.lattice.spacing)),) * 3

    def every(self, step: int) -> Tensor:
        """Numbers of the points whose row and column are multiples of ``step``."""
        return self.lattice.every(step)


@dataclass(frozen=True)
class Scattered(Places):
    """Points anywhere.

    Attributes:
        coordinates: shape (n, d), float32.
    """

    coordinates: Tensor

    def __post_init__(self) -> None:
        if self.coordinates.dim() != 2:
            raise OptionError(
                f"points must have the shape (n, d), got {tuple(self.coordinates.shape)}"
            )

    @property
    def inputs(self) -> int:
        """Number of coordinates."""
        return self.coordinates.shape[1]

    def __len__(self) -> int:
        return len(self.coordinates)

    def at(self, numbers: Tensor) -> Tensor:
        """Coordinates of the points with these numbers."""
        return self.coordinates.to(numbers.device)[numbers]

    def to(self, device: torch.device | str) -> "Scattered":
        """The same points on another device."""
        return Scattered(self.coordinates.to(device))

    @property
    def spacing(self) -> tuple[float, ...]:
        """What a lattice of as many points in the same box would have."""
        low, high = self.coordinates.amin(0), self.coordinates.amax(0)
        sides = (high - low).clamp_min(1e-12).double()
        step = float(sides.log().mean().exp()) / len(self) ** (1 / self.inputs)
        return (step,) * self.inputs
