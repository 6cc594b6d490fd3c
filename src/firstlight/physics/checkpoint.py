"""Trained networks on disk: safetensors, with what they are beside the weights; never code."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.files import write_atomically
from firstlight.physics.packages import needed_for
from firstlight.physics.specification import PinnSpec

_FORMAT = "firstlight.physics 1"


def save_network(path: Path, weights: dict[str, Tensor], problem: str, spec: PinnSpec) -> None:
    """Write a network's weights, whole or not at all.

    Raises:
        FirstlightError: the folder cannot be written to.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from firstlight.physics import PinnSpec
        >>> path = Path(tempfile.mkdtemp()) / "net.safetensors"
        >>> save_network(path, {"w": torch.ones(2)}, "burgers", PinnSpec(depth=3))
        >>> problem, spec, weights = load_network(path)
        >>> problem, spec.depth, weights["w"].tolist()
        ('burgers', 3, [1.0, 1.0])
    """
    with needed_for("keeping a network"):
        from safetensors.torch import save_file
    metadata = {
        "format": _FORMAT,
        "problem": problem,
        "spec": json.dumps(spec.as_dict()),
    }
    whole = {name: each.contiguous() for name, each in weights.items()}
    write_atomically(path, lambda file: save_file(whole, str(file), metadata=metadata))


def load_network(path: Path) -> tuple[str, PinnSpec, dict[str, Tensor]]:
    """Read what ``save_network`` wrote: the problem's name, the options, the weights.

    Raises:
        FirstlightError: the file cannot be read, or is none of ours.
    """
    with needed_for("reading a network"):
        from safetensors import SafetensorError, safe_open
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata: dict[str, Any] = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise FirstlightError(f"{path} is no network of firstlight.physics")
            spec = PinnSpec.of(json.loads(metadata["spec"]))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return str(metadata["problem"]), spec, weights
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, FirstlightError):
            raise
        raise FirstlightError(f"cannot read the network {path}: {error}") from error
