"""All networks and starts of a depth study, those that were finished before left out."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from firstlight.comparison.data import Data
from firstlight.comparison.seeded import seeded
from firstlight.comparison.threads import threads
from firstlight.errors import FirstlightError
from firstlight.files import write_atomically
from firstlight.runs.interruption import Interruption
from firstlight.runs.store import Store
from firstlight.studies.deep_network import DeepNetwork, parameters
from firstlight.studies.depth_options import DepthOptions
from firstlight.studies.depth_progress import DepthProgress
from firstlight.studies.depth_result import DepthFound, DepthRow, DepthStudy
from firstlight.studies.depth_signal import measure_signal
from firstlight.studies.depth_start import DepthStart
from firstlight.studies.depth_training import Samples, judged_steps, train_replicas

#: Changes when what the files hold does.
_VERSION = 1
#: Samples that a start is looked at with.
_LOOKED_AT = 256


class _Cell(NamedTuple):
    network: DeepNetwork
    start: DepthStart
    train_size: int

    @property
    def label(self) -> str:
        widths = "-".join(map(str, self.network.widths))
        size = f", {self.train_size} samples" if self.train_size else ""
        return f"{widths} x {self.network.depth} {self.network.activation}{size}, " + (
            self.start.label
        )


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
            self._progress.begin(len(cells), self._options.steps)
            rows = tuple(self._row(cell) for cell in cells)
            found = self._study(rows)
            if self._out is not None:
                text = json.dumps(found.as_dict(), indent=1, allow_nan=False)
                path = self._out / "study.json"
                write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
        return found

    def _cells(self) -> Iterator[_Cell]:
        options = self._options
        inputs = self._data.in_channels * int(np.prod(self._data.image_size))
        for size in options.train_sizes:
            for activation in options.activations:
                for widths in options.widths:
                    for depth in options.depths:
                        for start in options.starts():
                            shape = (inputs, self._data.classes, widths, depth, activation)
                            yield _Cell(DeepNetwork(*shape, start.structure), start, size)

    def _row(self, cell: _Cell) -> DepthRow:
        asked = self._asked(cell)
        found = self._store.load(asked, DepthFound)
        before = found is not None
        if found is None:
            self._progress.cell(cell.label)
            found = self._found(cell)
            self._store.save(asked, found)
        row = DepthRow(cell.network, parameters(cell.network), cell.train_size, cell.start, found)
        self._progress.finish(cell.label, row, before)
        self._go_on()
        return row

    def _found(self, cell: _Cell) -> DepthFound:
        options, samples = self._options, self._samples[cell.train_size]
        began = time.perf_counter()
        batch = samples.first(_LOOKED_AT)
        try:
            modules = []
            for seed in options.seeds:
                self._go_on()
                with seeded(seed):
                    modules.append(cell.start.fill(cell.network, seed, batch))
        except FirstlightError as error:
            return DepthFound((), (), str(error), time.perf_counter() - began)
        signals = measure_signal(modules, options.seeds, batch)
        runs = (
            ()
            if not options.steps
            else train_replicas(
                modules,
                options.seeds,
                options.learning_rates,
                samples,
                optimizer=options.optimizer,
                batch_size=options.batch_size,
                judged_at=judged_steps(options.steps, options.judged),
                after_step=self._after_step,
            )
        )
        return DepthFound(signals, runs, "", time.perf_counter() - began)

    def _after_step(self, step: int) -> None:
        self._progress.step(step)
        self._go_on()

    def _go_on(self) -> None:
        """End where Ctrl-C was pressed."""
        if self._interruption.asked:
            raise KeyboardInterrupt

    def _asked(self, cell: _Cell) -> dict[str, Any]:
        """Everything that the answer depends on."""
        options = asdict(self._options)
        trained = ("learning_rates", "batch_size", "optimizer", "judged")
        kept = ("seeds", "steps", *(trained if self._options.steps else ()))
        return {
            "version": _VERSION,
            "data": self._data.fingerprint,
            "network": asdict(cell.network),
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
