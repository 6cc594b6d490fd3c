"""Numbers that sum up the eigenvalues of a positive semidefinite matrix."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def condition(largest: float, smallest: float, floor: float) -> float:
    """Return largest / smallest; infinite where that is above 1 / floor.

    Example:
        >>> condition(4.0, 2.0, 1e-12), condition(4.0, 1e-13, 1e-12), condition(0.0, 0.0, 1e-12)
        (2.0, inf, inf)
    """
    return largest / smallest if smallest > floor * largest else math.inf


def effective_rank(values: Tensor) -> float:
    """Return how many eigenvalues of the same size would be as spread out; 0 if all are 0.

        exp(-sum_k p_k log p_k),   p_k = lambda_k / sum_j lambda_j

    Args:
        values: eigenvalues; those below 0 count as 0.

    Example:
        >>> round(effective_rank(torch.tensor([2.0, 2.0, 0.0])), 6)
        2.0

    Reference: Roy and Vetterli, The effective rank (EUSIPCO 2007).
    """
    values = values.double().clamp(min=0)
    total = values.sum()
    if not total > 0:
        return 0.0
    return math.exp(-float(torch.xlogy(values / total, values / total).sum()))


def shares(parts: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """Return each part over their sum; zeros where that is 0.

    Example:
        >>> shares({"a": 1.0, "b": 3.0})
        (('a', 0.25), ('b', 0.75))
    """
    total = sum(parts.values())
    return tuple((name, part / total if total > 0 else 0.0) for name, part in parts.items())


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean; 0 for a single value.

    Example:
        >>> standard_error([1.0, 3.0])
        1.0
    """
    mean, count = sum(values) / len(values), len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (count * max(count - 1, 1)))
