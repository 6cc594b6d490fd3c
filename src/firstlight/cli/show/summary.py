"""What one audit comes to: a few numbers, each in a few characters."""

import math
from collections.abc import Callable, Iterable

from firstlight.auditing.depth import profile
from firstlight.auditing.result import Audit
from firstlight.cli.show.notation import NONE, percent, short


def _ratio(audit: Audit) -> str:
    out = audit.output
    return short(out.loss / out.uninformed if out.loss is not None and out.uninformed else None)


def _moments(audit: Audit) -> str:
    found = [one.second_moment for one in audit.activations if one.finite]
    if not found:
        return NONE
    low, high = short(min(found), 2), short(max(found), 2)
    return low if low == high else f"{low}{NONE}{high}"


def _over(
    measure: str, take: Callable[[list[float]], float], write: Callable[[float], str]
) -> Callable[[Audit], str]:
    """Return what writes one number over all activations."""

    def written(audit: Audit) -> str:
        every = (getattr(one, measure) for one in audit.activations if one.finite)
        found = [value for value in every if value is not None and math.isfinite(value)]
        return write(take(found)) if found else NONE

    return written


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _rank(audit: Audit) -> str:
    found = [w.rank / w.full_rank for w in audit.weights if w.rank is not None and w.full_rank]
    return percent(min(found)) if found else NONE


def _row_sums(audit: Audit) -> str:
    found = [w.row_sum_ratio for w in audit.weights if w.finite and w.rms > 0]
    return short(round(_mean(found), 2)) if found else NONE


def _lost(audit: Audit) -> str:
    found = profile(audit)
    return short(None if found is None else found.lost, 2)


def _kernel(audit: Audit) -> str:
    return short(None if audit.kernel is None else audit.kernel.condition)


def _jacobian(audit: Audit) -> str:
    return short(None if audit.jacobian is None else audit.jacobian.mean_square)


#: By name, in the order of the rows.
SUMMARY: dict[str, Callable[[Audit], str]] = {
    "loss at step 0": lambda audit: short(audit.output.loss),
    "  over uninformed": _ratio,
    "logit spread": lambda audit: short(audit.output.spread),
    "E z², least and most": _moments,
    "skewed .1 %, mean": _over("skewed_10", _mean, percent),
    "skewed .3 %, mean": _over("skewed_30", _mean, percent),
    "dead %, most": _over("dead", max, percent),
    "OUI, mean": _over("oui", _mean, lambda value: f"{value:.2f}"),
    "cosine of samples, most": _over("correlation", max, lambda value: short(value, 2)),
    "gradient lost, decades": _lost,
    "S ratio, mean": _row_sums,
    "rank %, least": _rank,
    "NTK, condition": _kernel,
    "Jacobian, mean square": _jacobian,
}
