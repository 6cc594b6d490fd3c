"""Lanczos steps: a symmetric operator as small tridiagonal matrices.

SciPy's ``eigsh`` gives the ends of a spectrum, too, but not the weights of the Ritz values, which
make the quadrature for the effective rank; and where its restarts do not reach the small end, as
they rarely do for a tangent kernel, it gives nothing. Here every step orthogonalises against all
vectors before, twice, so no eigenvalue comes back as a ghost.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Ritz:
    """What Lanczos steps from one start say of an operator of ``size`` rows.

    Attributes:
        values: Ritz values, descending (steps,).
        weights: the start's squared components along the Ritz vectors (steps,); they sum to 1.
        residuals: a bound for how far each value is from an eigenvalue (steps,).
        vectors: Ritz vectors, orthonormal columns (size, steps).
    """

    values: Tensor
    weights: Tensor
    residuals: Tensor
    vectors: Tensor


def lanczos(
    times: Callable[[Tensor], Tensor], start: Tensor, steps: int, noise: float = 1e-12
) -> Ritz:
    """Take Lanczos steps.

        times(q_k) = beta_(k-1) q_(k-1) + alpha_k q_k + beta_k q_(k+1)

    Args:
        times: multiplies a float64 vector (size,) by the operator.
        start: a vector (size,), not zero.
        steps: how many at most; fewer where the start's Krylov space is smaller.
        noise: relative rounding of ``times``, below which a new direction is none.

    Example:
        >>> ritz = lanczos(lambda v: torch.tensor([3.0, 1.0]).double() * v, torch.ones(2), 5)
        >>> [round(value, 6) for value in ritz.values.tolist()]
        [3.0, 1.0]

    Reference: Golub and Meurant, Matrices, Moments and Quadrature with Applications (2010).
    """
    q = start.double() / start.double().norm()
    basis, alphas, betas = [q], [], []
    for _ in range(min(steps, start.numel())):
        product = times(basis[-1]).double()
        alphas.append(float(product @ basis[-1]))
        known = torch.stack(basis)
        scale = max(float(product.norm()), *map(abs, alphas), 0.0)
        for _ in range(2):
            product = product - known.mT @ (known @ product)
        betas.append(float(product.norm()))
        if betas[-1] <= noise * scale:
            betas[-1] = 0.0
            break
        basis.append(product / betas[-1])
    return _ritz(alphas, betas, torch.stack(basis[: len(alphas)]))


def _ritz(alphas: list[float], betas: list[float], basis: Tensor) -> Ritz:
    inner = torch.tensor(betas[:-1], dtype=torch.float64)
    matrix = torch.diag(torch.tensor(alphas, dtype=torch.float64))
    values, vectors = torch.linalg.eigh(matrix + torch.diag(inner, 1) + torch.diag(inner, -1))
    values, vectors = values.flip(0), vectors.flip(1)
    return Ritz(values, vectors[0].square(), betas[-1] * vectors[-1].abs(), basis.mT @ vectors)
