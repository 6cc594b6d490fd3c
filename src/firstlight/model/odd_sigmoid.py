"""Which odd sigmoid a weight's scheme is told where the user names none."""

from firstlight import theory
from firstlight.errors import OptionError
from firstlight.model.trace import Activation, Facts, Trace

#: What a weight reads and feeds where no activation stands beside it.
_NO_ACTIVATION = ("data", "weight", "sum", "residual", "head")


def is_odd_sigmoid(activation: Activation) -> bool:
    """Return whether an activation is of tanh's class; see ``theory.check_odd_sigmoid``."""
    return not _why_not(activation)


def odd_sigmoid_at(facts: Facts | None, trace: Trace) -> theory.Activation:
    """Return the odd sigmoid whose slope at 0 a weight has to make up for.

    It is the one that follows the weight. Where none follows, as on the output layer, it is the
    one before it, since the paper has one for the whole network; and where there is none on either
    side, as beside a residual stream, the network's, if it has just one.

    Args:
        facts: what the trace says of the weight; None where nothing was learnt.
        trace: the network.

    Raises:
        OptionError: the activation is no odd sigmoid, or none was found.
    """
    if facts is None:
        how = trace.how if trace.graph is None else "no way of the data through it was found"
        raise OptionError(f"needs the option 'activation' here: {how}")
    near = [each for each in (facts.after, facts.before) if each is not None]
    if facts.feeds == "head" and near and not is_odd_sigmoid(near[0]):
        near.reverse()  # a sigmoid or the like on the output is no business of the weight's
    if near:
        why = _why_not(near[0])
        if why:
            raise OptionError(f"needs the option 'activation' here: {near[0].name} is {why}")
        return near[0].named
    only = {each.name: each for each in trace.activations.values() if is_odd_sigmoid(each)}
    if facts.reads in _NO_ACTIVATION and facts.feeds in _NO_ACTIVATION and len(only) == 1:
        return next(iter(only.values())).named
    raise OptionError("needs the option 'activation' here: none follows this weight")


def _why_not(activation: Activation) -> str:
    """Return why an activation is no odd sigmoid, or ""."""
    if activation.function is None:
        return "nothing that can be evaluated on numbers"
    try:
        found = theory.check_odd_sigmoid(activation.named)
    except (OptionError, RuntimeError, TypeError) as error:
        return f"nothing that can be checked ({' '.join(str(error).split())})"
    return "" if found.member else f"no odd sigmoid: {found.why_not}"
