"""The tangent kernel's spectrum from products with it: for any number of rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from firstlight.auditing.derivatives.kernel_total import signs, to_double
from firstlight.auditing.derivatives.lanczos import Ritz, lanczos
from firstlight.auditing.derivatives.network import Network
from firstlight.auditing.derivatives.products import Products, differentiable_twice
from firstlight.auditing.derivatives.spectrum import standard_error

#: Lanczos steps from each start; each is a product with Theta: about four backward passes.
STEPS = 64
#: Further starts, whose steps tell of the spectrum's rest.
STARTS = 3
#: Random vectors for the rest of the trace; each is a backward pass.
PROBES = 32
#: Residual, relative to its value, below which a Ritz vector counts as an eigenvector.
CONVERGED = 1e-3

_ERROR = (
    "standard errors: trace {:.2g}, effective rank {:.2g}; the largest eigenvalue is within "
    "{:.2g}; the smallest is an upper bound, so the condition number a lower bound; below {:.1g} "
    "of the largest it counts as 0"
)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Attributes as of ``TangentKernel``; traces by parameter, and where 0 begins."""

    values: Tensor
    largest: float
    smallest: float
    floor: float
    trace_error: float
    effective_rank: float
    traces: dict[str, float]
    how: str
    error: str


class _Theta:
    """Theta = J J^T, and what is left of it beside known eigenvectors.

    Attributes:
        rows: of Theta.
        known: orthonormal eigenvectors (rows, known).
    """

    def __init__(self, network: Network) -> None:
        with differentiable_twice():
            outputs = network.outputs()
        self._jacobian = Products(outputs, list(network.parameters.values()))
        self._outputs = outputs
        self.rows = outputs.numel()
        self.known = torch.zeros(self.rows, 0, dtype=torch.float64)

    def times(self, v: Tensor) -> Tensor:
        """Theta v, without the known part."""
        pulled = self._jacobian.transposed(self._like_outputs(v))
        return self._without_known(self._jacobian.times(pulled).flatten().cpu().double())

    def start(self, seed: int) -> Tensor:
        """Random signs, without the known part; zeros where nothing is left."""
        v = self._without_known(signs((self.rows,), seed).double())
        return v if float(v.norm()) > 1e-6 * math.sqrt(self.rows) else torch.zeros_like(v)

    def squares(self, v: Tensor) -> Tensor:
        """v^T Theta v = ||J^T v||^2, by parameter."""
        pulled = self._jacobian.transposed(self._like_outputs(v))
        return torch.stack([to_double(part).square().sum().cpu() for part in pulled])

    def _without_known(self, v: Tensor) -> Tensor:
        return v - self.known @ (self.known.mT @ v)

    def _like_outputs(self, v: Tensor) -> Tensor:
        return v.view(self._outputs.shape).to(self._outputs)


def estimate(network: Network) -> Estimate:
    """Estimate the spectrum of Theta.

    Lanczos steps from one start give its ends, and U, the eigenvectors that have converged. They
    are counted as they are; random signs v with U U^T v taken away stand for the rest:

        tr f(Theta) ~ sum_U f(theta) + mean_v v^T f(Theta) v,

    by parameter where f(theta) = theta, and by the quadrature of Lanczos steps from v where
    f(theta) = theta log theta, for the entropy.

    Reference: Meyer et al., Hutch++, arXiv 2010.09649; Ubaru, Chen and Saad, Fast estimation of
    tr(f(A)) via stochastic Lanczos quadrature (SIAM J. Matrix Anal. Appl., 2017).
    """
    theta = _Theta(network)
    first = lanczos(theta.times, theta.start(0), STEPS, network.noise)
    sure = first.residuals <= CONVERGED * first.values
    theta.known = first.vectors[:, sure]
    squares = torch.stack([theta.squares(theta.start(seed)) for seed in range(1, PROBES + 1)])
    spread = standard_error(squares.sum(1).tolist())
    traces = squares.mean(0)
    for vector in theta.known.mT:
        traces += theta.squares(vector)
    starts = [v for v in map(theta.start, range(-STARTS, 0)) if v.any()]
    runs = [(v, lanczos(theta.times, v, STEPS, network.noise)) for v in starts]
    rank, rank_spread = _effective_rank(first.values[sure], runs)
    smallest = min(float(ritz.values[-1]) for ritz in (first, *(ritz for _, ritz in runs)))
    if theta.rows > sum(parameter.numel() for parameter in network.parameters.values()):
        smallest = 0.0
    within = max(float(first.residuals[0]), network.noise * float(first.values[0]))
    return Estimate(
        values=first.values,
        largest=float(first.values[0]),
        smallest=max(smallest, 0.0),
        floor=network.noise,
        trace_error=spread,
        effective_rank=rank,
        traces=dict(zip(network.parameters, traces.tolist(), strict=True)),
        how=f"Lanczos, {len(first.values)} steps from each of {1 + len(runs)} starts",
        error=_ERROR.format(spread, rank_spread, within, network.noise),
    )


def _effective_rank(known: Tensor, runs: list[tuple[Tensor, Ritz]]) -> tuple[float, float]:
    """Return exp(log s - e / s) of s = tr Theta and e = tr Theta log Theta, and its error."""

    def traces(f: Callable[[Tensor], Tensor]) -> list[float]:
        sure = float(f(known).sum())
        rest = [float(v @ v) * float(ritz.weights @ f(ritz.values)) for v, ritz in runs]
        return [sure + part for part in rest or [0.0]]

    sums = traces(lambda values: values.clamp(min=0))
    entropies = traces(lambda values: torch.xlogy(values.clamp(min=0), values.clamp(min=0)))
    total = sum(sums) / len(sums)
    if not total > 0:
        return 0.0, 0.0
    rank = math.exp(math.log(total) - sum(entropies) / len(entropies) / total)
    slopes = [
        s / total - (e - s * sum(entropies) / sum(sums)) / total
        for s, e in zip(sums, entropies, strict=True)
    ]
    return rank, rank * standard_error(slopes)
