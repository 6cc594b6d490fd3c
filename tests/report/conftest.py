"""A small comparison made by hand, with its statistics worked out by SciPy alone."""

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from firstlight.comparison.spec import RunResult, RunSpec

KEY = ["model", "data", "optimizer", "scheme"]


@dataclass(frozen=True)
class FakeComparison:
    """What the report asks of a comparison, and no more."""

    results: tuple[RunResult, ...]

    def summary(self, metric):
        runs = pd.DataFrame(
            {**run.spec.model_dump(), "ok": run.status == "ok", "value": getattr(run, metric)}
            for run in self.results
        )
        rows = []
        for _, group in runs.groupby(KEY[:3], sort=False):
            schemes = list(dict.fromkeys(group.scheme))
            baseline = "default" if "default" in schemes else schemes[0]
            rows += [summary_row(group, scheme, baseline) for scheme in schemes]
        return holm(pd.DataFrame(rows))


def summary_row(group, scheme, baseline):
    def finished(name):
        chosen = group[(group.scheme == name) & group.ok & group.value.notna()]
        return chosen.set_index("seed").value.astype(float)

    own, base = finished(scheme), finished(baseline)
    mean, low, high = t_interval(own)
    row = dict(zip(KEY[:3], group[KEY[:3]].iloc[0], strict=True))
    row |= {"scheme": scheme, "baseline": baseline, "n": len(own), "reasons": []}
    row |= {"failed": int((~group[group.scheme == scheme].ok).sum())}
    row |= {"mean": mean, "low": low, "high": high, "p": math.nan}
    paired = (own - base).dropna() if scheme != baseline else own[:0]
    names = ("difference", "difference_low", "difference_high")
    row |= dict(zip(names, t_interval(paired), strict=True))
    if len(paired) > 1:
        row["p"] = float(stats.ttest_1samp(paired, 0).pvalue)
    return row


def t_interval(values):
    if len(values) == 0:
        return math.nan, math.nan, math.nan
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, math.nan, math.nan
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return mean, mean - half, mean + half


def holm(frame):
    frame["p_holm"] = math.nan
    for _, group in frame.groupby(KEY[:3]):
        ranked = group.p.dropna().sort_values()
        factors = np.arange(len(ranked), 0, -1)
        frame.loc[ranked.index, "p_holm"] = np.minimum(1, np.maximum.accumulate(ranked * factors))
    frame["significant"] = frame.p_holm < 0.05
    return frame


def curve(scheme, seed, epochs):
    """An accuracy that climbs from chance, a little different for every scheme and seed."""
    top, rate = CLIMBS[scheme]
    noise = np.random.default_rng([seed, *scheme.encode()])
    steps = np.arange(1, epochs + 1)
    climb = top - (top - 0.1) * np.exp(-rate * steps) + noise.normal(0, 0.006)
    return np.clip(climb + noise.normal(0, 0.004, epochs), 0.0, 1.0)


def run(scheme, seed, *, accuracy, status="ok", reason="", **spec):
    """One result with the given accuracies and a loss that falls with them."""
    asked = {"model": "mlp", "data": "digits", "optimizer": "adamw", "batch_size": 64}
    asked |= {"learning_rate": 1e-3, "weight_decay": 1e-3, "epochs": max(1, len(accuracy))}
    loss = [-math.log(min(0.99, value)) for value in accuracy]
    return RunResult(
        spec=RunSpec(**(asked | {"scheme": scheme, "seed": seed} | spec)),
        status=status,
        reason=reason,
        accuracy=tuple(float(value) for value in accuracy),
        loss=tuple(loss),
        train_loss=tuple(0.8 * value for value in loss),
        seconds=(0.5,) * len(accuracy),
        parameters=85_002,
        device="cpu",
        versions={"python": "3.11.9", "torch": "2.13.0", "firstlight": "0.1.0"},
    )


CLIMBS = {  # highest accuracy, rate of climb
    "default": (0.925, 0.30),
    "he_normal": (0.925, 0.32),
    "orthogonal": (0.93, 0.40),
    "lsuv": (0.93, 0.45),
    "sinusoidal": (0.95, 0.60),
    "harmonic": (0.96, 0.75),
}


def sweep(schemes=tuple(CLIMBS), *, seeds=3, epochs=12, **spec):
    """A whole comparison in which every run finished."""
    pairs = itertools.product(schemes, range(seeds))
    return FakeComparison(
        tuple(
            run(scheme, seed, accuracy=curve(scheme, seed, epochs), epochs=epochs, **spec)
            for scheme, seed in pairs
        )
    )


def with_failures():
    """One scheme diverges for one seed, another crashes always."""
    whole = [
        result
        for result in sweep().results
        if (result.spec.scheme, result.spec.seed) != ("sinusoidal", 2)
        and result.spec.scheme != "lsuv"
    ]
    reason = "loss became nan at epoch 2, step 31"
    whole.append(run("sinusoidal", 2, accuracy=[0.3], status="diverged", reason=reason, epochs=12))
    whole += [
        run("lsuv", seed, accuracy=[], status="crashed", reason="out of memory", epochs=12)
        for seed in range(3)
    ]
    return FakeComparison(tuple(whole))


def two_settings():
    """The same schemes under two optimizers."""
    return FakeComparison(sweep().results + sweep(optimizer="sgd", seeds=4, epochs=20).results)


@pytest.fixture
def make():
    """Builds the comparisons that the tests look at, by name."""
    return SimpleNamespace(
        sweep=sweep,
        with_failures=with_failures,
        two_settings=two_settings,
        run=run,
        of=FakeComparison,
    )
