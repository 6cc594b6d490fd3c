"""The options of one training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from firstlight.errors import OptionError, check_choice, positive, whole_number
from firstlight.physics.activations import check_activation
from firstlight.physics.deepxde import PRECISIONS

_WHOLE = {
    "depth": (1, 100_000),
    "width": (1, 100_000),
    "seed": (0, 2**31 - 1),
    "adam_steps": (0, 10**9),
    "lbfgs_steps": (0, 10**9),
    "every": (1, 10**9),
}


@dataclass(frozen=True)
class PinnSpec:
    """What a network is and how it is trained.

    Attributes:
        scheme: of its start: a name in ``firstlight.init.SCHEMES`` with its options, or DeepXDE's.
        depth: hidden layers, each followed by the activation; the output layer comes on top.
        width: of each hidden layer.
        activation: DeepXDE's (tanh, sin, sigmoid, silu, elu, gelu, selu, relu), or a smooth one of
            ``firstlight.theory``, such as erf, with a factor on its input or none: tanh(2x).
        seed: of the weights and the points.
        learning_rate: of Adam.
        adam_steps: of Adam, first.
        lbfgs_steps: iterations of L-BFGS, after it.
        seconds: of training after which it ends anyway; None: no limit.
        precision: float32 or float64.
        points: "small", "published", or a number of points in the domain.
        every: steps between two looks at loss and error.

    Raises:
        OptionError: a value is out of range.

    Example:
        >>> PinnSpec(depth=3, width=20).depth
        3
    """

    scheme: str = "diagonal_plus_noise"
    depth: int = 30
    width: int = 16
    activation: str = "tanh"
    seed: int = 0
    learning_rate: float = 1e-3
    adam_steps: int = 300
    lbfgs_steps: int = 1000
    seconds: float | None = None
    precision: str = "float32"
    points: str | int = "small"
    every: int = 50

    def __post_init__(self) -> None:
        for name, (least, most) in _WHOLE.items():
            whole_number(getattr(self, name), name, least, most)
        if self.adam_steps + self.lbfgs_steps == 0:
            raise OptionError("adam_steps and lbfgs_steps are both 0: there is nothing to train")
        positive(self.learning_rate, "learning_rate")
        if self.seconds is not None:
            positive(self.seconds, "seconds")
        check_activation(self.activation)
        check_choice(self.precision, PRECISIONS, "precision")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "PinnSpec":
        """Make one of options by name.

        Raises:
            OptionError: an unknown name, or a value out of range.
        """
        known = [each.name for each in fields(cls)]
        for name in options:
            if name not in known:
                raise OptionError(f"a training has no option {name!r}; it has {', '.join(known)}")
        return cls(**options)

    def as_dict(self) -> dict[str, Any]:
        """All options by name."""
        return asdict(self)
