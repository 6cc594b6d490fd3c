"""A fit that can be left and taken up again: its checkpoint, and whose it is."""

import hashlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.fields.checkpoint import Checkpoint, read_checkpoint, write_field
from firstlight.fields.field import Field
from firstlight.fields.networks.network import Network
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec
from firstlight.fields.training import Training

#: Options that may differ when a fit is taken up again: limits, and how it is computed.
_FREE = ("target_psnr", "steps", "seconds", "compile")


class Unfinished:
    """The checkpoint of one fit; None keeps nothing.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path | None, signal: Signal, network: Network, spec: FitSpec) -> None:
        self.path = path
        self._asked: dict[str, Any] = {}
        if path is not None:
            options = {key: each for key, each in spec.as_dict().items() if key not in _FREE}
            self._asked = {
                "signal": digest(signal.train),
                "network": repr(network),
                "options": repr(options),
            }

    def read(self) -> Checkpoint | None:
        """The state to go on from; None where there is no file yet.

        Raises:
            FirstlightError: the file belongs to another fit, or is damaged.
        """
        if self.path is None or not self.path.exists():
            return None
        found = read_checkpoint(self.path)
        asked = found.progress.get("asked")
        if not found.progress or not isinstance(asked, dict):
            raise FirstlightError(
                f"{self.path} holds a finished field, which cannot be gone on with: name another "
                "checkpoint, or remove it"
            )
        other = [name for name, each in self._asked.items() if asked.get(name) != each]
        if other:
            raise FirstlightError(
                f"{self.path} belongs to another fit (its {' and '.join(other)} differ): name "
                "another checkpoint, or remove it"
            )
        return found

    def write(
        self, field: Field, training: Training, seconds: float, notes: tuple[str, ...]
    ) -> None:
        """Write the state: the field that a reader gets is the best so far."""
        if self.path is None:
            return
        progress = {**training.progress(), "seconds": seconds, "asked": self._asked}
        write_field(
            field,
            self.path,
            measured={"psnr": training.best.psnr},
            notes=notes,
            progress=progress,
            tensors=training.state(),
        )


def digest(value: Any) -> str:
    """A name for samples that depends on every place and value.

    Example:
        >>> digest(torch.ones(2)) == digest(torch.ones(2)) != digest(torch.zeros(2))
        True
    """
    state = hashlib.blake2b(digest_size=16)
    _feed(state, value)
    return state.hexdigest()


def _feed(state: Any, value: Any) -> None:
    if isinstance(value, Tensor):
        state.update(f"{value.dtype}{tuple(value.shape)}".encode())
        state.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    elif is_dataclass(value):
        state.update(type(value).__name__.encode())
        for each in fields(value):
            _feed(state, getattr(value, each.name))
    elif isinstance(value, tuple):
        for part in value:
            _feed(state, part)
    else:
        state.update(repr(value).encode())
