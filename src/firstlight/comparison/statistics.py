"""What the runs of a comparison say: one row per run, and one row per scheme with error bars."""

import math
from collections.abc import Sequence

import pandas as pd

from firstlight.comparison.effect import effect, standardized, wins
from firstlight.comparison.estimate import CONFIDENCE, Estimate, band, estimate
from firstlight.comparison.flips import flip_test
from firstlight.comparison.holm import holm
from firstlight.comparison.power import seeds_needed
from firstlight.comparison.spec import RunResult
from firstlight.comparison.start import baseline
from firstlight.errors import check_choice

__all__ = [
    "CONFIDENCE",
    "CURVES",
    "METRICS",
    "Estimate",
    "band",
    "estimate",
    "holm",
    "runs_frame",
    "summary_frame",
]

#: What a scheme can be judged by; all of them are better when larger.
METRICS = ("accuracy_max", "accuracy_epoch_1", "accuracy_epoch_10", "auc")

#: What is measured after every epoch.
CURVES = ("accuracy", "loss", "train_loss", "seconds")

#: A difference so small against its spread is a rounded zero.
_NOTHING = 1e-9

_GROUP = ("model", "data", "optimizer")


def runs_frame(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row per run: its spec, its measures, its curves; failed runs are rows too."""
    frame = pd.DataFrame([_run_row(result) for result in results])
    measures = [*METRICS, "accuracy_final", "loss_final"]
    kinds = dict.fromkeys(measures, "float") | {"train_size": "Int64"}  # both can be missing
    return frame.astype(kinds) if results else frame


def summary_frame(results: Sequence[RunResult], metric: str = "accuracy_max") -> pd.DataFrame:
    """Return one row per scheme: its mean over seeds, and its difference to the baseline.

    Differences are paired by seed: two runs with one seed saw the same images in the same order.
    The baseline is the scheme default, or the first scheme where default is absent. Failed runs
    are counted, and stay out of the means. p is the paired t-test's, p_holm corrects it for the
    number of schemes in the group, and significant is p_holm < 0.05. p_flip is the sign-flip
    test's, uncorrected. effect is Hedges' g of the paired differences, wins the share of pairs
    that the scheme won, and seeds_needed how many pairs would show a true difference of the size
    and spread found, in 80 % of such comparisons and corrected for as many tests.

    Args:
        results: finished and failed runs.
        metric: accuracy_max, accuracy_epoch_1, accuracy_epoch_10 or auc.

    Returns:
        model, data, optimizer, scheme, baseline, n, failed, reasons, mean, low, high, difference,
        difference_low, difference_high, p, p_holm, significant, p_flip, effect, effect_low,
        effect_high, wins, seeds_needed. NaN where undefined.

    Raises:
        OptionError: unknown metric.
    """
    check_choice(metric, METRICS, "metric")
    groups: dict[tuple[str, ...], dict[str, list[RunResult]]] = {}
    for result in results:
        group = groups.setdefault(tuple(getattr(result.spec, key) for key in _GROUP), {})
        group.setdefault(result.spec.scheme, []).append(result)
    rows = []
    for names, schemes in groups.items():
        rows += [dict(zip(_GROUP, names, strict=True)) | row for row in _rows(schemes, metric)]
    return pd.DataFrame(rows)


def _rows(schemes: dict[str, list[RunResult]], metric: str) -> list[dict[str, object]]:
    """Summarise one group: its schemes, each with its runs."""
    base = baseline(list(schemes))
    values = {scheme: _by_seed(runs, metric) for scheme, runs in schemes.items()}
    pairs = {
        scheme: [own[s] - values[base][s] for s in own if s in values[base]]
        for scheme, own in values.items()
        if scheme != base
    }
    differences = {scheme: estimate(own) for scheme, own in pairs.items()}
    adjusted = dict(zip(differences, holm([d.p for d in differences.values()]), strict=True))
    tests = sum(not math.isnan(p) for p in adjusted.values())
    rows = []
    for scheme, runs in schemes.items():
        own = list(values[scheme].values())
        rows.append(
            {"scheme": scheme, "baseline": base, "n": len(own), "failed": len(runs) - len(own)}
            | {"reasons": "; ".join(_reasons(runs))}
            | _columns(estimate(own), differences.get(scheme, Estimate()))
            | {"p_holm": adjusted.get(scheme, math.nan)}
            | {"significant": adjusted.get(scheme, math.nan) < 1 - CONFIDENCE}
            | _strength(pairs.get(scheme, []), tests)
        )
    return rows


def _columns(mean: Estimate, difference: Estimate) -> dict[str, float]:
    return {
        "mean": mean.mean,
        "low": mean.low,
        "high": mean.high,
        "difference": difference.mean,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "p": difference.p,
    }


def _strength(differences: Sequence[float], tests: int) -> dict[str, float]:
    """Return what paired differences say beyond their mean and the t test."""
    size = effect(differences)
    return {
        "p_flip": flip_test(differences),
        "effect": size.mean,
        "effect_low": size.low,
        "effect_high": size.high,
        "wins": wins(differences),
        "seeds_needed": _needed(differences, tests),
    }


def _needed(differences: Sequence[float], tests: int) -> float:
    """Return how many seeds would show what was found; NaN where size or spread is missing."""
    size = standardized(differences)
    return float(seeds_needed(size, 1.0, tests=tests)) if abs(size) > _NOTHING else math.nan


def _by_seed(runs: Sequence[RunResult], metric: str) -> dict[int, float]:
    """Return the measure of each finished run; NaN where it is too short to have one."""
    measures = {run.spec.seed: getattr(run, metric) for run in runs if run.status == "ok"}
    return {seed: math.nan if value is None else value for seed, value in measures.items()}


def _reasons(runs: Sequence[RunResult]) -> list[str]:
    return [
        f"seed {run.spec.seed}: {run.status}: {run.reason}" for run in runs if run.status != "ok"
    ]


def _run_row(result: RunResult) -> dict[str, object]:
    last = slice(-1, None)
    return {
        **result.spec.model_dump(),
        "status": result.status,
        "reason": result.reason,
        **{name: getattr(result, name) for name in METRICS},
        "accuracy_final": next(iter(result.accuracy[last]), None),
        "loss_final": next(iter(result.loss[last]), None),
        "seconds_total": math.fsum(result.seconds),
        "parameters": result.parameters,
        "device": result.device,
        **{f"{name}_version": version for name, version in result.versions.items()},
        **{name: list(getattr(result, name)) for name in CURVES},
    }
