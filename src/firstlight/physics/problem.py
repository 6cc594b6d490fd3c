"""A differential equation with its conditions, its training points and its reference solution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.physics.deepxde import deepxde
from firstlight.physics.points import Points
from firstlight.physics.reference.solution import Solution

#: What the points are called that a problem can be trained on.
SIZES = ("small", "published")


@dataclass(frozen=True, eq=False)
class Problem:
    """What a physics-informed network solves, for DeepXDE.

    A network u(x) minimises the weighted sum of mean squared residuals: of the equation at points
    of the domain, and of each soft condition at its own points. A hard condition is built into
    the network's output and has no residual.

    Attributes:
        name: as on the command line.
        equation: in one line.
        coordinates: names of the inputs, time last.
        geometry: from DeepXDE's module to one of its geometries.
        residual: of the equation, from DeepXDE's module, inputs (n, d) and outputs (n, 1).
        conditions: from DeepXDE's module and the geometry to a list of its conditions.
        terms: names of the loss terms: the equation, then each condition.
        reference: makes the reference solution.
        published: points of the source.
        small: points that a laptop can do in minutes.
        source: where the setting comes from, and what was chosen here.
        weights: of the loss terms; empty: 1 each.
        features: what the network sees in place of the coordinates.
        inputs: how many features there are; None: as many as coordinates.
        transform: from inputs and the network's output to u, for hard conditions.
        hard: names of the conditions that ``transform`` and ``features`` build in.

    Raises:
        OptionError: the parts do not fit.

    Example:
        >>> from firstlight.physics.problems import find_problem
        >>> burgers = find_problem("burgers")
        >>> burgers.equation, burgers.terms
        ('u_t + u u_x = (0.01/pi) u_xx', ('equation', 'boundary', 'initial'))

    Reference: Raissi, Perdikaris and Karniadakis, arXiv 1711.10561; Lu et al., arXiv 1907.04502.
    """

    name: str
    equation: str
    coordinates: tuple[str, ...]
    geometry: Callable[[Any], Any]
    residual: Callable[[Any, Tensor, Tensor], Tensor]
    conditions: Callable[[Any, Any], list[Any]]
    terms: tuple[str, ...]
    reference: Callable[[], Solution]
    published: Points
    small: Points
    source: str
    weights: tuple[float, ...] = ()
    features: Callable[[Tensor], Tensor] | None = None
    inputs: int | None = None
    transform: Callable[[Tensor, Tensor], Tensor] | None = None
    hard: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.terms):
            raise OptionError(
                f"problem {self.name}: expected {len(self.terms)} weights, one for each of "
                f"{', '.join(self.terms)}; got {len(self.weights)}"
            )
        if self.features is not None and self.inputs is None:
            raise OptionError(f"problem {self.name}: features need inputs, their number")

    @property
    def network_inputs(self) -> int:
        """Inputs of the network's first layer."""
        return len(self.coordinates) if self.inputs is None else self.inputs

    @property
    def loss_weights(self) -> tuple[float, ...]:
        """Of each loss term."""
        return self.weights or (1.0,) * len(self.terms)

    def sized(self, size: str | int) -> Points:
        """Points by name, "small" or "published", or so many in the domain in proportion.

        Raises:
            OptionError: neither.
        """
        if isinstance(size, int) and not isinstance(size, bool):
            return self.published.scaled(size)
        if size not in SIZES:
            raise OptionError(
                f"points must be {', '.join(SIZES)} or a whole number above 0, got {size!r}"
            )
        return self.small if size == "small" else self.published

    def data(self, points: Points, seed: int) -> Any:
        """Draw the training points; the same for every network of one seed.

        Inside they are Hammersley's, as DeepXDE's usually are; times of boundary points and the
        like are drawn. Call it within ``arithmetic``, which says what numbers they are.

        Raises:
            OptionError: the conditions are no list, or not as many as ``terms`` says.
        """
        dde = deepxde()
        geometry = self.geometry(dde)
        conditions = self.conditions(dde, geometry)
        if not isinstance(conditions, (list, tuple)):
            raise OptionError(
                f"problem {self.name}: conditions must give a list of DeepXDE's conditions, got "
                f"{type(conditions).__name__}"
            )
        if len(conditions) + 1 != len(self.terms):
            raise OptionError(
                f"problem {self.name}: expected {len(self.terms)} conditions and equation "
                f"({', '.join(self.terms)}), got {len(conditions) + 1}"
            )

        def residual(x: Tensor, y: Tensor) -> Tensor:
            return self.residual(dde, x, y)

        drawn = {"num_domain": points.domain, "num_boundary": points.boundary}
        kind = dde.data.PDE
        if hasattr(geometry, "timedomain"):
            kind, drawn = dde.data.TimePDE, {**drawn, "num_initial": points.initial}
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            return kind(geometry, residual, conditions, **drawn)
        finally:
            np.random.set_state(before)


def box(low: Sequence[float], high: Sequence[float], dde: Any) -> Any:
    """An interval, or a rectangle.

    Example:
        >>> from firstlight.physics.deepxde import deepxde
        >>> box([0.0], [1.0], deepxde()).dim
        1
    """
    if len(low) == 1:
        return dde.geometry.Interval(low[0], high[0])
    return dde.geometry.Rectangle(list(low), list(high))


def in_time(space: Any, last: float, dde: Any) -> Any:
    """A domain from time 0 to ``last``."""
    return dde.geometry.GeometryXTime(space, dde.geometry.TimeDomain(0, last))


def everywhere(_: Any, on: bool) -> bool:
    """DeepXDE's way to say: all points of the boundary, or of the first time."""
    return bool(on)
