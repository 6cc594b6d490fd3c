"""Doing a sweep: what is on disk is read, what is missing is trained."""

import itertools
from pathlib import Path

from firstlight.comparison import tuning
from firstlight.comparison.comparison import Comparison
from firstlight.comparison.data import Data, load
from firstlight.comparison.progress import Progress
from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.start import start
from firstlight.comparison.store import Store, write_atomically
from firstlight.comparison.sweep import Group, Sweep
from firstlight.comparison.train import train
from firstlight.errors import FirstlightError


class Session:
    """One call of ``compare``: a checked sweep, the folder it writes to, who is told."""

    def __init__(
        self,
        sweep: Sweep,
        out: str | Path | None,
        data_root: str | Path | None,
        progress: Progress,
    ) -> None:
        self._sweep = sweep
        self._progress = progress
        self._data_root = data_root
        self._store = Store(None if out is None else Path(out).expanduser(), progress.note)
        self._loaded: dict[str, Data] = {}

    def check(self) -> None:
        """Try what could go wrong in every run that is still to be trained; train nothing.

        Raises:
            FirstlightError: the data cannot be read, a network does not fit it, or a scheme the
                network.
        """
        sweep = self._sweep
        for model, name in itertools.product(sweep.models, sweep.data):
            groups = [group for group in sweep.groups() if group[:2] == (model, name)]
            if all(self._finished(group) for group in groups):
                continue  # loading a large data set for nothing takes long
            data = self._data(name)
            data.select(sweep.train_size, held_out=sweep.tune_lr)
            for scheme in sweep.schemes:
                spec = sweep.run(groups[0], scheme, sweep.seeds[0], sweep.learning_rate)
                self._check_start(spec, data.select(sweep.train_size, held_out=False))

    def run(self) -> Comparison:
        """Read or train every run, in an order that makes a part of them comparable."""
        sweep, store = self._sweep, self._store
        if store.out is not None:
            text = sweep.model_dump_json(indent=1)
            write_atomically(
                store.out / "spec.json", lambda file: file.write_text(text, encoding="utf-8")
            )
        per_scheme = len(sweep.seeds) + (len(tuning.GRID) if sweep.tune_lr else 0)
        runs = len(list(sweep.groups())) * len(sweep.schemes) * per_scheme
        self._progress.begin(runs, runs * sweep.epochs)
        tuned: list[RunResult] = []
        results: list[RunResult] = []
        for group in sweep.groups():
            rates = dict.fromkeys(sweep.schemes, sweep.learning_rate)
            if sweep.tune_lr:
                tried = [self._obtain(spec) for spec in tuning.grid(sweep, group)]
                rates = tuning.choose(sweep, tried)
                tuned += tried
                self._note_edge(group, rates)
            results += [self._obtain(spec) for spec in sweep.runs(group, rates)]
        self._note_differences(results)
        return Comparison(sweep, tuple(results), tuple(tuned))

    def _obtain(self, spec: RunSpec) -> RunResult:
        result = self._store.load(spec)
        if result is not None:
            self._progress.load(result)
            return result
        self._progress.run(spec)
        result = train(spec, self._data(spec.data), self._progress.epoch)
        self._store.save(result)
        self._progress.finish(result)
        return result

    def _finished(self, group: Group) -> bool:
        """Return whether every run of ``group`` is on disk."""
        sweep = self._sweep
        rates = dict.fromkeys(sweep.schemes, sweep.learning_rate)
        if sweep.tune_lr:
            tried = [self._store.load(spec) for spec in tuning.grid(sweep, group)]
            if None in tried:
                return False
            rates = tuning.choose(sweep, [result for result in tried if result])
        return all(self._store.load(spec) for spec in sweep.runs(group, rates))

    def _data(self, name: str) -> Data:
        if name not in self._loaded:
            self._loaded[name] = load(name, self._data_root)
        return self._loaded[name]

    def _check_start(self, spec: RunSpec, data: Data) -> None:
        try:
            start(spec, data)
        except FirstlightError as error:
            raise type(error)(f"{spec.model}, {spec.scheme}: {error}") from error
        except Exception:
            return  # a network that fails is a row of the table, which its run will make

    def _note_edge(self, group: Group, rates: dict[str, float]) -> None:
        """Say so where a better learning rate may lie outside the grid."""
        tried = tuning.rates(self._sweep.learning_rate)
        for edge, word in ((tried[0], "smallest"), (tried[-1], "largest")):
            schemes = [scheme for scheme, rate in rates.items() if rate == edge]
            if schemes:
                self._progress.note(
                    f"{', '.join(group)}: the {word} learning rate tried, {edge:g}, was best for "
                    f"{', '.join(schemes)}; another --learning-rate moves the grid"
                )

    def _note_differences(self, results: list[RunResult]) -> None:
        """Say so where runs on disk were made with other versions or on another device."""
        made = {(run.device, *sorted(run.versions.items())) for run in results if run.device}
        if len(made) > 1:
            self._progress.note(
                "runs were made on different devices or versions and may differ for that reason"
            )
