"""Checks of what the samples do to the units."""

import math
from collections.abc import Callable, Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.checks.starts import deep_start
from firstlight.auditing.measures import ActivationMeasures
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace

#: Fewer units, and fewer observations of each, say nothing about shares of units ...
_UNITS, _OBSERVATIONS = 16, 16
#: ... but from here on, that all units are dead, or all samples one, says something.
_FEW = 6


def _found(one: ActivationMeasures, value: float, hint: str = "") -> Found:
    return Found(one.place, value, one.parameters, hint)


def _each(
    value: Callable[[ActivationMeasures], float | None],
) -> Callable[[Audit, Trace], Iterator[Found]]:
    def values(audit: Audit, _trace: Trace) -> Iterator[Found]:
        start = deep_start(audit)
        for activation in audit.activations:
            found = value(activation) if activation.finite else None
            if found is not None:
                yield _found(activation, found, start)

    return values


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for activation in audit.activations:
        yield _found(activation, 0.0 if activation.finite else 1.0)


def _size(activation: ActivationMeasures) -> float:
    return math.sqrt(activation.second_moment)


def _dead(activation: ActivationMeasures) -> float | None:
    judged = activation.units >= (_FEW if activation.dead == 1 else _UNITS)
    return activation.dead if judged else None


def _skewed(activation: ActivationMeasures) -> float | None:
    """Return the share of skewed units, of functions that switch a weight's outputs on and off."""
    enough = activation.units >= _UNITS and activation.observations >= _OBSERVATIONS
    switches = activation.saturated is None and bool(activation.weight)
    return activation.skewed_30 if enough and switches else None


def _alike(audit: Audit, _trace: Trace) -> Iterator[Found]:
    """Yield the mean cosine of samples, or the least one behind it: what comes back is not lost."""
    start, least = deep_start(audit, apart=True), math.inf
    found = []
    for activation in reversed(audit.activations):
        if activation.correlation is not None and activation.units >= _FEW:
            least = min(least, activation.correlation)
            found.append(_found(activation, least, start))
    yield from reversed(found)


def _entropies(audit: Audit, trace: Trace) -> Iterator[Found]:
    asking = [
        weight.name
        for weight in audit.weights
        if weight.parameter in trace.facts and trace.facts[weight.parameter].feeds == "attention"
    ]
    for attention in audit.attentions:
        names = tuple(name for name in asking if name.startswith(attention.path))
        yield Found(attention.path, attention.entropy, names)


CHECKS = (
    Check(
        "signals are numbers",
        _finite,
        1,
        1,
        "IEEE 754",
        "at {where} the signal is NaN or infinite: it has left the range of its dtype",
        "every signal is a finite number",
        "firstlight.initialize(model, 'harmonic'{only}); in float16 also look at the inputs' scale",
        in_order=True,
    ),
    Check(
        "exploding signal",
        _each(_size),
        1e3,
        65504,
        "float16 ends at 65504",
        "at {where} the root mean square of the signal is {number}",
        "signals stay small: a root mean square of at most {number}",
        "firstlight.initialize(model, {hint}{only})",
        in_order=True,
    ),
    Check(
        "vanishing signal",
        _each(_size),
        1e-3,
        1e-6,
        "below 1e-3 every smooth activation is linear to six digits",
        "at {where} the root mean square of the signal is {number}",
        "signals stay large: a root mean square of at least {number}",
        "firstlight.initialize(model, {hint}{only})",
        smaller=True,
        in_order=True,
    ),
    Check(
        "dead units",
        _each(_dead),
        0.75,
        0.9,
        "arXiv 1903.06733, dying ReLU; chance alone turns off half where all samples are alike",
        "at {where}, a share of {number} of the units passes no gradient for any sample",
        "at most a share of {number} of any layer's units is dead on this batch",
        "firstlight.initialize(model, 'harmonic'{only}); biases at zero, rows that sum to zero",
    ),
    Check(
        "saturated units",
        _each(lambda a: a.saturated),
        0.5,
        0.8,
        "Glorot and Bengio, AISTATS 2010",
        "at {where}, a share of {number} of the values lies where the activation is flat",
        "at most a share of {number} of the values lies where the activation is flat",
        "firstlight.initialize(model, 'glorot_uniform'{only})",
    ),
    Check(
        "skewed neurons",
        _each(_skewed),
        0.97,
        math.inf,
        "arXiv 2505.12909; independent weights after ReLU have 0.5, AlexNet's classifier 0.96",
        "at {where}, a share of {number} of the units is on, or off, for four samples in five",
        "at most a share of {number} of any layer's units is skewed of degree 0.3",
        "firstlight.initialize(model, 'harmonic'{only}); its rows sum to zero",
    ),
    Check(
        "samples look alike",
        _alike,
        0.999,
        0.9999,
        "arXiv 1611.01232: in the ordered phase all inputs become one; AlexNet's classifier: 0.994",
        "from {where} on two samples have a mean cosine of {number}: the network hardly tells them "
        "apart",
        "samples stay apart: a mean cosine of at most {number}",
        "firstlight.initialize(model, {hint}{only}); norms help, too",
        in_order=True,
    ),
    Check(
        "attention looks at one place",
        _entropies,
        0.1,
        0.01,
        "arXiv 2303.06296, attention entropy collapse",
        "at {where} attention has {number} of the entropy of a uniform one",
        "attention is spread: at least {number} of a uniform one's entropy",
        "firstlight.initialize(model, 'glorot_uniform'{only}); norms before it help, too",
        smaller=True,
    ),
)
