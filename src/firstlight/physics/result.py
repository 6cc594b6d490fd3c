"""What a training found: loss and error side by side, plain and frozen."""

from dataclasses import dataclass
from typing import NamedTuple


class Look(NamedTuple):
    """A network at one step of its training.

    Attributes:
        step: updates before it, of Adam and iterations of L-BFGS together.
        seconds: of training before it; the looks do not count.
        losses: weighted loss terms, in the problem's order.
        error: relative L2 error against the reference solution.
    """

    step: int
    seconds: float
    losses: tuple[float, ...]
    error: float

    @property
    def loss(self) -> float:
        """The sum of the terms, which is what is minimised."""
        return sum(self.losses)


@dataclass(frozen=True)
class PinnRun:
    """One training.

    Attributes:
        scheme: of its start.
        seed: of its draws.
        learning_rate: of Adam.
        looks: along the training, from step 0 on.
        error: relative L2 error at the least loss, which is the network that is kept; infinite
            where no loss was a number.
        loss: the least.
        best_step: where it was.
        steps: updates done.
        seconds: of training.
        stopped: "finished", "seconds", "converged", "collapsed" or "interrupted".
        notes: what should be known.
    """

    scheme: str
    seed: int
    learning_rate: float
    looks: tuple[Look, ...]
    error: float
    loss: float
    best_step: int
    steps: int
    seconds: float
    stopped: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepZero:
    """Networks of many seeds before the first step.

    Attributes:
        scheme: of their start.
        losses: weighted sum of the loss terms, one for each seed.
        errors: relative L2 error, one for each seed.
    """

    scheme: str
    losses: tuple[float, ...]
    errors: tuple[float, ...]
