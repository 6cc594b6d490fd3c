"""Differences between schemes, paired by seed, as numbers and as words of a finding."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from firstlight.comparison.statistics import Estimate, estimate, holm


class Difference(NamedTuple):
    """One scheme against another in one setting.

    Attributes:
        setting: what both have in common.
        estimate: of the mean difference over seeds, with its 95 % interval.
        p: corrected by Holm over all differences that were asked for together.
        seeds: that both finished.
    """

    setting: tuple[str, ...]
    estimate: Estimate
    p: float
    seeds: int

    @property
    def told_apart(self) -> bool:
        """Whether the two differ at 5 % after correction."""
        return bool(self.p < 0.05)

    def __str__(self) -> str:
        """Points, interval and p, as in "+3.1 [1.0, 5.2], p 0.012"."""
        mean, low, high, _ = (100 * value for value in self.estimate)
        interval = "" if np.isnan(low) else f" [{low:.1f}, {high:.1f}]"
        return f"{mean:+.1f}{interval}" + ("" if np.isnan(self.p) else f", p {self.p:.2g}")


def differences(
    frame: pd.DataFrame,
    scheme: str,
    baseline: str,
    by: Sequence[str] = ("model", "optimizer"),
    metric: str = "accuracy_max",
) -> list[Difference]:
    """Return ``scheme`` minus ``baseline`` in every setting that has both.

    Example:
        >>> frame = pd.DataFrame({"model": "mlp", "optimizer": "sgd", "seed": [0, 1] * 2,
        ...                       "scheme": ["a", "a", "b", "b"], "status": "ok",
        ...                       "accuracy_max": [0.5, 0.6, 0.4, 0.4]})
        >>> str(differences(frame, "a", "b")[0])
        '+15.0 [-48.5, 78.5], p 0.2'
    """
    good = frame[frame["status"] == "ok"]
    found = []
    for setting, part in good.groupby(list(by), sort=False):
        one, other = (
            part[part["scheme"] == name].set_index("seed")[metric] for name in (scheme, baseline)
        )
        paired = (one - other).dropna()
        if len(paired):
            found.append((setting, estimate(paired.tolist()), len(paired)))
    adjusted = holm([each[1].p for each in found])
    return [
        Difference(tuple(map(str, setting)), value, p, n)
        for (setting, value, n), p in zip(found, adjusted, strict=True)
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
    gaps = [100 * each.estimate.mean for each in found]
    return (
        f"ahead in {ahead}, behind in {behind} of {len(found)} settings; {min(gaps):+.1f} to "
        f"{max(gaps):+.1f} points, {np.mean(gaps):+.1f} in the mean"
    )


def means(frame: pd.DataFrame, schemes: Sequence[str], metric: str = "accuracy_max") -> str:
    """Return the mean of every scheme in percent, as in "38.1 40.2"; "-" for one without runs.

    Example:
        >>> frame = pd.DataFrame({"scheme": ["a", "a"], "status": "ok", "auc": [0.5, 0.7]})
        >>> means(frame, ["a", "b"], "auc")
        '60.0 -'
    """
    good = frame[frame["status"] == "ok"].groupby("scheme")[metric].mean()
    return " ".join(f"{100 * good[name]:.1f}" if name in good.index else "-" for name in schemes)
