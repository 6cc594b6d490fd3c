"""Rank, stable rank and condition number of a matrix, at the least cost that is honest."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Shorter side up to which all singular values are computed at once.
_SMALL = 256
#: Shorter side from which on singular values are not computed unless asked for.
LARGEST = 2048


@dataclass(frozen=True)
class Rank:
    """What the singular values of a matrix tell.

    Attributes:
        rank: those above the rounding errors of the matrix's own precision; None if not counted.
        stable: ||W||_F^2 / ||W||_2^2, the stable rank.
        condition: largest over smallest; infinite below full rank; None if not computed.
        largest: the largest singular value.
        note: why something is missing, or "".
    """

    rank: int | None
    stable: float
    condition: float | None
    largest: float
    note: str = ""


def rank(matrix: Tensor, *, everything: bool = False) -> Rank:
    """Measure a matrix (m, n) of finite numbers.

    Singular values count above max(m, n) eps s_1, as in NumPy. That bound is for what computing
    loses; in 16 bits it would be above most of them, so there they count above what rounding the
    entries makes of zero, eps rms (sqrt(m) + sqrt(n)) / 2.

    Args:
        matrix: two-dimensional.
        everything: whether large ones are worth minutes.

    Example:
        >>> rank(torch.eye(3)).rank, rank(torch.ones(2, 3)).condition
        (3, inf)
    """
    work = roomy(matrix.detach())
    size = float(torch.linalg.vector_norm(work))
    if size == 0:
        return Rank(0, 0.0, math.inf, 0.0)
    short = min(work.shape)
    if short > LARGEST and not everything:
        largest = _largest(work)
        note = f"rank and condition are not computed above a side of {LARGEST}"
        return Rank(None, (size / largest) ** 2, None, largest, note)
    found = _extremes(work) if short > _SMALL else None
    if found is not None and found[1] > _floor(matrix, size, found[0]):
        return Rank(short, (size / found[0]) ** 2, found[0] / found[1], found[0])
    values = _singular_values(work)
    largest, smallest = float(values[0]), float(values[-1])
    count = int((values > _floor(matrix, size, largest)).sum())
    condition = largest / smallest if count == short and smallest > 0 else math.inf
    return Rank(count, (size / largest) ** 2, condition, largest)


def roomy(matrix: Tensor) -> Tensor:
    """Return a matrix in a precision that holds the squares of its entries and their sums.

    Example:
        >>> roomy(torch.tensor([1e30])).dtype, roomy(torch.tensor([2.0])).dtype
        (torch.float64, torch.float32)
    """
    if matrix.dtype == torch.float64 or not matrix.numel():
        return matrix
    size = max(abs(float(end)) for end in matrix.aminmax())
    return matrix.double() if size > 1e12 or 0 < size < 1e-12 else matrix.float()


def _floor(matrix: Tensor, size: float, largest: float) -> float:
    """Return what a singular value must exceed to count."""
    eps = torch.finfo(matrix.dtype).eps
    if eps < torch.finfo(torch.float16).eps:
        return max(matrix.shape) * eps * largest
    edge = sum(math.sqrt(side) for side in matrix.shape)  # of a random matrix, Marchenko-Pastur
    return 0.5 * eps * size / math.sqrt(matrix.numel()) * edge


def _extremes(matrix: Tensor) -> tuple[float, float] | None:
    """Return the largest and the smallest singular value, right to a thousandth, by Lanczos.

    With the Gram matrix and the inverse that its Cholesky factor gives: a third of the cost of all
    eigenvalues, and less. None where the smallest is lost in the rounding of the squares.
    """
    gram = _gram(matrix)
    factor, failed = torch.linalg.cholesky_ex(gram)
    if int(failed):
        return None
    largest = _lanczos(lambda x: gram @ x, gram)
    smallest = 1 / _lanczos(lambda x: torch.cholesky_solve(x, factor), gram)
    if not smallest > 1000 * torch.finfo(gram.dtype).eps * largest:
        return None
    return math.sqrt(largest), math.sqrt(smallest)


def _lanczos(times: Callable[[Tensor], Tensor], like: Tensor) -> float:
    """Return the largest eigenvalue of a symmetric matrix of which products are given."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import, so only here

    def product(x: Any) -> Any:
        return times(torch.as_tensor(x).to(like).reshape(-1, 1)).flatten().double().cpu().numpy()

    shape = tuple(like.shape)
    operator = LinearOperator(shape, matvec=product, dtype="float64")
    start = torch.ones(shape[0], dtype=torch.float64)
    start[::2] = -0.5  # rows that sum to zero make the vector of ones an eigenvector
    found = eigsh(operator, k=1, which="LA", tol=1e-3, v0=start.numpy(), return_eigenvectors=False)
    return float(found[0])


def _gram(matrix: Tensor) -> Tensor:
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    return wide @ wide.T


def _singular_values(matrix: Tensor) -> Tensor:
    """Return all of them in descending order, right to a thousandth down to eps of the largest.

    By the eigenvalues of the Gram matrix, at a fraction of the cost of an SVD. Its squares lose
    half of the digits, so where the smallest is not clear of that loss, more digits follow.
    """
    for precise in (matrix, matrix.double()):
        values = torch.linalg.eigvalsh(_gram(precise).double()).flip(0)
        if float(values[-1]) > 1000 * torch.finfo(precise.dtype).eps * float(values[0]):
            break
    else:
        if matrix.dtype == torch.float64:
            return torch.linalg.svdvals(matrix)
    return values.clamp(min=0).sqrt()


def _largest(matrix: Tensor) -> float:
    """Return the largest singular value, by Lanczos."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    like = torch.empty((), dtype=matrix.dtype, device=matrix.device).expand(len(wide), len(wide))
    return math.sqrt(_lanczos(lambda x: wide @ (wide.T @ x), like))
