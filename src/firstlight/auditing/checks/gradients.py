"""Checks of what comes back from the loss."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.checks.starts import deep_start
from firstlight.auditing.depth import profile
from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Level, Verdict
from firstlight.model.trace import Trace


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for gradient in audit.gradients:
        if gradient.norm is not None:
            yield Found(gradient.name, 0.0 if gradient.finite else 1.0, (gradient.name,))


def _lost(audit: Audit, _trace: Trace) -> Iterator[Found]:
    """Yield how many orders of magnitude the gradient loses between the last and the first."""
    found = profile(audit)
    if found is not None:
        yield Found(found.first, found.lost, hint=deep_start(audit))


def _gained(audit: Audit, _trace: Trace) -> Iterator[Found]:
    found = profile(audit)
    if found is not None:
        yield Found(found.first, -found.lost, hint=deep_start(audit))


def _unused(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.loss is None or all(one.norm is None for one in audit.gradients):
        return
    for gradient in audit.gradients:
        yield Found(gradient.name, float(gradient.norm is None), (gradient.name,))


def _depends(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.loss is not None and audit.gradients:
        yield Found("", float(all(one.norm is None for one in audit.gradients)))


def _reached(audit: Audit, trace: Trace) -> Iterator[Found]:
    """Yield the share of trained parameters that get any gradient at all.

    Where a head or the ends of branches start at zero on purpose, that is what stops it.
    """
    arrived = [g.norm for g in audit.gradients if g.norm is not None and g.finite]
    on_purpose = ("head", "residual", "gate", "sum")
    closed = any(
        weight.rms == 0 and trace.facts[weight.parameter].feeds in on_purpose
        for weight in audit.weights
        if weight.parameter in trace.facts
    )
    if len(arrived) > 1 and not closed:
        yield Found("", sum(norm > 0 for norm in arrived) / len(arrived))


CHECKS = (
    Check(
        "gradients are numbers",
        _finite,
        1,
        1,
        "IEEE 754",
        "the gradient of {where} is NaN or infinite",
        "every gradient is a finite number",
        "firstlight.initialize(model, 'harmonic'{only})",
    ),
    Check(
        "vanishing gradient",
        _lost,
        3,
        6,
        "arXiv 1611.01232; Adam's epsilon of 1e-8 and float16 end about there",
        "from the last activation to {where} the gradient loses {number} orders of magnitude",
        "from the last activation to the first the gradient loses {number} orders of magnitude",
        "firstlight.initialize(model, {hint}); norms or residual branches help, too",
    ),
    Check(
        "exploding gradient",
        _gained,
        5,
        8,
        "arXiv 1211.5063; with batch norm (1902.08129) a healthy ResNet-152 gains four",
        "from the last activation to {where} the gradient grows by {number} orders of magnitude",
        "from the last activation to the first the gradient grows by {number} orders of magnitude",
        "firstlight.initialize(model, {hint})",
    ),
    Check(
        "loss can be trained",
        _depends,
        1,
        1,
        "autograd",
        "the loss depends on no parameter at all: it was detached, or made anew from numbers",
        "the loss depends on the parameters",
        "take the loss from the model's own output, without detach(), item() or no_grad()",
    ),
    Check(
        "unused parameters",
        _unused,
        1,
        math.inf,
        "autograd",
        "the loss does not depend on {where}",
        "the loss depends on every parameter",
        "for name in {names}: model.get_parameter(name).requires_grad_(False); or mend forward(), "
        "as DDP stops at it",
    ),
    Check(
        "gradient arrives",
        _reached,
        0.25,
        0.0,
        "a dead layer, or a zero in the way, hides the loss from all that lies below",
        "only a share of {number} of the parameters gets a gradient that is not zero",
        "a share of {number} of the parameters gets a gradient that is not zero",
        "firstlight.initialize(model, 'harmonic'); the last layer that gets none stops it",
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
        f"the gradient {word} by a factor of {found.factor:.3g} a weight layer and leaves the "
        f"range of {audit.dtype} {found.leaves} layers from the loss"
    )
    if found.leaves > 10 * found.depth:
        return [Verdict("float range", "ok", message, number=float(found.leaves))]
    level: Level = "failure" if found.leaves <= found.depth else "warning"
    return [
        Verdict(
            "float range",
            level,
            message,
            (found.first,),
            float(found.leaves),
            float(10 * found.depth if level == "warning" else found.depth),
            f"IEEE 754: {audit.dtype}'s smallest normal and largest number",
            f"firstlight.initialize(model, {deep_start(audit)})",
        )
    ]
