"""Schemes over many settings: average ranks, and which schemes they tell apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from firstlight.comparison.estimate import CONFIDENCE
from firstlight.comparison.flips import EXACT, flip_test
from firstlight.comparison.holm import holm
from firstlight.errors import OptionError

_COLUMNS = ("setting", "scheme", "value")


@dataclass(frozen=True)
class Ranks:
    """What ``rank`` found.

    Attributes:
        mean: each scheme's average rank, the best first; 1 is best.
        friedman: p of Friedman's test that no scheme differs; NaN of fewer than three schemes.
        critical_difference: Nemenyi's: average ranks this far apart differ.
        pairs: scheme, other, p, p_holm of every pair, by Wilcoxon's signed ranks.
        settings: those that count.
        left_out: those in which some scheme has no row, or all failed.
    """

    mean: dict[str, float]
    friedman: float
    critical_difference: float
    pairs: pd.DataFrame
    settings: tuple[str, ...]
    left_out: tuple[str, ...]

    def alike_by_wilcoxon(self) -> list[tuple[str, ...]]:
        """Return the largest sets of schemes of which no two are told apart: p_holm >= 0.05."""
        apart = self.pairs[self.pairs["p_holm"] < 1 - CONFIDENCE]
        return _alike(list(self.mean), set(zip(apart["scheme"], apart["other"], strict=True)))

    def alike_by_nemenyi(self) -> list[tuple[str, ...]]:
        """Return the same where average ranks closer than the critical difference are alike."""
        limit = self.critical_difference
        pairs = combinations(self.mean, 2)
        apart = {(a, b) for a, b in pairs if abs(self.mean[a] - self.mean[b]) >= limit}
        return _alike(list(self.mean), apart)


def rank(frame: pd.DataFrame) -> Ranks:
    """Rank schemes within every setting and test, over the settings, which of them differ.

    A scheme that failed, its value NaN, shares the last rank of its setting with all others that
    failed: to leave such settings out would favour whatever fails. A setting in which a scheme
    has no row at all, or in which all schemes failed, says nothing and is left out.

    Friedman's test asks whether any scheme differs. Of pairs, Nemenyi's critical difference
    compares average ranks, so that whether two schemes differ depends on which others take part;
    Wilcoxon's signed-rank test, corrected by Holm, sees the two alone and is the one to trust
    (Benavoli et al. 2016). It weighs settings by the size of their difference, a failure being
    the largest. n settings reach no p below 2^(1 - n) before correction.

    Args:
        frame: columns setting, scheme and value, which is better when larger (a mean over seeds
            or the like); one row for each setting and scheme.

    Raises:
        OptionError: another frame than that, fewer than two schemes, or no setting to rank.

    Example:
        >>> import pandas as pd
        >>> from firstlight.comparison.ranks import rank
        >>> rows = [(at, name, level + at) for at in range(6)
        ...         for name, level in (("default", 0.1), ("zero", float("nan")), ("lsuv", 0.2))]
        >>> found = rank(pd.DataFrame(rows, columns=["setting", "scheme", "value"]))
        >>> found.mean, round(found.friedman, 4)
        ({'lsuv': 1.0, 'default': 2.0, 'zero': 3.0}, 0.0025)

    Source: Demšar 2006, JMLR 7:1-30; Benavoli, Corani and Mangili 2016, JMLR 17(5):1-10.
    """
    table = _pivot(frame)
    complete = table.notna().all(axis=1) & (table > -math.inf).any(axis=1)
    used = table[complete]
    if used.shape[1] < 2 or used.empty:
        raise OptionError(
            "frame must hold two schemes or more with a row in one setting or more, got "
            f"{table.shape[1]} schemes and {len(used)} of {len(table)} settings with all of them"
        )
    ranks = stats.rankdata(-used.to_numpy(), axis=1)
    mean = dict(zip(used.columns, map(float, ranks.mean(axis=0)), strict=True))
    best_first = sorted(mean, key=mean.__getitem__)
    return Ranks(
        mean={scheme: mean[scheme] for scheme in best_first},
        friedman=friedman(ranks),
        critical_difference=nemenyi(len(mean), len(used)),
        pairs=_pairs(used[best_first]),
        settings=tuple(map(str, used.index)),
        left_out=tuple(map(str, table.index[~complete])),
    )


def friedman(ranks: np.ndarray) -> float:
    """Return p of Friedman's test; NaN of fewer than three schemes, 1 where all are tied.

    Args:
        ranks: (settings, schemes), or values: only their order within a row counts.

    Example:
        >>> import numpy as np
        >>> from firstlight.comparison.ranks import friedman
        >>> round(friedman(np.array([[1, 2, 3], [1, 2, 3], [1, 3, 2]])), 4)
        0.097

    Source: Friedman 1937, doi:10.1080/01621459.1937.10503522.
    """
    if ranks.shape[1] < 3:
        return math.nan
    if (ranks == ranks[:, :1]).all():  # no order anywhere, which SciPy divides by
        return 1.0
    return float(stats.friedmanchisquare(*ranks.T).pvalue)


def nemenyi(schemes: int, settings: int) -> float:
    """Return the critical difference of average ranks at 5 %.

    CD = q sqrt(k (k + 1) / (6 N)) for k schemes and N settings, q the 95 % quantile of the
    studentized range of k means and infinite degrees of freedom, over sqrt(2).

    Example:
        >>> from firstlight.comparison.ranks import nemenyi
        >>> round(nemenyi(schemes=4, settings=14), 2)
        1.25

    Source: Nemenyi 1963, Distribution-free multiple comparisons; Demšar 2006, JMLR 7:1-30.
    """
    q = float(stats.studentized_range.ppf(CONFIDENCE, schemes, math.inf)) / math.sqrt(2)
    return q * math.sqrt(schemes * (schemes + 1) / (6 * settings))


def wilcoxon(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; 1 where no pair differs.

    Exact up to 16 settings, ties or not. Ties of a pair count half for each side, as Demšar
    does. -inf is a failure: a difference to it is the largest, two failures are a tie.

    Args:
        one: values in each setting.
        other: the other scheme's values in the same settings.

    Example:
        >>> from firstlight.comparison.ranks import wilcoxon
        >>> wilcoxon([1.0, 2.0, 3.0, 4.0], [0.9, 1.8, 2.7, float("-inf")])
        0.125

    Source: Wilcoxon 1945, doi:10.2307/3001968.
    """
    differences = [0.0 if a == b else a - b for a, b in zip(one, other, strict=True)]
    if not any(differences):
        return 1.0
    if len(differences) <= EXACT:  # as SciPy's, which takes a second for 13 settings with a tie
        return flip_test(np.sign(differences) * stats.rankdata(np.abs(differences)))
    return float(stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def _pivot(frame: pd.DataFrame) -> pd.DataFrame:
    """Return settings by schemes: -inf where a scheme failed, NaN where it has no row."""
    missing = [name for name in _COLUMNS if name not in frame]
    if missing:
        raise OptionError(
            f"frame must have the columns {', '.join(_COLUMNS)}; {', '.join(missing)} is missing"
        )
    twice = frame[frame.duplicated(["setting", "scheme"])]
    if len(twice):
        first = twice.iloc[0]
        raise OptionError(
            "frame must have one row for each setting and scheme (a mean over seeds), got several "
            f"for {first['setting']} and {first['scheme']}"
        )
    values = frame.assign(value=frame["value"].astype(float).fillna(-math.inf))
    return values.pivot_table("value", "setting", "scheme", sort=False)


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    rows = [(a, b, wilcoxon(table[a], table[b])) for a, b in combinations(table.columns, 2)]
    pairs = pd.DataFrame(rows, columns=["scheme", "other", "p"])
    return pairs.assign(p_holm=holm(list(pairs["p"])))


def _alike(schemes: list[str], apart: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the largest sets of two or more without a pair of ``apart``, in order of rank.

    Bron and Kerbosch's search: every set is grown by its next possible member until none is.
    """
    order = {scheme: place for place, scheme in enumerate(schemes)}
    near = {
        one: {b for b in schemes if b != one and not {(one, b), (b, one)} & apart}
        for one in schemes
    }
    found: list[tuple[str, ...]] = []

    def grow(members: set[str], possible: set[str], done: set[str]) -> None:
        if not possible and not done and len(members) > 1:
            found.append(tuple(sorted(members, key=order.__getitem__)))
        for scheme in sorted(possible, key=order.__getitem__):
            grow(members | {scheme}, possible & near[scheme], done & near[scheme])
            possible, done = possible - {scheme}, done | {scheme}

    grow(set(), set(schemes), set())
    return sorted(found, key=lambda members: [order[member] for member in members])
