"""Singular values of a matrix of which only products are given."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from firstlight.auditing.derivatives.kernel_total import signs, to_double
from firstlight.auditing.derivatives.lanczos import lanczos
from firstlight.auditing.derivatives.spectrum import condition, standard_error
from firstlight.errors import FirstlightError

#: Products up to which a matrix is formed, and bytes that it may take in float64.
_PRODUCTS, _MEMORY = 1024, 2**29
#: How many times dearer a product with J is than one with its transpose.
_DEARER = 4
#: Lanczos steps, and random vectors for the sum of squares.
_STEPS, _PROBES = 64, 32


class Operator(Protocol):
    """A matrix J (rows, columns).

    Attributes:
        shape: rows, columns.
        eps: relative rounding of products.
        like: a tensor of their dtype and device.
    """

    shape: tuple[int, int]
    eps: float
    like: Tensor

    def transposed(self, v: Tensor) -> Tensor:
        """Return J^T v."""

    def times(self, u: Tensor) -> Tensor:
        """Return J u."""


@dataclass(frozen=True, eq=False)
class Singular:
    """Singular values.

    Attributes:
        values: descending; from Lanczos steps, those that they found.
        square: sum of all squares.
        condition: largest over smallest; infinite for a singular matrix.
        shape: of the matrix.
        how, error: in words.
    """

    values: Tensor
    square: float
    condition: float
    shape: tuple[int, int]
    how: str
    error: str


def singular_values(matrix: Operator) -> Singular:
    """Return the singular values of J: all of them, or the ends by Lanczos steps.

    Args:
        matrix: J.

    Example:
        >>> from types import SimpleNamespace
        >>> j = torch.tensor([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
        >>> matrix = SimpleNamespace(
        ...     shape=(3, 2), eps=1e-7, like=j, transposed=lambda v: j.T @ v, times=lambda u: j @ u
        ... )
        >>> singular_values(matrix).values.tolist()
        [2.0, 1.0]
    """
    rows, columns = matrix.shape
    fits = 8 * rows * columns <= _MEMORY
    return _exact(matrix) if fits and min(rows, columns) <= _PRODUCTS else _lanczos(matrix)


def _exact(matrix: Operator) -> Singular:
    rows, columns = matrix.shape
    by_rows = rows <= _DEARER * columns
    product, count = (matrix.transposed, rows) if by_rows else (matrix.times, columns)
    formed = torch.stack([to_double(product(_unit(matrix, n, count))) for n in range(count)])
    square = _finite(float(formed.square().sum()))
    values = torch.linalg.svdvals(formed).cpu()
    floor = max(rows, columns) * matrix.eps
    return Singular(
        values,
        square,
        condition(float(values[0]), float(values[-1]), floor),
        matrix.shape,
        f"exact, {count} products",
        f"rounding: a singular value below {floor:.1g} of the largest counts as 0",
    )


def _lanczos(matrix: Operator) -> Singular:
    """Lanczos steps on J J^T or J^T J, whichever is smaller; squares by random signs."""
    rows, columns = matrix.shape
    short, first, second = (
        (rows, matrix.transposed, matrix.times)
        if rows <= columns
        else (columns, matrix.times, matrix.transposed)
    )

    def half(v: Tensor) -> Tensor:
        return first(v.to(matrix.like))

    squares = [
        _finite(float(to_double(half(signs((short,), seed))).square().sum()))
        for seed in range(1, _PROBES + 1)
    ]
    noise = max(10 * matrix.eps, 1e-12)
    ritz = lanczos(lambda v: to_double(second(half(v))).cpu(), signs((short,)), _STEPS, noise)
    values, spread = ritz.values.clamp(min=0).sqrt(), standard_error(squares)
    return Singular(
        values,
        sum(squares) / len(squares),
        condition(float(values[0]), float(values[-1]), noise**0.5),
        matrix.shape,
        f"Lanczos, {len(values)} steps",
        f"standard error of the sum of squares: {spread:.2g}; the smallest singular value is an "
        "upper bound, so the condition number a lower bound",
    )


def _unit(matrix: Operator, index: int, size: int) -> Tensor:
    unit = matrix.like.new_zeros(size)
    unit[index] = 1
    return unit


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise FirstlightError("the Jacobian of the model's output on this batch is not finite")
    return value
