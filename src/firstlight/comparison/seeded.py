"""Random numbers of a run: every generator that a network may ask."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch, numpy and random; after it numpy and random go on as if nothing happened.

    A user's own network may draw from any of them. torch goes on from the seed.

    Example:
        >>> import random
        >>> from firstlight.comparison.seeded import seeded
        >>> with seeded(0):
        ...     one = random.random()
        >>> with seeded(0):
        ...     one == random.random()
        True
    """
    python, numpy = random.getstate(), np.random.get_state()
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
