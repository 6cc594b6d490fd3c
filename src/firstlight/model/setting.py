"""What a rule may ask of a weight: what it is, and the network that it stands in."""

import math
from dataclasses import dataclass
from functools import cached_property

from firstlight import theory
from firstlight.errors import FirstlightError
from firstlight.model.trace import Activation, Facts, Trace
from firstlight.model.views import WeightView


@dataclass(frozen=True, eq=False)
class Setting:
    """A weight in its network.

    Attributes:
        view: the weight.
        facts: what the trace says of it; None where nothing was learnt.
        trace: the network.
    """

    view: WeightView
    facts: Facts | None
    trace: Trace

    @cached_property
    def omega(self) -> float | None:
        """Frequency factor of a sine network sin(omega (W x + b)); None outside of one."""
        if self.facts is None:
            return None
        if self.facts.after is not None:
            return frequency(self.facts.after)
        # the last layer of one; what reads a sine of the data alone stands behind fixed features
        before = self.facts.before if self.facts.reads == "activation" else None
        return frequency(before) if before is not None else None

    @cached_property
    def odd_sigmoid(self) -> Activation | None:
        """The odd sigmoid, such as tanh, that this weight of a plain network stands at."""
        if self.facts is None or self.trace.normalised or self.trace.residual:
            return None
        near = [a for a in (self.facts.after, self.facts.before) if a is not None]
        return near[0] if near and all(map(is_odd_sigmoid, near)) else None

    @property
    def gain(self) -> float:
        """Gain, for zero-sum rows, that the activation before the weight asks for; 1 without."""
        before = self.facts.before if self.facts else None
        return (before.gain(zero_sum=True) if before else None) or 1.0


def frequency(activation: Activation) -> float | None:
    """Return omega of an activation sin(omega x), and None of any other.

    Measured: the slope at 0, and the values against that sine's.
    """
    import torch

    if activation.function is None:
        return None
    x = torch.linspace(-2, 2, 81, dtype=torch.float64, device="cpu")
    step = torch.tensor([1e-6], dtype=torch.float64, device="cpu")
    with torch.no_grad():
        omega = float(activation.function(step.clone())) / 1e-6
        if not 0.01 < omega < 1e6:
            return None
        same = torch.allclose(activation.function(x.clone()), torch.sin(omega * x), atol=1e-3)
    rounded = round(omega, 6)
    return rounded if same and math.isfinite(omega) else None


def is_odd_sigmoid(activation: Activation) -> bool:
    """Return whether an activation is odd, bounded, rising and steepest at 0, like tanh."""
    import torch

    if activation.function is None:
        return False
    x = torch.linspace(0, 20, 401, dtype=torch.float64, device="cpu")
    try:
        theory.critical_gain(activation.function)
        with torch.no_grad():
            y = activation.function(x.clone())
    except (FirstlightError, RuntimeError, TypeError):
        return False
    rise = y.diff()
    bounded = float(y[-1] - y[-101]) < 0.1 * float(y[-1])
    return bool((rise >= 0).all()) and bool((rise.diff() <= 1e-9).all()) and bounded
