"""How many networks are measured and trained at once, and the memory that takes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import torch

from firstlight.errors import FirstlightError
from firstlight.fields.memory import free_memory
from firstlight.studies.deep_network import DeepNetwork, parameters

T = TypeVar("T")

#: Bytes that networks trained at once may take. More of them gain no speed at that size.
_AT_ONCE = 2**29
#: Copies of the weights in training: themselves, gradients, those of autograd, Adam's moments.
_COPIES = 5
#: Copies of a hidden layer's numbers: autograd's and what memory lies idle between them. Measured
#: peaks have 2 (tanh) to 4 (softsign, norms).
_KEPT = 4


class Parts(NamedTuple):
    """What is done at once for one network and start.

    Attributes:
        seeds: whose networks are held at once.
        rates: learning rates at once; all of them, or fewer where there is one seed at once.
        needed: bytes that it takes.
    """

    seeds: int
    rates: int
    needed: int


def parts(network: DeepNetwork, seeds: int, rates: int, batch_size: int, looked_at: int) -> Parts:
    """Say what is done at once, from the sizes alone.

    Free memory plays no part in it, so that a study finds the same on a full machine as on an
    empty one: batch norm and odd widths round otherwise beside other networks.

    Args:
        network: that is measured.
        seeds: that there are.
        rates: learning rates that there are; 0 where nothing is trained.
        batch_size: samples of an update.
        looked_at: samples that a start is looked at with.

    Example:
        >>> parts(DeepNetwork(64, 10, (16,), 50), 3, 4, 64, 256)[:2]
        (3, 4)
        >>> parts(DeepNetwork(64, 10, (512,), 1000), 3, 4, 64, 256)[:2]
        (1, 1)
    """
    start = 4 * parameters(network)
    signal, training = _bytes_of_signal(network, looked_at), _bytes_of_training(network, batch_size)
    each = start + max(signal, training * rates)
    at_once = max(1, min(seeds, _AT_ONCE // each))
    rates_at_once = rates if at_once > 1 else max(1, min(rates, _AT_ONCE // training))
    held = start + max(signal, training * rates_at_once if rates else 0)
    return Parts(at_once, rates_at_once, at_once * held)


def check_memory(network: DeepNetwork, found: Parts, batch_size: int, steps: int) -> None:
    """Raise ``FirstlightError`` unless what is done at once fits into memory."""
    free = free_memory(torch.device("cpu"))
    if found.needed <= free:
        return
    smaller = f"width, depth or batch_size (now {batch_size})" if steps else "width or depth"
    widths = "-".join(map(str, network.widths))
    raise FirstlightError(
        f"too little memory: {widths} x {network.depth} with {parameters(network):,} weights takes "
        f"{_gibibytes(found.needed)}, and {_gibibytes(free)} are free; take a smaller {smaller}"
    )


def split(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items, ``size`` at a time.

    Example:
        >>> list(split((1, 2, 3), 2))
        [(1, 2), (3,)]
    """
    for begin in range(0, len(items), max(1, size)):
        yield items[begin : begin + size]


def _bytes_of_signal(network: DeepNetwork, samples: int) -> int:
    """Weights and activations in float64."""
    return 8 * (parameters(network) + samples * _numbers(network))


def _bytes_of_training(network: DeepNetwork, samples: int) -> int:
    return 4 * (_COPIES * parameters(network) + samples * _numbers(network))


def _numbers(network: DeepNetwork) -> int:
    """Numbers that backpropagation keeps and makes for a sample."""
    inputs, *hidden, classes = network.sizes
    return 2 * inputs + _KEPT * (sum(hidden) + classes)


def _gibibytes(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"
