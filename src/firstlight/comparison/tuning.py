"""A learning rate for every scheme: the same grid for all, judged on held-out training data."""

from collections.abc import Sequence

from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.sweep import TUNING_SEED, Group, Sweep

#: Times the base rate; the same steps for every scheme.
GRID = (0.1, 0.3, 1.0, 3.0, 10.0)


def rates(base: float) -> list[float]:
    """Return the rates that are tried, rounded so that 0.1 * 1e-3 and 1e-4 are one rate.

    Example:
        >>> from firstlight.comparison.tuning import rates
        >>> rates(1e-3)
        [0.0001, 0.0003, 0.001, 0.003, 0.01]
    """
    return [float(f"{factor * base:.6g}") for factor in GRID]


def grid(sweep: Sweep, group: Group) -> list[RunSpec]:
    """Return the tuning runs of ``group``; none of them sees the test set."""
    return [
        sweep.run(group, scheme, TUNING_SEED, rate, held_out=True)
        for scheme in sweep.schemes
        for rate in rates(sweep.learning_rate)
    ]


def choose(sweep: Sweep, tried: Sequence[RunResult]) -> dict[str, float]:
    """Return each scheme's rate of the best final accuracy, the smaller loss deciding a tie.

    A scheme that failed at every rate keeps the base rate, and fails in the table too.
    """
    best: dict[str, RunResult] = {}
    for result in tried:
        scheme = result.spec.scheme
        if result.status == "ok" and (scheme not in best or _score(result) > _score(best[scheme])):
            best[scheme] = result
    chosen = {scheme: result.spec.learning_rate for scheme, result in best.items()}
    return dict.fromkeys(sweep.schemes, sweep.learning_rate) | chosen


def _score(result: RunResult) -> tuple[float, float]:
    return result.accuracy[-1], -result.loss[-1]
