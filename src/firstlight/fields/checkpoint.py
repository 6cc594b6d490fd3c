"""Fields and unfinished fits on disk: safetensors with the specification inside, never code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.fields.field import Field
from firstlight.fields.networks.families import find_network
from firstlight.fields.networks.network import Network
from firstlight.fields.signals.forms import find_form
from firstlight.fields.signals.signal import Form
from firstlight.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Name of the entry of the file's metadata, and the version of what is in it.
_ENTRY, _VERSION = "firstlight_field", 1


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        network: the specification, every number filled in.
        form: the way back.
        inputs: number of coordinates.
        outputs: number of values at a place.
        progress: of an unfinished fit; empty for a field alone.
        measured: how near the field is.
        notes: lines about how it came about.
        tensors: by name; those of the field begin with "field.".
    """

    network: Network
    form: Form
    inputs: int
    outputs: int
    progress: dict[str, Any]
    measured: dict[str, float]
    notes: tuple[str, ...]
    tensors: dict[str, Tensor]

    def field(self) -> Field:
        """Build the network and fill it.

        Raises:
            FirstlightError: the tensors are not those of the specification.
        """
        field = Field(self.network, self.form, inputs=self.inputs, outputs=self.outputs)
        weights = {key[6:]: each for key, each in self.tensors.items() if key.startswith("field.")}
        own = field.network.state_dict()
        wrong = [key for key in own if key not in weights or weights[key].shape != own[key].shape]
        if wrong or len(weights) != len(own):
            named = wrong[0] if wrong else next(key for key in weights if key not in own)
            raise FirstlightError(
                f"the checkpoint's tensor {named} does not fit its own specification of the "
                "network; the file is damaged"
            )
        field.network.load_state_dict(weights)
        return field


def write_field(
    field: Field,
    path: Path,
    *,
    measured: "Mapping[str, float] | None" = None,
    notes: tuple[str, ...] = (),
    progress: "Mapping[str, Any] | None" = None,
    tensors: "Mapping[str, Tensor] | None" = None,
) -> Path:
    """Write a checkpoint, whole or not at all.

    Args:
        field: the network, its specification and its form.
        path: of the file, usually NAME.safetensors.
        measured: how near the field is.
        notes: lines about how it came about.
        progress: of an unfinished fit, plain values.
        tensors: instead of the field's own weights, those of the unfinished fit.

    Raises:
        FirstlightError: the file cannot be written.
    """
    from safetensors.torch import save_file

    own = {f"field.{name}": each for name, each in field.network.state_dict().items()}
    kept = {name: each.detach().cpu().contiguous() for name, each in (tensors or own).items()}
    facts = {
        "version": _VERSION,
        "network": field.spec.as_dict(),
        "form": field.form.as_dict(),
        "inputs": field.inputs,
        "outputs": field.outputs,
        "measured": dict(measured or {}),
        "notes": list(notes),
        "progress": dict(progress or {}),
    }
    metadata = {_ENTRY: json.dumps(facts)}
    write_atomically(path, lambda file: save_file(kept, file, metadata))
    return path


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint; files are data, and everything in it is checked.

    Raises:
        FirstlightError: there is no such file, or it is none of ours.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FirstlightError(f"there is no checkpoint {path}")
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})[_ENTRY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, json.JSONDecodeError, KeyError) as error:
        raise FirstlightError(
            f"{path} is not a field's checkpoint: expected a safetensors file that "
            f"`firstlight fit` wrote ({_short(error)})"
        ) from error
    return _checked(path, facts, tensors)


def load_field(path: str | Path) -> Field:
    """Read the field of a checkpoint.

    Args:
        path: what ``Fit.save`` or ``firstlight fit`` wrote.

    Raises:
        FirstlightError: there is no such file, or it is damaged.
    """
    return read_checkpoint(path).field()


def _checked(path: Path, facts: Any, tensors: dict[str, Tensor]) -> Checkpoint:
    try:
        if facts["version"] != _VERSION:
            raise FirstlightError(
                f"{path} was written by another version of firstlight (format "
                f"{facts['version']!r}, this one reads {_VERSION})"
            )
        sizes = [facts[name] for name in ("inputs", "outputs")]
        if not all(type(size) is int and 1 <= size <= 4096 for size in sizes):
            raise FirstlightError(f"{path} is damaged: inputs and outputs are {sizes}")
        return Checkpoint(
            network=find_network(facts["network"]),
            form=find_form(facts["form"]),
            inputs=sizes[0],
            outputs=sizes[1],
            progress=dict(facts["progress"]),
            measured=dict(facts["measured"]),
            notes=tuple(str(note) for note in facts["notes"]),
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FirstlightError(f"{path} is damaged: {_short(error)}") from error


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) < 120 else text[:117] + "..."
