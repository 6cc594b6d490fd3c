"""Doing a sweep: what is on disk is read, what is missing is trained."""

import itertools
from pathlib import Path

import torch

from firstlight.comparison import models, tuning
from firstlight.comparison.accelerator import accelerator
from firstlight.comparison.comparison import Comparison
from firstlight.comparison.data import Data, is_file, load_any
from firstlight.comparison.progress import Progress
from firstlight.comparison.seeded import seeded
from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.start import start
from firstlight.comparison.store import Store
from firstlight.comparison.sweep import Group, Sweep
from firstlight.comparison.task import Task, task
from firstlight.comparison.text import Text
from firstlight.comparison.track import Track
from firstlight.comparison.train import train, versions
from firstlight.errors import FirstlightError, OptionError
from firstlight.files import write_atomically
from firstlight.model.reason import reason


class Session:
    """One call of ``compare``: a checked sweep, the folder it writes to, who is told."""

    def __init__(
        self,
        sweep: Sweep,
        out: str | Path | None,
        data_root: str | Path | None,
        progress: Progress,
        track: Track | None = None,
    ) -> None:
        if out == "":
            raise OptionError("out must name a folder, got nothing; '.' is the current one")
        self._sweep = sweep
        self._progress = progress
        self._data_root = data_root
        self._track = track
        self._store = Store(None if out is None else Path(out).expanduser(), progress.note)
        self._loaded: dict[str, Data | Text] = {}
        # now, and not when a run ends: the file may be edited while its old code trains
        self._code = {
            model: models.fingerprint(model) for model in sweep.models if models.is_own(model)
        }

    def check(self) -> None:
        """Try what could go wrong in every run that is still to be trained; train nothing.

        A network of a library that fails on the images does not fit them, and is refused. A
        network of the user's own that fails is no wrong option: its runs become crashed rows.

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
            seen = data.select(sweep.train_size, held_out=False)
            if not self._works(model, task(seen)):
                continue
            for scheme in sweep.schemes:
                spec = sweep.run(groups[0], scheme, sweep.seeds[0], sweep.learning_rate)
                self._check_start(spec, seen)

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
        result = self._load(spec)
        if result is not None:
            self._progress.load(result)
            return result
        self._progress.run(spec)
        data = self._data(spec.data)
        result = train(spec, data, self._progress.epoch, self._track)
        result = result.model_copy(update={"fingerprints": self._fingerprints(spec)})
        self._store.save(result)
        self._progress.finish(result)
        return result

    def _finished(self, group: Group) -> bool:
        """Return whether every run of ``group`` is on disk."""
        sweep = self._sweep
        rates = dict.fromkeys(sweep.schemes, sweep.learning_rate)
        if sweep.tune_lr:
            tried = [self._load(spec) for spec in tuning.grid(sweep, group)]
            if None in tried:
                return False
            rates = tuning.choose(sweep, [result for result in tried if result])
        return all(self._load(spec) for spec in sweep.runs(group, rates))

    def _load(self, spec: RunSpec) -> RunResult | None:
        return self._store.load(spec, self._fingerprints(spec))

    def _fingerprints(self, spec: RunSpec) -> dict[str, str]:
        """Return those of what the run is trained with; data that never change need no loading."""
        found = {"model": self._code[spec.model]} if spec.model in self._code else {}
        if spec.data in self._loaded or is_file(spec.data):
            found["data"] = self._data(spec.data).fingerprint
        return found

    def _data(self, name: str) -> Data | Text:
        if name not in self._loaded:
            self._loaded[name] = load_any(name, self._data_root, self._progress.note)
        return self._loaded[name]

    def _works(self, model: str, learned: Task) -> bool:
        """Try two samples; return False for a network of the user's own that fails on them."""
        try:
            with seeded(self._sweep.seeds[0]), torch.no_grad():
                inputs, _ = next(iter(learned.training(0, 0, 2)))
                learned.logits(learned.build(model).eval(), inputs)
        except FirstlightError:
            raise
        except (Exception, SystemExit) as error:
            if models.is_own(model):
                return False
            raise OptionError(f"{model} cannot take {learned.about}: {reason(error)}") from error
        return True

    def _check_start(self, spec: RunSpec, data: Data | Text) -> None:
        try:
            start(spec, data)
        except FirstlightError as error:
            raise type(error)(f"{spec.model}, {spec.scheme}: {error}") from error
        except (TypeError, OverflowError) as error:  # the network works: an option of the scheme
            raise OptionError(f"{spec.model}, {spec.scheme}: {reason(error)}") from error
        except (Exception, SystemExit):
            return  # a row of the table, which its run will make

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
        made.add((str(accelerator(self._sweep.precision).device), *sorted(versions().items())))
        if len(made) > 1:
            self._progress.note(
                "runs were made on different devices or versions and may differ for that reason"
            )
