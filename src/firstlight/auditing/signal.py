"""What one signal is like over units, positions and samples."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from firstlight import theory
from firstlight.auditing.flat import Flat

#: Samples (or positions of sequences) that are compared with each other ...
ROWS = 256
#: ... on so many of their features.
FEATURES = 2048
#: Samples and units of the on/off picture.
_PICTURE = (48, 96)


@dataclass(frozen=True)
class Scale:
    """Mean and second moment of a tensor.

    Attributes:
        mean: of all elements.
        second: mean of their squares.
        finite: whether every element is a finite number.
    """

    mean: float
    second: float
    finite: bool

    @property
    def variance(self) -> float:
        """Mean square about the mean."""
        return max(self.second - self.mean**2, 0.0)

    @property
    def sound(self) -> bool:
        """Whether theory can be asked: the numbers are finite, and vary within float range."""
        return self.finite and self.second < 1e30 and self.variance > 1e-30

    @property
    def std(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.variance) if math.isfinite(self.variance) else math.nan


def scale(x: Tensor) -> Scale:
    """Measure a tensor without a copy of it.

    Example:
        >>> found = scale(torch.tensor([3.0, -1.0]))
        >>> found.mean, round(found.second, 3), found.finite
        (1.0, 5.0, True)
    """
    x = x.detach()
    if not x.numel():
        return Scale(math.nan, math.nan, True)
    kind = torch.float64 if x.dtype == torch.float64 else torch.float32
    mean = float(x.mean(dtype=kind))
    norm = float(torch.linalg.vector_norm(x, dtype=kind))
    if not math.isfinite(norm):  # the squares may overflow where the numbers do not
        norm = float(torch.linalg.vector_norm(x, dtype=torch.float64))
    finite = math.isfinite(mean) and math.isfinite(norm)
    if not finite:
        finite = bool(x.isfinite().all())
    return Scale(mean, norm * norm / x.numel(), finite)


@dataclass(frozen=True, eq=False)
class Signal:
    """The pre-activations of one activation.

    Attributes:
        scale: mean and second moment.
        units: features or channels.
        observations: samples times positions.
        on_share: for each unit, the share of observations above 0.
        dead: share of units on which the activation is flat for every observation.
        saturated: share of elements on which it is flat; None unless it is flat on both sides.
        oui, effective_rank, correlation: over pairs of samples; None for a single one.
        samples: how many were compared.
        picture: on/off patterns of some samples and units.
    """

    scale: Scale
    units: int
    observations: int
    on_share: Tensor
    dead: float
    saturated: float | None
    oui: float | None
    effective_rank: float | None
    correlation: float | None
    samples: int
    picture: tuple[str, ...]

    def skewed(self, alpha: float) -> float:
        """Share of units that are skewed of degree alpha."""
        return float(((self.on_share - 0.5).abs() > alpha).double().mean())


def signal(z: Tensor, axis: int, dead: Flat, saturated: Flat, *, picture: bool = True) -> Signal:
    """Measure pre-activations.

    Args:
        z: any shape, units along ``axis``.
        axis: 1 behind a convolution, where a sample is one pattern; -1 elsewhere, where every
            position is one.
        dead: where the activation passes no gradient.
        saturated: where it passes little.
        picture: whether one is wanted.
    """
    z = z.detach()
    axis = axis % z.ndim if z.ndim > 1 else 0
    others = [i for i in range(z.ndim) if i != axis]
    rows = _rows(z, axis)
    oui, effective_rank, correlation = _compared(rows) if len(rows) > 1 else (None, None, None)
    return Signal(
        scale(z),
        z.shape[axis],
        z.numel() // z.shape[axis],
        _on_share(z, others),
        _dead(z, others, dead),
        _share_outside(z, saturated) if saturated.both else None,
        oui,
        effective_rank,
        correlation,
        len(rows),
        _picture(z, axis) if picture else (),
    )


def _on_share(z: Tensor, others: list[int]) -> Tensor:
    on = z > 0
    count = on.count_nonzero(others) if others else on.long()
    return count.double().cpu() / (z.numel() // max(len(count), 1))


def _dead(z: Tensor, others: list[int], zone: Flat) -> float:
    """Return the share of units that lie on one flat side for every observation."""
    dead = torch.zeros((), dtype=torch.bool, device=z.device)
    if math.isfinite(zone.low):
        dead = dead | ((z.amax(others) if others else z) <= zone.low)
    if math.isfinite(zone.high):
        dead = dead | ((z.amin(others) if others else z) >= zone.high)
    return float(dead.double().mean())


def _share_outside(z: Tensor, zone: Flat) -> float:
    count = (z <= zone.low).count_nonzero() + (z >= zone.high).count_nonzero()
    return int(count) / z.numel()


def _rows(z: Tensor, axis: int) -> Tensor:
    """Return (samples, features), a few of each."""
    if z.ndim < 2:
        return z.reshape(1, -1)
    rows = z.flatten(1) if axis == 1 and z.ndim > 2 else z.movedim(axis, -1).flatten(0, -2)
    rows = rows[:: math.ceil(len(rows) / ROWS), :: math.ceil(rows.shape[1] / FEATURES)]
    return rows.to(torch.float32)


def _compared(rows: Tensor) -> tuple[float, float | None, float | None]:
    """Return OUI, effective rank and mean cosine of some samples."""
    oui = theory.oui(rows)
    norms = rows.norm(dim=1, keepdim=True)
    if not bool(norms.isfinite().all()) or not bool(norms.any()):
        return oui, None, None
    unit = (rows / norms.clamp(min=1e-30)).double()
    samples = len(rows)
    together = float(unit.sum(0).square().sum())
    correlation = (together - float(unit.square().sum())) / (samples * (samples - 1))
    correlation = min(max(correlation, -1.0), 1.0)
    return oui, _effective_rank(rows.double() / float(norms.max())), correlation


def _effective_rank(rows: Tensor) -> float:
    """Exponential of the entropy of the normalised singular values (Roy and Vetterli, 2007)."""
    gram = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    values = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def _picture(z: Tensor, axis: int) -> tuple[str, ...]:
    samples, units = _PICTURE
    if z.ndim < 2:
        rows = z.reshape(1, -1)
    else:
        # one position of a sample, as the paper's figure has one row a sample
        rows = z.movedim(axis, -1)
        while rows.ndim > 2:
            rows = rows[:, rows.shape[1] // 2] if len(rows) > 1 else rows[0]
    rows = rows[:samples, :: math.ceil(rows.shape[1] / units)]
    return tuple("".join("1" if on else "0" for on in row) for row in (rows > 0).tolist())
