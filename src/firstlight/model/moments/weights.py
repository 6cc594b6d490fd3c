"""What a weight does to second moments: its mean square, its row sums, its diagonal."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from firstlight.model.moments.density import Density
from firstlight.model.task import Task


@dataclass(frozen=True)
class WeightStatistics:
    """Averages over a matrix with ``inputs`` inputs.

    Attributes:
        inputs: of one unit.
        mean_square: of its entries.
        row_sum: mean square of the sum of a row.
        carry: what a unit takes over from the unit before it of the same number: the diagonal.
        outputs: how many units there are.
        isometric: whether all singular values are one, so that no norm is left to chance.
    """

    inputs: int
    mean_square: float
    row_sum: float
    carry: float = 0.0
    outputs: int = 1
    isometric: bool = False

    def output(self, x: Density, inside: float = 1.0, inside_square: float = 1.0) -> Density:
        """Return what comes out for inputs x.

            E[y^2] = n E[w^2] (p E[x^2] - p2 c) + E[(sum w)^2] p2 c

        n inputs, c their common part, p and p2 the mean and the mean square of the share of a
        unit's inputs that is not padding.
        """
        common = inside_square * x.common
        varied = max(inside * x.second - common, 0.0)
        noise = self.mean_square - self.carry**2 / self.inputs
        second = self.inputs * max(noise, 0.0) * varied + self.row_sum * common
        alike = self.inputs * max(noise, 0.0) * max(inside * x.cross - common, 0.0)
        cross = alike + self.row_sum * common
        angle = x.beyond + (cross / second) ** 2 if second else 0.0
        # a draw of the weights acts on what the samples share; a deep product makes all share one
        share = max(0.0, 1 - self.outputs / self.inputs) if self.isometric else 1.0
        chance = 2 / self.outputs * angle * share
        angle = min(angle + (1 - angle) * (1 + 2 * angle) / self.outputs * share, 1.0)
        noise_part = replace(
            Density.gaussian(second), cross=cross, angle=angle, spread=x.spread + chance
        )
        if not self.carry:
            return noise_part
        return x.scaled(self.carry**2 * inside).plus(noise_part)


def statistics(matrix: Tensor, *, isometric: bool = False) -> WeightStatistics:
    """Measure a matrix (out, in, *kernel), of which it may be known to be isometric.

    Example:
        >>> statistics(torch.eye(8)).carry, statistics(torch.ones(2, 3)).row_sum
        (1.0, 9.0)
    """
    flat = matrix.detach().reshape(len(matrix), -1).float()
    m, n = flat.shape
    mean_square = float(flat.square().mean())
    sums = flat.sum(1)
    diagonal = _diagonal(matrix)
    if diagonal is None:
        row_sum = float(sums.square().mean())
        return WeightStatistics(n, mean_square, row_sum, 0.0, m, isometric)
    row_sum = float((sums - diagonal).square().mean())
    return WeightStatistics(n, mean_square, row_sum, float(diagonal.mean()), m)


def _diagonal(matrix: Tensor) -> Tensor | None:
    """Return the diagonal of a square matrix where it stands out from the rest."""
    centre = matrix.detach().float()
    for size in reversed(matrix.shape[2:]):
        centre = centre.select(-1, size // 2)
    if centre.ndim != 2 or centre.shape[0] != centre.shape[1] or len(centre) < 4:
        return None
    diagonal = centre.diagonal()
    noise = math.sqrt(float(centre.square().mean()) / len(centre))
    stands_out = abs(float(diagonal.mean())) > 6 * noise and float(diagonal.std()) < abs(
        float(diagonal.mean())
    )
    return diagonal if stands_out else None


#: Schemes whose non-zero singular values are all the same.
_ISOMETRIC = frozenset({"harmonic", "orthogonal"})
#: Schemes whose units repeat each other, against what a mean field takes for granted.
_DEPENDENT = frozenset({"sinusoidal", "zero", "blumenfeld", "looks_linear"})


def planned_statistics(tasks: list[Task]) -> list[WeightStatistics] | str | None:
    """Measure every matrix of a tensor as it would be.

    None where nothing tells what it holds; a reason where its units are not independent.
    """
    for task in tasks:
        if task.scheme is not None and task.scheme.name in _DEPENDENT:
            return f"{task.scheme.name}: its units depend on each other"
    found: list[WeightStatistics] = []
    for task in tasks:
        assert task.view is not None
        if task.scheme is None:
            if task.view.blocked or task.view.weight.is_meta:
                return None
            matrix = task.view.weight
        else:
            dtype = task.view.slot.tensor.dtype  # type: ignore[union-attr]
            matrix = torch.empty(task.view.shape, dtype=dtype, device="cpu")
            task.scheme(matrix, task.place(), task.options)
        name = task.scheme.name if task.scheme else ""
        found.append(statistics(matrix, isometric=name in _ISOMETRIC))
    return found
