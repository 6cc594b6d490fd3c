"""One map on a latitude-longitude lattice, out of a NetCDF file or xarray's own objects."""

import gc
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.selecting import scalars, selected, text
from firstlight.fields.signals.signal import check_readable, unreadable

if TYPE_CHECKING:
    import xarray

#: xarray's engine for each beginning of a file.
_ENGINES = {b"CDF\x01": "scipy", b"CDF\x02": "scipy", b"\x89HDF": "h5netcdf"}
#: What libraries raise on files that are cut off or damaged.
_DAMAGED = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError)
#: Names and units (CF conventions, 4.1 and 4.2) of the two axes, in lower case.
_NAMES = {"latitude": ("lat", "latitude"), "longitude": ("lon", "long", "longitude")}
_UNITS = {
    "latitude": ("degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"),
    "longitude": ("degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"),
}
#: Points of the largest map, which bounds the memory.
MOST_POINTS = 2**28


class Map(NamedTuple):
    """One variable at one level, time and so on.

    Attributes:
        values: (latitudes, longitudes), of the type that xarray decodes them to.
        latitude: as stored.
        longitude: as stored.
        dims: names of the two coordinates.
        variable: its name.
        attributes: its units, long_name and standard_name, "" where it has none.
        at: other coordinates that the map belongs to, by name.
    """

    values: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    dims: tuple[str, str]
    variable: str
    attributes: dict[str, str]
    at: tuple[tuple[str, float | str], ...]


def read_map(source: Any, variable: str | None, select: Mapping[str, Any] | None) -> Map:
    """Take a map from a file, a Dataset or a DataArray.

    Args:
        source: one of them.
        variable: which one; None takes the only one that is on a map.
        select: one value for each other dimension that has several.

    Raises:
        FirstlightError: the file is absent, damaged, no NetCDF, or has no map.
        OptionError: the variable or a selection is not there, or is missing.
    """
    import xarray

    if isinstance(source, xarray.DataArray):
        name = source.name if source.name and source.name not in source.coords else "values"
        source = source.to_dataset(name=name)
    if isinstance(source, xarray.Dataset):
        return _map_of(source, variable, select or {}, "the dataset")
    if not isinstance(source, str | Path):
        raise OptionError(
            f"a map is read from a file, a Dataset, a DataArray or three arrays, "
            f"got {type(source).__name__}"
        )
    return _of_file(Path(source), variable, select or {})


def _of_file(path: Path, variable: str | None, select: Mapping[str, Any]) -> Map:
    engine = _engine(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # attributes against the conventions
        try:
            with _opened(path, engine) as dataset:
                return _map_of(dataset, variable, select, str(path))
        except OptionError:  # a ValueError too
            raise
        except _DAMAGED as error:
            failure = unreadable(path, "NetCDF", error)
        gc.collect()  # files that the libraries left open, which they complain about here, unheard
    raise failure


def _engine(path: Path) -> str:
    """The library that reads a file, by its first bytes, once it is seen to be whole."""
    check_readable(path, "NetCDF")
    with path.open("rb") as file:
        begin = file.read(4)
    if begin not in _ENGINES:
        raise unreadable(path, "NetCDF", "it begins like neither NetCDF 3 nor NetCDF 4")
    if _ENGINES[begin] == "h5netcdf":
        import h5netcdf  # noqa: F401  (where it is missing, xarray does not say so)
        import h5py

        try:
            h5py.File(path, "r").close()  # h5netcdf complains at the garbage collector's instead
        except _DAMAGED as error:
            raise unreadable(path, "NetCDF", error) from error
    return _ENGINES[begin]


def _opened(path: Path, engine: str) -> "xarray.Dataset":
    import xarray

    try:
        return xarray.open_dataset(path, engine=engine)
    except ValueError:  # times of a calendar that is not installed stay numbers
        return xarray.open_dataset(path, engine=engine, decode_times=False)


def _map_of(
    dataset: "xarray.Dataset", variable: str | None, select: Mapping[str, Any], name: str
) -> Map:
    axes = {kind: _axes(dataset, kind) for kind in _NAMES}
    on_maps = {
        str(each): found
        for each, array in dataset.data_vars.items()
        if (found := _dims_of(array, axes)) is not None
    }
    chosen = _chosen(on_maps, variable, dataset, name)
    rows, columns = on_maps[chosen]
    array = selected(dataset[chosen], select, (rows, columns)).transpose(rows, columns)
    if not 1 <= array.size <= MOST_POINTS:
        raise OptionError(f"{chosen} has {array.size} points; a map has 1 to 2^28")
    if array.dtype.kind not in "biuf":
        raise FirstlightError(f"{chosen} must be real numbers, got {array.dtype}")
    latitude, longitude = axes["latitude"][rows], axes["longitude"][columns]
    kept = ("units", "long_name", "standard_name")
    return Map(
        np.array(array.values),  # a copy, as the file is closed
        np.array(dataset[latitude].values),
        np.array(dataset[longitude].values),
        (latitude, longitude),
        chosen,
        {each: text(array.attrs.get(each, "")) for each in kept},
        scalars(array),
    )


def _axes(dataset: "xarray.Dataset", kind: str) -> dict[str, str]:
    """Names of the 1-D variables that are latitude or longitude, by their dimension."""
    found: dict[str, str] = {}
    for name, variable in dataset.variables.items():
        attributes = variable.attrs
        if variable.ndim == 1 and (
            attributes.get("standard_name") == kind
            or str(attributes.get("units", "")).lower() in _UNITS[kind]
            or str(name).lower() in _NAMES[kind]
        ):
            found.setdefault(str(variable.dims[0]), str(name))
    return found


def _dims_of(array: "xarray.DataArray", axes: dict[str, dict[str, str]]) -> tuple[str, str] | None:
    """The two dimensions of a variable that lies on a map, rows first."""
    rows, columns = ([str(d) for d in array.dims if d in axes[kind]] for kind in _NAMES)
    if len(rows) != 1 or len(columns) != 1 or rows == columns:
        return None
    return rows[0], columns[0]


def _chosen(
    on_maps: Mapping[str, Any], variable: str | None, dataset: "xarray.Dataset", name: str
) -> str:
    if not on_maps:
        raise FirstlightError(
            f"{name} has no variable over 1-D latitude and longitude (coordinates named lat and "
            f"lon, or of units degrees_north and degrees_east); it has "
            f"{', '.join(map(str, dataset.variables)) or 'none at all'}"
        )
    there = ", ".join(on_maps)
    if variable is None:
        if len(on_maps) > 1:
            raise OptionError(f"{name} has several variables: give variable, one of {there}")
        return next(iter(on_maps))
    if variable not in on_maps:
        raise OptionError(f"variable must be one of {there} in {name}; got {variable!r}")
    return variable
