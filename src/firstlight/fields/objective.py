"""Mean squared error of a network over samples, with its gradients, chunk by chunk."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from firstlight.fields.signals.samples import Batch, Samples

#: Samples whose coordinates and values are kept rather than made anew at every step.
_KEPT = 2**20

#: x, y, weight to the sum of weighted squared errors.
Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Objective:
    """Weighted mean squared error; gradients are summed over chunks, which bounds the memory.

        1 / (sum w_i outputs) sum_i w_i |f(x_i) - y_i|^2

    Attributes:
        samples: what is fitted, on the network's device.
        chunk: samples at once.

    Example:
        >>> from firstlight.fields.signals.places import Lattice
        >>> from firstlight.fields.signals.samples import Span
        >>> samples = Samples(Lattice.cells((4,)), torch.ones(4, 1), Span(-1.0, 1.0))
        >>> network = nn.Linear(1, 1)
        >>> _ = nn.init.zeros_(network.weight), nn.init.zeros_(network.bias)
        >>> Objective(network, samples, chunk=3).full(), network.bias.grad
        (1.0, tensor([-2.]))
    """

    def __init__(
        self, network: nn.Module, samples: Samples, chunk: int, precision: str = "float32"
    ) -> None:
        self.network, self.samples, self.chunk = network, samples, chunk
        self._mixed = precision == "bfloat16"
        self._whole = samples.all() if len(samples) <= _KEPT else None
        self._loss: Loss = self._squares
        self._total = self._weight() * samples.outputs

    def full(self, *, gradients: bool = True) -> float:
        """Error over all samples; with gradients, they are added to the parameters' ``grad``."""
        return self._over(self._chunks(), self._total, gradients)

    def random(self, count: int, generator: torch.Generator) -> float:
        """Error over ``count`` samples drawn with replacement, with gradients."""
        batch = self.samples.random(count, generator)
        return self._over(self._split(batch), self._total * count / len(self.samples), True)

    def variance(self) -> float:
        """Error of the best constant: what a network that is stuck at the mean has."""
        first = torch.zeros(self.samples.outputs, dtype=torch.float64, device=self.samples.device)
        second = first.clone()
        # measured from one of the values, a constant signal has a variance of exactly 0
        origin = next(self._values())[0][:1].double()
        for values, weights in self._values():
            far = values.double() - origin
            weight = 1.0 if weights is None else weights.double()[:, None]
            first += (weight * far).sum(0)
            second += (weight * far.square()).sum(0)
        total = self._total / self.samples.outputs
        return float((second / total - (first / total).square()).clamp_min(0).mean())

    def compile(self) -> None:
        """Use torch.compile from now on, for chunks of the full size; compiles them now."""
        self._loss = torch.compile(self._squares)
        first = next(self._chunks())
        if len(first.x) == self.chunk:
            self._loss(*first).backward()
            self.network.zero_grad()

    def _weight(self) -> float:
        if self.samples.weights is None:
            return float(len(self.samples))
        weights = (each for _, each in self._values())
        return sum((float(each.double().sum()) for each in weights if each is not None), 0.0)

    def _values(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Values and weights, some at a time, without the coordinates."""
        samples = self.samples
        for start in range(0, len(samples), _KEPT):
            part: slice | Tensor = slice(start, min(start + _KEPT, len(samples)))
            if samples.chosen is not None:
                part = samples.chosen[part].long()
            weights = None if samples.weights is None else samples.weights[part]
            yield samples.span.scaled(samples.values[part]), weights

    def _chunks(self) -> Iterator[Batch]:
        if self._whole is not None:
            yield from self._split(self._whole)
            return
        for start in range(0, len(self.samples), self.chunk):
            yield self.samples.between(start, start + self.chunk)

    def _split(self, batch: Batch) -> Iterator[Batch]:
        for start in range(0, len(batch.x), self.chunk):
            part = slice(start, start + self.chunk)
            weight = None if batch.weight is None else batch.weight[part]
            yield Batch(batch.x[part], batch.y[part], weight)

    def _over(self, batches: Iterator[Batch], total: float, gradients: bool) -> float:
        error = torch.zeros((), dtype=torch.float64, device=self.samples.device)
        with torch.set_grad_enabled(gradients):
            for batch in batches:
                loss = self._loss if len(batch.x) == self.chunk and gradients else self._squares
                squares = loss(*batch)
                if gradients:
                    squares.backward(torch.full_like(squares, 1 / total))
                error += squares.detach().double()
        return float(error) / total

    def _squares(self, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._mixed):
            values = self.network(x)
        errors = (values.float() - y).square()
        return errors.sum() if weight is None else (errors * weight).sum()
