"""What the runs of a comparison say: one row per run, and one row per scheme with error bars."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from firstlight.comparison.spec import RunResult
from firstlight.comparison.start import baseline
from firstlight.errors import check_choice

#: What a scheme can be judged by; all of them are better when larger.
METRICS = ("accuracy_max", "accuracy_epoch_1", "accuracy_epoch_10", "auc")

#: Share of intervals that hold the true mean, and 1 - the level of every test.
CONFIDENCE = 0.95

#: What is measured after every epoch.
CURVES = ("accuracy", "loss", "train_loss", "seconds")

_GROUP = ("model", "data", "optimizer")


class Estimate(NamedTuple):
    """A mean, its interval, and how likely data like these are where the true mean is zero."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, low and high over the runs, at every epoch by itself.

    Student's t: mean ± t(0.975, n - 1) * s / sqrt(n); NaN for low and high of fewer than two
    runs. Equal values have an interval of no width.

    Args:
        values: (runs, epochs) or (runs,), at least one run, independent of each other.

    Example:
        >>> import numpy as np
        >>> from firstlight.comparison.statistics import band
        >>> mean, low, high = band(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]))
        >>> mean.round(3).tolist(), low.round(3).tolist(), high.round(3).tolist()
        ([2.0, 5.0], [-0.484, 5.0], [4.484, 5.0])
    """
    values = np.asarray(values, dtype=np.float64)
    mean = values.mean(axis=0)
    if len(values) < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    spread = values.std(axis=0, ddof=1)
    equal = spread <= 1e-12 * np.abs(values).max(axis=0)  # but for rounding
    error = np.where(equal, 0.0, spread / math.sqrt(len(values)))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * error
    return mean, mean - half, mean + half


def estimate(values: Sequence[float]) -> Estimate:
    """Estimate a mean with its interval, see ``band``, and test it against zero.

    Of fewer than two values nothing but the mean is known. Values without spread leave the test
    undefined: p is NaN, or 1 where all of them are zero.

    Args:
        values: independent measurements.

    Example:
        >>> from firstlight.comparison.statistics import estimate
        >>> [round(number, 3) for number in estimate([1.0, 2.0, 3.0])]
        [2.0, -0.484, 4.484, 0.074]
    """
    if not len(values) or not np.isfinite(values).all():
        return Estimate()
    mean, low, high = (float(part) for part in band(np.asarray(values)))
    if low < high:
        p = float(stats.ttest_1samp(values, 0.0).pvalue)
    else:  # no spread, or one value
        p = 1.0 if low == 0 else math.nan
    return Estimate(mean, low, high, p)


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values so that all tests together err with the level of one (Holm 1979).

    The k-th smallest of m, counted from 0, becomes the largest of (m - j) p_j over j <= k, at
    most 1. NaN, a test that could not be made, stays NaN and does not count.

    Example:
        >>> from firstlight.comparison.statistics import holm
        >>> holm([0.25, 0.0625, 0.5])
        [0.5, 0.1875, 0.5]
    """
    adjusted, largest = [math.nan] * len(p), 0.0
    known = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    for rank, (value, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[index] = largest
    return adjusted


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
    number of schemes in the group, and significant is p_holm < 0.05.

    Args:
        results: finished and failed runs.
        metric: accuracy_max, accuracy_epoch_1, accuracy_epoch_10 or auc.

    Returns:
        model, data, optimizer, scheme, baseline, n, failed, reasons, mean, low, high, difference,
        difference_low, difference_high, p, p_holm, significant. NaN where undefined.

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
    differences = {
        scheme: estimate([own[s] - values[base][s] for s in own if s in values[base]])
        for scheme, own in values.items()
        if scheme != base
    }
    adjusted = dict(zip(differences, holm([d.p for d in differences.values()]), strict=True))
    rows = []
    for scheme, runs in schemes.items():
        own = list(values[scheme].values())
        rows.append(
            {"scheme": scheme, "baseline": base, "n": len(own), "failed": len(runs) - len(own)}
            | {"reasons": "; ".join(_reasons(runs))}
            | _columns(estimate(own), differences.get(scheme, Estimate()))
            | {"p_holm": adjusted.get(scheme, math.nan)}
            | {"significant": adjusted.get(scheme, math.nan) < 1 - CONFIDENCE}
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
