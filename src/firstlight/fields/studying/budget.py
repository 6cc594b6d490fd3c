"""What every row of a study gets: steps, seeds, learning rates, and where it is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firstlight.errors import OptionError, positive, whole_number
from firstlight.fields.specification import FitSpec

#: Seed of the runs that choose a learning rate: none of those that are reported.
TUNING_SEED = 2**31
#: Seeds, learning rates or probes beyond which a list is a mistake.
_MOST = 1000


@dataclass(frozen=True)
class Budget:
    """The same for every row.

    Attributes:
        target_psnr: at which a fit ends, in dB; None takes all steps.
        steps: at which it ends anyway.
        seeds: of the runs that are reported.
        learning_rates: that each row chooses from.
        probes: steps at which the first seed is looked at.
        points: samples that the tangent kernel is computed on.
        options: of ``FitSpec``, the others.

    Example:
        >>> Budget.of(None, 10, 2, [1e-3], [0, 5], 64, {}).seeds
        (0, 1)
    """

    target_psnr: float | None
    steps: int
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    probes: tuple[int, ...]
    points: int
    options: dict[str, Any]

    @classmethod
    def of(
        cls,
        target_psnr: float | None,
        steps: int,
        seeds: int | Sequence[int],
        learning_rates: Sequence[float],
        probes: Sequence[int],
        points: int,
        options: Mapping[str, Any],
    ) -> "Budget":
        """Check everything.

        Raises:
            OptionError: something is out of range.
        """
        for given in ("learning_rate", "seed"):
            if given in options:
                raise OptionError(f"study has no option {given!r}; it has {given}s")
        if isinstance(seeds, int) and not isinstance(seeds, bool):
            seeds = range(whole_number(seeds, "seeds", 1, _MOST))
        rates = [
            positive(rate, "a learning rate") for rate in _each(learning_rates, "learning_rates")
        ]
        made = cls(
            target_psnr,
            whole_number(steps, "steps", 1, 2**53),
            tuple(
                whole_number(each, "a seed", 0, TUNING_SEED - 1) for each in _each(seeds, "seeds")
            ),
            tuple(rates),
            tuple(whole_number(each, "a probe", 0, 2**53) for each in _each(probes, "probes", 0)),
            whole_number(points, "points", 2, 4096),
            dict(options),
        )
        for seed in made.seeds:
            made.spec(seed, rates[0])
        return made

    @property
    def tuned(self) -> bool:
        """Whether learning rates are chosen."""
        return len(self.learning_rates) > 1

    @property
    def runs(self) -> int:
        """Fits of one row."""
        return len(self.seeds) + self.tuned * len(self.learning_rates)

    def spec(self, seed: int, learning_rate: float) -> FitSpec:
        """The options of one fit."""
        return FitSpec.of(
            {
                "target_psnr": self.target_psnr,
                "steps": self.steps,
                "seed": seed,
                "learning_rate": learning_rate,
                **self.options,
            }
        )


def _each(values: Any, what: str, least: int = 1) -> Sequence[Any]:
    """A list without repetitions."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise OptionError(f"{what} must be a list of numbers, got {values!r:.60}")
    if not least <= len(values) <= _MOST:
        raise OptionError(f"{what} must be from {least} to {_MOST} numbers, got {len(values)}")
    if len(set(values)) < len(values):
        raise OptionError(f"{what} must differ from each other, got {values!r:.60}")
    return values
