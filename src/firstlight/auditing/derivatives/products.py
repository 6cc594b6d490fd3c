"""Products with a Jacobian that is never formed, from one forward pass."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from firstlight.errors import FirstlightError


class Products:
    """J^T v and J u, for the Jacobian J of outputs by sources.

    J^T w is linear in w, so a backward pass through a backward pass gives J u: it needs no
    forward-mode rule, and no second run of the model.

    Args:
        outputs: with a graph.
        sources: the tensors by which they are differentiated.

    Raises:
        FirstlightError: a layer cannot be differentiated twice.

    Example:
        >>> x = torch.ones(2, requires_grad=True)
        >>> jacobian = Products(torch.stack([x[0], 3 * x[0], x.prod()]), [x])
        >>> jacobian.transposed(torch.tensor([1.0, 0.0, 1.0]))
        [tensor([2., 1.])]
        >>> jacobian.times([torch.tensor([1.0, 0.0])])
        tensor([1., 3., 1.])
    """

    def __init__(self, outputs: Tensor, sources: Sequence[Tensor]) -> None:
        self._outputs, self._sources = outputs, list(sources)
        self._w = torch.ones_like(outputs, requires_grad=True)
        with _twice():
            pulled = torch.autograd.grad(
                outputs, self._sources, self._w, create_graph=True, allow_unused=True
            )
        self._pulled = [
            None if gradient is None or not gradient.requires_grad else gradient
            for gradient in pulled
        ]

    def transposed(self, v: Tensor) -> list[Tensor]:
        """Return J^T v, in the shapes of the sources."""
        pulled = torch.autograd.grad(
            self._outputs, self._sources, v, retain_graph=True, allow_unused=True
        )
        return [
            torch.zeros_like(source) if gradient is None else gradient.to_dense()
            for source, gradient in zip(self._sources, pulled, strict=True)
        ]

    def times(self, u: Sequence[Tensor]) -> Tensor:
        """Return J u, in the shape of the outputs."""
        pairs = [(g, part) for g, part in zip(self._pulled, u, strict=True) if g is not None]
        if not pairs:
            return torch.zeros_like(self._outputs)
        with _twice():
            (pushed,) = torch.autograd.grad(
                [gradient for gradient, _ in pairs],
                [self._w],
                [part for _, part in pairs],
                retain_graph=True,
                allow_unused=True,
            )
        return torch.zeros_like(self._outputs) if pushed is None else pushed


@contextlib.contextmanager
def _twice() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "implement" not in str(error):
            raise
        reason = str(error).splitlines()[0]
        raise FirstlightError(
            f"the model cannot be differentiated twice, as Lanczos steps need ({reason}); take "
            "the exact way, with fewer samples or outputs if need be"
        ) from error


@contextlib.contextmanager
def differentiable_twice() -> Iterator[None]:
    """Run attention in the way that can be differentiated twice.

    Example:
        >>> with differentiable_twice():
        ...     _ = torch.nn.functional.scaled_dot_product_attention(*torch.ones(3, 1, 2, 2))
    """
    with sdpa_kernel(SDPBackend.MATH):
        yield
