"""A fit that can be left and taken up again: its checkpoint, and whose it is."""

import hashlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryFile
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
from firstlight.runs.plain import plain

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
            _check_writable(path)
            options = {key: each for key, each in spec.as_dict().items() if key not in _FREE}
            self._asked = {
                "signal": digest(signal.train),
                "network": plain(network),
                "options": plain(options),
            }

    def read(self, *, overwrite: bool = False) -> Checkpoint | None:
        """The state to go on from; None where there is no file yet, or none of this fit.

        Args:
            overwrite: whether a file that is not this fit's own will be replaced.

        Raises:
            FirstlightError: the file belongs to another fit, or is damaged.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            return self._own(self.path)
        except FirstlightError:
            if overwrite:
                return None
            raise

    def _own(self, path: Path) -> Checkpoint:
        found = read_checkpoint(path)
        asked = found.progress.get("asked")
        if not found.progress or not isinstance(asked, dict):
            raise FirstlightError(
                f"{path} holds a finished field, which cannot be gone on with: name another "
                "checkpoint, or overwrite it"
            )
        other = [name for name, each in self._asked.items() if asked.get(name) != each]
        if other:
            raise FirstlightError(
                f"{path} belongs to another fit (its {' and '.join(other)} differ): name "
                "another checkpoint, or overwrite it"
            )
        return found

    def write(
        self, field: Field, training: Training, seconds: float, notes: tuple[str, ...]
    ) -> None:
        """Write the state: the field that a reader gets is the best so far."""
        if self.path is None:
            return
        progress = {**training.progress(seconds), "asked": self._asked}
        write_field(
            field,
            self.path,
            measured={"psnr": training.best.psnr},
            notes=notes,
            progress=progress,
            tensors=training.state(),
        )


def _check_writable(path: Path) -> None:
    """Fail before the work, not behind it."""
    if path.is_dir():
        raise FirstlightError(f"cannot write {path}: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise FirstlightError(f"cannot write {path}: {error.strerror or error}") from error


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
        state.update(f"{type(value).__name__}(".encode())
        for each in fields(value):
            if each.name != "device":  # where it lies says nothing about it
                _feed(state, getattr(value, each.name))
    elif isinstance(value, tuple):
        state.update(f"{len(value)} of (".encode())
        for part in value:
            _feed(state, part)
    else:
        state.update(f"{value!r};".encode())
