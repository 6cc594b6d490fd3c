"""TUNER: sine networks whose input frequencies are chosen and whose weights are bounded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from firstlight import init
from firstlight.errors import OptionError, number, positive, whole_number
from firstlight.fields.networks.fills import fill_bias
from firstlight.fields.networks.frequencies import chosen_frequencies
from firstlight.fields.networks.network import Facts, Network
from firstlight.fields.networks.stack import affine, full_precision, linears
from firstlight.init import Stream

_MOST_BAND = 2**24


@dataclass(frozen=True, kw_only=True)
class Tuner(Network):
    """sin(2 pi / period K x + b), then SIREN's layers with bounded weights.

        K: whole numbers up to the band limit, fixed: one frequency along each axis, low ones
           (up to a third of the band), and others from a coarse grid over the whole band
        |omega W_ij| <= bounds[0] or bounds[1] in the second layer, for low and other frequencies j
        |omega W_ij| <= bounds[2] in later layers, the last excepted

    The first biases are U(-pi/2, pi/2); hidden weights and all other biases are SIREN's, as in
    the authors' training code. Weights are cut to their bounds after every step.

    Attributes:
        width: neurons of a hidden layer: as many frequencies.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, and of its bounds; other than 1 in the
            first layer it leaves the whole numbers.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        omega: factor of the hidden layers' pre-activations.
        period: of the network along each axis; 2 is the length of [-1, 1].
        band: largest whole number; None: the training samples' Nyquist limit, the lowest of all
            axes.
        low_share: how much of the frequencies is low.
        bounds: the three bounds.

    Raises:
        OptionError: an option is not one of those, or the band has too few frequencies.

    Example:
        >>> network = Tuner(width=64, depth=3, band=32).build(2, 3, seed=0)
        >>> (network.frequencies[:3] / torch.pi).round().tolist()[:2]
        [[1.0, 0.0], [0.0, 1.0]]

    Reference: Novello et al., CVPR 2025, arXiv 2407.21121.
    """

    family = "tuner"

    omega: float = 30.0
    period: float = 2.0
    band: int | None = None
    low_share: float = 0.5
    bounds: tuple[float, float, float] = (1.0, 0.6, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.omega, "omega")
        positive(self.period, "period")
        if self.band is not None:
            whole_number(self.band, "band", 1, _MOST_BAND)
        if not 0 <= number(self.low_share, "low_share") <= 1:
            raise OptionError(f"low_share must be from 0 to 1, got {self.low_share!r}")
        if not isinstance(self.bounds, tuple) or len(self.bounds) != 3:
            raise OptionError(
                "bounds must be three numbers, for low frequencies, others and later layers; "
                f"got {self.bounds!r}"
            )
        for bound in self.bounds:
            positive(bound, "bounds")

    def resolved(self, signal: Facts) -> "Tuner":
        """With the band as a number."""
        if self.band is not None:
            return self
        limit = self.period / (2 * max(signal.spacing))
        # the small excess keeps the floor of a whole number that float32 made smaller
        return replace(self, band=min(max(1, math.floor(limit * (1 + 1e-5))), _MOST_BAND))

    def check_resolved(self) -> None:
        """Raise ``OptionError`` for a band that depends on a signal."""
        if self.band is None:
            raise OptionError("band=None needs a signal: call resolved(signal), or give a number")

    def blank(self, inputs: int, outputs: int) -> "TunedSines":
        """The network on the meta device."""
        return TunedSines(self.sizes(inputs, outputs), self.omega)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, TunedSines)
        assert self.band is not None
        first, *hidden = self.alphas()
        inputs, low = module.frequencies.shape[1], self.band // 3
        chosen = chosen_frequencies(self.width, inputs, self.band, low, self.low_share, seed)
        module.frequencies.copy_(chosen * (first * 2 * math.pi / self.period))
        fill_bias(module.phases, math.pi / 2, seed, "phases")
        for place, (layer, alpha) in enumerate(zip(module.layers, [*hidden, 1.0], strict=True)):
            init.siren_(
                layer.weight,
                omega=self.omega,
                alpha=alpha,
                distribution=self.distribution,
                generator=Stream.named(seed, f"layers.{place}.weight"),
            )
            fill_bias(layer.bias, 1 / math.sqrt(self.width), seed, f"layers.{place}.bias")
        near, far, later = (bound / self.omega for bound in self.bounds)
        is_low = chosen.abs().amax(1) <= max(low, 1)
        for place, alpha in enumerate(hidden):
            bound = torch.where(is_low, near, far) if place == 0 else torch.tensor(later)
            module.bounds[place] = alpha * bound
        module.cut()


class TunedSines(nn.Module):
    """Fixed frequencies, then sine layers whose weights are cut to bounds.

    Attributes:
        frequencies: (width, inputs), in radians for each unit of a coordinate.
        phases: what is added in the first sine, (width,).
        bounds: of each column of each hidden layer, (hidden layers, width).
        layers: the layers after the first.
    """

    frequencies: Tensor
    bounds: Tensor
    layers: Sequence[nn.Linear]

    def __init__(self, sizes: list[int], omega: float) -> None:
        super().__init__()
        inputs, width = sizes[0], sizes[1]
        self.omega = float(omega)
        self.register_buffer("frequencies", torch.empty(width, inputs, device="meta"))
        self.register_buffer("bounds", torch.empty(len(sizes) - 3, width, device="meta"))
        self.phases = nn.Parameter(torch.empty(width, device="meta"))
        self.layers = linears(sizes[1:])

    @torch.no_grad()
    def cut(self) -> None:
        """Move every hidden weight into its bounds."""
        for layer, bound in zip(self.layers, self.bounds, strict=False):
            # .data: an earlier forward pass may still need the weight, whose values stay the same
            layer.weight.data.clamp_(min=-bound, max=bound)

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        if self.training and isinstance(self.layers[0].weight, nn.Parameter):
            self.cut()
        with full_precision(x):
            x = torch.sin(torch.addmm(self.phases, x, self.frequencies.t()))
        for layer, bound in zip(self.layers, self.bounds, strict=False):
            # for weights that no step of ours made: a loaded file's, or torch.func's
            weight = layer.weight.clamp(min=-bound, max=bound)
            x = torch.sin(affine(layer, x, self.omega, weight))
        return affine(self.layers[-1], x)
