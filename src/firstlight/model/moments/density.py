"""The distribution of a signal's elements: mean, second moment, and a shape by its quantiles."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

#: Quantiles that a shape is kept as, in the middle of as many equal shares.
_QUANTILES = 4096
_GAUSSIAN = ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
_GAUSSIAN /= math.sqrt(float((_GAUSSIAN**2).mean()))
#: A sum or product of two shapes pairs so many quantiles of each.
_PAIRED = 128


@dataclass(frozen=True, eq=False)
class Density:
    """How the elements of a signal are distributed, over units, positions and samples.

    Attributes:
        mean: of all elements.
        second: mean of their squares.
        common: mean square of what all inputs of a unit have in common, their mean: what rows
            that sum to zero do not see.
        shape: quantiles at mean 0 and variance 1.
        cross: mean product of one unit's values on two samples; second where they are all alike.
        angle: mean squared cosine of the angle between two samples' signals.
        spread: relative variance of the second moment itself, from one draw of the weights to
            the next: layers are not infinitely wide.
    """

    mean: float
    second: float
    common: float
    shape: np.ndarray
    cross: float = 0.0
    angle: float = 0.0
    spread: float = 0.0

    @classmethod
    def gaussian(cls, second: float, mean: float = 0.0) -> "Density":
        """Return a normal distribution.

        Example:
            >>> Density.gaussian(2.0).variance
            2.0
        """
        return cls(mean, second, mean**2, _GAUSSIAN, mean**2, (mean**2 / (second or 1.0)) ** 2)

    @property
    def variance(self) -> float:
        """Mean square about the mean."""
        return max(self.second - self.mean**2, 0.0)

    @property
    def alike(self) -> float:
        """Mean cosine of the angle between two samples' signals."""
        return self.cross / self.second if self.second else 0.0

    @property
    def beyond(self) -> float:
        """What the mean squared cosine has beyond the square of the mean one."""
        return max(self.angle - self.alike**2, 0.0)

    def values(self) -> np.ndarray:
        """Return the quantiles."""
        return self.mean + math.sqrt(self.variance) * self.shape

    def apply(self, f: Callable[[Tensor], Tensor]) -> "Density":
        """Return the distribution of f of each element.

        Example:
            >>> round(Density.gaussian(1.0).apply(torch.relu).second, 3)
            0.5
        """
        values = self.values()
        out = _of(_evaluate(f, values))
        out = replace(out, cross=self._cross(f))
        out = replace(out, angle=out.alike**2 + self._bend(f, out) * self.beyond)
        if not self.spread or out.second == 0:
            return out
        more = float((_evaluate(f, values * 1.01**0.5) ** 2).mean())
        response = (more / out.second - 1) / 0.01
        return replace(out, spread=self.spread * response**2)

    def _cross(self, f: Callable[[Tensor], Tensor]) -> float:
        """Return E[f(a) f(b)] of two values that correlate as two samples' do."""
        if self.variance == 0:
            return float(_evaluate(f, np.array([self.mean]))[0]) ** 2
        rho = min(max((self.cross - self.mean**2) / self.variance, 0.0), 1.0)
        first, second = _thin_gaussian()[:, None], _thin_gaussian()
        other = rho * first + math.sqrt(1 - rho**2) * second
        root = math.sqrt(self.variance)
        a = _evaluate(f, (self.mean + root * first).ravel()).reshape(-1, 1)
        b = _evaluate(f, (self.mean + root * other).ravel()).reshape(other.shape)
        return float((a * b).mean())

    def _bend(self, f: Callable[[Tensor], Tensor], out: "Density") -> float:
        """Return how much of a small squared cosine f passes on: all, if f is linear."""
        if self.variance == 0 or out.second == 0:
            return 0.0
        values = self.values()
        slope = float((_evaluate(f, values) * (values - self.mean)).mean()) / self.variance
        return min((slope**2 * self.variance / out.second) ** 2, 1.0)

    def scaled(self, factor: float) -> "Density":
        """Return the distribution with all second moments multiplied by ``factor``."""
        root = math.sqrt(factor)
        return replace(
            self,
            mean=self.mean * root,
            second=self.second * factor,
            common=self.common * factor,
            cross=self.cross * factor,
        )

    def plus(self, other: "Density") -> "Density":
        """Return the distribution of a sum of two independent signals.

        Example:
            >>> Density.gaussian(1.0).plus(Density.gaussian(2.0)).second
            3.0
        """
        mean = self.mean + other.mean
        second = self.variance + other.variance + mean**2
        common = (math.sqrt(self.common) + math.sqrt(other.common)) ** 2
        if self.mean * other.mean < 0:
            common = self.common + other.common
        shape = _GAUSSIAN
        if self.shape is not _GAUSSIAN or other.shape is not _GAUSSIAN:
            shape = _standard(_thin(self)[:, None] + _thin(other))
        spread = (self.spread * self.second**2 + other.spread * other.second**2) / (
            second**2 or 1.0
        )
        cross = self.cross + other.cross + 2 * self.mean * other.mean
        angle = (cross / second) ** 2 if second else 0.0
        for part in (self, other):
            angle += part.beyond * (part.second / (second or 1.0)) ** 2
        return Density(mean, second, common, shape, cross, min(angle, 1.0), spread)

    def times(self, other: "Density") -> "Density":
        """Return the distribution of a product of two independent signals."""
        pairs = _thin(self)[:, None] * _thin(other)
        return Density(
            self.mean * other.mean,
            self.second * other.second,
            self.common * other.common,
            _standard(pairs),
            self.cross * other.cross,
            self.angle * other.angle,
            self.spread + other.spread,
        )


def mixture(parts: list[tuple[float, Density]]) -> Density:
    """Return the distribution of signals put side by side, given their shares.

    Example:
        >>> mixture([(0.5, Density.gaussian(1.0)), (0.5, Density.gaussian(3.0))]).second
        2.0
    """

    def average(values: list[float]) -> float:
        return sum(share * v for (share, _), v in zip(parts, values, strict=True))

    densities = [density for _, density in parts]
    return Density(
        average([d.mean for d in densities]),
        average([d.second for d in densities]),
        average([d.common for d in densities]),
        _GAUSSIAN,
        average([d.cross for d in densities]),
        max(d.angle for d in densities),
        max(d.spread for d in densities),
    )


def _evaluate(f: Callable[[Tensor], Tensor], values: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return f(torch.from_numpy(values.copy())).double().numpy()


def _of(values: np.ndarray) -> Density:
    mean, second = float(values.mean()), float((values**2).mean())
    return Density(mean, second, mean**2, _standard(values), mean**2)


def _thin(density: Density) -> np.ndarray:
    """Return a few quantiles that keep mean and variance."""
    step = _QUANTILES // _PAIRED
    middle = density.shape[step // 2 :: step]
    spread = middle.std() or 1.0
    return density.mean + math.sqrt(density.variance) * (middle - middle.mean()) / spread


@cache
def _thin_gaussian() -> np.ndarray:
    return _thin(Density.gaussian(1.0))


def _standard(values: np.ndarray) -> np.ndarray:
    """Return the quantiles of some values at mean 0 and variance 1."""
    ordered = np.sort(values, axis=None)
    if ordered.size != _QUANTILES:
        step = ordered.size // _QUANTILES
        ordered = ordered[: step * _QUANTILES].reshape(_QUANTILES, step).mean(1)
    spread = float(ordered.std())
    if not math.isfinite(spread) or spread == 0:
        return np.zeros(_QUANTILES)
    return (ordered - ordered.mean()) / spread
