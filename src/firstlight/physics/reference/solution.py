"""A reference solution on a grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstlight.errors import OptionError

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Solution:
    """Values on the grid that some axes span.

    Attributes:
        axes: coordinates along each axis, in the order of the network's inputs.
        values: of shape (len(axes[0]), len(axes[1]), ...).

    Raises:
        OptionError: the shapes do not fit, or a value is not finite.

    Example:
        >>> import numpy as np
        >>> Solution.of(lambda x: x[:, 0] * x[:, 1], [np.arange(3.0), np.arange(2.0)]).values
        array([[0., 0.],
               [0., 1.],
               [0., 2.]])
    """

    axes: tuple[Array, ...]
    values: Array

    def __post_init__(self) -> None:
        shape = tuple(len(axis) for axis in self.axes)
        if self.values.shape != shape:
            raise OptionError(
                f"a reference solution must have values of shape {shape}, one for each grid point; "
                f"got {self.values.shape}"
            )
        if not np.isfinite(self.values).all():
            raise OptionError("a reference solution must be finite at every grid point")

    @classmethod
    def of(cls, function: Callable[[Array], Array], axes: Sequence[Array]) -> "Solution":
        """Evaluate a closed form, which takes points (n, d) and returns (n,), on a grid."""
        axes = tuple(np.asarray(axis, dtype=np.float64) for axis in axes)
        shape = tuple(len(axis) for axis in axes)
        values = np.asarray(function(_points(axes)), dtype=np.float64)
        return cls(axes, values.reshape(shape))

    @property
    def points(self) -> Array:
        """All grid points, (n, d); the last axis runs fastest."""
        return _points(self.axes)

    def error(self, values: Array) -> float:
        """Relative L2 error of values at ``points``: |values - reference| / |reference|.

        Example:
            >>> import numpy as np
            >>> exact = Solution((np.arange(2.0),), np.array([3.0, 4.0]))
            >>> exact.error(np.array([3.0, 4.5]))
            0.1
        """
        flat = self.values.reshape(-1)
        difference = np.asarray(values, dtype=np.float64).reshape(-1) - flat
        return float(np.linalg.norm(difference) / np.linalg.norm(flat))


def _points(axes: Sequence[Array]) -> Array:
    return np.stack([each.reshape(-1) for each in np.meshgrid(*axes, indexing="ij")], axis=1)
