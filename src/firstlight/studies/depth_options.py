"""What a depth study compares, and what each training gets."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from firstlight.comparison import data
from firstlight.comparison.sweep import TUNING_SEED
from firstlight.errors import OptionError, positive, whole_number
from firstlight.studies import replica_optimizers
from firstlight.studies.deep_network import MOST
from firstlight.studies.depth_start import DepthStart
from firstlight.studies.scaled_activation import scaled_activation
from firstlight.theory import noise_scale

#: Starts and structures that are compared where nothing is said.
SCHEMES = (
    "diagonal_plus_noise",
    "isometric_diagonal",
    "glorot_normal",
    "he_normal",
    "orthogonal",
    "edge_of_chaos",
    "lsuv",
    "batch_norm",
    "layer_norm",
    "residual",
)
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
#: Values beyond which a list is a mistake.
_LONGEST = 1000
#: The start that noise factors, negative rates and omega errors are about, and its rival.
OURS, GAUSSIAN = "diagonal_plus_noise", "edge_of_chaos"


@dataclass(frozen=True)
class DepthOptions:
    """Everything that a study is told; every network gets the same steps, rates and seeds.

    Attributes:
        widths: each a network's widths in turn: (16,) is 16 everywhere, (16, 4) alternates.
        depths: hidden layers.
        activations: as in "tanh", "tanh(2x)" or "tanh:scale=2"; the last two are the same.
        schemes: as ``DepthStart`` takes them.
        noise_factors: factors of sigma* at which diagonal plus noise is compared, each beside
            edge_of_chaos with sigma_w times the same factor.
        negative_rates: p of diagonal plus noise.
        omega_errors: e, so that the diagonal is omega (1 + e).
        data: a name that ``firstlight compare`` knows, such as digits or parquet:PATH.
        train_sizes: training samples; 0 is all but the tenth that chooses the learning rate.
        seeds: of the trainings that are reported.
        learning_rates: that each start chooses from.
        steps: updates of a training; 0 only looks at the start.
        batch_size: samples of an update.
        optimizer: adam or sgd, options as in "sgd:momentum=0.9".
        judged: how often along a training the networks are judged.
        within: points of accuracy below the best at which a learning rate still trains.

    Raises:
        OptionError: one of them is out of range.

    Example:
        >>> DepthOptions(depths=(10,), schemes=("orthogonal",)).starts()
        (DepthStart(scheme='orthogonal', scale=1.0, noise=1.0, omega=1.0),)
    """

    widths: tuple[tuple[int, ...], ...] = ((16,),)
    depths: tuple[int, ...] = (10, 50)
    activations: tuple[str, ...] = ("tanh",)
    schemes: tuple[str, ...] = SCHEMES
    noise_factors: tuple[float, ...] = ()
    negative_rates: tuple[float, ...] = ()
    omega_errors: tuple[float, ...] = ()
    data: str = "digits"
    train_sizes: tuple[int, ...] = (0,)
    seeds: tuple[int, ...] = (0, 1, 2)
    learning_rates: tuple[float, ...] = RATES
    steps: int = 400
    batch_size: int = 64
    optimizer: str = "adam"
    judged: int = 10
    within: float = 5.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(each.default, tuple):
                _check_list(value, each.name)
        self._check_networks()
        self._check_training()
        if not self.starts():
            raise OptionError("expected at least one scheme, noise factor, rate or omega error")

    @classmethod
    def of(cls, **given: Any) -> "DepthOptions":
        """Make options of lists, single values and counts of seeds.

        Raises:
            OptionError: one of them is unknown or out of range.

        Example:
            >>> DepthOptions.of(widths=[16, (16, 4)], seeds=2, depths=10).seeds
            (0, 1)
        """
        known = {each.name: each.default for each in fields(cls)}
        for name, value in given.items():
            if name not in known:
                names = ", ".join(known)
                raise OptionError(f"a depth study has no option {name!r}; it has {names}")
            if name == "seeds" and isinstance(value, int):
                value = range(whole_number(value, "seeds", 1, _LONGEST))
            if isinstance(known[name], tuple):
                given[name] = _listed(value)
        if "widths" in given:
            given["widths"] = tuple(_listed(each) for each in given["widths"])
        return cls(**given)

    def starts(self) -> tuple[DepthStart, ...]:
        """Starts in the order in which they are compared, none of them twice."""
        found = [DepthStart(scheme) for scheme in self.schemes]
        for factor in self.noise_factors:
            found += [DepthStart(OURS, noise=factor), DepthStart(GAUSSIAN, scale=factor)]
        found += [DepthStart(f"{OURS}:negative_rate={p!r}") for p in self.negative_rates]
        found += [DepthStart(OURS, omega=1 + error) for error in self.omega_errors]
        return tuple(dict.fromkeys(found))

    def _check_networks(self) -> None:
        for widths in self.widths:
            if not isinstance(widths, tuple) or not widths:
                raise OptionError(f"widths must hold tuples as in (16,) or (16, 4), got {widths!r}")
            for width in widths:
                whole_number(width, "a width", 1, MOST)
        longest = max(len(widths) for widths in self.widths)
        for depth in self.depths:
            whole_number(depth, "a depth", 1, MOST)
            if depth < longest:
                raise OptionError(f"{longest} widths in turn need that depth or more, got {depth}")
        _check_list(tuple(map(scaled_activation, self.activations)), "activations")

    def _check_training(self) -> None:
        data.check(self.data)
        replica_optimizers.check(self.optimizer)
        for size in self.train_sizes:
            whole_number(size, "a train size", 0, 2**31)
        for seed in self.seeds:
            whole_number(seed, "a seed", 0, TUNING_SEED - 1)
        for rate in self.learning_rates:
            positive(rate, "a learning rate")
        for factor in self.noise_factors:
            positive(factor, "a noise factor")
        for rate in self.negative_rates:
            noise_scale(1, 1.0, rate)
        whole_number(self.steps, "steps", 0, 2**31)
        whole_number(self.batch_size, "batch_size", 1, 2**20)
        whole_number(self.judged, "judged", 1, _LONGEST)
        if not 0 < positive(self.within, "within") <= 100:
            raise OptionError(f"within must be points from 0 to 100, got {self.within!r}")


def _listed(value: Any) -> Any:
    """A tuple of what may be one value."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (value,)
    return tuple(value)


def _check_list(value: Any, what: str) -> None:
    may_be_empty = what in ("schemes", "noise_factors", "negative_rates", "omega_errors")
    if not isinstance(value, tuple) or not (value or may_be_empty) or len(value) > _LONGEST:
        raise OptionError(f"{what} must be a tuple of 1 to {_LONGEST} values, got {value!r:.60}")
    if len(set(value)) < len(value):
        raise OptionError(f"{what} must differ from each other, got {value!r:.60}")
