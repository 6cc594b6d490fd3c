"""The Jacobian of each sample's output by its own input, as products."""

import contextlib
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.derivatives.kernel_total import signs
from firstlight.auditing.derivatives.leaves import Leaves
from firstlight.auditing.derivatives.network import REFUSALS, cut, same
from firstlight.auditing.derivatives.products import Products, differentiable_twice
from firstlight.model.trace.recorder import plain


class SampleJacobian:
    """J (outputs, inputs) of one sample.

    Attributes:
        shape: outputs, inputs.
        eps: relative rounding of its dtype.
        like: a tensor of its dtype and device.
    """

    def __init__(self, leaves: Leaves, row: int) -> None:
        self._row, self._leaves = row, leaves
        self._sources = list(leaves.sources.values())
        self._sizes = [source[0].numel() for source in self._sources]
        outputs = leaves.outputs[row]
        self._products: Products | None = None
        self._outputs = outputs
        self.shape = (outputs.numel(), sum(self._sizes))
        self.eps = torch.finfo(outputs.dtype).eps
        self.like = outputs.detach()

    def transposed(self, v: Tensor) -> Tensor:
        """Return J^T v (inputs,)."""
        pulled = torch.autograd.grad(
            self._outputs, self._sources, v.to(self.like), retain_graph=True, allow_unused=True
        )
        rows = [
            source.new_zeros(size) if gradient is None else gradient[self._row].flatten()
            for source, size, gradient in zip(self._sources, self._sizes, pulled, strict=True)
        ]
        return torch.cat([row.to(self.like) for row in rows])

    def times(self, u: Tensor) -> Tensor:
        """Return J u (outputs,)."""
        if self._products is None:
            self._products = Products(self._outputs, self._sources)
        spread = []
        for source, part in zip(self._sources, u.split(self._sizes), strict=True):
            whole = torch.zeros_like(source)
            whole[self._row] = part.to(source).view(source.shape[1:])
            spread.append(whole)
        return self._products.times(spread).detach()


class Samples:
    """The Jacobians of a batch's samples.

    Attributes:
        count: samples in the batch.
        by: what the outputs are differentiated by.
    """

    def __init__(self, model: nn.Module, batch: Any) -> None:
        self._model, self._batch = model, plain(batch)
        self._whole = self._run(self._batch)
        self.count, self.by = len(self._whole.outputs), self._whole.names
        self._tied = self.count > 1 and self._depend_on_each_other()

    def at(self, sample: int) -> SampleJacobian:
        """Return the Jacobian of one sample; it runs alone where that gives the same output."""
        if not self._tied and self.count > 1:
            with contextlib.suppress(*REFUSALS):
                alone = self._run(cut(self._batch, sample, self.count), self._whole.sources)
                if same(alone.outputs, self._whole.outputs[sample : sample + 1]):
                    return SampleJacobian(alone, 0)
        return SampleJacobian(self._whole, sample)

    def _depend_on_each_other(self) -> bool:
        """Even samples' outputs have gradients in odd samples' inputs only if they do."""
        outputs, sources = self._whole.outputs, list(self._whole.sources.values())
        chosen = (outputs * signs(outputs.shape).to(outputs))[::2].sum()
        pulled = torch.autograd.grad(chosen, sources, retain_graph=True, allow_unused=True)
        return any(gradient is not None and bool(gradient[1::2].any()) for gradient in pulled)

    def _run(self, batch: Any, wanted: Collection[str] | None = None) -> Leaves:
        with differentiable_twice():
            return Leaves(self._model, batch, wanted)
