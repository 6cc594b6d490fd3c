"""Latitudes and longitudes: what a file may have, how large the cells are, and finer ones."""

import numpy as np

from firstlight.errors import FirstlightError

#: What float32 degrees may be beyond a pole, or beyond a whole turn.
_ROUNDING = 1e-4


def check_latitudes(values: np.ndarray) -> np.ndarray:
    """Degrees as float64, within [-90, 90], ascending or descending.

    Raises:
        FirstlightError: they are not.
    """
    degrees = _degrees(values, "latitudes")
    if np.abs(degrees).max() > 90 + _ROUNDING:
        worst = degrees[np.abs(degrees).argmax()]
        raise FirstlightError(f"latitudes must lie between -90 and 90 degrees, got {worst:g}")
    return _monotonic(degrees.clip(-90, 90), "latitudes")


def check_longitudes(values: np.ndarray) -> np.ndarray:
    """Degrees as float64, at most one turn, ascending or descending where they were in order.

    A step over the seam (359 to 0, or 179 to -180) is undone, so that they are in order.

    Raises:
        FirstlightError: they are not in order, or more than one turn.

    Example:
        >>> check_longitudes(np.array([90, 180, -90, 0]))
        array([ 90., 180., 270., 360.])
    """
    degrees = _degrees(values, "longitudes")
    if np.abs(degrees).max() > 720:
        raise FirstlightError("longitudes must lie between -720 and 720 degrees")
    steps = np.diff(degrees)
    if not ((steps > 0).all() or (steps < 0).all()):
        degrees = np.unwrap(degrees, period=360)
        degrees -= 360 * np.ceil((degrees.max() - 360) / 360).clip(0)
    if np.ptp(degrees) > 360 + _ROUNDING:
        raise FirstlightError(f"longitudes must span at most 360 degrees, got {np.ptp(degrees):g}")
    return _monotonic(degrees, "longitudes")


def has_seam_twice(longitudes: np.ndarray) -> bool:
    """Whether the last longitude is the first one, a turn later.

    Example:
        >>> has_seam_twice(np.array([0.0, 180.0, 360.0]))
        True
    """
    return bool(np.ptp(longitudes) >= 360 - _ROUNDING)


def areas(latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
    """Areas of cells whose edges lie midway, of mean 1: (latitudes, longitudes).

        area = |sin(north) - sin(south)| |east - west|

    Which is cos(latitude) for even steps, and right at the poles, whose points are half cells.
    """
    rows, columns = np.ones(1), np.ones(1)
    if len(latitudes) > 1:
        edges = np.radians(_edges(latitudes).clip(-90, 90))
        middles, halves = (edges[1:] + edges[:-1]) / 2, np.abs(np.diff(edges)) / 2
        rows = np.cos(middles) * np.sin(halves)  # the difference of sines, with all its digits
    if len(longitudes) > 1:
        columns = np.abs(np.diff(_edges(longitudes)))
    result = np.outer(rows, columns)
    return result / result.mean()


def finer(values: np.ndarray, count: int, *, turn: bool = False) -> np.ndarray:
    """``count`` values over the same extent, spaced as the given ones are.

    Example:
        >>> finer(np.array([90.0, 0.0, -90.0]), 5).tolist()
        [90.0, 45.0, 0.0, -45.0, -90.0]
        >>> finer(np.array([0.0, 180.0]), 4, turn=True).tolist()
        [0.0, 90.0, 180.0, 270.0]
    """
    if count == len(values):
        return values
    known = np.append(values, values[0] + 360 * np.sign(values[-1] - values[0])) if turn else values
    places = np.linspace(0, len(known) - 1, count, endpoint=not turn)
    return np.interp(places, np.arange(len(known)), known)


def goes_round(longitudes: np.ndarray) -> bool:
    """Whether one more step leads from the last longitude to the first.

    Example:
        >>> goes_round(np.array([0.0, 90.0, 180.0, 270.0])), goes_round(np.array([0.0, 90.0]))
        (True, False)
    """
    if len(longitudes) < 2:
        return False
    gap = 360 - np.ptp(longitudes)
    return bool(_ROUNDING < gap <= 1.5 * np.abs(np.diff(longitudes)).max())


def _degrees(values: np.ndarray, what: str) -> np.ndarray:
    if values.ndim != 1 or len(values) == 0 or values.dtype.kind not in "iuf":
        raise FirstlightError(
            f"{what} must be a list of degrees, got {values.dtype} {values.shape}"
        )
    with np.errstate(invalid="ignore"):  # a signalling NaN, which is refused below
        degrees = values.astype(np.float64)
    if not np.isfinite(degrees).all():
        raise FirstlightError(f"{what} must be finite numbers, and some are not")
    return degrees


def _monotonic(degrees: np.ndarray, what: str) -> np.ndarray:
    steps = np.diff(degrees)
    if (steps > 0).all() or (steps < 0).all():
        return degrees
    raise FirstlightError(f"{what} must all differ and be in order, and they are not: sort them")


def _edges(values: np.ndarray) -> np.ndarray:
    """Middles between neighbours, and half a step beyond both ends."""
    middles = (values[1:] + values[:-1]) / 2
    return np.concatenate(
        [[values[0] - (middles[0] - values[0])], middles, [2 * values[-1] - middles[-1]]]
    )
