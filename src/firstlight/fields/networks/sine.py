"""Sine networks: SIREN, its weight scaling, and every start that is proposed for them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from firstlight import init, theory
from firstlight.errors import OptionError, check_choice, not_negative, positive
from firstlight.fields.networks.fills import fill_bias
from firstlight.fields.networks.network import Alpha, Facts, Network
from firstlight.fields.networks.stack import Stack
from firstlight.init import Stream

#: c_w of the starts whose kernel is known (``sine_kernel``), so that alpha can be chosen from the
#: signal.
KNOWN = {"siren": math.sqrt(6), "gradient_control": math.sqrt(3)}


@dataclass(frozen=True, kw_only=True)
class Sine(Network):
    """sin(omega (W x + b)) in every layer but the last, which is linear.

        SIREN:             alpha = 1, omega_0 = omega = 30
        weight scaling:    alpha > 1
        frequency tuning:  omega_0 > 30, or "nyquist": pi / the training samples' spacing

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, one number or one for each. "auto" lets
            ``fit`` choose it from the signal, for the starts "siren" and "gradient_control"; for
            the others it is 1, as published. None is "auto" for "siren" and 1 for the others.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        omega: factor of the hidden layers' pre-activations.
        omega_0: factor of the first layer's; "nyquist" is the samples' own. None is omega, or a
            multiple of it that ``fit`` chooses together with alpha="auto".
        start: "siren", "gradient_control" (arXiv 2512.06427), "winner" (arXiv 2509.09719),
            "vi3nr" (arXiv 2504.19270) or "xavier_uniform".
        noise: WINNER's s_0 and s_1; None takes them from the signal's spectrum.

    Raises:
        OptionError: an option is not one of those, or the start does not use it.

    Example:
        >>> network = Sine(width=64, depth=3, alpha=1.5).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2006.09661; weight scaling: arXiv 2410.04779.
    """

    family = "sine"

    alpha: Alpha | str | None = None  # type: ignore[assignment]
    omega: float = 30.0
    omega_0: float | str | None = None
    start: str = "siren"
    noise: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_choice(self.start, _STARTS, "start")
        if self.alpha is None:
            object.__setattr__(self, "alpha", "auto" if self.start == "siren" else 1.0)
        elif self.alpha == "auto" and self.start not in KNOWN:
            # no error: ``replace(network, start=...)`` hands on what was filled in
            object.__setattr__(self, "alpha", 1.0)
        super().__post_init__()
        positive(self.omega, "omega")
        if isinstance(self.omega_0, str):
            check_choice(self.omega_0, ("nyquist",), "omega_0, where it is no number,")
        elif self.omega_0 is not None:
            positive(self.omega_0, "omega_0")
        if self.noise is not None:
            self._check_noise()

    def _check_alpha(self) -> None:
        if isinstance(self.alpha, str):
            check_choice(self.alpha, ("auto",), "alpha, where it is no number,")
        else:
            self.alphas()

    def _check_noise(self) -> None:
        if self.start != "winner":
            raise OptionError(f"start {self.start!r} has no noise; it is winner's")
        if not isinstance(self.noise, tuple) or len(self.noise) != 2:
            raise OptionError(f"noise must be two numbers, s_0 and s_1, got {self.noise!r}")
        for scale in self.noise:
            not_negative(scale, "noise")

    def resolved(self, signal: Facts) -> "Sine":
        """With omega_0 and the noise as numbers."""
        chosen: dict[str, Any] = {}
        if self.omega_0 == "nyquist":
            chosen["omega_0"] = math.pi / min(signal.spacing)
        if self.start == "winner" and self.noise is None:
            centroid = theory.spectral_centroid(signal.rows())
            kind = "audio" if signal.inputs == 1 else "image"
            chosen["noise"] = theory.winner_noise(centroid, kind, signal.outputs)
        return replace(self, **chosen)

    def factors(self) -> list[float]:
        """Omega of every layer but the last."""
        if isinstance(self.omega_0, str):
            raise OptionError("omega_0='nyquist' needs a signal: call resolved(signal) first")
        return [self.omega_0 or self.omega] + [self.omega] * (self.depth - 2)

    def check_resolved(self) -> None:
        """Raise ``OptionError`` for a number that depends on a signal and is not filled in."""
        if isinstance(self.alpha, str):
            raise OptionError("alpha='auto' needs a signal: fit chooses it, or give a number")
        if self.start == "winner" and self.noise is None:
            raise OptionError("winner's noise needs a signal: call resolved(signal), or give noise")
        self.factors()

    def blank(self, inputs: int, outputs: int) -> Stack:
        """The network on the meta device."""
        known = replace(self, omega_0=None) if isinstance(self.omega_0, str) else self
        return Stack(self.sizes(inputs, outputs), known.factors(), torch.sin)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Stack)
        _STARTS[self.start](self, module, seed)


def _layers(network: Sine, stack: Stack) -> list[tuple[nn.Linear, float, float, int]]:
    """Each layer, its omega, its alpha and its number; the last one is drawn at omega, alpha 1."""
    factors = [*network.factors(), network.omega]
    alphas = [*network.alphas(), 1.0]
    return [
        (layer, factor, alpha, number)
        for number, (layer, factor, alpha) in enumerate(
            zip(stack.layers, factors, alphas, strict=True)
        )
    ]


def _stream(seed: int, number: int) -> Stream:
    return Stream.named(seed, f"layers.{number}.weight")


def _fill(
    network: Sine,
    stack: Stack,
    seed: int,
    fill: Callable[..., Tensor],
    bias: bool,
) -> None:
    """Fill every layer by one of the sine fills, biases as torch's default or 0."""
    for layer, factor, alpha, number in _layers(network, stack):
        # the first two layers have the noise; alpha multiplies it as it does the weights
        noise = network.noise[number] if network.noise and number < 2 else None
        options: dict[str, Any] = {} if noise is None else {"noise": alpha * noise}
        (init.siren_ if network.noise and noise is None else fill)(
            layer.weight,
            first=number == 0,
            omega=factor,
            alpha=alpha,
            distribution=network.distribution,
            generator=_stream(seed, number),
            **options,
        )
        bound = 1 / math.sqrt(layer.in_features) if bias else 0.0
        fill_bias(layer.bias, bound, seed, f"layers.{number}.bias")


def _siren(network: Sine, stack: Stack, seed: int) -> None:
    _fill(network, stack, seed, init.siren_, bias=True)


def _gradient_control(network: Sine, stack: Stack, seed: int) -> None:
    _fill(network, stack, seed, init.gradient_control_, bias=False)


def _winner(network: Sine, stack: Stack, seed: int) -> None:
    _fill(network, stack, seed, init.winner_, bias=True)


def _vi3nr(network: Sine, stack: Stack, seed: int) -> None:
    for layer, factor, alpha, number in _layers(network, stack):
        init.vi3nr_(
            layer.weight,
            activation=_wave(factor),
            scale=_balanced_scale(factor),
            first=number == 0,
            alpha=alpha,
            distribution=network.distribution,
            generator=_stream(seed, number),
        )
        nn.init.zeros_(layer.bias)


def _wave(omega: float) -> Callable[[Tensor], Tensor]:
    return lambda z: torch.sin(omega * z)


@lru_cache
def _balanced_scale(omega: float) -> float:
    """What ``vi3nr_`` would search for in every layer anew."""
    return theory.balanced_scale(_wave(omega))


def _xavier_uniform(network: Sine, stack: Stack, seed: int) -> None:
    for layer, _, alpha, number in _layers(network, stack):
        init.variance_scaling_(
            layer.weight,
            mode="fan_avg",
            gain=alpha,
            distribution=network.distribution,
            generator=_stream(seed, number),
        )
        nn.init.zeros_(layer.bias)


#: What fills the layers, by name.
_STARTS: dict[str, Callable[[Sine, Stack, int], None]] = {
    "siren": _siren,
    "gradient_control": _gradient_control,
    "winner": _winner,
    "vi3nr": _vi3nr,
    "xavier_uniform": _xavier_uniform,
}
