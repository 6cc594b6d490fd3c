"""The schemes by name: which fill each one is, with which fixed arguments and which options."""

import ast
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

import torch
from torch import Tensor

from firstlight.errors import OptionError, check_choice
from firstlight.init import _odd_sigmoid, _rms
from firstlight.init.block import Block
from firstlight.init.blumenfeld import blumenfeld_
from firstlight.init.diagonal_plus_noise import diagonal_plus_noise_
from firstlight.init.edge_of_chaos import edge_of_chaos_
from firstlight.init.harmonic import harmonic_
from firstlight.init.harmonic_depthwise import harmonic_depthwise_
from firstlight.init.isometric_diagonal import isometric_diagonal_
from firstlight.init.looks_linear import check_halves, looks_linear_
from firstlight.init.orthogonal import orthogonal_
from firstlight.init.sinusoidal import check_varies, sinusoidal_
from firstlight.init.siren import siren_
from firstlight.init.stream import Stream
from firstlight.init.variance_scaling import variance_scaling_
from firstlight.init.zero import zero_

Fill = Callable[..., Tensor]


@lru_cache
def _parameters(fill: Fill) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(fill).parameters


@dataclass(frozen=True)
class Place:
    """Where a weight stands in its network, as far as a scheme may need to know."""

    position: Literal["first", "hidden", "last"]
    depth: int  # weight layers in the network
    layer: int  # a whole number of its own, derived from the weight's name
    stream: Stream
    depthwise: bool = False  # in a convolution with groups = in_channels > 1

    def facts(self) -> dict[str, Any]:
        """Return the arguments that a fill can take from its place."""
        return {
            "position": self.position,
            "first": self.position == "first",
            "depth": self.depth,
            "layer": self.layer,
            "generator": self.stream,
        }


@dataclass(frozen=True)
class Scheme:
    """A fill with its fixed arguments; ``options`` are the others that a user may set."""

    name: str
    fill: Fill
    #: Mean square of the values, from an empty tensor of the shape and the fill's arguments.
    mean_square: _rms.MeanSquare | None = None
    #: What depthwise filters get instead; it takes the same options.
    depthwise: Fill | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    #: What an option is in a whole network where the user says nothing.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Options that hold for every weight but the last, such as SIREN's weight scaling.
    not_last: frozenset[str] = frozenset()
    #: Options that a plan finds in the network where the user says nothing.
    traced: frozenset[str] = frozenset()
    #: What a plan says of a weight besides, from the fill's arguments.
    note: Callable[..., str] | None = None
    #: What a plan says of a weight that ends a residual branch.
    branch_note: str = ""
    #: Whether it is no start for a recurrent layer: it counts layers, not steps in time.
    feedforward: bool = False
    data_driven: bool = False
    #: Refuses what only the full shape shows; takes the weight and the fill's arguments.
    check_shape: Callable[..., None] | None = None

    @property
    def random(self) -> bool:
        """Whether the weights depend on the seed."""
        return "generator" in _parameters(self.fill)

    @property
    def blockwise(self) -> bool:
        """Whether a block costs what it holds; else every rank has to make the whole."""
        return self.fill not in (orthogonal_, looks_linear_, isometric_diagonal_)

    @property
    def options(self) -> frozenset[str]:
        """Names that a user may set."""
        names = set(list(_parameters(self.fill))[1:])
        return frozenset(
            names - set(self.fixed) - {"generator", "block", "position", "first", "layer"}
        )

    @property
    def required(self) -> frozenset[str]:
        """Options without a default that neither the weight's place nor its network answers."""
        parameters = _parameters(self.fill).values()
        empty = {p.name for p in parameters if p.default is inspect.Parameter.empty}
        return frozenset((empty & self.options) - {"depth"} - self.traced)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise ``OptionError`` for an option that this scheme does not use, or lacks."""
        for name in options:
            if name not in self.options:
                accepted = ", ".join(sorted(self.options)) or "none"
                raise OptionError(
                    f"scheme {self.name!r} does not use the option {name!r}; it accepts: {accepted}"
                )
        self._check_given(self.required, options)

    def _check_given(self, needed: frozenset[str], options: Mapping[str, Any]) -> None:
        missing = sorted(needed - set(options))
        if missing:
            raise OptionError(
                f"scheme {self.name!r} needs the option {missing[0]!r}, "
                f"as in {self.name}:{missing[0]}=VALUE"
            )

    @property
    def positional(self) -> bool:
        """Whether the weights depend on where in the network they stand."""
        used = _parameters(self.fill)
        return not {"position", "first", "depth"}.isdisjoint(used)

    def std(self, shape: Sequence[int], place: Place, options: Mapping[str, Any]) -> float:
        """Return the root mean square of the values that a weight of this shape would get."""
        if self.mean_square is None:
            return math.nan
        other = self.depthwise if place.depthwise else None
        mean_square = _rms.scaled if other else self.mean_square
        arguments = self._arguments(other or self.fill, place, options)
        return math.sqrt(mean_square(torch.empty(tuple(shape), device="meta"), **arguments))

    def note_of(self, place: Place, options: Mapping[str, Any]) -> str:
        """Return what a plan says of a weight at this place, "" for most schemes."""
        return self.note(**self._arguments(self.fill, place, options)) if self.note else ""

    def check_shape_of(
        self, shape: Sequence[int], place: Place, options: Mapping[str, Any]
    ) -> None:
        """Raise what filling a tensor of this shape would raise, without a tensor."""
        if self.check_shape is not None:
            whole = torch.empty(tuple(shape), device="meta")
            self.check_shape(whole, **self._arguments(self.fill, place, options))
        self(torch.empty((0, *shape[1:]), device="cpu"), place, options)

    def __call__(
        self, weight: Tensor, place: Place, options: Mapping[str, Any], block: Block | None = None
    ) -> Tensor:
        """Fill ``weight``, which stands at ``place``, or is the ``block`` of what stands there."""
        fill = self.depthwise if self.depthwise and place.depthwise else self.fill
        return fill(weight, block=block, **self._arguments(fill, place, options))

    def _arguments(self, fill: Fill, place: Place, options: Mapping[str, Any]) -> dict[str, Any]:
        used = _parameters(fill)
        facts = {name: fact for name, fact in place.facts().items() if name in used}
        if place.position == "last":
            options = {k: v for k, v in options.items() if k not in self.not_last}
        arguments = facts | dict(self.defaults) | dict(self.fixed) | dict(options)
        self._check_given(self.traced, arguments)  # no plan has looked for them
        return arguments


def _scaled(name: str, distribution: str, mode: str, gain: float = 1.0) -> Scheme:
    fixed = {"distribution": distribution, "mode": mode, "gain": gain}
    return Scheme(name, variance_scaling_, _rms.scaled, fixed=fixed)


_HE = math.sqrt(2)

#: Every scheme by its name on the command line.
SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "harmonic",
            harmonic_,
            _rms.harmonic,
            depthwise=harmonic_depthwise_,
            defaults={"gain": "relu"},
        ),
        Scheme("sinusoidal", sinusoidal_, _rms.sinusoidal, check_shape=check_varies),
        Scheme("orthogonal", orthogonal_, _rms.orthogonal),
        Scheme("lsuv", orthogonal_, _rms.orthogonal, fixed={"gain": 1.0}, data_driven=True),
        _scaled("he_normal", "normal", "fan_in", _HE),
        _scaled("he_uniform", "uniform", "fan_in", _HE),
        _scaled("glorot_normal", "normal", "fan_avg"),
        _scaled("glorot_uniform", "uniform", "fan_avg"),
        _scaled("lecun_normal", "normal", "fan_in"),
        *(
            Scheme(name, variance_scaling_, _rms.scaled, fixed={"distribution": name})
            for name in ("truncated_normal", "arcsine")
        ),
        Scheme("siren", siren_, _rms.siren, not_last=frozenset({"alpha"})),
        Scheme(
            "diagonal_plus_noise",
            diagonal_plus_noise_,
            _rms.diagonal_plus_noise,
            traced=frozenset({"activation"}),
            note=_odd_sigmoid.note,
            branch_note="can harm at a branch's end, see docs/odd-sigmoid.md",
            feedforward=True,
            check_shape=_odd_sigmoid.check_outputs,
        ),
        Scheme(
            "isometric_diagonal",
            isometric_diagonal_,
            _rms.isometric_diagonal,
            traced=frozenset({"activation"}),
            note=partial(_odd_sigmoid.note, spread=True),
            feedforward=True,
            check_shape=_odd_sigmoid.check_outputs,
        ),
        # biases are zero in a whole network, so their variance is no option there
        Scheme("edge_of_chaos", edge_of_chaos_, _rms.edge_of_chaos, fixed={"bias_variance": 0.0}),
        Scheme("looks_linear", looks_linear_, _rms.looks_linear, check_shape=check_halves),
        Scheme("zero", zero_, _rms.zero),
        Scheme("blumenfeld", blumenfeld_, _rms.blumenfeld),
    )
}


def parse_scheme(text: str, *bare: str) -> tuple[str, dict[str, Any]]:
    """Split "name:option=value:option=value" into the name and its options.

    Values are Python literals where they read as one (numbers, True), names otherwise.

    Args:
        text: a scheme with its options.
        bare: other names that are accepted, which take no options.

    Raises:
        OptionError: unknown scheme, or an option that it does not use.

    Example:
        >>> from firstlight.init import parse_scheme
        >>> parse_scheme("siren:omega=20:alpha=1.5")
        ('siren', {'omega': 20, 'alpha': 1.5})
    """
    name, *parts = text.split(":")
    options: dict[str, Any] = {}
    if name in bare:
        if parts:
            raise OptionError(f"scheme {name} takes no options, got {text!r}")
        return name, options
    chosen = find_scheme(name, *bare)
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise OptionError(f"a scheme's option must read option=value; got {part!r} in {text!r}")
        if key in options:
            raise OptionError(f"option {key!r} is given twice in {text!r}")
        options[key] = _literal(value)
    chosen.check_options(options)
    return name, options


def find_scheme(name: str, *others: str) -> Scheme:
    """Return the scheme called ``name``; raise ``OptionError`` naming all of them, and others."""
    check_choice(name, [*others, *sorted(SCHEMES)], "scheme")
    return SCHEMES[name]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
