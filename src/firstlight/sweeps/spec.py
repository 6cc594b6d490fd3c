"""What a sweep is asked to do: comparisons, in which forms, and what one run may use."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

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
    """One or several values as a tuple, none of them twice."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(dict.fromkeys(value))
    return value


def _each(check: Any) -> AfterValidator:
    def checked(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            check(name)
        return names

    return AfterValidator(checked)


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class Block(BaseModel):
    """One comparison of a sweep: model x data x optimizer x scheme x seed, in one or more forms.

    Attributes:
        models: as ``firstlight.compare`` takes them; likewise all that is not named here.
        forms: published, matched, tuned; several give a comparison in each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    models: Annotated[_Names, _each(models.factory)]
    data: Annotated[_Names, _each(data.check)]
    optimizers: Annotated[_Names, _each(optimizers.check)]
    schemes: Annotated[_Names, _each(start.check)]
    seeds: Annotated[tuple[int, ...], BeforeValidator(seeds_of)] = (0, 1, 2)
    epochs: int = Field(ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=LEARNING_RATE, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=WEIGHT_DECAY, ge=0, allow_inf_nan=False)
    train_size: int | None = Field(default=None, ge=1)
    precision: Literal["no", "bf16", "fp16"] = "no"
    forms: Annotated[tuple[Form, ...], BeforeValidator(_several), Field(min_length=1)] = (
        "published",
    )

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
