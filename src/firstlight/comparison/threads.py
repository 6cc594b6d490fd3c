"""How many processor threads a run uses: one for a small network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

#: Multiplications of one batch below which one thread is enough.
_WORTH_SHARING = 2**30


@contextmanager
def useful_threads(places: int, parameters: int, batch_size: int) -> Iterator[None]:
    """Use one thread inside, where a batch is too little work to share.

    Threads that share little work mostly wait for each other: on an idle computer they gain
    next to nothing, on a busy one a run of seconds takes minutes. The rule depends on sizes
    only, never on the scheme or the clock, so that a run can be repeated.

    Args:
        places: pixels of an image, or tokens of a row.
        parameters: weights of the network.
        batch_size: images or rows of one step.

    Example:
        >>> import torch
        >>> with useful_threads(8 * 8, parameters=150_000, batch_size=64):
        ...     torch.get_num_threads()
        1
    """
    # no weight is used more often than once for each pixel or token
    most = parameters * places * batch_size
    with threads(1 if most < _WORTH_SHARING else torch.get_num_threads()):
        yield


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside.

    Example:
        >>> import torch
        >>> with threads(1):
        ...     torch.get_num_threads()
        1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
