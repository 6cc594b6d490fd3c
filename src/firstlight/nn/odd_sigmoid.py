"""The odd-sigmoid activations of arXiv 2509.23085 as modules, with a scale on their input.

    f(scale x),  omega = 1 / (scale f'(0))

f is odd, bounded, smooth and increasing, with f' falling on x > 0. All can be differentiated twice,
as PDE residuals ask for; the formulas are those of ``firstlight.theory.ACTIVATIONS``.
"""

from typing import ClassVar

from torch import Tensor, nn

from firstlight.errors import OptionError, positive
from firstlight.theory.activations import ACTIVATIONS, scaled_name
from firstlight.theory.odd_sigmoid_class import ODD_SIGMOIDS


class OddSigmoid(nn.Module):
    """What the six activations share: f(scale x), elementwise; the scale is not trained.

    Args:
        scale: factor on the input, above 0.

    Raises:
        OptionError: the scale is not above 0; on a call, the input is not a real floating tensor.

    Example:
        >>> import torch
        >>> from firstlight.nn import Tanh
        >>> f = Tanh(scale=2)
        >>> f, f.omega, bool(f(torch.tensor(0.5)) == torch.tanh(torch.tensor(1.0)))
        (Tanh(scale=2.0), 0.5, True)

    Reference: arXiv 2509.23085.
    """

    #: Its name in ``firstlight.theory.ACTIVATIONS``.
    formula: ClassVar[str] = ""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        if self.formula not in ODD_SIGMOIDS:
            names = "Tanh, Erf, Arctan, Softsign, Algebraic or Gudermannian"
            raise OptionError(f"{type(self).__name__} has no formula of its own; take {names}")
        self.scale = positive(scale, "scale")

    @property
    def closed_form(self) -> str:
        """Its name with the scale, as ``firstlight.theory`` takes it: "tanh(2x)".

        "" for a subclass that computes something else.
        """
        own = type(self).forward is OddSigmoid.forward
        return scaled_name(self.formula, self.scale) if own else ""

    @property
    def omega(self) -> float:
        """Critical gain 1 / (scale f'(0)), what ``diagonal_plus_noise_`` puts on the diagonal."""
        return ODD_SIGMOIDS[self.formula] / self.scale

    def forward(self, x: Tensor) -> Tensor:
        """Map a real floating tensor of any shape, element by element."""
        if isinstance(x, Tensor) and not x.is_floating_point():  # torch.fx passes a stand-in
            raise OptionError(
                f"{type(self).__name__} expected a real floating-point tensor, got {x.dtype}; "
                "convert it first"
            )
        return ACTIVATIONS[self.formula](x if self.scale == 1 else self.scale * x)

    def extra_repr(self) -> str:
        """Show the scale, unless it is 1."""
        return "" if self.scale == 1 else f"scale={self.scale!r}"


class Tanh(OddSigmoid):
    """tanh(scale x); omega = 1 / scale.

    Example:
        >>> import torch
        >>> Tanh()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.4621])
    """

    formula = "tanh"


class Erf(OddSigmoid):
    """erf(scale x), Gauss's error function; omega = sqrt(pi) / (2 scale).

    Example:
        >>> import torch
        >>> Erf()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.5205])
    """

    formula = "erf"


class Arctan(OddSigmoid):
    """(2 / pi) arctan(pi scale x / 2), between -1 and 1; omega = 1 / scale.

    Example:
        >>> import torch
        >>> Arctan()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.4238])
    """

    formula = "arctan"


class Softsign(OddSigmoid):
    """x' / (1 + |x'|) with x' = scale x; omega = 1 / scale. Its f'' jumps at 0.

    Example:
        >>> import torch
        >>> Softsign()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.3333])
    """

    formula = "softsign"


class Algebraic(OddSigmoid):
    """x' / sqrt(1 + x'^2) with x' = scale x; omega = 1 / scale.

    Example:
        >>> import torch
        >>> Algebraic()(torch.tensor([0.0, 0.75]))
        tensor([0.0000, 0.6000])
    """

    formula = "algebraic"


class Gudermannian(OddSigmoid):
    """2 arctan(tanh(scale x / 2)), between -pi / 2 and pi / 2; omega = 1 / scale.

    Example:
        >>> import torch
        >>> Gudermannian()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.4804])
    """

    formula = "gudermannian"
