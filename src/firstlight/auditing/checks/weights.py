"""Checks of the weights themselves."""

import math
from collections.abc import Callable, Iterator

from firstlight.auditing.checks import tables
from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.measures import WeightMeasures
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace

_RANK = "arXiv 2505.12909: paper-exact sinusoidal has rank 383 at 768 x 768"
_REFILL = "firstlight.initialize(model, 'harmonic'{only})"


def _matrices(audit: Audit) -> Iterator[WeightMeasures]:
    """Yield what has rows to compare: finite, not all zero, and no table."""
    for weight in audit.weights:
        if weight.finite and weight.rms > 0 and weight.role != "table":
            yield weight


def _each(
    value: Callable[[WeightMeasures], float | None],
) -> Callable[[Audit, Trace], Iterator[Found]]:
    def values(audit: Audit, _trace: Trace) -> Iterator[Found]:
        for weight in _matrices(audit):
            found = value(weight)
            if found is not None:
                yield Found(weight.name, found, (weight.name,))

    return values


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for weight in audit.weights:
        yield Found(weight.name, float(not weight.finite), (weight.name,))
    matrices = {weight.parameter for weight in audit.weights}
    for other in audit.gradients:
        if other.name not in matrices:
            yield Found(other.name, float(not math.isfinite(other.value_norm)), (other.name,))


def _inputs(weight: WeightMeasures) -> int:
    return math.prod(weight.shape[1:])


def _twins(weight: WeightMeasures) -> float | None:
    # a filter of each channel alone has inputs of its own, and three rows are too few to judge
    if weight.role == "depthwise" or weight.shape[0] < 4:
        return None
    return weight.twin_rows / weight.shape[0]


def _constant(weight: WeightMeasures) -> float | None:
    return weight.constant_rows if _inputs(weight) > 1 else None


def _lost_rank(weight: WeightMeasures) -> float | None:
    """Return the share of rank that is missing; rows that sum to zero may cost two."""
    if weight.rank is None or weight.full_rank < 2:
        return None
    return max(weight.full_rank - weight.rank - 2, 0) / weight.full_rank


def _zero(audit: Audit, trace: Trace) -> Iterator[Found]:
    """Yield all-zero weights, but those that close a branch or the output on purpose."""
    for weight in audit.weights:
        if not weight.finite or weight.role == "table":
            continue
        known = trace.facts.get(weight.parameter)
        closes = known is not None and known.feeds in ("residual", "head", "gate", "sum")
        yield Found(weight.name, float(weight.rms == 0 and not closes), (weight.name,))


def _frozen(audit: Audit, _trace: Trace) -> Iterator[Found]:
    """Yield frozen layers that are large enough to tell chance from training."""
    for weight in _matrices(audit):
        if weight.frozen and weight.edge is not None and weight.full_rank >= 16:
            yield Found(weight.name, weight.edge, (weight.parameter,))


CHECKS = (
    Check(
        "weights are numbers",
        _finite,
        1,
        1,
        "IEEE 754",
        "{where} holds NaN or infinite entries",
        "every weight is a finite number",
        _REFILL,
    ),
    Check(
        "zero weights",
        _zero,
        1,
        1,
        "arXiv 2110.12661: a zero matrix inside a network passes neither signal nor gradient",
        "{where} is all zeros, and no branch goes past it",
        "no weight inside the network is all zeros",
        _REFILL,
    ),
    Check(
        "zero rows",
        _each(lambda w: w.zero_rows / w.shape[0]),
        1e-9,
        0.5,
        _RANK,
        "in {where}, a share of {number} of the rows is all zero: these units say nothing",
        "no row is all zero",
        _REFILL,
    ),
    Check(
        "constant rows",
        _each(_constant),
        1,
        math.inf,
        _RANK,
        "{number} rows of {where} are constant: they see only the mean of their inputs",
        "no row is constant",
        _REFILL,
    ),
    Check(
        "twin rows",
        _each(_twins),
        0.1,
        0.5,
        _RANK,
        "in {where}, a share of {number} of the rows equals another row up to sign",
        "no two rows are alike",
        _REFILL,
    ),
    Check(
        "blind inputs",
        _each(lambda w: w.blind_inputs),
        1,
        math.inf,
        "arXiv 2505.12909: aliased frequencies leave columns at zero",
        "{where} cannot see {number} of its inputs: their columns are all zero",
        "every layer sees every input",
        _REFILL,
    ),
    Check(
        "rank",
        _each(_lost_rank),
        0.05,
        0.25,
        _RANK,
        "{where} lacks a share of {number} of its rank",
        "every matrix has full rank, but for rows that sum to zero",
        _REFILL,
    ),
    Check(
        "identical layers",
        _each(lambda w: len(w.same_as)),
        1,
        math.inf,
        "arXiv 2505.12909: a formula of the shape alone gives equal layers equal weights",
        "{where} holds the same matrix as another layer",
        "no two layers hold the same matrix",
        _REFILL,
    ),
    Check(
        "frozen random layers",
        _frozen,
        1.05,
        0.0,
        "Marchenko-Pastur edge, which chance passes by 5 % once in a thousand at 64 x 64; what is "
        "well trained lies far above, arXiv 1810.01075",
        "{where} is frozen, and its largest singular value is {number} of what chance gives: "
        "it looks untrained",
        "frozen layers look trained: their largest singular values stand out from chance",
        "for name in {names}: model.get_parameter(name).requires_grad_(True); or load what was "
        "trained",
        smaller=True,
    ),
    Check(
        "embedding scales",
        tables.scales,
        10,
        30,
        "at a tenth of the other's scale a table is one percent of their sum",
        "{where} is {number} times larger than a table that is added to it, which it drowns",
        "tables that are added to each other have scales within a factor of {number}",
        "model.get_parameter('{where}').data.mul_({hint}); or let them start alike",
    ),
)
