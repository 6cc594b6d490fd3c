"""Independent values from random words: normal, uniform, truncated normal, arcsine.

Each makes the values of a row from that row's words, always as many: so any row can be made
without the others. Words of 32 bits make float32, of 64 bits float64.
"""

import math
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from firstlight.errors import OptionError, not_negative

Array = np.ndarray[Any, Any]

#: Standard deviation of a standard normal variable cut at two standard deviations.
TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / (math.sqrt(2 * math.pi) * math.erf(math.sqrt(2))))

#: Limits that begin beyond so many standard deviations need the digits of the tail ...
_TAIL = 2.0
#: ... which float64 has up to here.
_FARTHEST = 37.0

#: Below this size torch does not start threads of its own: these run in threads already.
SERIAL = 2**15


class Words(Protocol):
    """Random words of some rows of a strip, lane by lane."""

    def __call__(self, lane: int, columns: int) -> Array:
        """Return unsigned whole numbers, (rows, columns), of as many bits as the values."""


@dataclass(frozen=True)
class Distribution(ABC):
    """Independent values of mean 0 and a given scale."""

    scale: float
    #: How many lanes of words a strip takes.
    lanes: ClassVar[int] = 1

    def __post_init__(self) -> None:
        not_negative(self.scale, "a law's scale")

    @abstractmethod
    def fill(self, words: Words, out: Array) -> None:
        """Write values into ``out`` (rows, width), float32 or float64, from their rows' words."""


class Normal(Distribution):
    """N(0, scale^2), two values from two words: r cos(t) and r sin(t) (Box and Muller, 1958)."""

    lanes = 2

    def fill(self, words: Words, out: Array) -> None:
        """Write normal values; one lane makes the lengths, the other one the angles."""
        half = out.shape[1] // 2
        length, angle, turned = _scratch(out.dtype, (len(out), half), 3)
        _unit(words(0, half), length)
        np.log(length, out=length)
        np.multiply(length, out.dtype.type(-2), out=length)
        np.sqrt(length, out=length)
        # not under the root: float32 does not hold the square of every scale
        np.multiply(length, out.dtype.type(self.scale), out=length)
        _symmetric(words(1, half), math.pi, angle)
        np.cos(angle, out=turned)
        np.multiply(length, turned, out=out[:, :half])
        np.sin(angle, out=turned)
        np.multiply(length, turned, out=out[:, half:])


class Uniform(Distribution):
    """U(-scale, scale)."""

    def fill(self, words: Words, out: Array) -> None:
        """Write uniform values."""
        _symmetric(words(0, out.shape[1]), self.scale, out)


class Arcsine(Distribution):
    """Scale times the sine of a uniform angle."""

    def fill(self, words: Words, out: Array) -> None:
        """Write sines."""
        angle = _scratch(out.dtype, out.shape, 1)[0]
        _symmetric(words(0, out.shape[1]), math.pi, angle)
        np.sin(angle, out=angle)
        np.multiply(angle, out.dtype.type(self.scale), out=out)


@dataclass(frozen=True)
class Noisy(Distribution):
    """Values of another law plus N(0, noise^2), from lanes of their own."""

    law: Distribution
    noise: float

    def fill(self, words: Words, out: Array) -> None:
        """Write sums."""
        self.law.fill(words, out)
        noise = np.empty_like(out)
        Normal(self.noise).fill(lambda lane, columns: words(self.law.lanes + lane, columns), noise)
        np.add(out, noise, out=out)


@dataclass(frozen=True)
class TruncatedNormal(Distribution):
    """N(0, scale^2) given that it lies within two standard deviations, or other limits.

    Raises:
        OptionError: low is not below high, both lie beyond 37 standard deviations on one side, or
            the scale is below 0 or not finite.
    """

    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise OptionError(
                "a truncated normal law needs a low limit below the high one, got "
                f"{self.low} and {self.high} standard deviations"
            )
        if self._nearest > _FARTHEST:
            raise OptionError(
                f"a truncated normal law must reach within {_FARTHEST} standard deviations of its "
                f"mean, got limits {self.low} and {self.high}; widen them or the deviation"
            )

    @property
    def _nearest(self) -> float:
        """How far from the mean the limits begin; below 0 where they hold it."""
        return max(self.low, -self.high)

    def fill(self, words: Words, out: Array) -> None:
        """Write the inverse of the normal distribution function at uniform values."""
        if self._nearest > _TAIL:
            self._fill_tail(words, out)
        else:
            self._fill_body(words, out)
        limits = (out.dtype.type(limit * self.scale) for limit in (self.low, self.high))
        np.clip(out, *limits, out=out)

    def _fill_tail(self, words: Words, out: Array) -> None:
        """Look up how much lies beyond a value, of which float64 has all digits."""
        near, far = sorted((abs(self.low), abs(self.high)))
        beyond, tail = _beyond(far), _scratch(np.float64, out.shape, 1)[0]
        _unit(words(0, out.shape[1]), tail)
        np.multiply(tail, _beyond(near) - beyond, out=tail)
        np.add(tail, beyond, out=tail)
        for part in torch.from_numpy(tail).view(-1).split(SERIAL):
            torch.special.ndtri(part, out=part)
        np.multiply(tail, math.copysign(self.scale, -self.low), out=out, casting="unsafe")

    def _fill_body(self, words: Words, out: Array) -> None:
        """Look up how much lies between the mean and a value."""
        low, high = (math.erf(limit / math.sqrt(2)) for limit in (self.low, self.high))
        uniform = _scratch(out.dtype, out.shape, 1)[0]
        _symmetric(words(0, out.shape[1]), (high - low) / 2, uniform)
        if low + high:
            np.add(uniform, out.dtype.type((low + high) / 2), out=uniform)
        below = np.nextafter(out.dtype.type(1), out.dtype.type(0))
        if max(-low, high) > 8 * below - 7:  # so wide that some words would give infinity
            np.clip(uniform, -below, below, out=uniform)
        for part in torch.from_numpy(uniform).view(-1).split(SERIAL):
            part.erfinv_()
        np.multiply(uniform, out.dtype.type(math.sqrt(2) * self.scale), out=out)


def _beyond(limit: float) -> float:
    """Return the probability that a standard normal value is above ``limit``."""
    return math.erfc(limit / math.sqrt(2)) / 2


def _symmetric(words: Array, bound: float, out: Array) -> None:
    """Write uniform values from -bound to bound."""
    signed = words.view(np.int32 if words.dtype == np.uint32 else np.int64)
    scale = out.dtype.type(bound / 2 ** (8 * words.itemsize - 1))
    np.multiply(signed, scale, out=out, dtype=out.dtype, casting="unsafe")


def _unit(words: Array, out: Array) -> None:
    """Write uniform values in (0, 1]."""
    step = 0.5 ** (8 * words.itemsize)
    np.multiply(words, out.dtype.type(step), out=out, dtype=out.dtype, casting="unsafe")
    np.add(out, out.dtype.type(step / 2), out=out)


_own = threading.local()


def _scratch(dtype: Any, shape: tuple[int, int], count: int) -> list[Array]:
    """Return arrays of this thread's own, used again: fresh memory would cost as much as a sine."""
    size = count * math.prod(shape)
    if getattr(_own, "array", np.empty(0)).size < size or _own.array.dtype != dtype:
        _own.array = np.empty(size, dtype)
    return list(_own.array[:size].reshape(count, *shape))
