"""What one training run is asked to do, and what came of it: plain, frozen, serialisable data."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Status = Literal["ok", "diverged", "crashed"]


class RunSpec(BaseModel):
    """One training: everything that a user says about it.

    The bytes of the data, the code of a user's own network, the versions and the device decide
    its outcome too; ``RunResult`` remembers them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    data: str
    optimizer: str
    scheme: str
    seed: int = Field(ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    match_variance: bool = False
    train_size: int | None = Field(default=None, ge=1)
    #: A tuning run trains on 90 % of the training data and is judged on the rest of it.
    held_out: bool = False
    precision: Literal["no", "bf16", "fp16"] = "no"

    @property
    def key(self) -> str:
        """Name of this run's file: the same spec always has the same key."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=10).hexdigest()


class RunResult(BaseModel):
    """What a run measured after each epoch, on data it was not trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: RunSpec
    status: Status
    reason: str = ""
    accuracy: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()  # fraction correct, per epoch
    loss: tuple[FiniteFloat, ...] = ()
    train_loss: tuple[FiniteFloat, ...] = ()
    seconds: tuple[FiniteFloat, ...] = ()  # training and validation of each epoch
    parameters: int = 0
    device: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    #: Of the data, and of the module of a user's own network; a change of either makes the run
    #: another one.
    fingerprints: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "RunResult":
        epochs = {len(c) for c in (self.accuracy, self.loss, self.train_loss, self.seconds)}
        if len(epochs) > 1:
            raise ValueError("accuracy, loss, train_loss and seconds must be of one length")
        if self.status == "ok" and epochs != {self.spec.epochs}:
            raise ValueError(f"a finished run must have all {self.spec.epochs} epochs")
        return self

    @property
    def accuracy_epoch_1(self) -> float | None:
        """Accuracy after the first epoch."""
        return self.accuracy[0] if self.accuracy else None

    @property
    def accuracy_epoch_10(self) -> float | None:
        """Accuracy after the tenth epoch; None in a shorter run."""
        return self.accuracy[9] if len(self.accuracy) >= 10 else None

    @property
    def accuracy_max(self) -> float | None:
        """Best accuracy over all epochs."""
        return max(self.accuracy) if self.accuracy else None

    @property
    def auc(self) -> float | None:
        """Area under the accuracy curve: its sum over epochs, in the paper's unit."""
        return sum(self.accuracy) if self.accuracy else None
