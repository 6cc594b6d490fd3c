"""``firstlight.audit_starts``: one network under several schemes, audited on one batch."""

import contextlib
import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from torch import nn

from firstlight.auditing.audit import audit, check_placed
from firstlight.auditing.objective import Loss, objective
from firstlight.auditing.result import Audit
from firstlight.errors import FirstlightError, OptionError
from firstlight.init import parse_scheme
from firstlight.model import initialize
from firstlight.model.names import unwrapped
from firstlight.model.planning import AUTO, DEFAULT
from firstlight.model.reason import reason


def audit_starts(
    model: nn.Module,
    batch: Any,
    schemes: str | Sequence[str],
    *,
    loss: Loss = None,
    seed: int = 0,
    ntk: bool = False,
    jacobian: bool = False,
    spectra: bool = False,
) -> dict[str, Audit]:
    """Audit one network under several schemes, side by side.

    Each scheme starts a copy of the model, one at a time; the model itself stays as it is. All see
    the same batch, and data-driven schemes are fitted to its inputs.

    Args:
        model: any module that can be copied.
        batch: what the model takes, or a pair (inputs, targets), as for ``firstlight.audit``.
        schemes: names in ``firstlight.init.SCHEMES`` with options as in "harmonic:gain=relu",
            "auto", or "default", which keeps the weights as they are.
        loss: as for ``firstlight.audit``.
        seed: of random schemes.
        ntk: whether the empirical neural tangent kernel is wanted, too.
        jacobian: whether the singular values of the output's Jacobian by the input are.
        spectra: whether ranks of matrices with a shorter side above 2048 are.

    Returns:
        An ``Audit`` for each scheme, in the order in which they were given.

    Raises:
        OptionError: there is no scheme, one is not known or given twice, or it cannot fill this
            network.
        FirstlightError: the model cannot be copied, or cannot be run on the batch.

    Example:
        >>> import torch
        >>> import firstlight
        >>> net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
        >>> batch = torch.randn(32, 64), torch.randint(8, (32,))
        >>> found = firstlight.audit_starts(net, batch, ["default", "sinusoidal"])
        >>> {scheme: audit.level for scheme, audit in found.items()}
        {'default': 'ok', 'sinusoidal': 'failure'}
    """
    names = check_schemes(schemes)
    model = unwrapped(model)
    check_placed(model)
    inputs = objective(model, batch, loss).inputs
    found = {}
    for name in names:
        with _named(name):
            started = _started(model, name, seed, inputs)
        with _named(name) if len(names) > 1 else contextlib.nullcontext():
            found[name] = audit(
                started, batch, loss=loss, ntk=ntk, jacobian=jacobian, spectra=spectra
            )
    return found


def check_schemes(schemes: str | Iterable[str]) -> tuple[str, ...]:
    """Return the schemes, each of which must be known and different from the others.

    Raises:
        OptionError: there is none, one is not known, or one is there twice.

    Example:
        >>> check_schemes(["default", "harmonic:gain=relu"])
        ('default', 'harmonic:gain=relu')
    """
    if not isinstance(schemes, Iterable):
        raise OptionError(f"schemes must be names of schemes, got {schemes!r}")
    names = (schemes,) if isinstance(schemes, str) else tuple(schemes)
    if not names:
        raise OptionError("schemes must name at least one scheme, got none")
    for name in names:
        if not isinstance(name, str):
            raise OptionError(f"a scheme must be a name, got {name!r}")
        parse_scheme(name, DEFAULT, AUTO)
        if names.count(name) > 1:
            raise OptionError(f"schemes must differ from each other, got {name!r} twice")
    return names


def _started(model: nn.Module, scheme: str, seed: int, inputs: Any) -> nn.Module:
    """Return a copy that starts as the scheme says; the model itself where that changes nothing."""
    if scheme == DEFAULT:
        return model
    try:
        clone = copy.deepcopy(model)
    except Exception as error:  # the user's own modules
        raise FirstlightError(f"the model cannot be copied: {reason(error)}") from error
    name, options = parse_scheme(scheme, AUTO)
    try:
        return initialize(clone, name, seed=seed, example=inputs, **options)
    except (TypeError, OverflowError) as error:  # an option of a kind that the scheme cannot use
        raise OptionError(reason(error)) from error


@contextlib.contextmanager
def _named(scheme: str) -> Iterator[None]:
    try:
        yield
    except FirstlightError as error:
        raise type(error)(f"{scheme}: {error}") from error
