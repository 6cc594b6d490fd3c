"""What a rule may ask of a weight: what it is, and the network that it stands in."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from firstlight.model.odd_sigmoid import is_odd_sigmoid
from firstlight.model.trace import Activation, Facts, Trace
from firstlight.model.views import WeightView


@dataclass(frozen=True, eq=False)
class Setting:
    """A weight in its network.

    Attributes:
        view: the weight.
        facts: what the trace says of it; None where nothing was learnt.
        trace: the network.
        zero_branches: tells whether weights at the ends of residual branches are zero.
    """

    view: WeightView
    facts: Facts | None
    trace: Trace
    zero_branches: Callable[[], bool] = lambda: False

    @property
    def _near(self) -> list[Activation]:
        """The activations that the weight stands between."""
        if self.facts is None or self.facts.reads == "features":
            return []
        return [a for a in (self.facts.after, self.facts.before) if a is not None]

    @cached_property
    def omega(self) -> float | None:
        """Frequency factor of a sine network sin(omega (W x + b)); None outside of one."""
        if not self._near or any(a is None for a in map(frequency, self._near)):
            return None
        return frequency(self._near[0])

    @cached_property
    def odd_sigmoid(self) -> str | Callable[[Tensor], Tensor] | None:
        """The odd sigmoid, such as tanh, of a plain network that this weight stands in."""
        if not self._in_plain_mlp or not self._near:
            return None
        return self._near[0].named if all(map(is_odd_sigmoid, self._near)) else None

    @property
    def _in_plain_mlp(self) -> bool:
        return self.trace.plain and not self.trace.convolves and self.view.kind == "linear"

    @property
    def in_lstm(self) -> bool:
        """Whether it is a weight of an LSTM, but for its projection."""
        lstm = isinstance(self.view.slot.module, (nn.LSTM, nn.LSTMCell))
        return lstm and self.view.kind in ("recurrent", "recurrent input")

    def in_plain_mlp(self, *names: str) -> bool:
        """Return whether it stands between these activations, in Linear after Linear."""
        near = {a.name for a in self._near}
        return self._in_plain_mlp and bool(near) and near <= {*names}

    def in_residual_mlp(self, *names: str) -> bool:
        """Return whether it is a Linear of a network of branches with these activations alone."""
        used = {a.name for a in self.trace.activations.values()}
        others = self.trace.normalised or self.trace.attends or self.trace.convolves
        linear = self.trace.residual and not others and self.view.kind == "linear"
        return linear and bool(used) and used <= {*names}

    @property
    def vision_transformer(self) -> bool:
        """Whether it is a Linear, attention or patch weight of a transformer that reads images."""
        kinds = ("linear", "attention", "attention q", "attention k", "attention v")
        patches = self.view.kind == "conv" and self.facts is not None and self.facts.reads == "data"
        transformer = self.trace.attends and self.trace.convolves and self.trace.normalised
        few = self.trace.convolutions == 1
        return transformer and few and (self.view.kind in kinds or patches)


def frequency(activation: Activation) -> float | None:
    """Return omega of an activation sin(omega x), and None of any other.

    Measured: the slope at 0, and the values against that sine's.
    """
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
