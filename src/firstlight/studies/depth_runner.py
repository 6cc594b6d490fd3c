"""All networks and starts of a depth study, those that were finished before left out."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.data import Data
from firstlight.comparison.seeded import seeded
from firstlight.comparison.threads import threads
from firstlight.errors import FirstlightError, OptionError
from firstlight.files import write_atomically
from firstlight.runs.interruption import Interruption
from firstlight.runs.store import Store
from firstlight.studies.deep_network import DeepModule, DeepNetwork, parameters
from firstlight.studies.depth_options import DepthOptions
from firstlight.studies.depth_parts import Parts, check_memory, parts, split
from firstlight.studies.depth_progress import DepthProgress
from firstlight.studies.depth_result import DepthFound, DepthRow, DepthStudy
from firstlight.studies.depth_signal import DepthSignal, measure_signal
from firstlight.studies.depth_start import DepthStart
from firstlight.studies.depth_training import DepthRun, Samples, judged_steps, train_replicas
from firstlight.studies.scaled_activation import scaled_activation, stored_activation

#: Changes when what the files hold does.
_VERSION = 1
#: Samples that a start is looked at with.
_LOOKED_AT = 256


class _Cell(NamedTuple):
    network: DeepNetwork
    start: DepthStart
    train_size: int

    @property
    def name(self) -> str:
        widths = "-".join(map(str, self.network.widths))
        return f"{widths} x {self.network.depth} {self.network.activation}"

    @property
    def label(self) -> str:
        size = f", {self.train_size} samples" if self.train_size else ""
        return f"{self.name}{size}, {self.start.label}"


class DepthRunner:
    """One call of ``depth_study``."""

    def __init__(
        self, options: DepthOptions, data: Data, out: Path | None, progress: DepthProgress
    ) -> None:
        self._options, self._data = options, data
        self._out, self._progress = out, progress
        self._store = Store(out, progress.note)
        self._samples = {size: Samples.of(data, size or None) for size in options.train_sizes}
        self._interruption = Interruption()

    def run(self) -> DepthStudy:
        """Do what is missing."""
        cells = list(self._cells())
        # products of narrow layers are too small to share
        with self._interruption, threads(1):
            before = [self._stored(cell) for cell in cells]
            self._check([cell for cell, found in zip(cells, before, strict=True) if not found])
            self._progress.begin(len(cells), self._options.steps)
            rows = tuple(self._row(*each) for each in zip(cells, before, strict=True))
            found = self._study(rows)
            if self._out is not None:
                text = json.dumps(found.as_dict(), indent=1, allow_nan=False)
                path = self._out / "study.json"
                write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
        return found

    def _stored(self, cell: _Cell) -> DepthFound | None:
        """What an earlier call found; one that failed there may succeed here."""
        found = self._store.load(self._asked(cell), DepthFound)
        return None if found is None or found.failure else found

    def _check(self, cells: list[_Cell]) -> None:
        """Refuse what cannot be, before anything is measured."""
        for cell in {(each.network, each.start): each for each in cells}.values():
            self._go_on()
            try:
                cell.start.check(cell.network)
            except FirstlightError as error:
                why = re.sub(r"^layers\.\d+\.weight: ", "", str(error))
                raise OptionError(
                    f"{cell.start.label} cannot start {cell.name}: {why}; leave one of them out"
                ) from error
            size, steps = self._options.batch_size, self._options.steps
            check_memory(cell.network, self._parts(cell.network), size, steps)

    def _parts(self, network: DeepNetwork) -> Parts:
        options = self._options
        rates = len(options.learning_rates) if options.steps else 0
        return parts(network, len(options.seeds), rates, options.batch_size, _LOOKED_AT)

    def _cells(self) -> Iterator[_Cell]:
        options = self._options
        inputs = self._data.in_channels * int(np.prod(self._data.image_size))
        for size in options.train_sizes:
            for f in map(scaled_activation, options.activations):
                for widths in options.widths:
                    for depth in options.depths:
                        for start in options.starts():
                            shape = (inputs, self._data.classes, widths, depth, f)
                            yield _Cell(DeepNetwork(*shape, start.structure), start, size)

    def _row(self, cell: _Cell, before: DepthFound | None) -> DepthRow:
        found = before
        if found is None:
            self._progress.cell(cell.label)
            found = self._found(cell)
            if not found.failure:
                self._store.save(self._asked(cell), found)
        row = DepthRow(cell.network, parameters(cell.network), cell.train_size, cell.start, found)
        self._progress.finish(cell.label, row, before is not None)
        self._go_on()
        return row

    def _found(self, cell: _Cell) -> DepthFound:
        began = time.perf_counter()
        signals: list[DepthSignal] = []
        runs: list[DepthRun] = []
        at_once = self._parts(cell.network)
        batch = self._samples[cell.train_size].first(_LOOKED_AT)
        for seeds in split(self._options.seeds, at_once.seeds):
            try:
                modules = self._filled(cell, seeds, batch)
            except FirstlightError as error:  # what only the data shows
                return DepthFound((), (), str(error), time.perf_counter() - began)
            signals += measure_signal(modules, seeds, batch)
            if self._options.steps:
                runs += self._trained(cell, modules, seeds, at_once.rates, len(runs))
            del modules  # before there are others
        return DepthFound(tuple(signals), tuple(runs), "", time.perf_counter() - began)

    def _filled(self, cell: _Cell, seeds: Sequence[int], batch: Tensor) -> list[DeepModule]:
        modules = []
        for seed in seeds:
            self._go_on()
            with seeded(seed):
                modules.append(cell.start.fill(cell.network, seed, batch))
        return modules

    def _trained(
        self,
        cell: _Cell,
        modules: Sequence[DeepModule],
        seeds: Sequence[int],
        rates_at_once: int,
        done: int,
    ) -> list[DepthRun]:
        """Train some seeds at all rates, after ``done`` other runs of the same start."""
        options = self._options
        of = len(options.seeds) * len(options.learning_rates)
        found: list[DepthRun] = []
        for rates in split(options.learning_rates, rates_at_once):
            found += train_replicas(
                modules,
                seeds,
                rates,
                self._samples[cell.train_size],
                optimizer=options.optimizer,
                batch_size=options.batch_size,
                judged_at=judged_steps(options.steps, options.judged),
                together=of,
                after_step=partial(
                    self._after_step, done + len(found), len(seeds) * len(rates), of
                ),
            )
        return found

    def _after_step(self, done: int, now: int, of: int, step: int) -> None:
        """Tell the updates that all runs have had in the mean: some may still have to begin."""
        self._progress.step((done * self._options.steps + now * step) // of)
        self._go_on()

    def _go_on(self) -> None:
        """End where Ctrl-C was pressed."""
        if self._interruption.asked:
            raise KeyboardInterrupt

    def _asked(self, cell: _Cell) -> dict[str, Any]:
        """Everything that the answer depends on."""
        options = asdict(self._options)
        trained = ("learning_rates", "batch_size", "optimizer", "judged")
        activation = stored_activation(cell.network.activation)
        kept = ("seeds", "steps", *(trained if self._options.steps else ()))
        return {
            "version": _VERSION,
            "data": self._data.fingerprint,
            "network": {**asdict(cell.network), "activation": activation},
            "start": asdict(cell.start),
            "train_size": cell.train_size,
            **{name: options[name] for name in kept},
        }

    def _study(self, rows: tuple[DepthRow, ...]) -> DepthStudy:
        labels = self._data.test.labels
        own = sys.modules["firstlight"].__version__  # importing it would reach the layers above
        return DepthStudy(
            data=self._options.data,
            chance=float(labels.bincount().max()) / len(labels),
            options=json.loads(json.dumps(asdict(self._options))),
            rows=rows,
            versions={"firstlight": own, "torch": str(torch.__version__)},
        )
