"""The diagonal and the noise that an odd sigmoid asks for (arXiv 2509.23085)."""

from torch import Tensor

from firstlight import theory
from firstlight.errors import OptionError, not_negative


def omega_and_sigma(
    activation: theory.Activation,
    depth: int | None,
    negative_rate: float | None = None,
    sigma: float | None = None,
    *,
    spread: bool = False,
) -> tuple[float, float]:
    """Return the critical gain omega and the noise sigma_z: the one given, or that of the depth.

    With ``spread`` that of the depth is at least what keeps the signal's spread.

    Raises:
        OptionError: the activation is no odd sigmoid, sigma and negative_rate are both given, one
            of them is out of range, or there is no depth to find sigma_z from.

    Example:
        >>> omega_and_sigma("tanh", 10), omega_and_sigma("tanh", None, sigma=0.085)
        ((1.0, 0.6923...), (1.0, 0.085))
    """
    omega = theory.odd_sigmoid_gain(activation)
    if sigma is not None and negative_rate is not None:
        raise OptionError(
            f"give sigma, the noise itself, or negative_rate, which it follows from; got sigma="
            f"{sigma!r} and negative_rate={negative_rate!r}"
        )
    if sigma is not None:
        return omega, not_negative(sigma, "sigma")
    if depth is None:
        raise OptionError("expected depth, the number of layers, or sigma, the noise; got neither")
    found = theory.noise_scale(depth, omega, negative_rate)
    least = theory.noise_for_spread(depth, activation) if spread and negative_rate is None else 0.0
    return omega, max(found, least)


def check_outputs(tensor: Tensor, **_: object) -> None:
    """Raise ``OptionError`` where a whole weight has no outputs: no signal passes such a layer."""
    if tensor.shape[0] < 1:
        raise OptionError(f"expected at least 1 output, got a weight of {tuple(tensor.shape)}")


def note(
    *,
    activation: theory.Activation,
    depth: int | None = None,
    negative_rate: float | None = None,
    sigma: float | None = None,
    spread: bool = False,
    **_: object,
) -> str:
    """Say what a weight's noise was worked out from.

    Example:
        >>> note(activation="tanh", depth=50)
        'depth 50, omega 1, sigma 0.258'
    """
    omega, found = omega_and_sigma(activation, depth, negative_rate, sigma, spread=spread)
    layers = f"depth {depth}, " if sigma is None else ""
    return f"{layers}omega {omega:.4g}, sigma {found:.4g}"
