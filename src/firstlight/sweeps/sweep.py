"""Do what a spec asks for: read what is finished, run what is missing, lose nothing."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from firstlight.comparison.spec import RunResult
from firstlight.comparison.track import Track
from firstlight.errors import FirstlightError, OptionError
from firstlight.files import write_atomically
from firstlight.sweeps.check import check
from firstlight.sweeps.execution import Context, Executor, Lost, Row
from firstlight.sweeps.executors import executor
from firstlight.sweeps.job import Job
from firstlight.sweeps.outcome import SweepOutcome, Unfinished
from firstlight.sweeps.plan import Plan, Planned, index
from firstlight.sweeps.progress import Silent, SweepProgress
from firstlight.sweeps.read_spec import read_spec
from firstlight.sweeps.results import INDEX
from firstlight.sweeps.row import from_row, lost_row
from firstlight.sweeps.spec import SweepSpec
from firstlight.sweeps.store import RunStore


def sweep(
    spec: SweepSpec | str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    ray: str | None = None,
    data_root: str | Path | None = None,
    track: Sequence[str] = (),
    paths: Sequence[str] = (),
    progress: SweepProgress | None = None,
) -> SweepOutcome:
    """Run a sweep here, on several workers or on a Ray cluster, and keep every finished run.

    A run is known by a hash of its spec, its data and firstlight's code; what is finished is not
    run again, whatever ended an earlier call. A run whose worker or node is lost is tried again,
    ``spec.retries`` times; the others go on.

    Args:
        spec: the sweep, or its YAML file.
        out: folder: ``runs`` has one Parquet file per finished run, ``failed`` one per run that
            crashed or was lost.
        workers: processes at once; None and no Ray: one run after the other in this process.
        ray: address of a cluster: "auto", "local" to start one here, "ray://HOST:PORT".
        data_root: folder of downloaded data, on every node.
        track: trackers, as in ``firstlight.compare``.
        paths: folders in which a user's own code is found, on every node.
        progress: told what happens.

    Returns:
        How many runs there are, and which have no result.

    Raises:
        OptionError: something in the spec is not accepted; nothing was run.
        FirstlightError: data, folder or cluster cannot be used.

    Example:
        >>> import tempfile
        >>> block = {"models": "mlp", "data": "digits", "optimizers": "adamw",
        ...          "schemes": ["default", "harmonic"], "seeds": 2, "epochs": 1}
        >>> spec = SweepSpec.model_validate({"comparisons": [block]})
        >>> found = sweep(spec, tempfile.mkdtemp())
        >>> found.finished, len(found.unfinished), found.frame()["status"].tolist()
        (4, 0, ['ok', 'ok', 'ok', 'ok'])
    """
    spec = spec if isinstance(spec, SweepSpec) else read_spec(spec)
    if str(out) == "":
        raise OptionError("out must name a folder, got nothing; '.' is the current one")
    root = None if data_root is None else str(Path(data_root).expanduser())
    folder = Path(out).expanduser()
    followed = Track.of(track, folder.absolute())
    context = Context(spec.resources.cpus, root, tuple(paths), followed)
    make = partial(executor, spec.resources, workers=workers, ray=ray)
    with RunStore(folder) as store:
        here = ray in (None, "local")
        return _Sweep(spec, store, context, make, here, progress or Silent()).run()


class _Sweep:
    """One call of ``sweep``."""

    def __init__(
        self,
        spec: SweepSpec,
        store: RunStore,
        context: Context,
        make: Callable[[], Executor],
        here: bool,
        progress: SweepProgress,
    ) -> None:
        self._spec, self._store, self._context = spec, store, context
        self._make, self._here, self._progress = make, here, progress
        self._executor: Executor | None = None
        self._plan = Plan(spec)
        self._done = store.finished()
        self._tries: Counter[str] = Counter()
        self._before: set[str] = set()
        self._now: set[str] = set()
        self._unsaved: list[Row] = []
        self._failed: dict[str, Unfinished] = {}
        self._crashed: dict[str, RunResult] = {}
        self._waiting = 0

    def run(self) -> SweepOutcome:
        try:
            first = list(self._plan.first())
            # what an earlier call tuned is known from the start: its results stay in the index
            planned = first + self._second(first)
            # before the index: a refused sweep changes nothing
            self._prepare([each.job for each in planned if each.job.key not in self._done])
            self._keep_plan(planned)
            self._do(planned)
            if self._now or self._crashed:  # else no other rate can be chosen than before
                planned = first + self._second(first)
                with suppress(FirstlightError):  # a full disk: the runs tell of it
                    self._keep_plan(planned)
                self._do(planned)
        finally:
            if self._executor is not None:
                self._executor.close()
            self._save_again()
        with suppress(FirstlightError):  # there may be room again
            self._keep_plan(planned)
        if self._plan.edges:
            self._progress.note(_told(self._plan.edges))
        runs = len({each.job.key for each in planned})
        failed = tuple(self._failed.values())
        return SweepOutcome(
            self._store.out, runs, len(self._before), len(self._now), failed, self._waiting
        )

    def _second(self, first: Sequence[Planned]) -> list[Planned]:
        """Return the runs at tuned rates, as far as the runs that tune are finished."""
        tuning = {each.job.key for each in first if each.job.spec.held_out}
        if not tuning:
            return []
        frame = self._store.frame(tuning)
        rows = {row["key"]: row for row in frame.to_dict("records")}
        self._waiting = 0

        def find(jobs: Iterable[Job]) -> list[RunResult] | None:
            """Return the results of some jobs, crashed ones too; None where one was lost."""
            found = [
                from_row(rows[job.key]) if job.key in rows else self._crashed.get(job.key)
                for job in jobs
            ]
            lost = None in found
            self._waiting += lost
            return None if lost else [each for each in found if each is not None]

        return list(self._plan.second(find))

    def _prepare(self, missing: Sequence[Job]) -> None:
        """Check what is to be run, and take what runs it."""
        if missing and self._executor is None:
            check(self._plan.comparisons, missing, self._context.data_root, self._here)
            self._executor = self._make()

    def _do(self, planned: Sequence[Planned]) -> None:
        """Run what of ``planned`` is neither finished nor was tried."""
        jobs = {each.job.key: each.job for each in planned}
        self._before |= (jobs.keys() & self._done) - self._now
        over = self._before | self._now | self._failed.keys()
        missing = {key: job for key, job in jobs.items() if key not in over}
        self._prepare(list(missing.values()))
        where = self._executor.name if self._executor else "nowhere: all are finished"
        self._progress.begin(len(jobs), len(self._before), where)
        if self._executor is not None:
            queue = deque(missing.values())
            for job, outcome in self._executor.run(queue, self._context):
                self._take(job, outcome, queue)

    def _take(self, job: Job, outcome: Row | Lost, queue: deque[Job]) -> None:
        """Keep what came of a job, or put it back."""
        self._tries[job.key] += 1
        again = isinstance(outcome, Lost) and self._tries[job.key] <= self._spec.retries
        if again:
            queue.append(job)
        elif isinstance(outcome, Lost):
            self._fail(job, lost_row(job, f"{outcome.reason} ({self._tries[job.key]} tries)"))
        elif outcome["status"] == "crashed":
            self._crashed[job.key] = from_row(outcome)
            self._fail(job, outcome)
        else:
            self._finish(job, outcome)
        self._progress.finish(job, outcome, again)

    def _finish(self, job: Job, row: Row) -> None:
        """Save a result; where the disk is full, go on and try at the end once more."""
        try:
            self._store.save(row)
            self._now.add(job.key)
        except FirstlightError as error:
            self._unsaved.append(row)
            self._failed[job.key] = Unfinished(job.label, str(error))
            if len(self._unsaved) == 1:  # the others will fail alike
                self._progress.note(f"{error}; runs are kept in memory and written at the end")

    def _save_again(self) -> None:
        """Write what could not be written while the disk was full."""
        for row in self._unsaved:
            try:
                self._store.save(row)
            except FirstlightError:
                continue  # it is listed
            self._now.add(row["key"])
            del self._failed[row["key"]]

    def _fail(self, job: Job, row: Row) -> None:
        self._failed[job.key] = Unfinished(job.label, row["reason"])
        try:
            self._store.save_failed(row)
        except FirstlightError as error:
            self._progress.note(str(error))

    def _keep_plan(self, planned: Sequence[Planned]) -> None:
        table = index(planned).to_parquet(index=False)
        text = self._spec.model_dump_json(indent=1)
        for name, content in ((INDEX, table), ("spec.json", text.encode())):
            write_atomically(self._store.out / name, partial(_write, content))


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _told(edges: Mapping[str, float]) -> str:
    label, rate = next(iter(edges.items()))
    others = f" (and {len(edges) - 1} more)" if len(edges) > 1 else ""
    return (
        f"{label}{others}: the rate {rate:g} was best, which lies at an end of the grid; another "
        "learning_rate moves it"
    )
