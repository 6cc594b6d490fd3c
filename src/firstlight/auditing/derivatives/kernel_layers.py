"""The tangent kernel layer by layer: from inputs and output gradients, never from a Jacobian.

A backward pass for each output gives the gradients in all layers' outputs y, for all samples at
once, as each sample's output depends on that sample alone. What is done with them then depends on
the layer: for a linear layer on (samples, in)

    Theta[s, s'] = (a_s . a_s') (dF_s/dy . dF_s'/dy'),

in samples^2 (in + out) steps and not samples^2 in out; where a layer has many positions, each
sample's gradient of the weight is formed.

Reference: Novak et al., arXiv 2206.08720.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from firstlight.auditing.derivatives.kernel_total import MEMORY, grouped, product, signs, to_double
from firstlight.auditing.derivatives.kernel_uses import Use


class Factors:
    """Keeps l and r, and multiplies the products of l by those of r."""

    def __init__(self, name: str, uses: list[Use], outputs: Tensor) -> None:
        self.name, self.uses, self.last = name, uses, True
        self._samples, self._each = outputs.shape
        groups, _, _, width = uses[0].patches.shape
        positions = sum(use.patches.shape[1] for use in uses)
        self._shape = (self._samples, self._each, groups, positions, width)
        self.size = torch.Size(self._shape).numel() * outputs.element_size()
        self._right: Tensor | None = None

    def take(self, output: int, gradients: list[Tensor]) -> None:
        """Keep the gradients of one of the outputs in y, of each use."""
        right = [use.patches.right(d) for use, d in zip(self.uses, gradients, strict=True)]
        if self._right is None:
            self._right = right[0].new_empty(self._shape)
        self._right[:, output] = torch.cat(right, dim=2)

    def add_to(self, kernel: Tensor) -> None:
        """Add the kernel of this parameter, block by block of samples."""
        assert self._right is not None
        everything = slice(0, self._samples)
        parts = [use.patches.left(everything).to(self._right) for use in self.uses]
        left = to_double(torch.cat(parts, dim=2)).to(kernel.device)  # samples, groups, t, in
        right = to_double(self._right).to(kernel.device)
        self._right = None
        per_sample = 8 * self._samples * (self._each * self._shape[3]) ** 2
        for block in blocks(self._samples, per_sample):
            for group in range(self._shape[2]):
                rows = kernel[block.start * self._each : block.stop * self._each]
                rows += _joint(left[:, group], right[:, :, group], block)


def _joint(left: Tensor, right: Tensor, block: slice) -> Tensor:
    """Sum over both positions of (l . l') (r . r'), for a block of samples against all.

    Args:
        left: l (samples, positions, in).
        right: r (samples, outputs, positions, out).
        block: of samples.
    """
    samples, each, positions = right.shape[:3]
    ours = len(range(samples)[block])
    a = left[block].flatten(0, 1) @ left.flatten(0, 1).mT
    d = right[block].flatten(0, 2) @ right.flatten(0, 2).mT
    a = a.view(ours, 1, positions, samples, 1, positions)
    d = d.view(ours, each, positions, samples, each, positions).mul_(a)
    return d.sum((2, 5)).view(ours * each, samples * each)


class Gradients:
    """Forms each sample's gradient, of some of a layer's outputs."""

    def __init__(
        self, name: str, uses: list[Use], outputs: Tensor, part: slice, last: bool
    ) -> None:
        self.name, self.uses, self.last = name, uses, last
        self._part = part
        groups, _, inputs, _ = uses[0].patches.shape
        width = part.stop - part.start
        self._shape = (*outputs.shape, groups, width, inputs)
        self.size = torch.Size(self._shape).numel() * outputs.element_size()
        self._rows: Tensor | None = None

    def take(self, output: int, gradients: list[Tensor]) -> None:
        """Form the gradients of one of the outputs in the weight, by those in y of each use."""
        if self._rows is None:
            self._rows = gradients[0].new_zeros(self._shape)
        for use, d in zip(self.uses, gradients, strict=True):
            right = use.patches.right(d)[..., self._part]
            groups, positions, inputs, _ = use.patches.shape
            for block in blocks(len(right), right.element_size() * groups * positions * inputs):
                left = use.patches.left(block).to(right)
                self._rows[block, output] += _outer(right[block], left)

    def add_to(self, kernel: Tensor) -> None:
        """Add the kernel of this part of the parameter."""
        assert self._rows is not None
        product(self._rows.flatten(0, 1).flatten(1), kernel)
        self._rows = None


def _outer(right: Tensor, left: Tensor) -> Tensor:
    """sum_t r[t] l[t]^T for (samples, groups, positions, out) and (samples, groups, ..., in)."""
    if right.shape[-1] == left.shape[-1] == 1:  # a scale: many groups of one number
        return (right * left).sum(2, keepdim=True)
    return right.mT @ left


def blocks(samples: int, bytes_each: int) -> Iterator[slice]:
    """Yield ranges of samples that together take a quarter of the memory.

    Example:
        >>> list(blocks(3, MEMORY // 8))
        [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(1, MEMORY // (4 * max(1, bytes_each)))
    for start in range(0, samples, step):
        yield slice(start, min(start + step, samples))


def layer_pieces(
    outputs: Tensor, uses: dict[str, list[Use]]
) -> Iterator[list[Factors | Gradients]]:
    """Yield groups of pieces with what they need, in as many backward passes as memory asks for.

    Args:
        outputs: (samples, outputs per sample), with a graph.
        uses: of each parameter, all of them.
    """
    pieces = [piece for name in uses for piece in _pieces(name, uses[name], outputs)]
    for group in grouped(pieces):
        edges = {id(use.edge): use for piece in group for use in piece.uses}
        for output in range(outputs.shape[1]):
            pulled = _pull(outputs[:, output].sum(), edges)
            for piece in group:
                piece.take(output, [pulled[id(use.edge)] for use in piece.uses])
        yield group


def _pieces(name: str, uses: list[Use], outputs: Tensor) -> Iterator[Factors | Gradients]:
    groups, _, inputs, width = uses[0].patches.shape
    positions = sum(use.patches.shape[1] for use in uses)
    if positions**2 * (inputs + width) < inputs * width:
        yield Factors(name, uses, outputs)
        return
    each = outputs.numel() * groups * inputs * outputs.element_size()
    for block in blocks(width, each // 2):
        yield Gradients(name, uses, outputs, block, last=block.stop == width)


def _pull(value: Tensor, uses: dict[int, Use]) -> dict[int, Tensor]:
    """Gradients of ``value`` in the layers' outputs; zeros where it does not depend on them."""
    edges = [use.edge for use in uses.values()]
    gradients = torch.autograd.grad(value, edges, retain_graph=True, allow_unused=True)
    return {
        key: value.new_zeros(use.shape) if gradient is None else gradient
        for (key, use), gradient in zip(uses.items(), gradients, strict=True)
    }


def independent(outputs: Tensor, uses: dict[str, list[Use]]) -> dict[str, list[Use]]:
    """Return the parameters in whose layers no sample moves another's output.

    With gradients of the even samples' outputs only, those in the odd samples' y must be zeros.
    """
    edges = {id(use.edge): use for found in uses.values() for use in found}
    if len(outputs) == 1 or not edges:
        return uses
    v = signs(outputs.shape, seed=1).to(outputs)
    pulled = _pull((outputs * v)[::2].sum(), edges)
    alone = {
        key: not gradient.reshape(len(outputs), -1)[1::2].any() for key, gradient in pulled.items()
    }
    return {name: found for name, found in uses.items() if all(alone[id(u.edge)] for u in found)}
