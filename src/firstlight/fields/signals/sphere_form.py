"""The form of a map on a sphere: its lattice, names and units, and back to a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from firstlight.errors import FirstlightError, OptionError, number, positive
from firstlight.fields.signals.graticule import (
    check_latitudes,
    check_longitudes,
    finer,
    goes_round,
)
from firstlight.fields.signals.netcdf import MOST_POINTS
from firstlight.fields.signals.places import Globe
from firstlight.fields.signals.samples import Span
from firstlight.fields.signals.signal import Form, Predict, options_of
from firstlight.fields.signals.slabs import slabs
from firstlight.files import write_atomically

if TYPE_CHECKING:
    import xarray

_SUFFIXES = (".nc", ".nc3", ".cdf", ".netcdf")
_TEXTS = ("units", "long_name", "standard_name")
#: Characters of a name.
_LONGEST = 256


@dataclass(frozen=True)
class SphereForm(Form):
    """A map's lattice, and the names and units of its values.

    Attributes:
        latitude: in degrees, ascending or descending.
        longitude: in degrees, ascending or descending.
        low: the value that becomes -1, in the variable's units.
        high: the value that becomes 1.
        variable: its name.
        units: of the variable.
        long_name: what it is called in plots.
        standard_name: what the CF conventions call it.
        dims: names of the two coordinates.
        at: other coordinates that the map belongs to, such as ("level", 500.0).

    Raises:
        FirstlightError: latitudes or longitudes are none.
        OptionError: another number or name is not what it must be.

    Example:
        >>> form = SphereForm((90.0, -90.0), (0.0, 180.0), 250.0, 300.0, "t", "K")
        >>> form.render(lambda places: torch.zeros(len(places), 1), size=(3, 4)).shape
        (3, 4)
    """

    kind = "sphere"
    suffix = ".nc"

    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    low: float
    high: float
    variable: str = "values"
    units: str = ""
    long_name: str = ""
    standard_name: str = ""
    dims: tuple[str, str] = ("latitude", "longitude")
    at: tuple[tuple[str, float | str], ...] = ()

    def __post_init__(self) -> None:
        for name, check in (("latitude", check_latitudes), ("longitude", check_longitudes)):
            values = np.array([number(each, name) for each in _listed(getattr(self, name), name)])
            object.__setattr__(self, name, tuple(check(values).tolist()))
        _check_size((len(self.latitude), len(self.longitude)))
        if number(self.low, "low") > number(self.high, "high"):
            raise OptionError(f"low must not be above high, got {self.low!r} and {self.high!r}")
        object.__setattr__(self, "dims", _listed(self.dims, "dims"))
        object.__setattr__(
            self, "at", tuple(_listed(each, "at") for each in _listed(self.at, "at"))
        )
        self._check_names()

    @property
    def span(self) -> Span:
        """From the least to the largest value of the map."""
        return Span(self.low, self.high)

    def lattice(self, **options: Any) -> Globe:
        """The places that are rendered, over the same extent; options as in ``render``."""
        options_of(self, options, ("scale", "size"))
        latitude, longitude = np.array(self.latitude), np.array(self.longitude)
        turn = goes_round(longitude)
        size, scale = options.get("size"), options.get("scale")
        if size is not None and scale is not None:
            raise OptionError("size and scale both say how fine to render: give one of them")
        factor = 1.0 if scale is None else positive(scale, "scale")
        rows, columns = (
            _check_sides(size)
            if size is not None
            else (
                max(1, round((len(axis) - fixed) * factor) + fixed)
                for axis, fixed in ((latitude, 1), (longitude, 1 - turn))
            )
        )
        _check_size((rows, columns))
        for axis, count in ((latitude, rows), (longitude, columns)):
            if len(axis) == 1 and count > 1:
                raise OptionError(f"{count} places do not fit where the map has one: it is a line")
        degrees = finer(latitude, rows), finer(longitude, columns, turn=turn)
        return Globe(torch.from_numpy(degrees[0]), torch.from_numpy(degrees[1]))

    def render(self, predict: Predict, **options: Any) -> "xarray.DataArray":
        """The map in its own units, float32, with its coordinates.

        Args:
            predict: values of the field at places.
            options: ``scale``, by which the steps become smaller, or ``size``, (rows, columns).

        Raises:
            OptionError: an option is unknown or out of range, or the map is too large.
            FirstlightError: the field is not finite somewhere.
        """
        import xarray

        places = self.lattice(**options)
        values = np.empty(places.shape, np.float32)
        for rows, columns in slabs(places.shape):
            part = Globe(places.latitude[rows], places.longitude[columns])
            shape = values[rows, columns].shape
            values[rows, columns] = self.span.restored(predict(part)).numpy().reshape(shape)
        if not np.isfinite(values).all():
            raise FirstlightError("the field is not finite somewhere: its training diverged")
        units = (("units", "degrees_north"), ("units", "degrees_east"))
        axes = (places.latitude.numpy(), places.longitude.numpy())
        coordinates: dict[str, Any] = {
            dim: (dim, axis, dict([unit]))
            for dim, axis, unit in zip(self.dims, axes, units, strict=True)
        }
        given = {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        return xarray.DataArray(
            values, {**coordinates, **dict(self.at)}, self.dims, self.variable, given
        )

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write a NetCDF 3 file, which every library for NetCDF reads.

        Raises:
            OptionError: as in ``render``, or the name has another ending.
            FirstlightError: as in ``render``, or it cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in _SUFFIXES:
            raise OptionError(f"a map is saved as {', '.join(_SUFFIXES)}, not as {path.name!r}")
        dataset = self.render(predict, **options).to_dataset()
        bare = {name: {"_FillValue": None} for name in (self.variable, *self.dims)}
        dataset.attrs["Conventions"] = "CF-1.8"

        def write(temporary: Path) -> None:
            dataset.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT", encoding=bare)

        write_atomically(path, write)
        return path

    def _check_names(self) -> None:
        """That names are short text without "/", which makes groups in NetCDF 4, and differ."""
        if len(self.dims) != 2 or any(len(pair) != 2 for pair in self.at):
            raise OptionError("dims must be two names, and at pairs of a name and a value")
        names = [self.variable, *self.dims, *(pair[0] for pair in self.at)]
        texts = [pair[1] for pair in self.at if not isinstance(pair[1], int | float)]
        for name, value in self.at:
            if " " in str(name):
                raise OptionError(f"names of at must have no spaces, got {name!r}")
            if isinstance(value, int) and abs(value) >= 2**31:
                raise OptionError(f"{name} must be below 2^31, as NetCDF 3 has it, got {value}")
            if isinstance(value, float):
                number(value, str(name))
        for text in [*names, *texts, *(getattr(self, name) for name in _TEXTS)]:
            if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
                raise OptionError(f"a map's names must be short printable text, got {text!r:.80}")
        if len({*names}) < len(names) or not all(names) or any("/" in name for name in names):
            raise OptionError(f"a map's names must differ, with no / in them, got {names}")


def _listed(values: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(values, tuple | list):
        raise OptionError(f"{what} must be a list, got {type(values).__name__}")
    return tuple(values)


def _check_sides(size: Any) -> tuple[int, int]:
    sides = _listed(size, "size")
    if len(sides) != 2 or any(type(side) is not int or side < 1 for side in sides):
        raise OptionError(f"size must be two whole numbers of 1 or more, got {size!r}")
    return sides[0], sides[1]


def _check_size(shape: tuple[int, int]) -> None:
    if shape[0] * shape[1] > MOST_POINTS:
        raise OptionError(f"a map of {shape[0]} x {shape[1]} has more than 2^28 points; take less")
