"""The loop of a fit: steps, the curve, the best so far, and everything needed to go on later."""

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from firstlight.errors import OptionError
from firstlight.fields.collapse import Collapse
from firstlight.fields.objective import Objective
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
    """

    def __init__(
        self, network: nn.Module, objective: Objective, spec: FitSpec, batch: int | None
    ) -> None:
        self.curve: list[Point] = []
        self.step = 0
        self.best = Point(0, 0.0, -math.inf)
        self.stopped = ""
        self._network, self._objective, self._spec, self._batch = network, objective, spec, batch
        self._trained: list[Tensor] = [each for each in network.parameters() if each.requires_grad]
        self._kept = [each.detach().clone() for each in self._trained]
        self._optimizer = _optimizer(network, spec)
        self._generator = torch.Generator(objective.samples.device).manual_seed(spec.seed)
        self.collapse = Collapse(objective.variance())
        self._recent: deque[float] = deque(maxlen=16)  # errors of batches
        # a look costs a third of a step per sample: at most about a sixth of the time
        self._every = 1 if batch is None else max(1, math.ceil(2 * len(objective.samples) / batch))

    def advance(self, clock: Callable[[], float]) -> bool:
        """Take one step; False when a limit is reached, before the step."""
        self._optimizer.zero_grad(set_to_none=False)
        if self._batch is None:
            error = self._objective.full()
            self._look(error, clock())
        else:
            if self._due():
                self._look(self._objective.full(gradients=False), clock())
            if not self.stopped:
                self._recent.append(self._objective.random(self._batch, self._generator))
        self._limit(clock())
        if self.stopped:
            self._last_look(clock())
            return False
        self._optimizer.step()
        self.step += 1
        return True

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
        return tensors | {"generator": self._generator.get_state()}

    def load_state(self, tensors: dict[str, Tensor], progress: dict[str, Any]) -> None:
        """Go on from what ``state`` and ``progress`` said."""
        field = {name[6:]: each for name, each in tensors.items() if name.startswith("field.")}
        self._network.load_state_dict(field)
        states: dict[int, dict[str, Tensor]] = {}
        for name, each in tensors.items():
            if name.startswith("optimizer."):
                _, place, key = name.split(".")
                states.setdefault(int(place), {})[key] = each
        with torch.no_grad():
            for number, (kept, now) in enumerate(zip(self._kept, self._trained, strict=True)):
                kept.copy_(now)
                now.copy_(tensors[f"now.{number}"])
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": states})
        self._generator.set_state(tensors["generator"].cpu())
        self._load_progress(progress)

    def _load_progress(self, progress: dict[str, Any]) -> None:
        self.curve = [Point(int(step), seconds, psnr) for step, seconds, psnr in progress["curve"]]
        self.step = int(progress["step"])
        self._recent.extend(progress["recent"])
        for point in self.curve:
            self.collapse.look(point.step, 4 * 10 ** (-point.psnr / 10))
            self.best = max(self.best, point, key=lambda one: one.psnr)

    def progress(self) -> dict[str, Any]:
        """The curve and the step, as plain values."""
        return {"step": self.step, "curve": self.curve, "recent": list(self._recent)}

    def _look(self, error: float, seconds: float) -> None:
        psnr = decibels(error) if math.isfinite(error) else -math.inf
        point = Point(self.step, seconds, psnr)
        self.curve.append(point)
        self.collapse.look(self.step, error)
        if self.collapse.fatal:
            self.stopped = "collapsed"
        elif psnr > self.best.psnr:
            self.best = point
            with torch.no_grad():
                torch._foreach_copy_(self._kept, self._trained)
        if self._spec.target_psnr is not None and psnr >= self._spec.target_psnr:
            self.stopped = "target"

    def _due(self) -> bool:
        """Whether it is time to look at all samples: regularly, or when the target seems near."""
        since = self.step - (self.curve[-1].step if self.curve else -self._every)
        if since >= self._every or self.step == self._spec.steps:
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
        elif spec.seconds is not None and seconds >= spec.seconds:
            self.stopped = "seconds"
        elif spec.steps is spec.seconds is None and self.collapse.stalled:
            self.stopped = "stalled"

    def _last_look(self, seconds: float) -> None:
        """See where batches have led; a target may be reached by now."""
        if self.stopped == "seconds" and self.curve and self.curve[-1].step < self.step:
            self._look(self._objective.full(gradients=False), seconds)

    def _left(self, seconds: float) -> float | None:
        spec, guesses = self._spec, []
        if spec.steps is not None and self.step:
            guesses.append((spec.steps - self.step) * seconds / self.step)
        if spec.seconds is not None:
            guesses.append(spec.seconds - seconds)
        if spec.target_psnr is not None and len(self.curve) > 1:
            before, last = self.curve[max(0, len(self.curve) - 20)], self.curve[-1]
            slope = (last.psnr - before.psnr) / max(last.seconds - before.seconds, 1e-9)
            if slope > 0:
                guesses.append((spec.target_psnr - last.psnr) / slope)
        return max(0.0, min(guesses)) if guesses else None


def weight_layers(network: nn.Module) -> list[list[nn.Parameter]]:
    """The trained parameters of each module that has any, in order: what a rate belongs to."""
    own = (
        [each for each in module.parameters(recurse=False) if each.requires_grad]
        for module in network.modules()
    )
    return [parameters for parameters in own if parameters]


def _optimizer(network: nn.Module, spec: FitSpec) -> torch.optim.Optimizer:
    layers = weight_layers(network)
    rates = spec.layer_rates or (1.0,) * len(layers)
    if len(rates) != len(layers):
        raise OptionError(
            f"layer_rates must have one factor for each of the network's {len(layers)} layers, "
            f"got {len(rates)}"
        )
    groups = [
        {"params": parameters, "lr": spec.learning_rate * rate}
        for parameters, rate in zip(layers, rates, strict=True)
    ]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=0.9)
    plain = not any(each.is_complex() for each in network.parameters())
    return torch.optim.Adam(groups, fused=plain)
