"""What one training run is asked to do, and what came of it: plain, frozen, serialisable data."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["ok", "diverged", "crashed"]


class RunSpec(BaseModel):
    """One training: everything that decides its outcome, and nothing else."""

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
    accuracy: tuple[float, ...] = ()  # fraction correct, one per finished epoch
    loss: tuple[float, ...] = ()
    train_loss: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()  # training and validation of each epoch
    parameters: int = 0
    device: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

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
