"""Many networks of one shape as one: weights stacked, batched products instead of a loop.

A network of 1000 layers of 16 neurons spends its time between the products, not in them. R of them
with weights (R, out, in) cost little more than one.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from firstlight.errors import OptionError
from firstlight.studies.deep_network import DeepModule

#: Numbers that rows are a multiple of apart: products round otherwise elsewhere in a cache line.
_ALIGNED = 16


class Passed(NamedTuple):
    """What a forward pass gives.

    Attributes:
        logits: (R, B, classes).
        before: of the first hidden layer, what its activation gets, (R, B, width).
        hidden: of each hidden layer, what it hands on, (R, B, width).
    """

    logits: Tensor
    before: Tensor
    hidden: list[Tensor]


class Replicas:
    """Networks of one shape with weights of their own.

    Each gives what its module would give. All weights are views of one tensor, so that an
    optimizer's step is a few operations.

    Args:
        modules: of one ``DeepNetwork``; they are copied.
        dtype: of the copies; that of the modules where None.

    Attributes:
        values: (R, P), all parameters.

    Raises:
        OptionError: the modules differ in shape, or there are none.

    Example:
        >>> from firstlight.studies.deep_network import DeepNetwork
        >>> modules = [DeepNetwork(4, 2, (3,), 5).build() for _ in range(6)]
        >>> replicas, x = Replicas(modules), torch.randn(6, 8, 4)
        >>> torch.allclose(replicas(x).logits[1], modules[1](x[1]), atol=1e-6)
        True
    """

    def __init__(self, modules: Sequence[DeepModule], dtype: torch.dtype | None = None) -> None:
        if not modules or any(each.network != modules[0].network for each in modules):
            raise OptionError("replicas must be one or more modules of the same DeepNetwork")
        first = modules[0]
        self.network, self.count = first.network, len(modules)
        self._activation = first.activation
        self._shapes = [each.shape for each in first.parameters()]
        dtype = next(first.parameters()).dtype if dtype is None else dtype
        numbers = sum(map(math.prod, self._shapes))
        rows = torch.empty(self.count, -(-numbers // _ALIGNED) * _ALIGNED, dtype=dtype)
        self.values = rows[:, :numbers]
        self._leaves = self._views(self.values)
        for number, one in enumerate(modules):
            for leaf, own in zip(self._leaves, one.parameters(), strict=True):
                leaf[number] = own.detach()
        for leaf in self._leaves:
            leaf.requires_grad_()
        self._statistics = _stacked_statistics(modules, dtype)

    @cached_property
    def gradients(self) -> Tensor:
        """What ``backward`` found, (R, P)."""
        return torch.zeros_like(self.values)

    @cached_property
    def _gradients(self) -> list[Tensor]:
        return self._views(self.gradients)

    def _views(self, rows: Tensor) -> list[Tensor]:
        """The parameters in rows (R, P)."""
        parts = rows.split([math.prod(shape) for shape in self._shapes], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def backward(self, losses: Tensor) -> None:
        """Put the gradients of the losses (R,), each of its own replica, into ``gradients``."""
        found = torch.autograd.grad(losses.sum(), self._leaves)
        torch._foreach_copy_(self._gradients, list(found))

    def __call__(self, x: Tensor, *, training: bool = False, keep: bool = False) -> Passed:
        """Pass samples (R, B, inputs); or (S, 1, B, inputs), each for R / S replicas in a row.

        Args:
            x: samples.
            training: whether batch norm takes the batch's statistics and remembers them.
            keep: whether what hidden layers hand on is returned, too.
        """
        depth, network = self.network.depth, self.network
        weights = self._leaves[: 2 * depth]
        norms = self._leaves[2 * depth : -2]
        before = x
        hidden: list[Tensor] = []
        h = x
        for layer in range(depth):
            weight, bias = weights[2 * layer : 2 * layer + 2]
            h = _first(h, weight, bias) if layer == 0 else _affine(h, weight, bias)
            if norms:
                h = self._normalise(h, layer, norms[2 * layer : 2 * layer + 2], training)
            if layer == 0:
                before = h
            h = self._activation(h)
            skipped = network.skips(layer)
            if skipped is not None:
                h = h + hidden[skipped]
            if keep or network.structure == "residual":
                hidden.append(h)
        return Passed(_affine(h, *self._leaves[-2:]), before, hidden)

    def _normalise(self, h: Tensor, layer: int, affine: Sequence[Tensor], training: bool) -> Tensor:
        weight, bias = affine
        if self.network.structure == "layer_norm":
            normal = functional.layer_norm(h, h.shape[-1:])
            return torch.addcmul(bias.unsqueeze(1), normal, weight.unsqueeze(1))
        count, size, width = h.shape  # features of all replicas side by side are one batch norm
        mean, variance = self._statistics[layer]
        flat = functional.batch_norm(
            h.transpose(0, 1).reshape(size, count * width),
            mean,
            variance,
            weight.flatten(),
            bias.flatten(),
            training=training,
        )
        return flat.view(size, count, width).transpose(0, 1)

    def weights(self) -> list[Tensor]:
        """Weights (R, out, in) from the first layer to the last."""
        return [*self._leaves[: 2 * self.network.depth : 2], self._leaves[-2]]


def _affine(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))


def _first(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The first layer, where several replicas may see the same samples."""
    if x.ndim == 3:
        return _affine(x, weight, bias)
    apart = weight.unflatten(0, (len(x), -1)).transpose(2, 3)
    return torch.matmul(x, apart).flatten(0, 1) + bias.unsqueeze(1)


def _stacked_statistics(
    modules: Sequence[DeepModule], dtype: torch.dtype
) -> list[tuple[Tensor, Tensor]]:
    """Running means and variances of each batch norm, side by side."""
    if modules[0].network.structure != "batch_norm":
        return []
    found = []
    for norms in zip(*[one.norms for one in modules], strict=True):
        buffers = [dict(norm.named_buffers()) for norm in norms]
        mean = torch.cat([each["running_mean"] for each in buffers]).to(dtype)
        found.append((mean, torch.cat([each["running_var"] for each in buffers]).to(dtype)))
    return found
