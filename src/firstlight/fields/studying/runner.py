"""All runs of a study, those that were finished before left out."""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from firstlight.fields.alpha.choose_alpha import choose_alpha
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import Sine
from firstlight.fields.signals.signal import Signal
from firstlight.fields.studying.budget import TUNING_SEED, Budget
from firstlight.fields.studying.progress import OneFit, StudyProgress
from firstlight.fields.studying.result import Study, StudyChoice, StudyRow, StudyRun
from firstlight.fields.studying.rows import Planned, planned_rows
from firstlight.fields.studying.run import Probe, run_once, start_of
from firstlight.fields.unfinished import digest
from firstlight.files import write_atomically
from firstlight.runs.interruption import Interruption
from firstlight.runs.store import Store

#: Changes when what the files hold does.
_VERSION = 2
#: Where higher learning rates are given up: dB below the best, or times its steps to the target.
_WORSE_PSNR, _WORSE_STEPS = 1.0, 1.25


class Runner:
    """One call of ``study``."""

    def __init__(
        self,
        signal: Signal,
        budget: Budget,
        device: torch.device,
        out: Path | None,
        progress: StudyProgress,
    ) -> None:
        self._signal, self._budget, self._device = signal, budget, device
        self._out, self._progress = out, progress
        self._store = Store(out, progress.note)
        self._whose = {
            "version": _VERSION,
            "signal": digest((signal.train, signal.held_out)),
            "form": repr(signal.form),
            "device": str(device),
        }
        # a fit that ends by itself would lose a Ctrl-C that it noted: the study notes it
        self._interruption = Interruption()

    def run(self, networks: Mapping[str, Network], alphas: tuple[float, ...] | None) -> Study:
        """Do what is missing."""
        with self._interruption:
            for line in self._signal.notes:
                self._progress.note(line)
            planned, choices = planned_rows(self._signal, networks, alphas, self._choose)
            self._progress.begin(len(planned) * self._budget.runs)
            rows = tuple(self._row(row) for row in planned)
            found = self._study(rows, tuple(choices))
            if self._out is not None:
                text = json.dumps(found.as_dict(), indent=1, allow_nan=False)
                path = self._out / "study.json"
                write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
        return found

    def _study(self, rows: tuple[StudyRow, ...], choices: tuple[StudyChoice, ...]) -> Study:
        budget, signal = self._budget, self._signal
        own = sys.modules["firstlight"].__version__  # importing it would reach the layers above
        return Study(
            signal=signal.name,
            samples=len(signal.train),
            held_out=0 if signal.held_out is None else len(signal.held_out),
            target_psnr=budget.target_psnr,
            steps=budget.steps,
            seeds=budget.seeds,
            learning_rates=budget.learning_rates,
            options=json.loads(json.dumps(budget.options)),
            rows=rows,
            choices=choices,
            versions={"firstlight": own, "torch": str(torch.__version__)},
        )

    def _choose(self, name: str, network: Sine) -> StudyChoice:
        target = self._budget.target_psnr
        asked = self._asked(network, {"choose_alpha": target})
        found = self._store.load(asked, StudyChoice)
        if found is None:
            choice = choose_alpha(self._signal, network, target_psnr=target)
            self._go_on()
            expected, probed = tuple(sorted(choice.expected)), tuple(sorted(choice.probed))
            found = StudyChoice(name, choice.alpha, choice.omega_0, choice.line, expected, probed)
            self._store.save(asked, found)
        self._progress.note(f"{name}: {found.line}")
        return replace(found, name=name)

    def _row(self, row: Planned) -> StudyRow:
        budget, rate = self._budget, self._budget.learning_rates[0]
        tuning: tuple[StudyRun, ...] = ()
        if budget.tuned:
            tuning = self._tuning(row)
            rate = max(tuning, key=_quality).learning_rate
        runs = tuple(
            self._once(row, seed, rate, looked_at=seed == budget.seeds[0]) for seed in budget.seeds
        )
        return StudyRow(
            label=row.label,
            name=row.name,
            alpha=row.alpha,
            auto=row.auto,
            network=row.network,
            parameters=row.network.parameters(self._signal.inputs, self._signal.outputs),
            learning_rate=rate,
            expected=row.expected,
            runs=runs,
            tuning=tuning,
        )

    def _tuning(self, row: Planned) -> tuple[StudyRun, ...]:
        """A run at each rate, from the lowest, until one is clearly worse than one before it."""
        runs: list[StudyRun] = []
        for rate in sorted(self._budget.learning_rates):
            runs.append(self._once(row, TUNING_SEED, rate, looked_at=False))
            if _clearly_worse(runs[-1], max(runs, key=_quality)):
                break
        self._progress.skip(len(self._budget.learning_rates) - len(runs))
        return tuple(runs)

    def _once(self, row: Planned, seed: int, rate: float, *, looked_at: bool) -> StudyRun:
        """One fit, from the store where it is there."""
        budget, spec = self._budget, self._budget.spec(seed, rate)
        looks = {"probes": budget.probes, "points": budget.points} if looked_at else None
        asked = self._asked(row.network, {"options": spec.as_dict(), "looks": looks})
        label = f"{row.label}, " + (
            f"tuning at {rate:g}" if seed == TUNING_SEED else f"seed {seed}"
        )
        found = self._store.load(asked, StudyRun)
        if found is not None:
            self._progress.finish(label, found, True)
            return found
        self._progress.run(label)
        self._go_on()
        probe = Probe(self._signal, budget.probes if looked_at else (), budget.points, self._go_on)
        found = run_once(
            self._signal,
            row.network,
            spec,
            device=self._device,
            progress=OneFit(self._progress),
            probe=probe,
        )
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
        if looked_at:
            found = replace(found, start=start_of(self._signal, row.network, seed, budget.points))
        self._store.save(asked, found)
        self._progress.finish(label, found, False)
        self._go_on()
        return found

    def _asked(self, network: Network, more: dict[str, Any]) -> dict[str, Any]:
        return {**self._whose, "network": network.as_dict(), **more}

    def _go_on(self) -> None:
        """End where Ctrl-C was pressed."""
        if self._interruption.asked:
            raise KeyboardInterrupt


def _quality(run: StudyRun) -> tuple[float, float]:
    """Fewer steps to the target are better, and any of them than none."""
    return -math.inf if run.reached is None else -run.reached, run.psnr


def _clearly_worse(run: StudyRun, best: StudyRun) -> bool:
    """Whether a higher rate will not be the best any more."""
    if best.reached is None:
        return not run.psnr > best.psnr - _WORSE_PSNR
    return run.reached is None or run.reached > _WORSE_STEPS * best.reached
