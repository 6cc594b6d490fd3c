"""Where a deep network starts: a scheme, or one that is wrong on purpose by a known factor."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import OptionError, number, positive
from firstlight.init import SCHEMES, parse_scheme
from firstlight.model import initialize, plan
from firstlight.studies.deep_network import DeepModule, DeepNetwork
from firstlight.studies.scaled_activation import scaled_activation
from firstlight.theory import critical_gain

#: Schemes with a critical gain on the diagonal.
_DIAGONAL = "diagonal_plus_noise"
#: What stands in for a scheme: a structure, whose weights are Xavier's.
STRUCTURAL = ("batch_norm", "layer_norm", "residual")
_THEIRS = "glorot_normal"


@dataclass(frozen=True)
class DepthStart:
    """A start that is compared: a scheme, or a structure with Xavier's weights.

    Attributes:
        scheme: a name in ``firstlight.init.SCHEMES`` with its options, as in
            "diagonal_plus_noise:negative_rate=0.1"; or batch_norm, layer_norm or residual.
        scale: all weights are multiplied by it.
        noise: off the diagonal W - D becomes noise (W - D); for diagonal plus noise alone.
        omega: the diagonal D becomes omega D, which is wrong but at 1; the same.

    Raises:
        OptionError: unknown scheme or option, or a factor that it has no use for.

    Example:
        >>> DepthStart("diagonal_plus_noise", noise=0.3).label
        'diagonal_plus_noise, noise x 0.3'
    """

    scheme: str
    scale: float = 1.0
    noise: float = 1.0
    omega: float = 1.0

    def __post_init__(self) -> None:
        if self.scheme not in STRUCTURAL:
            try:
                parse_scheme(self.scheme)
            except OptionError as error:
                if "needs the option 'activation'" not in str(error):  # the network says which
                    raise OptionError(_with_structures(str(error))) from None
        positive(self.scale, "scale")
        if self.noise != 0:
            positive(self.noise, "noise")
        number(self.omega, "omega")
        if (self.noise, self.omega) != (1, 1) and self._name != _DIAGONAL:
            raise OptionError(f"noise and omega are factors of {_DIAGONAL}, got {self.scheme!r}")

    @property
    def _name(self) -> str:
        return self.scheme.partition(":")[0]

    @property
    def structure(self) -> str:
        """That of the network."""
        return self.scheme if self.scheme in STRUCTURAL else "plain"

    @property
    def label(self) -> str:
        """What it is called in tables."""
        factors = {"weights": self.scale, "noise": self.noise, "omega": self.omega}
        changed = [f"{name} x {value:g}" for name, value in factors.items() if value != 1]
        return ", ".join([self.scheme, *changed])

    def fill(self, network: DeepNetwork, seed: int, batch: Tensor) -> DeepModule:
        """Build the network with the weights that it trains from.

        Args:
            network: of this start's structure.
            seed: of the draws.
            batch: samples, for schemes that look at some.

        Raises:
            FirstlightError: the scheme cannot start the network.
        """
        module = network.build()
        name, options = self._scheme(network)
        example = batch if SCHEMES[name].data_driven else None
        initialize(module, name, seed=seed, example=example, **options)
        with torch.no_grad():
            for layer in (*module.layers, module.output):
                self._change(layer.weight, network.activation)
        return module

    def check(self, network: DeepNetwork) -> None:
        """Raise what ``fill`` would raise on any data, from a few layers that hold no values.

        Raises:
            FirstlightError: the scheme cannot start the network.

        Example:
            >>> DepthStart("diagonal_plus_noise:sigma=-1").check(DeepNetwork(64, 10, (512,), 1000))
            Traceback (most recent call last):
            firstlight.errors.OptionError: layers.0.weight: sigma must be 0 or more, got -1
        """
        few = min(network.depth, 2 * len(network.widths) + 1)  # every shape is among them
        name, _ = self._scheme(network)
        depth = network.depth + 1 if "depth" in SCHEMES[name].options else None
        self._check(replace(network, depth=few), depth)
        if (self.noise, self.omega) != (1, 1):
            critical_gain(scaled_activation(network.activation))

    @lru_cache  # noqa: B019  starts are small and few
    def _check(self, network: DeepNetwork, depth: int | None) -> None:
        """Plan a short network as if it had so many layers, where the scheme asks for them."""
        with torch.device("meta"):
            module = network.build()
            example = torch.empty(2, network.inputs)
        name, options = self._scheme(network)
        if depth is not None:
            options = {"depth": depth, **options}
        plan(module, name, example=example if SCHEMES[name].data_driven else None, **options)

    def _scheme(self, network: DeepNetwork) -> tuple[str, dict[str, Any]]:
        return _parsed(_THEIRS if self.structure != "plain" else self.scheme, network.activation)

    def _change(self, weight: Tensor, activation: str) -> None:
        if (self.noise, self.omega) != (1, 1):
            outputs = torch.arange(len(weight))
            diagonal = torch.zeros_like(weight)
            inputs = outputs % weight.shape[1]
            diagonal[outputs, inputs] = critical_gain(scaled_activation(activation))
            weight.sub_(diagonal).mul_(self.noise).add_(diagonal, alpha=self.omega)
        if self.scale != 1:
            weight.mul_(self.scale)


def _parsed(scheme: str, activation: str) -> tuple[str, dict[str, Any]]:
    """Name and options, with the network's activation where the scheme asks for one."""
    name = scheme.partition(":")[0]
    if "activation" in SCHEMES[name].options and ":activation=" not in scheme:
        name, options = parse_scheme(f"{scheme}:activation=linear")
        return name, {**options, "activation": scaled_activation(activation)}
    return parse_scheme(scheme)


def _with_structures(message: str) -> str:
    if message.startswith("scheme must be one of "):
        return message.replace("one of ", f"one of {', '.join(STRUCTURAL)}, ", 1)
    return message
