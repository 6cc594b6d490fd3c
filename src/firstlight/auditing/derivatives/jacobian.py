"""The input-output Jacobian: what becomes of small changes of the input."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from firstlight.auditing.derivatives.jacobian_rows import Samples
from firstlight.auditing.derivatives.singular_values import Singular, singular_values
from firstlight.auditing.untouched import untouched
from firstlight.errors import OptionError
from firstlight.model.names import unwrapped


@dataclass(frozen=True)
class InputJacobian:
    """Singular values of J = d output / d input, over some samples; it serialises as plain data.

    Attributes:
        samples: how many samples it was taken for.
        inputs, outputs: numbers in a sample, so that J is (outputs, inputs).
        singular_values: descending: the mean over samples of the first, second, ... one.
        largest, smallest: over all samples.
        condition: largest over smallest of the worst sample; infinite where one is singular.
        mean_square: ||J||_F^2 / outputs, mean over samples.
        by: what the output is differentiated by.
        how: in words.
        error: how far off it may be, in words.
    """

    samples: int
    inputs: int
    outputs: int
    singular_values: tuple[float, ...]
    largest: float
    smallest: float
    condition: float
    mean_square: float
    by: str
    how: str
    error: str


def input_jacobian(model: nn.Module, batch: Any, *, samples: int = 8) -> InputJacobian:
    """Return the singular values of the Jacobian of the output by the input.

        J_n = d output(x_n) / d x_n,     chi^L = ||J||_F^2 / outputs

    The singular values say by how much a change of the input can grow or shrink on its way; all
    near 1 is dynamical isometry. If every input changes independently with variance v, an output
    changes with variance v chi^L: 1 at the edge of chaos, up to the first layer's weight variance.

    The input is all floating-point tensors of the batch that have an entry for each sample,
    together; for tokens, the output of the first embedding. Dropout is off, and the model is left
    as it was. Batch norms stay in their mode: with batch statistics, J_n includes what the sample
    changes in the statistics.

    Args:
        model: any module.
        batch: a tensor, a tuple for ``model(*batch)`` or a dict for ``model(**batch)``; the first
            dimension of the model's output counts the samples.
        samples: the Jacobian is taken at the first so many samples of the batch.

    Raises:
        OptionError: ``samples`` is no whole number above 0.
        FirstlightError: there is nothing to differentiate by, the output does not depend on it, or
            it is not finite.

    Example:
        >>> layer = nn.Linear(2, 2, bias=False)
        >>> _ = layer.weight.data.copy_(torch.tensor([[0.0, 3.0], [1.0, 0.0]]))
        >>> found = input_jacobian(layer, torch.ones(1, 2))
        >>> found.singular_values, found.condition, found.mean_square
        ((3.0, 1.0), 3.0, 5.0)

    Reference: Saxe et al., arXiv 1312.6120; Pennington, Schoenholz and Ganguli, arXiv 1711.04735.
    """
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise OptionError(f"samples must be a whole number above 0, got {samples!r}")
    model = unwrapped(model)
    with untouched(model):
        source = Samples(model, batch)
        count = min(samples, source.count)
        found = [singular_values(source.at(n)) for n in range(count)]
    return _summary(found, source)


def _summary(found: list[Singular], source: Samples) -> InputJacobian:
    length = min(len(one.values) for one in found)
    values = torch.stack([one.values[:length] for one in found]).mean(0)
    first = found[0]
    return InputJacobian(
        samples=len(found),
        inputs=first.shape[1],
        outputs=first.shape[0],
        singular_values=tuple(values.tolist()),
        largest=max(float(one.values[0]) for one in found),
        smallest=min(float(one.values[-1]) for one in found),
        condition=max(one.condition for one in found),
        mean_square=sum(one.square for one in found) / len(found) / first.shape[0],
        by=source.by,
        how=first.how,
        error=first.error,
    )
