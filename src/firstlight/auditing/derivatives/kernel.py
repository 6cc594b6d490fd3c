"""The empirical neural tangent kernel: which functions a network learns, and how fast."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from firstlight.auditing.derivatives.kernel_estimate import estimate
from firstlight.auditing.derivatives.kernel_exact import Prepared
from firstlight.auditing.derivatives.network import Network
from firstlight.auditing.derivatives.spectrum import condition, effective_rank, shares
from firstlight.auditing.untouched import untouched
from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.model.names import unwrapped

#: Rows up to which "auto" is exact, and up to which it is where every row takes a whole batch.
_AUTO, _AUTO_TIED = 4096, 1024
#: Rows up to which a kernel fits: 2 GiB.
_MOST = 16384


@dataclass(frozen=True)
class TangentKernel:
    """Spectrum of the kernel Theta over samples and outputs; it serialises as plain data.

    Attributes:
        points: samples.
        outputs: of a sample; Theta has points * outputs rows.
        trace: of Theta.
        condition: largest over smallest eigenvalue; infinite where Theta is singular.
        effective_rank: exp of the entropy of the eigenvalues divided by their sum.
        largest, smallest: eigenvalues.
        eigenvalues: descending: all of them, or where it is estimated, the Ritz values.
        shares: of the trace, by parameter.
        how: in words.
        error: how far off it may be, in words.
        trace_error: standard error of the trace; 0 where it is exact.
    """

    points: int
    outputs: int
    trace: float
    condition: float
    effective_rank: float
    largest: float
    smallest: float
    eigenvalues: tuple[float, ...]
    shares: tuple[tuple[str, float], ...]
    how: str
    error: str
    trace_error: float = 0.0


def tangent_kernel(
    model: nn.Module, batch: Any, *, method: str = "auto", outputs: int | None = None
) -> TangentKernel:
    """Return the spectrum of the empirical neural tangent kernel on ``batch``.

        Theta = J J^T,   J[(n, c), p] = d output_c(x_n) / d parameter_p

    over all trainable parameters. Gradient descent with a small rate eta shrinks the training
    error along an eigenvector of eigenvalue lambda by 1 - eta lambda per step, so the condition
    number says how unevenly a network learns, and the shares which layers do it.

    The exact kernel is put together layer by layer without a Jacobian: from inputs and output
    gradients of linear layers, convolutions, embeddings and norms. Other parameters take a
    gradient for each sample and output. Each parameter's kernel is checked against a backward pass.
    Rounding of gradients matters to the square root of Theta only, so condition numbers up to 1e10
    are right in float32. The estimate needs only products with Theta: Lanczos steps for the ends of
    the spectrum and the effective rank, random vectors for the trace; rounding limits its condition
    numbers to 1e6 in float32. Either way takes the memory of a training step on the batch, and a
    few hundred megabytes.

    Dropout is off, and the model is left as it was. Batch norms stay in their mode: with batch
    statistics, the outputs of a sample depend on all samples, and Theta is that of the whole batch.

    Args:
        model: any module with trainable real parameters.
        batch: a tensor, a tuple for ``model(*batch)`` or a dict for ``model(**batch)``; the first
            dimension of the model's output counts the samples.
        method: "exact", "lanczos", or "auto": exact up to 4096 rows.
        outputs: how many random orthonormal directions of the outputs to look at, where a sample
            has too many; None means all outputs.

    Raises:
        OptionError: an option is unknown, or the exact kernel would have too many rows.
        FirstlightError: the model has no trainable real parameters or no finite real output, or
            one that does not depend on them; or it cannot be differentiated twice (Lanczos).

    Example:
        >>> import torch
        >>> net = nn.Linear(2, 1, bias=False)
        >>> kernel = tangent_kernel(net, torch.tensor([[3.0, 0.0], [0.0, 1.0]]))
        >>> kernel.eigenvalues, kernel.condition, kernel.shares
        ((9.0, 1.0), 9.0, (('weight', 1.0),))

    Reference: Jacot et al., arXiv 1806.07572; by layers, Novak et al., arXiv 2206.08720; in random
    directions, Mohamadi et al., arXiv 2206.12543.
    """
    check_choice(method, ("auto", "exact", "lanczos"), "method")
    model = unwrapped(model)
    with untouched(model):
        network = Network(model, batch, outputs)
        if method == "exact" and network.rows > _MOST:
            raise OptionError(
                f"an exact kernel of {network.samples} samples x {network.each} outputs has "
                f"{network.rows} rows, more than {_MOST}; take method='lanczos', fewer samples or "
                "outputs=1"
            )
        if method == "lanczos" or (method == "auto" and network.rows > _AUTO):
            return _estimated(network)
        prepared = Prepared(network)
        if method == "auto" and prepared.tied and network.rows > _AUTO_TIED:
            del prepared
            return _estimated(network)
        return _exact(network, prepared)


def _exact(network: Network, prepared: Prepared) -> TangentKernel:
    exact = prepared.kernel()
    if not torch.isfinite(exact.kernel.diagonal()).all():
        raise FirstlightError("the gradients of the model's outputs on this batch are not finite")
    values = torch.linalg.eigvalsh(exact.kernel).flip(0).clamp(min=0).cpu()
    largest, smallest = float(values[0]), float(values[-1])
    floor = len(values) * max(torch.finfo(torch.float64).eps, network.eps**2)
    return TangentKernel(
        points=network.samples,
        outputs=network.each,
        trace=float(exact.kernel.trace()),
        condition=condition(largest, smallest, floor),
        effective_rank=effective_rank(values),
        largest=largest,
        smallest=smallest,
        eigenvalues=tuple(values.tolist()),
        shares=shares(exact.traces),
        how=exact.how + network.where,
        error=f"rounding: an eigenvalue below {floor:.1g} of the largest counts as 0",
    )


def _estimated(network: Network) -> TangentKernel:
    found = estimate(network)
    return TangentKernel(
        points=network.samples,
        outputs=network.each,
        trace=sum(found.traces.values()),
        condition=condition(found.largest, found.smallest, found.floor),
        effective_rank=found.effective_rank,
        largest=found.largest,
        smallest=found.smallest,
        eigenvalues=tuple(found.values.clamp(min=0).tolist()),
        shares=shares(found.traces),
        how=found.how + network.where,
        error=found.error,
        trace_error=found.trace_error,
    )
