"""Starts that an advice names, by the network's activation."""

from collections import Counter

from firstlight import theory
from firstlight.auditing.result import Audit
from firstlight.errors import FirstlightError

#: Their mean outweighs their variance: only rows that sum to zero, which take the mean away, can
#: have the gain that passes on what is left.
_CENTRED = ("sigmoid", "hardsigmoid")


def deep_start(audit: Audit, *, apart: bool = False) -> str:
    """Return the scheme and gain at which gradients keep their size, as ``initialize`` takes them.

    Orthogonal matrices at gain 1 over the slope at 0 for tanh and its kin, at He's gain for others:
    results/deep-tanh-100 and results/plain-deep-adamw.

    Args:
        audit: of the network.
        apart: whether samples that look alike matter more: then rows that sum to zero take away the
            mean that ReLU and its kin give to all of them.
    """
    names = Counter(one.activation for one in audit.activations if one.weight)
    name = names.most_common(1)[0][0] if names else ""
    if name in _CENTRED:
        return f"'harmonic', gain={name!r}"
    if name not in theory.ACTIVATIONS:
        return "'orthogonal'"
    try:
        gain = theory.critical_gain(name)
    except FirstlightError:  # no odd sigmoid
        return f"'harmonic', gain={name!r}" if apart else f"'orthogonal', gain={name!r}"
    return "'orthogonal'" if gain == 1 else f"'orthogonal', gain={gain:.4g}"
