"""Fields and unfinished fits on disk: safetensors with the specification inside, never code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from firstlight.errors import FirstlightError
from firstlight.fields.field import Field
from firstlight.fields.networks.families import find_network
from firstlight.fields.networks.network import Network
from firstlight.fields.packages import needed_for
from firstlight.fields.signals.forms import find_form
from firstlight.fields.signals.signal import Form
from firstlight.files import write_atomically
from firstlight.runs.plain import plain, read_number

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
        fit: of a finished one, how it was made (``Fit.record``); empty in older files.
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
    fit: dict[str, Any]

    def field(self) -> Field:
        """Build the network and fill it.

        Raises:
            FirstlightError: the tensors are not those of the specification.
        """
        self.network.check_resolved()
        # before there is memory for it: the file may speak of a network that it does not hold
        weights = self.weights(self.network.blank(self.inputs, self.outputs))
        field = Field(self.network, self.form, inputs=self.inputs, outputs=self.outputs)
        field.network.load_state_dict(weights)
        return field

    def weights(self, module: nn.Module) -> dict[str, Tensor]:
        """The field's tensors by name, as the network's module has them.

        Raises:
            FirstlightError: they are not those of the module, or not finite.
        """
        weights = {key[6:]: each for key, each in self.tensors.items() if key.startswith("field.")}
        own = module.state_dict()
        for name in own.keys() | weights.keys():
            found, other = weights.get(name), own.get(name)
            if found is None or other is None or _kind(found) != _kind(other):
                raise FirstlightError(
                    f"the checkpoint's tensor {name:.100} does not fit its own specification of "
                    "the network; the file is damaged"
                )
            if not bool(found.isfinite().all()):
                raise FirstlightError(
                    f"the checkpoint's tensor {name:.100} has numbers that are not finite; the "
                    "file is damaged"
                )
        return weights


def write_field(
    field: Field,
    path: Path,
    *,
    measured: "Mapping[str, float] | None" = None,
    notes: tuple[str, ...] = (),
    progress: "Mapping[str, Any] | None" = None,
    fit: "Mapping[str, Any] | None" = None,
    tensors: "Mapping[str, Tensor] | None" = None,
) -> Path:
    """Write a checkpoint, whole or not at all.

    Args:
        field: the network, its specification and its form.
        path: of the file, usually NAME.safetensors.
        measured: how near the field is.
        notes: lines about how it came about.
        progress: of an unfinished fit, plain values.
        fit: of a finished one, plain values.
        tensors: instead of the field's own weights, those of the unfinished fit.

    Raises:
        FirstlightError: the file cannot be written.
    """
    with needed_for("writing a checkpoint"):
        from safetensors import SafetensorError
        from safetensors.torch import save_file

    own = {f"field.{name}": each for name, each in field.network.state_dict().items()}
    kept = {name: each.detach().cpu().contiguous() for name, each in (tensors or own).items()}
    facts = {
        "version": _VERSION,
        "network": field.spec,
        "form": field.form.as_dict(),
        "inputs": field.inputs,
        "outputs": field.outputs,
        "measured": dict(measured or {}),
        "notes": list(notes),
        "progress": dict(progress or {}),
        "fit": dict(fit or {}),
    }
    metadata = {_ENTRY: json.dumps(plain(facts), allow_nan=False)}

    def save(file: Path) -> None:
        try:
            save_file(kept, file, metadata)
        except SafetensorError as error:  # a full disk, among others
            raise OSError(_short(error)) from error

    write_atomically(path, save)
    return path


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint; files are data, and everything in it is checked.

    Raises:
        FirstlightError: there is no such file, or it is none of ours.
    """
    with needed_for("reading a checkpoint"):
        from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FirstlightError(f"there is no checkpoint {path}")
    try:
        path.open("rb").close()  # safetensors takes a file that may not be read for none at all
        with safe_open(path, "pt") as file:
            facts = json.loads(_entry(file.metadata()))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FirstlightError(
            f"{path} is not a field's checkpoint: expected a safetensors file that "
            f"`firstlight fit` wrote ({_short(error)})"
        ) from error
    return _checked(path, facts, tensors)


def _entry(metadata: "Mapping[str, str] | None") -> str:
    if not metadata or _ENTRY not in metadata:
        raise ValueError("it holds other tensors")
    return metadata[_ENTRY]


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
            progress={**facts["progress"]},
            measured={str(key): read_number(each) for key, each in facts["measured"].items()},
            notes=_texts(facts["notes"]),
            tensors=tensors,
            fit=_record(facts.get("fit", {})),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FirstlightError(f"{path} is damaged: {_short(error)}") from error


def _record(fit: Any) -> dict[str, Any]:
    """How the field was made, with infinite numbers as such."""
    numbers = {key: read_number(fit[key]) for key in ("seconds", "psnr") if key in fit}
    return {**fit, **numbers}


def _kind(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype


def _texts(notes: Any) -> tuple[str, ...]:
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise ValueError("its notes are no list of texts")
    return tuple(notes)


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) < 120 else text[:117] + "..."
