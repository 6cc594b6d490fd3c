"""Data on a sphere: latitude-longitude maps of NetCDF files, as a signal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.fields.signals.graticule import (
    areas,
    check_latitudes,
    check_longitudes,
    has_seam_twice,
)
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.netcdf import read_map
from firstlight.fields.signals.places import Globe
from firstlight.fields.signals.samples import Samples, Span, held_out_of
from firstlight.fields.signals.signal import PredictSamples, chosen_places
from firstlight.fields.signals.sphere_form import SphereForm
from firstlight.fields.signals.storage import stretched

#: Types that are kept as they are, as float32 would need more memory.
_SMALL = ("int8", "uint8", "int16")


@dataclass(frozen=True)
class Sphere(Gridded):
    """A map, whose places are unit vectors and weigh as much as their cells' areas."""

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between neighbouring training samples, on two dimensions for three inputs."""
        if self.every > 1:
            return super().spacing
        share = len(self.train.places) / len(self.train)
        return tuple(min(2.0, each * share**0.5) for each in self.train.places.spacing)

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """Also "rmse" and, where places are held out, "held_out_rmse", in the variable's units.

        RMSE = sqrt(sum w (f - y)^2 / sum w),  w the cells' areas
        """
        measured = super().measure(predict)
        half = self.form.span.half  # type: ignore[attr-defined]
        for name in [each for each in measured if each.endswith("psnr")]:
            measured[name.replace("psnr", "rmse")] = 2 * half * 10 ** (-measured[name] / 20)
        return measured


def read_sphere(
    source: Any,
    *,
    variable: str | None = None,
    select: Mapping[str, Any] | None = None,
    missing: str = "refuse",
    every: int = 1,
    held_out: float = 0.0,
    seed: int = 0,
) -> Sphere:
    """A map from a NetCDF file, from xarray, or from arrays.

    Args:
        source: a file, a Dataset, a DataArray, or (latitudes, longitudes, values).
        variable: which one; None takes the only one that is on a map.
        select: one value for each other dimension that has several, as in {"level": 500}.
        missing: "refuse" values that are no numbers, or "drop" their places.
        every: train on every n-th row and column, the others are held out.
        held_out: or the share of places that are held out, drawn at random.
        seed: of that draw.

    A longitude that is the first one again, a turn later, is in the form but not fitted twice.

    Raises:
        FirstlightError: the file is absent, damaged or has no map, or values are no numbers.
        OptionError: an option is out of range, or names what is not there.

    Example:
        >>> sphere = read_sphere(([60, 0, -60], [0, 120, 240], [[0, 1, 2]] * 3), every=2)
        >>> len(sphere.train), len(sphere.held_out), sphere.train.all().weight.flatten().tolist()
        (4, 5, [0.75, 0.75, 0.75, 0.75])

    Reference: spheres among the signals of weight scaling, arXiv 2410.04779.
    """
    check_choice(missing, ("refuse", "drop"), "missing")
    name = str(source) if isinstance(source, str | Path) else "the dataset"
    found = read_map(_from_arrays(source), variable, select)
    latitude, longitude = check_latitudes(found.latitude), check_longitudes(found.longitude)
    fitted = longitude[:-1] if has_seam_twice(longitude) else longitude
    stored = found.values[:, : len(fitted)]
    known = torch.from_numpy(_known(stored, missing, name, latitude, fitted).reshape(-1))
    values, span, own = _values(stored.reshape(-1, 1), known)
    places = Globe(torch.from_numpy(latitude), torch.from_numpy(fitted))
    weights = torch.from_numpy(areas(latitude, fitted).astype(np.float32).reshape(-1))
    samples = Samples(places, values, span, weights)
    form = SphereForm(
        tuple(latitude.tolist()),
        tuple(longitude.tolist()),
        own.low,
        own.high,
        found.variable,
        **found.attributes,
        dims=found.dims,
        at=found.at,
    )
    train, others = _split(samples, known, every, held_out, seed)
    notes = []
    if len(fitted) < len(longitude):
        notes.append(f"longitude {longitude[-1]:g} is {longitude[0]:g} again, and is fitted once")
    if not known.all():
        notes.append(f"{int((~known).sum())} of {len(known)} places have no value and are left out")
    return Sphere(name, train, others, form, every, notes=tuple(notes))


def _from_arrays(source: Any) -> Any:
    """A tuple of three arrays as a DataArray; anything else as it is."""
    if not isinstance(source, tuple | list):
        return source
    import xarray

    if len(source) != 3:
        raise OptionError(f"arrays must be latitudes, longitudes and values, got {len(source)}")
    latitude, longitude, values = (np.asarray(each) for each in source)
    if values.shape != (latitude.size, longitude.size):
        raise OptionError(
            f"values must have the shape ({latitude.size}, {longitude.size}), got {values.shape}"
        )
    axes = {"latitude": latitude.reshape(-1), "longitude": longitude.reshape(-1)}
    return xarray.DataArray(values, axes, tuple(axes), "values")


def _known(
    values: np.ndarray, missing: str, name: str, latitude: np.ndarray, longitude: np.ndarray
) -> np.ndarray:
    """Where values are numbers; an error unless everywhere or they are to be dropped."""
    known = np.isfinite(values)
    count = known.size - int(known.sum())
    if count == known.size:
        raise FirstlightError(f"{name} has no value at all that is a finite number")
    if count and missing == "refuse":
        row, column = np.argwhere(~known)[0]
        raise FirstlightError(
            f"{name} has {count} of {known.size} values that are no finite numbers, the first at "
            f"latitude {latitude[row]:g}, longitude {longitude[column]:g}; missing='drop' leaves "
            "them out"
        )
    return known


def _values(stored: np.ndarray, known: Tensor) -> tuple[Tensor, Span, Span]:
    """Values to keep, what of them becomes [-1, 1], and what that is in the map's own units."""
    if stored.dtype.name in _SMALL:
        span = Span(float(stored.min()), float(stored.max()))
        return torch.from_numpy(np.ascontiguousarray(stored)), span, span
    there = known.numpy()[:, None]
    filled = np.where(there, stored, stored[there][0])
    scaled, own = stretched(filled)
    scaled[~there] = 0
    return torch.from_numpy(scaled), Span(-1, 1), own


def _split(
    samples: Samples, known: Tensor, every: int, share: float, seed: int
) -> tuple[Samples, Samples | None]:
    """The places that are trained on and the others, without those that have no value."""
    numbers = known.nonzero().flatten()
    if every > 1:
        chosen = chosen_places(samples.places, every, share, seed)
        chosen = None if chosen is None else chosen[known[chosen]]
    else:
        picked = chosen_places(numbers, every, share, seed)
        chosen = numbers if picked is None else numbers[picked]
    if chosen is not None and len(chosen) == len(known):
        chosen = None
    train, others = held_out_of(samples, chosen)
    if others is None or others.chosen is None:
        return train, others
    rest = others.chosen[known[others.chosen.long()]]
    return train, others.subset(rest) if len(rest) else None
