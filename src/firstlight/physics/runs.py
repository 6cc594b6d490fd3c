"""The runs of a study: from the disk where they are finished, else trained and kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.physics.checkpoint import load_network, save_network
from firstlight.physics.problem import Problem
from firstlight.physics.progress import PinnProgress
from firstlight.physics.result import PinnRun, StepZero
from firstlight.physics.specification import PinnSpec
from firstlight.physics.training import solve, step_zero, train
from firstlight.runs.store import Store, digest

#: Changes when what the files hold does.
_VERSION = 1


class Runs:
    """Does what is missing.

    Args:
        problem: what is solved.
        whose: what else tells this problem from others, its code's hash among it.
        device: where to train.
        out: folder; None keeps nothing on disk.
        progress: what is told.
        asked: whether Ctrl-C was pressed.
    """

    def __init__(
        self,
        problem: Problem,
        whose: dict[str, Any],
        device: torch.device,
        out: Path | None,
        progress: PinnProgress,
        asked: Callable[[], bool],
    ) -> None:
        self.device = device
        self._problem, self._out, self._progress, self._asked = problem, out, progress, asked
        self._whose = {**whose, "version": _VERSION, "device": str(device)}
        self._store = Store(out, progress.note)
        self._weights: dict[PinnSpec, dict[str, Tensor]] = {}
        self.solution = problem.reference()

    def once(self, spec: PinnSpec, label: str) -> PinnRun:
        """One training; one that was stopped by Ctrl-C is not kept, and ends the study."""
        label = f"{spec.scheme}, {label}"
        asked = self._question(spec)
        found = self._store.load(asked, PinnRun)
        if found is not None and self._has_network(spec):
            self._progress.finish(label, found, True)
            return found
        self._go_on()
        self._progress.run(label, spec.adam_steps + spec.lbfgs_steps)
        found, weights = train(
            self._problem,
            spec,
            solution=self.solution,
            device=self.device,
            show=self._progress.show,
            asked=self._asked,
        )
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
        self._keep(spec, weights)  # first: a run counts as finished when its network is there
        self._store.save(asked, found)
        self._progress.finish(label, found, False)
        self._go_on()
        return found

    def step_zero(self, spec: PinnSpec, seeds: int) -> StepZero:
        """Losses before training over many seeds."""
        asked = {**self._question(spec), "step_zero": seeds}
        found = self._store.load(asked, StepZero)
        if found is None:
            found = step_zero(
                self._problem,
                spec,
                range(seeds),
                solution=self.solution,
                device=self.device,
                asked=self._asked,
            )
            self._store.save(asked, found)
        return found

    def values(self, spec: PinnSpec) -> np.ndarray:
        """A finished run's network on the reference's grid; not a number where it has none."""
        weights = self._weights.get(spec)
        if weights is None:
            path = self._path(spec)
            weights = {} if path is None else load_network(path)[2]
        if not weights:
            return np.full(self.solution.values.shape, np.nan)
        return np.asarray(solve(self._problem, spec, weights, self.solution))

    def _keep(self, spec: PinnSpec, weights: dict[str, Tensor]) -> None:
        self._weights[spec] = weights
        path = self._path(spec)
        if path is not None:
            save_network(path, weights, str(self._whose["problem"]), spec)

    def _has_network(self, spec: PinnSpec) -> bool:
        path = self._path(spec)
        if path is None or not path.exists():
            return False
        try:
            return load_network(path)[1] == spec
        except FirstlightError as error:
            self._progress.note(f"{error}; the run is trained again")
            return False

    def _path(self, spec: PinnSpec) -> Path | None:
        if self._out is None:
            return None
        return self._out / "networks" / f"{digest(self._question(spec))}.safetensors"

    def _question(self, spec: PinnSpec) -> dict[str, Any]:
        return {**self._whose, "spec": spec.as_dict()}

    def _go_on(self) -> None:
        """End where Ctrl-C was pressed."""
        if self._asked():
            raise KeyboardInterrupt
