"""The kernel as it grows parameter by parameter, each checked before it counts."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

import torch
from torch import Tensor, nn

#: Bytes that gradients may take at a time.
MEMORY = 2**28


class Piece(Protocol):
    """Gradients in one parameter, or in a part of it, of all rows.

    Attributes:
        name: of the parameter.
        last: whether it is the parameter's last piece.
        size: bytes that it takes.
    """

    name: str
    last: bool
    size: int

    def add_to(self, kernel: Tensor) -> None:
        """Add J J^T of this piece, in float64, and give the memory back."""


class Total:
    """The sum of the parameters' kernels.

    Attributes:
        kernel: Theta (rows, rows), in float64.
        traces: by parameter.
    """

    def __init__(self, outputs: Tensor, parameters: dict[str, nn.Parameter]) -> None:
        rows = outputs.numel()
        # MPS has no float64
        device = "cpu" if outputs.device.type == "mps" else outputs.device
        self.kernel = torch.zeros(rows, rows, dtype=torch.float64, device=device)
        self.traces = dict.fromkeys(parameters, 0.0)
        self._delta = torch.zeros_like(self.kernel)
        self._signs = signs(outputs.shape).to(outputs)
        self._squares = _squares(outputs, parameters, self._signs)
        # what the rounding of gradients may do to a sum of them
        eps = torch.finfo(outputs.dtype).eps
        self._tolerance = max(min(eps**0.5, 1000 * eps), 1e-10)
        self._zero = (100 * eps) ** 2 * sum(self._squares.values())  # nothing but rounding

    def gather(self, groups: Iterable[list[Any]], *, check: bool = True) -> Iterator[str]:
        """Add the kernels of pieces, group by group as they are filled.

        For random signs v, v^T J J^T v must be ||J^T v||^2, which one backward pass gives. It is
        not if the parameter is used in a way that was not seen, or if samples depend on each other.

        Yields:
            The names of parameters that fail this, and were not added.
        """
        for piece in chain.from_iterable(groups):
            piece.add_to(self._delta)
            if not piece.last:
                continue
            if not check or self._right(piece.name):
                self.kernel += self._delta
                self.traces[piece.name] = float(self._delta.trace())
            else:
                yield piece.name
            self._delta.zero_()

    def _right(self, name: str) -> bool:
        v, expected = self._signs.flatten().to(self._delta.device).double(), self._squares[name]
        found, trace = float(v @ self._delta @ v), float(self._delta.trace())
        return abs(found - expected) <= self._tolerance * max(trace, expected) + self._zero


def signs(shape: Iterable[int], seed: int = 0) -> Tensor:
    """Return random signs, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(2, tuple(shape), generator=generator).float() * 2 - 1


def _squares(outputs: Tensor, parameters: dict[str, nn.Parameter], v: Tensor) -> dict[str, float]:
    """||J^T v||^2 by parameter."""
    tensors = list(parameters.values())
    pulled = torch.autograd.grad(outputs, tensors, v, retain_graph=True, allow_unused=True)
    return {
        name: 0.0 if gradient is None else float(to_double(gradient).square().sum())
        for name, gradient in zip(parameters, pulled, strict=True)
    }


def to_double(tensor: Tensor) -> Tensor:
    """Return a dense float64 copy, on the CPU where the device has no float64."""
    tensor = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def grouped(pieces: Iterable[Any]) -> Iterator[list[Any]]:
    """Group pieces so that each group fits the memory.

    Example:
        >>> from types import SimpleNamespace as Piece
        >>> half = [Piece(size=MEMORY // 2)] * 3
        >>> [len(group) for group in grouped(half)]
        [2, 1]
    """
    group: list[Any] = []
    used = 0
    for piece in pieces:
        if group and used + piece.size > MEMORY:
            yield group
            group, used = [], 0
        group.append(piece)
        used += piece.size
    if group:
        yield group


def product(rows: Tensor, kernel: Tensor) -> None:
    """Add rows rows^T to ``kernel`` in float64, without a float64 copy of all of them.

    Args:
        rows: (rows, parameters).
        kernel: (rows, rows).
    """
    width = max(1, MEMORY // (32 * len(rows)))
    step = max(64, -(-len(rows) // 8))  # of blocks: what is below the diagonal is mirrored
    for part in rows.split(width, dim=1):
        wide = to_double(part).to(kernel.device)
        for start in range(0, len(rows), step):
            stop = min(start + step, len(rows))
            found = wide[start:stop] @ wide[start:].mT
            kernel[start:stop, start:] += found
            kernel[stop:, start:stop] += found[:, stop - start :].mT
