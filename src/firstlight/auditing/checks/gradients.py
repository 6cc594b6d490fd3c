"""Checks of what comes back from the loss."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.depth import profile
from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Level, Verdict
from firstlight.model.trace import Trace


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for gradient in audit.gradients:
        if gradient.norm is not None:
            yield gradient.name, 0.0 if gradient.finite else 1.0


def _lost(audit: Audit, _trace: Trace) -> Iterator[Found]:
    """Yield how many orders of magnitude the gradient loses between the last and the first."""
    found = profile(audit)
    if found is not None:
        yield found.first, found.lost


def _gained(audit: Audit, _trace: Trace) -> Iterator[Found]:
    found = profile(audit)
    if found is not None:
        yield found.first, -found.lost


def _unused(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.loss is None:
        return
    for gradient in audit.gradients:
        yield gradient.name, float(gradient.norm is None)


def _reached(audit: Audit, _trace: Trace) -> Iterator[Found]:
    """Yield the share of trained weights that get any gradient at all."""
    arrived = [g.norm for g in audit.gradients if g.norm is not None and g.finite]
    if len(arrived) > 1:
        yield "", sum(norm > 0 for norm in arrived) / len(arrived)


CHECKS = (
    Check(
        "gradients are numbers",
        _finite,
        1,
        1,
        "IEEE 754",
        "the gradient of {where} is NaN or infinite",
        "every gradient is a finite number",
        "firstlight.initialize(model, example=batch)",
    ),
    Check(
        "vanishing gradient",
        _lost,
        3,
        6,
        "arXiv 1611.01232; Adam's epsilon of 1e-8 and float16 end about there",
        "from the last activation to {where} the gradient loses {number} orders of magnitude",
        "from the last activation to the first the gradient loses {number} orders of magnitude",
        "firstlight.initialize(model, 'diagonal_plus_noise') for tanh and its kin, 'harmonic' "
        "with the activation's gain for others; norms or residual branches",
    ),
    Check(
        "exploding gradient",
        _gained,
        3,
        6,
        "arXiv 1211.5063",
        "from the last activation to {where} the gradient grows by {number} orders of magnitude",
        "from the last activation to the first the gradient grows by {number} orders of magnitude",
        "firstlight.initialize(model, 'harmonic') with the activation's gain, or 'orthogonal'",
    ),
    Check(
        "unused parameters",
        _unused,
        1,
        math.inf,
        "autograd",
        "the loss does not depend on {where}",
        "the loss depends on every parameter",
        "freeze it, take it out, or mend forward(); DDP stops at it",
    ),
    Check(
        "gradient arrives",
        _reached,
        0.25,
        0.0,
        "a zero head or a dead layer hides the loss from all that lies below",
        "only a share of {number} of the parameters gets a gradient that is not zero",
        "a share of {number} of the parameters gets a gradient that is not zero",
        "start the head at small weights: firstlight.initialize(model, 'harmonic', "
        "include=['<head>'])",
        smaller=True,
    ),
)


def float_range(audit: Audit) -> list[Verdict]:
    """Say how fast the gradient falls or grows, and at which depth it leaves float range."""
    found = profile(audit)
    if found is None or found.leaves is None:
        return []
    word = "falls" if found.factor < 1 else "grows"
    message = (
        f"the gradient {word} by a factor of {found.factor:.3g} a weight layer and leaves the range "
        f"of {audit.dtype} {found.leaves} layers from the loss"
    )
    if found.leaves > 10 * found.depth:
        return [Verdict("float range", "ok", message, number=float(found.leaves))]
    level: Level = "failure" if found.leaves <= found.depth else "warning"
    advice = "firstlight.initialize(model, 'diagonal_plus_noise') or 'harmonic'"
    return [
        Verdict(
            "float range",
            level,
            message,
            (),
            float(found.leaves),
            float(10 * found.depth if level == "warning" else found.depth),
            f"IEEE 754: {audit.dtype}'s smallest normal and largest number",
            advice,
        )
    ]
