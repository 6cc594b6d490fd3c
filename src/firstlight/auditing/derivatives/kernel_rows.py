"""The tangent kernel row by row: gradients of one output after another, in any parameters.

For parameters that no known layer uses, such as those behind a parametrization: each sample runs
alone. Where samples depend on each other, as through batch statistics, each row is a backward pass
through the whole batch.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from firstlight.auditing.derivatives.kernel_total import MEMORY, grouped, product
from firstlight.auditing.derivatives.network import Network


class Columns:
    """Some columns of the Jacobian: a range of a parameter's entries, for all rows."""

    def __init__(self, name: str, part: slice, last: bool, like: Tensor, rows: int) -> None:
        self.name, self.part, self.last = name, part, last
        self._shape, self._like = (rows, part.stop - part.start), like.detach()
        self.size = rows * (part.stop - part.start) * like.element_size()
        self._rows: Tensor | None = None

    def take(self, row: int, gradient: Tensor | None) -> None:
        """Keep one row; None is one of zeros."""
        if self._rows is None:
            self._rows = self._like.new_zeros(self._shape)
        if gradient is not None:
            self._rows[row] = gradient.to_dense().flatten()[self.part]

    def add_to(self, kernel: Tensor) -> None:
        """Add the kernel of these columns."""
        assert self._rows is not None
        product(self._rows, kernel)
        self._rows = None


def row_pieces(
    network: Network, names: Iterable[str], outputs: Tensor | None = None
) -> Iterator[list[Columns]]:
    """Yield groups of columns with their values.

    Args:
        network: what is differentiated.
        names: of the parameters.
        outputs: (samples, outputs) of the whole batch, to differentiate each entry; None means
            that each sample runs alone.
    """
    pieces = [piece for name in names for piece in _pieces(network, name)]
    for group in grouped(pieces):
        tensors = {piece.name: network.parameters[piece.name] for piece in group}
        for row, value in enumerate(_values(network, outputs)):
            pulled = _gradients(value, tensors)
            for piece in group:
                piece.take(row, pulled[piece.name])
        yield group


def _values(network: Network, outputs: Tensor | None) -> Iterator[Tensor | None]:
    """Yield every output of every sample; None for those of a sample that cannot run alone."""
    for sample in range(network.samples):
        one = network.alone(sample) if outputs is None else outputs[sample : sample + 1]
        yield from [None] * network.each if one is None else one[0].unbind()


def _gradients(
    value: Tensor | None, tensors: dict[str, nn.Parameter]
) -> Mapping[str, Tensor | None]:
    if value is None:
        return dict.fromkeys(tensors)
    pulled = torch.autograd.grad(
        value, list(tensors.values()), retain_graph=True, allow_unused=True
    )
    return dict(zip(tensors, pulled, strict=True))


def _pieces(network: Network, name: str) -> Iterator[Columns]:
    parameter, rows = network.parameters[name], network.samples * network.each
    width = max(1, MEMORY // (2 * rows * parameter.element_size()))
    for start in range(0, parameter.numel(), width):
        stop = min(start + width, parameter.numel())
        yield Columns(name, slice(start, stop), stop == parameter.numel(), parameter, rows)
