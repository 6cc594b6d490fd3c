"""Train many deep networks at once: several seeds, each at several learning rates."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from firstlight.comparison import batches
from firstlight.comparison.data import Data, Split
from firstlight.studies import replica_optimizers
from firstlight.studies.deep_network import DeepModule
from firstlight.studies.replicas import Replicas

#: Numbers in the widest layer of all replicas that are judged at once.
_AT_ONCE = 2**21


@dataclass(frozen=True)
class DepthRun:
    """One training.

    Attributes:
        seed: of its draws and of the order of its samples.
        learning_rate: of its optimizer.
        steps: after which it was judged; the first is before training.
        accuracy: on the test set, from 0 to 1, after each of them.
        validation: on held-out training samples, the same; learning rates are chosen by it.
        loss: on the batches since it was judged last, their mean.
        diverged: the update after which its loss was not finite; None where it always was.
    """

    seed: int
    learning_rate: float
    steps: tuple[int, ...]
    accuracy: tuple[float, ...]
    validation: tuple[float, ...]
    loss: tuple[float, ...]
    diverged: int | None


@dataclass(frozen=True, eq=False)
class Samples:
    """What is trained on, what chooses the learning rate, and what judges."""

    train: Split
    validation: Split
    test: Split
    normalisation: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, data: Data, train_size: int | None) -> "Samples":
        """Hold a tenth of the training samples out, and take ``train_size`` of the others.

        Raises:
            OptionError: there are not so many.

        Example:
            >>> from firstlight.comparison.data import load
            >>> samples = Samples.of(load("digits"), 100)
            >>> len(samples.train), len(samples.validation), len(samples.test)
            (100, 143, 360)
        """
        judged = data.select(None, held_out=True)
        train = judged.select(train_size, held_out=False).train
        return cls(train, judged.test, data.test, data.normalisation)

    def first(self, size: int) -> Tensor:
        """Flat normalised training samples (size, inputs), the same in every call."""
        chosen = batches.order(0, 0, len(self.train))[:size]
        return self._flat(self.train.images[chosen])

    def batches(self, seeds: Sequence[int], size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield samples (S, size, inputs) and labels (S, size) for ever, each seed in its order."""
        streams = [_endless(seed, len(self.train), size) for seed in seeds]
        for each in zip(*streams, strict=True):
            chosen = torch.cat(each)
            flat = self._flat(self.train.images[chosen])
            yield flat.unflatten(0, (-1, size)), self.train.labels[chosen].unflatten(0, (-1, size))

    def judging(self, split: Split, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all samples (B, inputs) and labels (B,) of a split."""
        for images, labels in batches.batches(split, self.normalisation, size):
            yield images.flatten(1), labels

    def _flat(self, images: Tensor) -> Tensor:
        return batches.normalise(images, self.normalisation).flatten(1)


def _endless(seed: int, count: int, size: int) -> Iterator[Tensor]:
    """Yield indices, ``size`` at a time, epoch after epoch without a gap."""
    left, epoch = torch.empty(0, dtype=torch.int64), 0
    while True:
        while len(left) < size:
            left = torch.cat([left, batches.order(seed, epoch, count)])
            epoch += 1
        yield left[:size]
        left = left[size:]


def train_replicas(
    modules: Sequence[DeepModule],
    seeds: Sequence[int],
    rates: Sequence[float],
    samples: Samples,
    *,
    optimizer: str,
    batch_size: int,
    judged_at: Sequence[int],
    together: int | None = None,
    after_step: Callable[[int], None] | None = None,
) -> tuple[DepthRun, ...]:
    """Train each seed's network at each rate; each run is what it would be alone.

    Args:
        modules: the start of each seed.
        seeds: of the order of samples.
        rates: learning rates.
        samples: what to train on.
        optimizer: as ``replica_optimizers.build`` takes it.
        batch_size: samples of an update.
        judged_at: numbers of updates after which the networks are judged; the last one ends it.
        together: runs that this is a part of, which say how many samples are judged at once;
            these alone where None.
        after_step: is told the number of updates, and may raise to end it.

    Returns:
        Runs, seed by seed and within each rate by rate.
    """
    pairs = [(seed, rate) for seed in seeds for rate in rates]
    replicas = Replicas([module for module in modules for _ in rates])
    steps = replica_optimizers.build(optimizer, torch.tensor([rate for _, rate in pairs]))
    log = _Log(replicas, samples, together or len(pairs))
    with _no_denormals():
        log.judge(0)
        stream = samples.batches(seeds, batch_size)
        for step in range(1, max(judged_at) + 1):
            log.losses(step, _losses_of_step(replicas, steps, *next(stream)))
            if after_step is not None:
                after_step(step)
            if step in judged_at:
                log.judge(step)
            if log.all_diverged:
                break
    return tuple(log.run(number, *pair) for number, pair in enumerate(pairs))


def _losses_of_step(
    replicas: Replicas, optimizer: replica_optimizers.ReplicaOptimizer, x: Tensor, y: Tensor
) -> Tensor:
    """Make one update; return the loss of each replica before it."""
    logits = replicas(x.unsqueeze(1), training=True).logits
    labels = y.repeat_interleave(replicas.count // len(y), 0)
    each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    losses = each.view(len(logits), -1).mean(1)
    replicas.backward(losses)
    optimizer.step(replicas.values, replicas.gradients)
    return losses.detach()


class _Log:
    """Accuracies and losses of all replicas along training."""

    def __init__(self, replicas: Replicas, samples: Samples, together: int) -> None:
        self._replicas, self._samples = replicas, samples
        self._judged_at_once = max(16, _AT_ONCE // (together * max(replicas.network.sizes[:2])))
        self._steps: list[int] = []
        self._accuracy: list[Tensor] = []
        self._validation: list[Tensor] = []
        self._loss: list[Tensor] = []
        self._since: list[Tensor] = []
        self._diverged = torch.zeros(replicas.count, dtype=torch.int64)

    @property
    def all_diverged(self) -> bool:
        return bool((self._diverged > 0).all())

    def losses(self, step: int, losses: Tensor) -> None:
        self._since.append(losses)
        self._diverged[~losses.isfinite() & (self._diverged == 0)] = step

    def judge(self, step: int) -> None:
        self._steps.append(step)
        self._accuracy.append(self._right(self._samples.test))
        self._validation.append(self._right(self._samples.validation))
        if not self._since:  # before training
            self._since = [torch.full((self._replicas.count,), float("nan"))]
        # in float32 the sum's order, and so its digits, depend on the number of replicas
        self._loss.append(torch.stack(self._since).double().mean(0))
        self._since = []

    @torch.no_grad()
    def _right(self, split: Split) -> Tensor:
        """Share of a split's samples that each replica names right."""
        right = torch.zeros(self._replicas.count)
        for x, y in self._samples.judging(split, self._judged_at_once):
            right += (self._replicas(x[None, None]).logits.argmax(2) == y).sum(1)
        return right / len(split)

    def run(self, number: int, seed: int, rate: float) -> DepthRun:
        diverged = int(self._diverged[number]) or None
        kept = [i for i, step in enumerate(self._steps) if diverged is None or step < diverged]
        accuracy, validation, loss = (
            tuple(round(float(column[i][number]), 6) for i in kept)
            for column in (self._accuracy, self._validation, self._loss)
        )
        steps = tuple(self._steps[i] for i in kept)
        return DepthRun(seed, rate, steps, accuracy, validation, loss, diverged)


@contextmanager
def _no_denormals() -> Iterator[None]:
    """Take numbers below 1e-38 for 0: vanishing gradients are full of them, and they are slow."""
    before = bool(torch.tensor(1e-39) * torch.ones(1) == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def judged_steps(steps: int, count: int) -> tuple[int, ...]:
    """Return ``count`` numbers of updates up to ``steps``, closer together at first.

    Example:
        >>> judged_steps(1000, 4)
        (62, 250, 562, 1000)
    """
    return tuple(sorted({max(1, round(steps * (k / count) ** 2)) for k in np.arange(1, count + 1)}))
