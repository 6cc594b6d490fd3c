"""Checks of what the samples do to the units."""

import math
from collections.abc import Callable, Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.measures import ActivationMeasures
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace


def _each(
    value: Callable[[ActivationMeasures], float | None],
) -> Callable[[Audit, Trace], Iterator[Found]]:
    def values(audit: Audit, _trace: Trace) -> Iterator[Found]:
        for activation in audit.activations:
            found = value(activation) if activation.finite else None
            if found is not None:
                yield activation.path or activation.activation, found

    return values


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for activation in audit.activations:
        yield activation.path or activation.activation, 0.0 if activation.finite else 1.0


def _size(activation: ActivationMeasures) -> float:
    return math.sqrt(activation.second_moment)


def _entropies(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for attention in audit.attentions:
        yield attention.path, attention.entropy


def _sizes(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for one in audit.inputs:
        if one.finite:
            yield one.name, math.hypot(one.mean, one.std)


def _spread(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for norm in audit.norms:
        yield norm.path, max(norm.spread, 1 / norm.spread) if norm.spread else math.inf


def _shift(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for norm in audit.norms:
        yield norm.path, norm.shift


_STALE = "arXiv 1502.03167: evaluation needs statistics of the data that the network sees"
_STALE_ADVICE = "model.train(), or run some batches in training mode before model.eval()"
_AUTO = "firstlight.initialize(model, example=batch)"

CHECKS = (
    Check(
        "signals are numbers",
        _finite,
        1,
        1,
        "IEEE 754",
        "at {where} the signal is NaN or infinite: it has left the range of its dtype",
        "every signal is a finite number",
        f"{_AUTO}; in float16 or bfloat16 also look at the inputs' scale",
    ),
    Check(
        "input scale",
        _sizes,
        10,
        math.inf,
        "LeCun et al., Efficient BackProp, 1998: inputs near mean 0 and variance 1",
        "{where} has a root mean square of {number}",
        "inputs have a root mean square of at most {number}",
        "bring the inputs to mean 0 and standard deviation 1, pixels by (x / 255 - mean) / std",
    ),
    Check(
        "exploding signal",
        _each(_size),
        1e3,
        65504,
        "float16 ends at 65504",
        "at {where} the root mean square of the signal is {number}",
        "signals stay small: a root mean square of at most {number}",
        _AUTO,
    ),
    Check(
        "vanishing signal",
        _each(_size),
        1e-3,
        1e-6,
        "below 1e-3 every smooth activation is linear to six digits",
        "at {where} the root mean square of the signal is {number}",
        "signals stay large: a root mean square of at least {number}",
        f"{_AUTO}, or 'harmonic' with the activation's gain",
        smaller=True,
    ),
    Check(
        "dead units",
        _each(lambda a: a.dead),
        0.5,
        0.9,
        "arXiv 1903.06733, dying ReLU",
        "at {where}, a share of {number} of the units passes no gradient for any sample",
        "at most a share of {number} of any layer's units is dead on this batch",
        "set the bias before it to zero: firstlight.initialize(model)",
    ),
    Check(
        "saturated units",
        _each(lambda a: a.saturated),
        0.5,
        0.8,
        "Glorot and Bengio, AISTATS 2010",
        "at {where}, a share of {number} of the values lies where the activation is flat",
        "at most a share of {number} of the values lies where the activation is flat",
        "firstlight.initialize(model, 'xavier_uniform'), or 'diagonal_plus_noise' if it is deep",
    ),
    Check(
        "skewed neurons",
        # behind a sum of branches that are all positive, as in a ResNet, every unit is on
        _each(lambda a: a.skewed_30 if a.weight else None),
        0.9,
        math.inf,
        "arXiv 2505.12909; independent weights after ReLU have 0.5",
        "at {where}, a share of {number} of the units is on, or off, for four samples in five",
        "at most a share of {number} of any layer's units is skewed of degree 0.3",
        "firstlight.initialize(model, 'harmonic'): its rows sum to zero",
    ),
    Check(
        "samples look alike",
        _each(lambda a: a.correlation),
        0.99,
        0.9999,
        "arXiv 1611.01232: in the ordered phase all inputs become one",
        "at {where} two samples have a mean cosine of {number}: the network hardly tells them apart",
        "samples stay apart: a mean cosine of at most {number}",
        "firstlight.initialize(model, 'harmonic'), or 'edge_of_chaos' for tanh; norms help, too",
    ),
    Check(
        "attention looks at one place",
        _entropies,
        0.1,
        0.01,
        "arXiv 2303.06296, attention entropy collapse",
        "at {where} attention has {number} of the entropy of a uniform one",
        "attention is spread: at least {number} of a uniform one's entropy",
        "firstlight.initialize(model), which scales queries and keys by their fan",
        smaller=True,
    ),
    Check(
        "stale variance",
        _spread,
        4,
        10,
        _STALE,
        "{where} is in evaluation mode, and its running variance is off by a factor of {number}",
        "running variances are right within a factor of {number}",
        _STALE_ADVICE,
    ),
    Check(
        "stale mean",
        _shift,
        1,
        3,
        _STALE,
        "{where} is in evaluation mode, and its running mean is {number} standard deviations off",
        "running means are right within {number} standard deviations",
        _STALE_ADVICE,
    ),
)
