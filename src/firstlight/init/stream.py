"""Random numbers by their place: any word of a stream without the words before it.

A stream has lanes, numbered 0, 1, 2 ... Philox4x64-10 (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", 2011), a keyed permutation of a counter, makes of the stream's key and the lane's
number the state of a PCG64DXSM, which goes to any of its 2^128 words at once and is twice as fast.
Both are NumPy's, whose bit generators give the same words in every version.
"""

import hashlib
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from firstlight.errors import OptionError
from firstlight.init._numbers import is_whole

Words = np.ndarray[Any, np.dtype[np.uint64]]

_KEY_BITS = 128


@dataclass(frozen=True)
class Stream:
    """The random numbers of one weight.

    Where a fill takes a ``generator``, a stream can be given instead: then the values depend on
    its key alone, and any block of them can be drawn by itself.

    Attributes:
        key: a whole number of 128 bits.

    Raises:
        OptionError: the key, or a named stream's seed, is no such number.

    Example:
        >>> import torch
        >>> from firstlight.init import Stream, variance_scaling_
        >>> stream = Stream.named(0, "layers.3.weight")
        >>> a, b = (variance_scaling_(torch.empty(4, 8), generator=stream) for _ in range(2))
        >>> torch.equal(a, b)
        True
    """

    key: int

    def __post_init__(self) -> None:
        if not is_whole(self.key) or not 0 <= self.key < 2**_KEY_BITS:
            raise OptionError(
                f"a stream's key must be a whole number from 0 to 2^{_KEY_BITS} - 1, got "
                f"{self.key!r}; Stream.named(seed, name) makes one of any seed"
            )

    @classmethod
    def named(cls, seed: int, name: str) -> "Stream":
        """Return the stream of the weight called ``name``: blake2b("seed:name") is its key."""
        if not is_whole(seed):
            raise OptionError(f"a stream's seed must be a whole number, got {seed!r}")
        digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=_KEY_BITS // 8).digest()
        return cls(int.from_bytes(digest, "little"))

    @classmethod
    def of(cls, generator: "Randomness") -> "Stream":
        """Return a stream as it is; take the key of a new one from a torch generator."""
        check_randomness(generator)
        if isinstance(generator, Stream):
            return generator
        device = generator.device if generator is not None else "cpu"
        halves = torch.randint(-(2**63), 2**63 - 1, (2,), generator=generator, device=device)
        low, high = (half % 2**64 for half in halves.tolist())
        return cls(high << 64 | low)

    def words(self, lane: int, start: int, count: int) -> Words:
        """Return ``count`` words of a lane, from number ``start`` on.

        Example:
            >>> from firstlight.init import Stream
            >>> stream = Stream(7)
            >>> bool((stream.words(3, 0, 12)[8:] == stream.words(3, 8, 4)).all())
            True
        """
        lanes = _generator()
        lanes.state = _state(self.key, lane)  # type: ignore[assignment]
        lanes.advance(start)
        return lanes.random_raw(count)


Randomness = torch.Generator | Stream | None


def check_randomness(generator: object) -> None:
    """Raise ``OptionError`` for what is no source of randomness, such as a bare seed."""
    if generator is not None and not isinstance(generator, (torch.Generator, Stream)):
        raise OptionError(
            f"generator must be a torch.Generator, a Stream or None, got {generator!r}; "
            "of a seed make Stream.named(seed, name), from firstlight.init"
        )


@lru_cache(256)
def _state(key: int, lane: int) -> dict[str, Any]:
    """Return the state of a lane's generator: four words of Philox."""
    # the counter goes up before each step, so it starts one before its number
    philox = np.random.Philox(counter=(lane - 1) % 2**256, key=key)
    a, b, c, d = (int(word) for word in philox.random_raw(4))
    state = {"state": a << 64 | b, "inc": c << 64 | d | 1}
    return {"bit_generator": "PCG64DXSM", "state": state, "has_uint32": 0, "uinteger": 0}


_own = threading.local()


def _generator() -> np.random.PCG64DXSM:
    """Return this thread's generator, whose state is always set before it is used."""
    if not hasattr(_own, "generator"):
        _own.generator = np.random.PCG64DXSM(0)
    return _own.generator
