"""The loop of a fit: steps, the curve, the best so far, and everything needed to go on later."""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from firstlight.fields.collapse import Collapse
from firstlight.fields.kept import Kept
from firstlight.fields.objective import Objective
from firstlight.fields.optimizer import make_optimizer, weight_layers
from firstlight.fields.result import Point
from firstlight.fields.signals.signal import decibels
from firstlight.fields.specification import FitSpec


class Moment(NamedTuple):
    """What a progress display is told.

    Attributes:
        step: updates so far.
        psnr: of the last look, in dB.
        best: of all looks.
        seconds: since the fit began.
        left: seconds that it is likely to take yet; None where nothing is known.
    """

    step: int
    psnr: float
    best: float
    seconds: float
    left: float | None


class Training:
    """A network on its way to a signal.

    Attributes:
        curve: a point for every look at all samples.
        step: updates so far.
        best: the point of the highest PSNR, whose weights are kept.
        stopped: why the loop ended; empty while it has not.
        torn: whether an interruption has left weights that belong to no step.
        uncounted: seconds before a first step, which the limit of seconds does not count.
    """

    def __init__(
        self, network: nn.Module, objective: Objective, spec: FitSpec, batch: int | None
    ) -> None:
        self.curve: list[Point] = []
        self.step = 0
        self.best = Point(0, 0.0, -math.inf)
        self.stopped = ""
        self.torn = False
        self.uncounted = 0.0
        self._earlier = 0  # points of the curve from before this session
        self._network, self._objective, self._spec, self._batch = network, objective, spec, batch
        self._trained: list[Tensor] = [each for one in weight_layers(network) for each in one]
        self._kept = [each.detach().clone() for each in self._trained]
        self._optimizer = make_optimizer(network, spec)
        self._generator = torch.Generator(objective.samples.device).manual_seed(spec.seed)
        self._drawn = self._generator.get_state()  # before the batch of the step to come
        self.collapse = Collapse(objective.variance())
        self._recent: deque[float] = deque(maxlen=16)  # errors of batches
        # a look costs a third of a step per sample: at most about a sixth of the time
        self._every = 1 if batch is None else max(1, math.ceil(2 * len(objective.samples) / batch))

    def advance(self, clock: Callable[[], float]) -> bool:
        """Take one step; False when a limit is reached, before the step."""
        self._optimizer.zero_grad(set_to_none=False)
        if self._batch is None:
            self._look(self._objective.full(), clock())
        elif self._due():
            self._look(self._objective.full(gradients=False), clock())
        self._limit(clock())
        if self.stopped:
            self._last_look(clock())
            return False
        if self._batch is None:
            self._update()
        else:
            self._update(self._objective.random(self._batch, self._generator))
        return True

    def _update(self, error: float | None = None) -> None:
        """Move the weights, after a random batch of this error if any."""
        self.torn = True
        self._optimizer.step()
        self.step += 1
        if error is not None:
            self._recent.append(error)
            self._drawn = self._generator.get_state()
        self.torn = False

    def interrupt(self, seconds: float, *, look: bool = True) -> None:
        """End now; where batches have gone on since the last look, see first where they have led.

        Another interruption skips that.
        """
        if look and self._batch is not None and self.curve and not self.torn:
            with suppress(KeyboardInterrupt):
                self._look_again(seconds)
        if self.stopped != "collapsed":
            self.stopped = "interrupted"

    def restore_best(self) -> None:
        """Put the weights of the best step back."""
        with torch.no_grad():
            torch._foreach_copy_(self._trained, self._kept)

    def moment(self, seconds: float) -> Moment:
        """What to show now."""
        psnr = self.curve[-1].psnr if self.curve else -math.inf
        return Moment(self.step, psnr, self.best.psnr, seconds, self._left(seconds))

    def state(self) -> dict[str, Tensor]:
        """Everything that going on needs but the curve.

        The field's weights at its best step under their names, so that a reader gets those; the
        weights now, what the optimiser keeps, and the state of the random batches.
        """
        now = {id(each): number for number, each in enumerate(self._trained)}
        tensors = {
            f"field.{name}": self._kept[now[id(each)]] if id(each) in now else each
            for name, each in self._network.state_dict(keep_vars=True).items()
        }
        tensors |= {f"now.{number}": each for number, each in enumerate(self._trained)}
        for number, state in self._optimizer.state_dict()["state"].items():
            kept = {name: each for name, each in state.items() if isinstance(each, Tensor)}
            tensors |= {f"optimizer.{number}.{name}": each for name, each in kept.items()}
        return tensors | {"generator": self._drawn}

    def progress(self, seconds: float) -> dict[str, Any]:
        """The curve, the step and the time, as plain values."""
        recent = list(self._recent)
        return {
            "step": self.step,
            "seconds": seconds,
            "uncounted": self.uncounted,
            "curve": self.curve,
            "recent": recent,
        }

    def load_state(self, tensors: dict[str, Tensor], progress: dict[str, Any]) -> float:
        """Go on from what ``state`` and ``progress`` said; returns the seconds until then.

        Raises:
            FirstlightError: that is not what a fit of this network keeps.
        """
        found = Kept.checked(tensors, progress, self._trained, self._spec.optimizer, self._drawn)
        self._network.load_state_dict(found.field)
        with torch.no_grad():
            for kept, now, then in zip(self._kept, self._trained, found.now, strict=True):
                kept.copy_(now)
                now.copy_(then)
        states = {**self._optimizer.state_dict(), "state": found.optimizer}
        self._optimizer.load_state_dict(states)
        self._drawn = found.generator
        self._generator.set_state(found.generator)
        self.step, self.curve, self._earlier = found.step, found.curve, len(found.curve)
        self.uncounted = found.uncounted
        self._recent.extend(found.recent)
        for point in self.curve:
            self.collapse.look(point.step, 4 * 10 ** (-point.psnr / 10))
            self.best = max(self.best, point, key=lambda one: one.psnr)
        return found.seconds

    def _look(self, error: float, seconds: float) -> None:
        psnr = decibels(error)
        if not self.curve or self.curve[-1].step < self.step:  # a fit that goes on looks again
            self._add(Point(self.step, seconds, psnr), error)
        if self.collapse.fatal:
            self.stopped = "collapsed"
        elif self._spec.target_psnr is not None and psnr >= self._spec.target_psnr:
            self.stopped = "target"

    def _add(self, point: Point, error: float) -> None:
        if point.psnr > self.best.psnr:
            self.torn = True
            with torch.no_grad():
                torch._foreach_copy_(self._kept, self._trained)
            self.best = point
            self.torn = False
        self.collapse.look(self.step, error)
        self.curve.append(point)

    def _due(self) -> bool:
        """Whether it is time to look at all samples: regularly, or when the target seems near."""
        if not self.curve or self.step in (self.curve[-1].step, self._spec.steps):
            return True  # a fit that goes on begins with the look that it ended with
        since = self.step - self.curve[-1].step
        if self.step % self._every == 0:
            return True
        target = self._spec.target_psnr
        if target is None or len(self._recent) < 8 or since < max(1, self._every // 4):
            return False
        return decibels(sum(self._recent) / len(self._recent)) >= target

    def _limit(self, seconds: float) -> None:
        spec = self._spec
        if self.stopped:
            return
        if spec.steps is not None and self.step >= spec.steps:
            self.stopped = "steps"
        elif spec.seconds is not None and seconds - self.uncounted >= spec.seconds:
            self.stopped = "seconds"
        elif spec.steps is spec.seconds is None and self.collapse.stalled:
            self.stopped = "stalled"

    def _last_look(self, seconds: float) -> None:
        """See where batches have led; a target may be reached by now."""
        if self.stopped == "seconds":
            self._look_again(seconds)

    def _look_again(self, seconds: float) -> None:
        if self.curve[-1].step < self.step:
            self._look(self._objective.full(gradients=False), seconds)

    def _left(self, seconds: float) -> float | None:
        spec, guesses = self._spec, []
        if spec.seconds is not None:
            guesses.append(spec.seconds - (seconds - self.uncounted))
        recent = self.curve[self._earlier :][-20:]  # earlier ones lie before a gap
        if len(recent) > 1:
            before, last = recent[0], recent[-1]
            passed = last.seconds - before.seconds
            if spec.steps is not None:
                pace = passed / (last.step - before.step)
                guesses.append((spec.steps - self.step) * pace)
            if spec.target_psnr is not None and last.psnr > before.psnr:
                slope = (last.psnr - before.psnr) / max(passed, 1e-9)
                guesses.append((spec.target_psnr - last.psnr) / slope)
        return max(0.0, min(guesses)) if guesses else None
