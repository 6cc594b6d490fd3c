"""All runs of a comparison: model x data x optimizer x scheme x seed."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError

from firstlight.comparison import data, models, optimizers, start
from firstlight.comparison.spec import RunSpec
from firstlight.errors import OptionError

#: Tuning never sees a seed that is reported.
TUNING_SEED = 1_000_003

Names = tuple[StrictStr, ...]


class Group(NamedTuple):
    """What the schemes of one table have in common."""

    model: str
    data: str
    optimizer: str


class Sweep(BaseModel):
    """A comparison as data; ``plan`` makes one from what a user wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Names = Field(min_length=1)
    data: Names = Field(min_length=1)
    optimizers: Names = Field(min_length=1)
    schemes: Names = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    epochs: int = Field(ge=1, strict=True)
    batch_size: int = Field(ge=1, strict=True)
    learning_rate: float = Field(gt=0, allow_inf_nan=False, strict=True)
    weight_decay: float = Field(ge=0, allow_inf_nan=False, strict=True)
    match_variance: StrictBool = False
    tune_lr: StrictBool = False
    train_size: int | None = Field(default=None, ge=1, strict=True)
    precision: Literal["no", "bf16", "fp16"] = "no"

    @property
    def baseline(self) -> str:
        """The scheme that the others are measured against: default, else the first."""
        return start.baseline(self.schemes)

    def groups(self) -> Iterator[Group]:
        """Yield every model, data set and optimizer together."""
        yield from itertools.starmap(
            Group, itertools.product(self.models, self.data, self.optimizers)
        )

    def run(
        self, group: Group, scheme: str, seed: int, rate: float, held_out: bool = False
    ) -> RunSpec:
        """Return one run of ``group``."""
        return RunSpec(
            **group._asdict(),
            scheme=scheme,
            seed=seed,
            learning_rate=rate,
            held_out=held_out,
            **self.model_dump(include=set(RunSpec.model_fields) & _SHARED),
        )

    def runs(self, group: Group, rates: dict[str, float]) -> list[RunSpec]:
        """Return the runs of ``group``, seed by seed, so that a part of them is comparable."""
        return [
            self.run(group, scheme, seed, rates[scheme])
            for seed, scheme in itertools.product(self.seeds, self.schemes)
        ]


_SHARED = {"epochs", "batch_size", "weight_decay", "match_variance", "train_size", "precision"}


_RATES = {"learning_rate": optimizers.LEARNING_RATE, "weight_decay": optimizers.WEIGHT_DECAY}


def plan(**options: Any) -> Sweep:
    """Check every option and name, and return the sweep.

    Names may be one string or several; ``seeds`` a count or the seeds themselves; a rate of None
    is the optimizers' own.

    Raises:
        OptionError: the first thing that is wrong, in one line.

    Example:
        >>> from firstlight.comparison.sweep import plan
        >>> sweep = plan(models="mlp", data="digits", optimizers="sgd", schemes=["default", "zero"],
        ...              seeds=3, epochs=1, batch_size=64)
        >>> sum(len(sweep.runs(g, dict.fromkeys(sweep.schemes, 1e-3))) for g in sweep.groups())
        6
    """
    for key, usual in _RATES.items():
        if options.get(key) is None:
            options[key] = usual
    for key in ("models", "data", "optimizers", "schemes"):
        options[key] = _names(options[key])
    options["seeds"] = seeds_of(options["seeds"])
    try:
        sweep = Sweep(**options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise OptionError(f"{where}: {first['msg']}, got {first['input']!r}") from None
    for check, names in (
        (models.factory, sweep.models),
        (data.check, sweep.data),
        (optimizers.check, sweep.optimizers),
        (start.check, sweep.schemes),
    ):
        for name in names:
            _check_text(name)
            check(name)
    for model, name in itertools.product(sweep.models, sweep.data):
        models.check_kind(model, name)
    return sweep


def _names(value: Any) -> Any:
    """Return one or several names without repetitions; what is neither, as it is."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable):
        return value
    names = tuple(value)
    return tuple(dict.fromkeys(names)) if all(isinstance(name, str) for name in names) else names


def seeds_of(value: Any) -> tuple[int, ...]:
    """Return the seeds that a count stands for, or several seeds as they are.

    Raises:
        OptionError: neither.

    Example:
        >>> from firstlight.comparison.sweep import seeds_of
        >>> seeds_of(3), seeds_of([7, 7])
        ((0, 1, 2), (7,))
    """
    several = isinstance(value, Iterable) and not isinstance(value, str)
    seeds = tuple(value) if several else (value,)
    if any(type(seed) is not int or not 0 <= seed < TUNING_SEED for seed in seeds) or value == 0:
        raise OptionError(
            f"seeds must be a count of at least 1, or several whole numbers from 0 to "
            f"{TUNING_SEED - 1}; got {value!r}"
        )
    return tuple(dict.fromkeys(seeds)) if several else tuple(range(value))


def _check_text(name: str) -> None:
    """Raise ``OptionError`` for half characters, as a path in another encoding has."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise OptionError(f"names and paths must be in UTF-8, got {name!r}") from None
