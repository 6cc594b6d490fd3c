"""Compare starts of one network on one problem, at equal points and steps."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from firstlight.errors import OptionError, positive, whole_number
from firstlight.fields.device import usable_device
from firstlight.files import write_atomically
from firstlight.physics.deepxde import arithmetic, deepxde
from firstlight.physics.network import build_network, check_scheme
from firstlight.physics.problem import Problem
from firstlight.physics.problems import find_problem, fingerprint
from firstlight.physics.progress import PinnProgress, Silent
from firstlight.physics.result import PinnRun
from firstlight.physics.runs import Runs
from firstlight.physics.specification import PinnSpec
from firstlight.physics.study_result import Maps, PinnRow, PinnStudy
from firstlight.runs.interruption import Interruption
from firstlight.runs.plain import plain

#: Seed of the runs that choose a learning rate: none of those that are reported.
TUNING_SEED = 2**31 - 1
#: Seeds beyond which a number is a mistake.
_MOST = 1000


def study(
    problem: str,
    schemes: Sequence[str] = ("diagonal_plus_noise",),
    *,
    seeds: int | Sequence[int] = 3,
    learning_rates: Sequence[float] = (1e-3,),
    step_zero: int = 50,
    device: torch.device | str = "cpu",
    out: str | Path | None = None,
    progress: PinnProgress | None = None,
    **options: Any,
) -> tuple[PinnStudy, Maps]:
    """Train networks that differ in their start alone, and measure them against the reference.

    Every start gets the same points and the same steps. Where several learning rates are given,
    each start takes the one with the least loss on a seed of its own: by the loss, for whoever
    solves an equation has no error to choose by. With ``out`` each finished run is kept, its
    network too, and a later call with the same options does only what is missing. Ctrl-C keeps
    what is finished, and is passed on.

    Args:
        problem: a name in ``PROBLEMS``, or a user's own ``module:factory``.
        schemes: starts: names in ``firstlight.init.SCHEMES`` with options, or DeepXDE's own.
        seeds: how many, or which.
        learning_rates: of Adam, to choose from for each start.
        step_zero: seeds whose loss before training is computed; 0: none.
        device: where to train.
        out: folder for finished runs, networks and ``study.json``; None keeps nothing.
        progress: what is told how far the study is.
        **options: of ``PinnSpec``, the others: ``depth``, ``width``, ``lbfgs_steps``, ...

    Returns:
        Rows of runs with medians over seeds, and the solutions of the runs in the middle.

    Raises:
        OptionError: an option is out of range, or a start cannot fill the network; raised before
            anything is trained.
        FirstlightError: DeepXDE is not there, or the folder cannot be written to.

    Example:
        >>> from firstlight.physics import study
        >>> found, maps = study("poisson_1d", ["Glorot normal", "orthogonal"], seeds=1,
        ...                     depth=2, width=8, adam_steps=10, lbfgs_steps=10, step_zero=2)
        >>> [(row.scheme, len(row.runs)) for row in found.rows], maps.solution.values.shape
        ([('Glorot normal', 1), ('orthogonal', 1)], (401,))

    Reference: arXiv 2509.23085.
    """
    numbers, rates, names = _seeds(seeds), _rates(learning_rates), _schemes(schemes)
    for given in ("scheme", "seed", "learning_rate"):
        if given in options:
            raise OptionError(f"study has no option {given!r}; it has {given}s")
    spec = PinnSpec.of({"scheme": names[0], "learning_rate": rates[0], **options})
    if not isinstance(step_zero, int) or isinstance(step_zero, bool) or step_zero < 0:
        raise OptionError(f"step_zero must be a whole number >= 0, got {step_zero!r}")
    found = find_problem(problem)
    where = usable_device(device)
    folder = None if out is None else Path(out)
    telling = progress or Silent()
    with Interruption() as interruption:
        runs = Runs(
            found,
            {"problem": problem, "code": fingerprint(problem)},
            where,
            folder,
            telling,
            lambda: interruption.asked,
        )
        _check_starts(found, [replace(spec, scheme=name, seed=numbers[0]) for name in names], where)
        tuned = len(rates) > 1
        telling.begin(len(names) * (len(numbers) + tuned * len(rates)))
        rows = []
        for name in names:
            rows.append(_row(runs, replace(spec, scheme=name), numbers, rates, step_zero))
        result = _study(found, problem, spec, numbers, rates, tuple(rows), runs)
        if folder is not None:
            text = json.dumps(result.as_dict(), indent=1, allow_nan=False)
            write_atomically(
                folder / "study.json", lambda file: file.write_text(text, encoding="utf-8")
            )
        values = {row.scheme: runs.values(_spec_of(spec, row)) for row in rows}
    return result, Maps(found.coordinates, runs.solution, values)


def _check_starts(problem: Problem, specs: Sequence[PinnSpec], device: torch.device) -> None:
    """Build every start's network once: the last one's fault shall not wait for the others."""
    with arithmetic(specs[0].precision, device):
        points = problem.data(problem.sized(specs[0].points), specs[0].seed).train_x
        for spec in specs:
            build_network(problem, spec, points)


def _row(
    runs: Runs, spec: PinnSpec, seeds: tuple[int, ...], rates: tuple[float, ...], zeros: int
) -> PinnRow:
    tuning: tuple[PinnRun, ...] = ()
    if len(rates) > 1:
        trials = [replace(spec, seed=TUNING_SEED, learning_rate=rate) for rate in rates]
        tuning = tuple(runs.once(each, f"tuning at {each.learning_rate:g}") for each in trials)
        spec = replace(spec, learning_rate=min(tuning, key=lambda run: run.loss).learning_rate)
    done = tuple(runs.once(replace(spec, seed=seed), f"seed {seed}") for seed in seeds)
    before = runs.step_zero(spec, zeros) if zeros else None
    return PinnRow(spec.scheme, spec.learning_rate, done, tuning, before)


def _spec_of(spec: PinnSpec, row: PinnRow) -> PinnSpec:
    return replace(spec, scheme=row.scheme, learning_rate=row.learning_rate, seed=row.middle.seed)


def _study(
    problem: Problem,
    name: str,
    spec: PinnSpec,
    seeds: tuple[int, ...],
    rates: tuple[float, ...],
    rows: tuple[PinnRow, ...],
    runs: Runs,
) -> PinnStudy:
    own = sys.modules["firstlight"].__version__  # importing it would reach the layers above
    options = spec.as_dict()
    for each in ("scheme", "seed", "learning_rate"):
        del options[each]
    sizes = [problem.network_inputs] + [spec.width] * spec.depth + [1]
    return PinnStudy(
        problem=name,
        equation=problem.equation,
        source=problem.source,
        terms=problem.terms,
        parameters=sum((i + 1) * o for i, o in pairwise(sizes)),
        options={**options, "training points": plain(problem.sized(spec.points))},
        seeds=seeds,
        learning_rates=rates,
        rows=rows,
        versions={
            "firstlight": own,
            "torch": str(torch.__version__),
            "deepxde": str(deepxde().__version__),
            "device": str(runs.device),
        },
    )


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        return tuple(range(whole_number(seeds, "seeds", 1, _MOST)))
    listed = _several(seeds, "seeds")
    for seed in listed:
        whole_number(seed, "a seed", 0, TUNING_SEED - 1)
    return listed


def _rates(rates: Sequence[float]) -> tuple[float, ...]:
    return tuple(positive(rate, "a learning rate") for rate in _several(rates, "learning_rates"))


def _schemes(schemes: Sequence[str]) -> tuple[str, ...]:
    listed = _several(schemes, "schemes")
    for name in listed:
        if not isinstance(name, str):
            raise OptionError(f"a scheme must be a name, got {name!r}")
        check_scheme(name)
    return listed


def _several(values: Any, what: str) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence) or not len(values):
        raise OptionError(f"{what} must be a list with at least one entry, got {values!r:.60}")
    if len(set(values)) < len(values):
        raise OptionError(f"{what} must differ from each other, got {values!r:.60}")
    if any(isinstance(each, float) and not math.isfinite(each) for each in values):
        raise OptionError(f"{what} must be finite, got {values!r:.60}")
    return tuple(values)
