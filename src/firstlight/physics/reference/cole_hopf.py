"""Burgers' equation in closed form: Cole and Hopf turn it into the heat equation."""

import math

import numpy as np

from firstlight.physics.reference.solution import Array

#: Points where exp(-y^2) has no digits left are not needed; so many are enough at nu = 0.01/pi.
_NODES = 200


def cole_hopf(points: Array, viscosity: float, nodes: int = _NODES) -> Array:
    """Solve u_t + u u_x = nu u_xx from u(x, 0) = -sin(pi x), periodic.

        u(x, t) = -int sin(pi(x - eta)) g deta / int g deta,
        g = exp(-cos(pi(x - eta)) / (2 pi nu) - eta^2 / (4 nu t))

    With eta = sqrt(4 nu t) z both integrals are Gauss-Hermite quadratures; the exponent's maximum
    is taken out, for 1 / (2 pi nu) is 50 at the usual viscosity.

    Args:
        points: (n, 2), columns x and t >= 0.
        viscosity: nu, above 0.
        nodes: of the quadrature.

    Returns:
        (n,) values.

    Example:
        >>> import numpy as np
        >>> from firstlight.physics.reference.cole_hopf import cole_hopf
        >>> cole_hopf(np.array([[0.5, 0.0], [0.3, 0.7]]), 0.01 / np.pi).round(6).tolist()
        [-1.0, -0.665456]

    Reference: Basdevant et al., Computers and Fluids 14 (1986) 23-41.
    """
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    x, t = points[:, 0], points[:, 1]
    places = x[:, None] - np.sqrt(4 * viscosity * t)[:, None] * z
    exponent = -np.cos(math.pi * places) / (2 * math.pi * viscosity)
    g = np.exp(exponent - exponent.max(axis=1, keepdims=True)) * weights
    return -(np.sin(math.pi * places) * g).sum(axis=1) / g.sum(axis=1)
