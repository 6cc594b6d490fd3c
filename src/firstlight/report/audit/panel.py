"""One small plot: a line for each scheme against a number that counts up from 1.

Both the PNG and the page draw a panel, so that they show the same thing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

#: A share is written in percent; a unit is a number between 0 and 1.
Scale = Literal["linear", "log", "share", "unit"]

#: None is a gap.
Values = tuple[float | None, ...]


@dataclass(frozen=True)
class Line:
    """The values of one scheme, measured or predicted by theory, at x = 1, 2, ... or elsewhere."""

    scheme: str
    values: Values
    predicted: bool = False
    positions: tuple[int, ...] = ()

    @property
    def x(self) -> list[int]:
        """Where the values stand."""
        return list(self.positions) or list(range(1, len(self.values) + 1))


@dataclass(frozen=True)
class Panel:
    """All lines of one measure.

    Attributes:
        key: a short name.
        title: what is drawn.
        x: what the horizontal axis counts.
        scale: of the vertical axis.
        lines: one for each scheme that has values, and those that theory predicts.
        count: how far the horizontal axis reaches.
        limits: of the vertical axis.
        reference: a value worth a line of its own.
        note: what the drawing cannot show, or "".
    """

    key: str
    title: str
    x: str
    scale: Scale
    lines: tuple[Line, ...]
    count: int
    limits: tuple[float, float]
    reference: float | None = None
    note: str = ""

    @property
    def reach(self) -> tuple[float, float]:
        """The limits of the horizontal axis, with room for markers."""
        if self.log_x:
            return 0.85, 1.15 * self.count
        pad = max(0.5 if self.count < 8 else 0.0, 0.03 * self.count)
        return 1 - pad, max(self.count, 1) + pad

    @property
    def log_x(self) -> bool:
        """Whether the horizontal axis is logarithmic: where a long spectrum was thinned out."""
        return any(line.positions for line in self.lines) and self.count > 50

    def drawn(self, value: float | None) -> float | None:
        """Return the height of a value: zeros on the bottom edge of a logarithmic axis."""
        if self.scale == "log" and value is not None and value <= 0:
            return self.limits[0]
        return value


def panel(
    key: str,
    title: str,
    measured: Mapping[str, Sequence[float | None]],
    *,
    x: str,
    scale: Scale = "linear",
    predicted: Mapping[str, Sequence[float | None]] | None = None,
    reference: float | None = None,
) -> Panel | None:
    """Frame the lines of one measure; None where no scheme has a finite value.

    Args:
        key: a short name.
        title: what is drawn.
        measured: by scheme.
        x: what the horizontal axis counts.
        scale: of the vertical axis.
        predicted: what theory says, by scheme.
        reference: a value worth a line of its own.
    """
    both = ((measured, False), (predicted or {}, True))
    raw = [(s, tuple(v), guess) for found, guess in both for s, v in found.items()]
    lines = tuple(Line(s, tuple(map(_finite, v)), guess) for s, v, guess in raw)
    lines = tuple(line for line in lines if any(v is not None for v in line.values))
    if not any(not line.predicted for line in lines):
        return None
    values = [value for line in lines for value in line.values if value is not None]
    return Panel(
        key,
        title,
        x,
        scale,
        lines,
        count=max(len(line.values) for line in lines),
        limits=_limits(values, scale, reference),
        reference=reference,
        note=_note(raw, values, scale),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _note(raw: Sequence[tuple], values: Sequence[float], scale: Scale) -> str:
    lost = sum(v is not None and not math.isfinite(v) for _, line, _ in raw for v in line)
    said = [f"{lost} not finite, not drawn"] if lost else []
    if scale == "log" and any(value <= 0 for value in values):
        said.append("zeros lie on the bottom edge")
    return "; ".join(said)


def _limits(values: Sequence[float], scale: Scale, reference: float | None) -> tuple[float, float]:
    if scale in ("share", "unit"):
        low, high = min(0.0, *values), max(1.0, *values)
        return low - 0.04 * (high - low), high + 0.04 * (high - low)
    known = [*values, *([] if reference is None else [reference])]
    if scale == "log":
        return _decades([value for value in known if value > 0] or [1.0], min(known) <= 0)
    low, high = min(0.0, *known), max(0.0, *known)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _decades(values: Sequence[float], zeros: bool) -> tuple[float, float]:
    """Frame positive values with at least a decade, and zeros a decade below them."""
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.06 * (high - low), (1 - (high - low)) / 2, 0.08)
    low, high = low - room - zeros, high + room
    return 10.0 ** max(low, -320.0), 10.0 ** min(high, 308.0)


def ticks(low: float, high: float) -> list[float]:
    """Choose round numbers for a logarithmic axis: powers of ten, or more where it is short.

    Example:
        >>> ticks(0.05, 0.9), ticks(0.5, 2e6)
        ([0.05, 0.1, 0.2, 0.5], [1.0, 100.0, 10000.0, 1000000.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    span = math.log10(high) - math.log10(low)
    step = max(1, math.ceil(span / 5)) if span > 2 else 1
    heads = (1,) if span > 2 else (1, 2, 5)
    powers = range(first + -first % step, last + 1, step)
    found = [float(f"{head}e{power}") for power in powers for head in heads]
    return [value for value in found if low <= value <= high]
