"""The tensors that go into a model, cut loose so that its output can be differentiated by them."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from firstlight.auditing.derivatives.evaluation import run
from firstlight.errors import FirstlightError
from firstlight.model.trace.recorder import plain


class Leaves:
    """One run of a model, and what went into it.

    Those are all floating-point tensors of the batch that have an entry for each sample; or, where
    the batch has none because it holds tokens, the output of the first embedding.

    Args:
        model: any module.
        batch: a tensor, a tuple of arguments or a dict of them.
        wanted: names of sources, where not all are.

    Attributes:
        outputs: (samples, outputs per sample), with a graph.
        sources: by name, each (samples, ...).

    Raises:
        FirstlightError: nothing can be differentiated by, or the output does not depend on it.

    Example:
        >>> run = Leaves(nn.Sequential(nn.Embedding(9, 2), nn.Flatten()), torch.tensor([[3, 1]]))
        >>> {name: tuple(source.shape) for name, source in run.sources.items()}
        {'the embedded tokens': (1, 2, 2)}
    """

    def __init__(self, model: nn.Module, batch: Any, wanted: Collection[str] | None = None) -> None:
        given = _by_name(plain(batch))
        loose = {name: _loose(x) for name, x in given.items() if _floating(x)}
        watch = _FirstEmbedding(0 if loose else _samples(given))
        arguments = {**given, **{name: leaf.clone() for name, leaf in loose.items()}}
        with watch:
            self.outputs = run(model, _as(plain(batch), arguments))
        if watch.leaf is not None:
            loose["the embedded tokens"] = watch.leaf
        samples = len(self.outputs)
        fits = {name: leaf for name, leaf in loose.items() if len(leaf) == samples}
        self.sources = {n: leaf for n, leaf in fits.items() if wanted is None or n in wanted}
        if not self.sources:
            raise FirstlightError(
                "the batch has no floating-point tensor with an entry for each sample, and no "
                "embedding reads it: there is nothing to take a Jacobian by"
            )
        if not self.outputs.requires_grad or not self._reached():
            raise FirstlightError(f"the output does not depend on {self.names}")

    @property
    def names(self) -> str:
        """Of the sources, in words."""
        return ", ".join(self.sources)

    def _reached(self) -> bool:
        sources = list(self.sources.values())
        pulled = torch.autograd.grad(
            self.outputs.sum(), sources, retain_graph=True, allow_unused=True
        )
        return any(gradient is not None for gradient in pulled)


class _FirstEmbedding(TorchFunctionMode):
    """Cuts the first embedding with ``samples`` rows loose from its table."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self._samples = samples
        self.leaf: Tensor | None = None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func``; put a leaf in the place of the embedding's output."""
        output = func(*args, **(kwargs or {}))
        if func is not functional.embedding or self.leaf is not None or not self._samples:
            return output
        if len(output) != self._samples:
            return output
        self.leaf = _loose(output)
        return self.leaf.clone()


def _by_name(batch: Any) -> dict[str, Any]:
    if isinstance(batch, Mapping):
        return dict(batch)
    if isinstance(batch, (tuple, list)):
        return {f"input {index}": value for index, value in enumerate(batch)}
    return {"the input": batch}


def _as(batch: Any, arguments: dict[str, Any]) -> Any:
    """Put named arguments back into the shape of the batch."""
    if isinstance(batch, Mapping):
        return arguments
    values = tuple(arguments.values())
    return values if isinstance(batch, (tuple, list)) else values[0]


def _floating(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 0


def _loose(tensor: Tensor) -> Tensor:
    """A leaf of the same values; whatever is done in place is done to copies of it."""
    return tensor.detach().clone().requires_grad_()


def _samples(given: dict[str, Any]) -> int:
    tensors = [value for value in given.values() if isinstance(value, Tensor) and value.ndim > 0]
    return len(tensors[0]) if tensors else 0
