"""One training run: the start, the epochs, and what was measured after each of them."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from firstlight import __version__
from firstlight.comparison import optimizers
from firstlight.comparison.accelerator import accelerator
from firstlight.comparison.data import Data
from firstlight.comparison.metrics import metrics
from firstlight.comparison.seeded import seeded
from firstlight.comparison.spec import RunResult, RunSpec, Status
from firstlight.comparison.start import start
from firstlight.comparison.task import Task, task
from firstlight.comparison.text import Text
from firstlight.comparison.threads import useful_threads
from firstlight.comparison.track import Track, followed
from firstlight.model.reason import reason

_CHECK_EVERY = 32  # steps between looks at the loss: each look makes the device wait


class _Diverged(Exception):  # noqa: N818  an outcome of a run, not a mistake
    """The loss is no longer a finite number."""


@dataclass
class _Record:
    """What is known of a run so far; a failed run keeps it."""

    accuracy: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    parameters: int = 0
    device: str = ""

    def last(self) -> dict[str, float]:
        """Return what was measured after the last epoch."""
        curves = {"accuracy": self.accuracy, "loss": self.loss, "train_loss": self.train_loss}
        return {name: curve[-1] for name, curve in curves.items()}


@dataclass(frozen=True)
class _Trainer:
    """What stays the same over the epochs of one run, all on one device."""

    hardware: Accelerator
    network: nn.Module
    optimizer: torch.optim.Optimizer
    task: Task
    spec: RunSpec


def train(
    spec: RunSpec,
    data: Data | Text,
    on_epoch: Callable[[], None] = lambda: None,
    track: Track | None = None,
) -> RunResult:
    """Train as ``spec`` says and return what came of it; a failure is a result too.

    The weights depend on the seed, the scheme and the network. The order of the images and the
    random numbers of training (dropout and the like) depend on the seed alone, so that two
    schemes with one seed differ in their weights only.

    Args:
        spec: the run.
        data: the whole data set that ``spec.data`` names.
        on_epoch: called after each epoch.
        track: experiment trackers that follow the run.

    Returns:
        A result whose status is "ok", "diverged" when the loss left the finite numbers, or
        "crashed" when anything raised.

    Raises:
        FirstlightError: a tracker cannot start; nothing was trained.

    Example:
        >>> from firstlight.comparison.data import load
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="adamw", scheme="default", seed=0,
        ...                epochs=2, batch_size=64, learning_rate=1e-3, weight_decay=1e-3)
        >>> result = train(spec, load("digits"))
        >>> result.status, len(result.accuracy)
        ('ok', 2)
    """
    record = _Record()
    status: Status = "ok"
    why = ""
    with followed(track, spec) as log:

        def after() -> None:
            log(len(record.loss), record.last())
            on_epoch()

        try:
            _run(spec, data, record, after)
        except _Diverged as error:
            status, why = "diverged", str(error)
        # a network of the user's may raise anything, and one bad run among many must become a row
        # of the table, even where it asks Python to exit; KeyboardInterrupt passes
        except (Exception, SystemExit) as error:
            status, why = "crashed", reason(error)
    return RunResult(spec=spec, status=status, reason=why, versions=versions(), **asdict(record))


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on."""
    return {
        "firstlight": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _run(spec: RunSpec, data: Data | Text, record: _Record, on_epoch: Callable[[], None]) -> None:
    hardware = accelerator(spec.precision)
    record.device = str(hardware.device)
    data = data.select(spec.train_size, spec.held_out)
    network = start(spec, data).to(hardware.device)
    record.parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    optimizer = optimizers.build(
        spec.optimizer, network.parameters(), spec.learning_rate, spec.weight_decay
    )
    network = hardware.prepare(network)
    # Accelerate's optimizer searches the disk for a package twice a step, a sixth of the time of a
    # small network; only loss scaling, and devices that defer their work, need it
    if hardware.scaler is not None or hardware.device.type not in ("cpu", "cuda", "mps"):
        optimizer = hardware.prepare(optimizer)
    trainer = _Trainer(hardware, network, optimizer, task(data.to(hardware.device)), spec)
    # schemes drew different amounts of random numbers until here
    with seeded(spec.seed), useful_threads(trainer.task.places, record.parameters, spec.batch_size):
        for epoch in range(spec.epochs):
            begin = time.perf_counter()
            train_loss = _train_epoch(trainer, epoch)
            accuracy, loss = _validate(trainer, epoch)
            record.train_loss.append(train_loss)
            record.accuracy.append(accuracy)
            record.loss.append(loss)
            record.seconds.append(time.perf_counter() - begin)
            on_epoch()


def _train_epoch(trainer: _Trainer, epoch: int) -> float:
    """Train on every batch of the epoch; return the mean loss of the steps."""
    spec = trainer.spec
    losses: list[Tensor] = []
    trainer.network.train()
    for inputs, targets in trainer.task.training(spec.seed, epoch, spec.batch_size):
        trainer.optimizer.zero_grad()
        loss = cross_entropy(trainer.task.logits(trainer.network, inputs), targets)
        trainer.hardware.backward(loss)
        trainer.optimizer.step()
        losses.append(loss.detach())
        if len(losses) % _CHECK_EVERY == 0:
            _check_finite(losses, epoch)
    _check_finite(losses, epoch)
    return torch.stack(losses).cpu().double().mean().item()  # their sum may have no float32


def _check_finite(losses: list[Tensor], epoch: int) -> None:
    recent = losses[-_CHECK_EVERY:]
    values = torch.stack(recent).tolist()
    for step, value in enumerate(values, start=len(losses) - len(recent) + 1):
        if not math.isfinite(value):
            raise _Diverged(f"loss became {value} at epoch {epoch + 1}, step {step}")


@torch.no_grad()
def _validate(trainer: _Trainer, epoch: int) -> tuple[float, float]:
    """Return accuracy and mean loss over all that is predicted of the test set."""
    learned = trainer.task
    accuracy, mean_loss = metrics(learned.classes, trainer.hardware.device)
    count = 0
    trainer.network.eval()
    size = 4 * trainer.spec.batch_size  # without gradients a larger batch fits the same memory
    for inputs, targets in learned.judging(size):
        logits = learned.logits(trainer.network, inputs)
        accuracy.update(logits, targets)
        # one value per target: with this strategy MeanMetric drops weights (torchmetrics 1.9)
        mean_loss.update(cross_entropy(logits, targets, reduction="none"))
        count += len(targets)
    loss = mean_loss.compute().item()
    if not math.isfinite(loss):
        raise _Diverged(f"validation loss became {loss} after epoch {epoch + 1}")
    # back to the exact fraction: the metric answers in float32
    return round(accuracy.compute().item() * count) / count, loss
