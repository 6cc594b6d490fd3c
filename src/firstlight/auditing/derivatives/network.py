"""A model on a batch as a function of its parameters, run as often as needed."""

from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.derivatives.evaluation import run, trainable
from firstlight.auditing.derivatives.kernel_uses import Uses
from firstlight.errors import FirstlightError, OptionError
from firstlight.model.trace.graph import substitute
from firstlight.model.trace.recorder import plain

#: Errors that a model may give for a single sample, such as a batch norm's.
REFUSALS = (ValueError, RuntimeError, IndexError, FirstlightError)


class Network:
    """A model, a batch, and the directions in which its outputs are looked at.

    The first run is made at once, with a graph: one without could leave results in caches that
    later runs would take, and that know of no parameters.

    Attributes:
        parameters: those that are trained, by name.
        samples: in the batch.
        each: outputs of a sample that are looked at.
        every: outputs that a sample has.
        eps: relative rounding of the coarsest dtype.
        uses: what the first run used the parameters for.

    Raises:
        FirstlightError: no trainable parameter has a part in the outputs.
    """

    def __init__(self, model: nn.Module, batch: Any, directions: int | None = None) -> None:
        self._model, self._batch = model, plain(batch)
        self.parameters = trainable(model)
        with Uses() as self.uses:
            outputs = self._run(self._batch)
        self.samples, self.every = outputs.shape
        self._directions: Tensor | None = None
        if directions is not None:
            self._directions = _directions(directions, self.every).to(outputs)
        self.each = self.every if directions is None else directions
        dtypes = {outputs.dtype, *(p.dtype for p in self.parameters.values())}
        self.eps = max(torch.finfo(dtype).eps for dtype in dtypes)
        self._first: Tensor | None = self._looked_at(outputs)

    @property
    def rows(self) -> int:
        """Outputs that are looked at, of all samples."""
        return self.samples * self.each

    @property
    def noise(self) -> float:
        """Relative rounding of a product with the kernel."""
        return max(10 * self.eps, 1e-12)

    @property
    def where(self) -> str:
        """Which of the outputs, in words, if not all."""
        if self._directions is None:
            return ""
        return f", in {self.each} random directions of {self.every} outputs"

    def first(self) -> Tensor:
        """Hand over the outputs of the first run (samples, outputs), with their graph, once."""
        assert self._first is not None
        first, self._first = self._first, None
        return first

    def outputs(self) -> Tensor:
        """Run the model again; the first run is forgotten."""
        self._first, self.uses = None, Uses()
        return self._looked_at(self._run(self._batch))

    def alone(self, sample: int) -> Tensor | None:
        """Run the model on one sample; return (1, outputs), or None if it has no such rows."""
        try:
            outputs = self._looked_at(self._run(cut(self._batch, sample, self.samples)))
        except REFUSALS:
            return None
        return outputs if outputs.shape == (1, self.each) else None

    def separable(self, outputs: Tensor) -> bool:
        """Return whether the first sample alone gives what it gives in the batch."""
        first = self.alone(0)
        return first is not None and same(first, outputs[:1])

    def _run(self, batch: Any) -> Tensor:
        # a model may change its input in place, and what inference mode made has no gradients
        copies = substitute(batch, lambda x: x.clone() if isinstance(x, Tensor) else x)
        return run(self._model, copies)

    def _looked_at(self, outputs: Tensor) -> Tensor:
        if self._directions is not None:
            outputs = outputs @ self._directions
        if not outputs.requires_grad:
            raise FirstlightError("no trainable parameter has a part in the model's output")
        return outputs


def cut(batch: Any, sample: int, samples: int) -> Any:
    """Return the batch of one sample: an entry of every tensor that has ``samples`` of them.

    Example:
        >>> cut((torch.tensor([1, 2]), 3.0), 1, samples=2)
        (tensor([2]), 3.0)
    """

    def of(value: Any) -> Any:
        cuts = isinstance(value, Tensor) and value.ndim > 0 and len(value) == samples
        return value[sample : sample + 1] if cuts else value

    return substitute(batch, of)


def same(one: Tensor, other: Tensor) -> bool:
    """Return whether outputs are the same up to rounding.

    Example:
        >>> same(torch.ones(2), torch.ones(2) + 1e-6), same(torch.ones(2), torch.ones(3))
        (True, False)
    """
    if one.shape != other.shape:
        return False
    tolerance = 1000 * torch.finfo(one.dtype).eps * float(other.detach().abs().max())
    return bool((one - other).detach().abs().max() <= tolerance)


def _directions(count: int, every: int) -> Tensor:
    """Random orthonormal directions (outputs, count), the same every time."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= every:
        raise OptionError(f"outputs must be a whole number from 1 to {every}, got {count!r}")
    drawn = torch.randn(
        every, count, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    return torch.linalg.qr(drawn).Q
