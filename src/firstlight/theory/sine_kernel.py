"""Kernels of wide sine networks with many phases: covariance at the start, and tangent kernel.

Phases of the first layer are taken as uniform, so both depend on differences of places alone.
"""

import math
from dataclasses import dataclass

import numpy as np

from firstlight.errors import OptionError, check_choice, not_negative, positive
from firstlight.theory._arguments import whole
from firstlight.theory.sine import SIREN_SCALE

#: A_l and D_l of every sine layer.
Moments = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class SineKernel:
    """Kernels of x -> w . sin(W_l ... sin(omega_0 W_1 x + b_1) ...), frequencies part of W.

        covariance:  A_1 = C(delta) / 2,  A_l = exp(-K_l(0)) sinh K_l
        slopes:      D_1 = C(delta) / 2,  D_l = exp(-K_l(0)) cosh K_l
        K_l = (alpha c_w)^2 / 3 A_{l-1} + c_b^2
        C(delta) = prod_i sinc(kappa delta_i), or exp(-kappa^2 |delta|^2 / 6) for normal draws
        kappa = omega_0 alpha / d
        last weights w: of variance c_w^2 / (3 width omega^2), without alpha

    Attributes:
        layers: number of sine layers, 1 or more.
        inputs: d, number of coordinates.
        width: neurons of a layer: how much biases and the layers count.
        omega_0: factor of the first layer.
        omega: factor of the others: what the last layer's weights are divided by.
        alpha: weight scale of every sine layer.
        weight_scale: c_w, of the last layer, too; sqrt 6 is SIREN, sqrt 3 gradient control.
        bias_scale: c_b, standard deviation of the later biases, in radians.
        distribution: "uniform" or "normal" first weights.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> kernel = SineKernel(layers=4, inputs=2, alpha=1.5)
        >>> near, far = kernel.tangent(np.array([[0.0, 0.0], [0.2, 0.0]]))
        >>> float(near), bool(abs(far) < 0.3)
        (1.0, True)

    Reference: arXiv 2410.04779; arXiv 2006.09661; tangent kernel: arXiv 1806.07572.
    """

    layers: int
    inputs: int
    width: int = 256
    omega_0: float = 30.0
    omega: float = 30.0
    alpha: float = 1.0
    weight_scale: float = SIREN_SCALE
    bias_scale: float = 0.0
    distribution: str = "uniform"

    def __post_init__(self) -> None:
        for name in ("layers", "inputs", "width"):
            whole(getattr(self, name), name)
        for name in ("omega_0", "omega", "alpha", "weight_scale"):
            positive(getattr(self, name), name)
        not_negative(self.bias_scale, "bias_scale")
        check_choice(self.distribution, ("uniform", "normal"), "distribution")

    def covariance(self, differences: np.ndarray) -> np.ndarray:
        """Covariance of the initial function's values at places that differ by this.

            c_w^2 / (3 omega^2) A_l,  l the last sine layer

        Args:
            differences: shape (..., inputs).

        Returns:
            Shape (...).
        """
        return self._covariance(self._moments(self._places(differences)))

    def tangent(self, differences: np.ndarray) -> np.ndarray:
        """Kernel that Adam follows at the start, 1 at difference 0.

            sum over weight layers of sqrt(P_l Theta_l(0)) Theta_l(delta) / Theta_l(0), normalised

        Theta_l is the part of layer l, of P_l weights, in the tangent kernel. Adam gives all
        weights steps of one size, so a layer counts by the root of its part, not by the part.

        Args:
            differences: shape (..., inputs).

        Returns:
            Shape (...).
        """
        return self._tangent(self._moments(self._places(differences)))

    def both(self, differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Covariance and tangent kernel, faster than one after the other.

        Args:
            differences: shape (..., inputs).

        Returns:
            Two arrays of the shape (...).
        """
        moments = self._moments(self._places(differences))
        return self._covariance(moments), self._tangent(moments)

    def _covariance(self, moments: Moments) -> np.ndarray:
        return 2 / self.omega**2 * self._last * moments[-1][0]

    def _tangent(self, moments: Moments) -> np.ndarray:
        origin, gain = self._moments(np.zeros((1, self.inputs))), self._gain
        parts = zip(self._parts(moments, gain), self._parts(origin, gain), strict=True)
        deepest = self.layers - 1 if gain > 1 else 0
        total, weights = np.zeros(moments[0][0].shape), 0.0
        for number, ((part, count), (at_origin, _)) in enumerate(parts):
            own, behind = float(at_origin[0]), max(number - 1, 0)
            # gain^behind over its largest: float64 does not hold that of 200 layers
            weight = math.sqrt(count * own) * gain ** ((behind - deepest) / 2)
            total += weight * (part / own)
            weights += weight
        return total / weights

    def _places(self, differences: np.ndarray) -> np.ndarray:
        places = np.asarray(differences, dtype=np.float64)
        if places.ndim < 1 or places.shape[-1] != self.inputs:
            raise OptionError(
                f"differences must have the shape (..., {self.inputs}), got {places.shape}"
            )
        return places

    def _first(self, places: np.ndarray) -> np.ndarray:
        kappa = self.omega_0 * self.alpha / self.inputs
        if self.distribution == "normal":
            return np.exp(-(kappa**2) / 6 * np.square(places).sum(-1))
        return np.sinc(kappa / np.pi * places).prod(-1)

    def _moments(self, places: np.ndarray) -> Moments:
        """A_l and D_l of every sine layer."""
        first = self._first(places) / 2
        moments, own = [(first, first)], 0.5
        gain, shift = self._gain, self.bias_scale**2
        for _ in range(1, self.layers):
            inner, at_origin = gain * moments[-1][0] + shift, gain * own + shift
            # exp(-s) sinh K and exp(-s) cosh K, of full precision at small K and finite at large
            half, down = np.exp(np.abs(inner) - at_origin) / 2, np.expm1(-2 * np.abs(inner))
            moments.append((np.copysign(half * down, inner), half * (2 + down)))
            own = -math.expm1(-2 * at_origin) / 2
        return moments

    @property
    def _gain(self) -> float:
        return (self.alpha * self.weight_scale) ** 2 / 3

    @property
    def _last(self) -> float:
        """Variance of the last weights in units of SIREN's, which is 2 / (width omega^2)."""
        return (self.weight_scale / SIREN_SCALE) ** 2

    def _parts(self, moments: Moments, unit: float = 1.0) -> list[tuple[np.ndarray, float]]:
        """Each weight layer's part of the tangent kernel, the last one's first, and its weights.

        A part is divided by ``unit`` for every gain in it.
        In units of 2 width, which is width^2 omega^2 times the variance of SIREN's last weights.
        """
        # a layer's weights act through its frequency factor; the last layer's do not: 1/2
        parts = [((moments[-1][0] + 1 / self.width) / 2, float(self.width))]
        behind = np.full(moments[0][0].shape, self._last)  # from the output back to this layer
        for number in range(self.layers - 1, 0, -1):
            behind = behind * moments[number][1]
            parts.append(((moments[number - 1][0] + 1 / self.width) * behind, self.width**2))
            behind = behind * (self._gain / unit)
        # the mean square of a coordinate in [-1, 1] is 1/3; a bias counts as one more input
        seen = (self.inputs / 3 + 1) / self.width * (self.omega_0 / self.omega) ** 2
        parts.append((seen * behind * moments[0][1], float(self.width * (self.inputs + 1))))
        return parts
