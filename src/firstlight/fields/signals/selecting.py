"""One value of each dimension of a variable beside the two of its map."""

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.errors import OptionError

if TYPE_CHECKING:
    import xarray

#: Values of a dimension that a message shows.
_SHOWN = 8


def selected(
    array: "xarray.DataArray", select: Mapping[str, Any], kept: tuple[str, str]
) -> "xarray.DataArray":
    """A variable with one value of every dimension but the two kept.

    Raises:
        OptionError: a dimension or a value is not there, or one with several has no selection.
    """
    others = [str(dim) for dim in array.dims if dim not in kept]
    for dim in select:
        if dim not in others:
            raise OptionError(
                f"select must name dimensions of {array.name}, which are "
                f"{', '.join(others) or 'none but the map'}; got {dim!r}"
            )
    numbers = {}
    open_dims = []
    for dim in others:
        values = array[dim].values
        if dim in select:
            numbers[dim] = _position(values, select[dim], dim)
        elif len(values) == 1:
            numbers[dim] = 0
        else:
            open_dims.append(f"{dim} ({_listed(values)})")
    if open_dims:
        raise OptionError(
            f"{array.name} has other dimensions: select one value of {' and of '.join(open_dims)}"
        )
    return array.isel(numbers)


def _position(values: np.ndarray, wanted: object, dim: str) -> int:
    """Where a dimension has a value, exactly, to the digits of its own type."""
    try:
        if values.dtype.kind == "M":
            found = values == np.datetime64(wanted)  # type: ignore[call-overload]
        elif values.dtype.kind == "f":
            found = values == values.dtype.type(wanted)
        else:
            same = [each == wanted or str(each) == str(wanted) for each in values.tolist()]
            found = np.array(same, bool)
    except (ValueError, TypeError, OverflowError):
        found = np.zeros(len(values), bool)
    if found.sum() != 1:
        raise OptionError(f"{dim} must be one of {_listed(values)}; got {wanted!r}")
    return int(found.argmax())


def _plain(values: np.ndarray) -> list[Any]:
    """Python's own values; times as text."""
    if values.dtype.kind == "M":
        return [str(each) for each in values.astype("datetime64[s]")]
    return values.tolist()


def _listed(values: np.ndarray) -> str:
    shown = [str(each) for each in _plain(values[:_SHOWN])]
    rest = f", ... {_plain(values[-1:])[0]}" if len(values) > _SHOWN else ""
    return ", ".join(shown) + rest


def scalars(array: "xarray.DataArray") -> tuple[tuple[str, float | str], ...]:
    """What is left of the other dimensions: one number or text for each."""
    found: list[tuple[str, float | str]] = []
    for name, coordinate in array.coords.items():
        if coordinate.ndim == 0:
            name = "_".join(str(name).split())  # with a space it would be no coordinate in a file
            value = _plain(coordinate.values.reshape(1))[0]
            if isinstance(value, int) and abs(value) < 2**31:  # as large as NetCDF 3 has them
                found.append((name, int(value)))
            else:
                number = isinstance(value, Real) and np.isfinite(float(value))
                found.append((name, float(value) if number else text(value)))
    return tuple(found)


def text(value: object) -> str:
    """One short printable line."""
    return "".join(each for each in " ".join(str(value).split()) if each.isprintable())[:256]
