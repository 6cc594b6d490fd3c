"""Differences between schemes, paired by seed, as numbers and as words of a finding."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from firstlight.comparison.statistics import Estimate, estimate, holm
from firstlight.comparison.tuning import GRID
from firstlight.papers.finding import Finding

#: Seeds below which no interval is worth a verdict.
ENOUGH = 3


class Difference(NamedTuple):
    """One scheme against another in one setting.

    Attributes:
        setting: what both have in common.
        estimate: of the mean difference over seeds, with its 95 % interval; NaN without a pair.
        p: corrected by Holm over all differences that were asked for together.
        seeds: that both finished.
        failed: runs of either that did not finish.
    """

    setting: tuple[str, ...]
    estimate: Estimate
    p: float
    seeds: int
    failed: int = 0

    @property
    def told_apart(self) -> bool:
        """Whether the two differ at 5 % after correction; not where runs are missing."""
        return bool(self.p < 0.05) and self.seeds >= ENOUGH and not self.failed

    def __str__(self) -> str:
        """Points, interval and p, as in "+3.1 [1.0, 5.2], p 0.012"."""
        mean, low, high, _ = (100 * value for value in self.estimate)
        interval = "" if np.isnan(low) else f" [{low:.1f}, {high:.1f}]"
        words = f"{mean:+.1f}{interval}" if self.seeds else "no pair"
        words += "" if np.isnan(self.p) else f", p {self.p:.2g}"
        return words + (f" ({self.failed} runs did not finish)" if self.failed else "")


def differences(
    frame: pd.DataFrame,
    scheme: str,
    baseline: str | Sequence[str],
    by: Sequence[str] = ("model", "optimizer"),
    metric: str = "accuracy_max",
) -> list[Difference]:
    """Return ``scheme`` minus ``baseline`` in every setting that has both.

    Of several baselines the last word of a setting says which; all are corrected together.

    Example:
        >>> frame = pd.DataFrame({"model": "mlp", "optimizer": "sgd", "seed": [0, 1] * 2,
        ...                       "scheme": ["a", "a", "b", "b"], "status": "ok",
        ...                       "accuracy_max": [0.5, 0.6, 0.4, 0.4]})
        >>> str(differences(frame, "a", "b")[0])
        '+15.0 [-48.5, 78.5], p 0.2'
    """
    found = []
    for setting, part in frame.groupby(list(by), sort=False):
        for name in [baseline] if isinstance(baseline, str) else baseline:
            both = part[part["scheme"].isin([scheme, name])]
            if both["scheme"].nunique() < 2:
                continue
            good = both[both["status"] == "ok"]
            one, other = (
                good[good["scheme"] == each].set_index("seed")[metric] for each in (scheme, name)
            )
            paired = (one - other).dropna().tolist()
            words = (*map(str, setting), *([] if isinstance(baseline, str) else [name]))
            found.append((words, estimate(paired), len(paired), len(both) - len(good)))
    adjusted = holm([each[1].p for each in found])
    return [
        Difference(setting, value, p, n, failed)
        for (setting, value, n, failed), p in zip(found, adjusted, strict=True)
    ]


def counted(found: Sequence[Difference]) -> str:
    """Say in how many settings the first is ahead, and behind, and by how much.

    Example:
        >>> one = Difference(("mlp",), Estimate(0.02, 0.01, 0.03, 0.001), 0.002, 5)
        >>> counted([one, one._replace(p=0.3)])
        'ahead in 1, behind in 0 of 2 settings; +2.0 to +2.0 points, +2.0 in the mean'
    """
    ahead = sum(each.told_apart and each.estimate.mean > 0 for each in found)
    behind = sum(each.told_apart and each.estimate.mean < 0 for each in found)
    gaps = [100 * each.estimate.mean for each in found if each.seeds]
    words = f"ahead in {ahead}, behind in {behind} of {len(found)} settings"
    if gaps:
        words += f"; {min(gaps):+.1f} to {max(gaps):+.1f} points, {np.mean(gaps):+.1f} in the mean"
    failed = sum(each.failed for each in found)
    return words + (f"; {failed} runs did not finish" if failed else "")


def means(frame: pd.DataFrame, schemes: Sequence[str], metric: str = "accuracy_max") -> str:
    """Return the mean of every scheme in percent, as in "38.1 40.2"; "-" for one without runs.

    A scheme of which runs did not finish says how many: its mean is one of fewer.

    Example:
        >>> frame = pd.DataFrame({"scheme": ["a", "a"], "status": "ok", "auc": [0.5, 0.7]})
        >>> means(frame, ["a", "b"], "auc")
        '60.0 -'
    """
    words = []
    for name in schemes:
        runs = frame[frame["scheme"] == name]
        good = runs[runs["status"] == "ok"]
        word = f"{100 * good[metric].mean():.1f}" if len(good) else "-"
        lost = len(runs) - len(good)
        words.append(word + (f" ({lost} of {len(runs)} failed)" if lost else ""))
    return " ".join(words)


def edges(frame: pd.DataFrame) -> list[Finding]:
    """Say how many tuned rates lie at an end of the grid, beyond which nothing was tried.

    Args:
        frame: one row per run, with a form that has the base rates beside the tuned ones.

    Example:
        >>> frame = pd.DataFrame({"form": ["published", "tuned"], "optimizer": "sgd", "epochs": 1,
        ...                       "train_size": 9, "model": "mlp", "scheme": "a",
        ...                       "learning_rate": [0.01, 0.1]})
        >>> edges(frame)[0].ours
        '1 of 1 at the largest, 0 at the smallest'
    """
    if "tuned" not in set(frame["form"]):
        return []
    by = ["network" if "network" in frame else "model", "optimizer", "train_size", "epochs"]
    tuned = frame[frame["form"] == "tuned"].drop_duplicates([*by, "model", "scheme"])
    base = frame[frame["form"] != "tuned"].drop_duplicates(by)[[*by, "learning_rate"]]
    both = tuned.merge(base, on=by, suffixes=("", "_base"))
    if both.empty:
        return []
    ratio = both["learning_rate"] / both["learning_rate_base"]
    high, low = (int(np.isclose(ratio, end(GRID), rtol=1e-3).sum()) for end in (max, min))
    return [
        Finding(
            "tuned learning rates at an end of their grid",
            "",
            f"{high} of {len(both)} at the largest, {low} at the smallest",
            "answer",
            f"{len(GRID)} rates from {min(GRID):g} to {max(GRID):g} times the base rate; there a "
            "start might do better still with a rate that nobody tried",
        )
    ]
