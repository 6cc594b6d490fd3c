"""What a sweep is asked to do: comparisons, in which forms, and what one run may use."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from firstlight.comparison import data, models, optimizers, start
from firstlight.comparison.optimizers import LEARNING_RATE, WEIGHT_DECAY
from firstlight.comparison.sweep import Sweep, plan, seeds_of

#: published: each scheme at its own scale, one learning rate for all. matched: every weight
#: matrix at one mean square. tuned: as published, with each scheme's best rate of one grid.
Form = Literal["published", "matched", "tuned"]

FORMS: tuple[Form, ...] = ("published", "matched", "tuned")


def _several(value: Any) -> Any:
    """One or several values as a tuple."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a name or a list of names, got {value!r:.80}")
    return tuple(value)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _checked(check: Any) -> AfterValidator:
    def known(name: str) -> str:
        check(name)
        return name

    return AfterValidator(known)


def _listed(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of comparisons, got {value!r:.80}")
    return tuple(value)


def _seeds(value: Any) -> Any:
    """A count as seeds; of a list whatever it holds, so that what is wrong in it has its place."""
    if isinstance(value, list) and any(type(seed) is not int for seed in value):
        return tuple(value)
    return seeds_of(value)


_T = TypeVar("_T")
_Many = Annotated[
    tuple[_T, ...], BeforeValidator(_several), AfterValidator(_once), Field(min_length=1)
]


class Block(BaseModel):
    """One comparison of a sweep: model x data x optimizer x scheme x seed, in one or more forms.

    Attributes:
        models: as ``firstlight.compare`` takes them; likewise all that is not named here.
        forms: published, matched, tuned; several give a comparison in each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    models: _Many[Annotated[str, _checked(models.factory)]]
    data: _Many[Annotated[str, _checked(data.check)]]
    optimizers: _Many[Annotated[str, _checked(optimizers.check)]]
    schemes: _Many[Annotated[str, _checked(start.check)]]
    seeds: Annotated[tuple[int, ...], BeforeValidator(_seeds)] = (0, 1, 2)
    epochs: int = Field(ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=LEARNING_RATE, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=WEIGHT_DECAY, ge=0, allow_inf_nan=False)
    train_size: int | None = Field(default=None, ge=1)
    precision: Literal["no", "bf16", "fp16"] = "no"
    forms: _Many[Form] = ("published",)

    @model_validator(mode="after")
    def _possible(self) -> "Block":
        list(self.comparisons())  # seeds, and what else only the whole can show
        return self

    def comparisons(self) -> Iterator[tuple[Form, Sweep]]:
        """Yield the comparison of every form."""
        options = self.model_dump(exclude={"forms"})
        for form in self.forms:
            yield (
                form,
                plan(**options, match_variance=form == "matched", tune_lr=form == "tuned"),
            )


class Resources(BaseModel):
    """What one run may use.

    Attributes:
        cpus: processor threads.
        gpus: share of a GPU, or several.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cpus: int = Field(default=1, ge=1)
    gpus: float = Field(default=0, ge=0, allow_inf_nan=False)

    @field_validator("gpus")
    @classmethod
    def _share(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"a share of one GPU or a whole number of them, got {gpus}")
        return gpus


class SweepSpec(BaseModel):
    """A whole sweep.

    Attributes:
        comparisons: what is trained.
        resources: of one run.
        retries: how often a run is tried again whose worker or node was lost.

    Example:
        >>> block = {"models": "mlp", "data": "digits", "optimizers": "sgd", "schemes": "default",
        ...          "epochs": 1, "forms": ["published", "matched"]}
        >>> spec = SweepSpec.model_validate({"comparisons": [block]})
        >>> [form for form, _ in spec.comparisons[0].comparisons()]
        ['published', 'matched']
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    comparisons: Annotated[tuple[Block, ...], BeforeValidator(_listed), Field(min_length=1)]
    resources: Resources = Resources()
    retries: int = Field(default=2, ge=0, le=100)
