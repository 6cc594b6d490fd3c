"""What a fit is asked for, checked before anything is computed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from firstlight.errors import OptionError, check_choice, number, positive

OPTIMIZERS = ("adam", "sgd")
PRECISIONS = ("float32", "bfloat16")
#: Steps where neither steps nor a target nor seconds are asked for.
USUAL_STEPS = 2000


@dataclass(frozen=True, kw_only=True)
class FitSpec:
    """The options of ``fit``, as plain values.

    Attributes:
        target_psnr: stop when the PSNR of what is fitted reaches this, in dB.
        steps: stop after so many updates; 2000 where no limit is given at all.
        seconds: stop after so long, counted from the first step: the choice of alpha, building and
            compiling do not count. A fit that goes on counts the steps of before.
        seed: of the weights and of random batches.
        optimizer: "adam" or "sgd" (momentum 0.9).
        learning_rate: of every layer; published is 1e-4 for Adam.
        layer_rates: factors of the rate, one for each weight layer; None is 1 for all.
        batch: samples of one step, "full", or "auto": full up to 2^18.
        precision: "float32", or "bfloat16" for the matrix products after the first layer.
        compile: whether torch.compile is used; "auto" where it is likely to pay.

    Raises:
        OptionError: an option is out of range.

    Example:
        >>> FitSpec(target_psnr=40.0).steps is None
        True
    """

    target_psnr: float | None = None
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    layer_rates: tuple[float, ...] | None = None
    batch: int | str = "auto"
    precision: str = "float32"
    compile: bool | str = "auto"

    def __post_init__(self) -> None:
        check_choice(self.optimizer, OPTIMIZERS, "optimizer")
        check_choice(self.precision, PRECISIONS, "precision")
        positive(self.learning_rate, "learning_rate")
        if self.target_psnr is not None:
            number(self.target_psnr, "target_psnr")
        if self.seconds is not None:
            positive(self.seconds, "seconds")
        if self.steps is not None:
            _whole(self.steps, "steps", 0)
        if isinstance(self.batch, str):
            check_choice(self.batch, ("auto", "full"), "batch, where it is no number,")
        else:
            _whole(self.batch, "batch", 1)
        if not isinstance(self.compile, bool):
            check_choice(self.compile, ("auto",), "compile, where it is not True or False,")
        _whole(self.seed, "seed", 0)
        if self.seed >= 2**63:
            raise OptionError(f"seed must be below 2^63, got {self.seed!r}")
        if self.layer_rates is not None:
            self._check_rates()
        if self.steps is self.target_psnr is self.seconds is None:
            object.__setattr__(self, "steps", USUAL_STEPS)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "FitSpec":
        """From named options; an unknown one is named in the error."""
        known = [each.name for each in fields(cls)]
        for name in options:
            if name not in known:
                raise OptionError(f"fit has no option {name!r}; it has {', '.join(known)}")
        return cls(**options)

    def _check_rates(self) -> None:
        if isinstance(self.layer_rates, str) or not isinstance(self.layer_rates, Sequence):
            raise OptionError(
                f"layer_rates must be one factor for each weight layer, got {self.layer_rates!r}"
            )
        rates = tuple(positive(rate, "a factor of layer_rates") for rate in self.layer_rates)
        object.__setattr__(self, "layer_rates", rates)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def _whole(value: object, name: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name} must be a whole number of {least} or more, got {value!r}")
