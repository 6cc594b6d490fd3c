"""Finished runs on disk, one JSON file each: what makes a comparison resume."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.errors import FirstlightError
from firstlight.files import write_atomically


class Store:
    """The runs under ``out``/runs, each written when it is finished; None keeps nothing.

    Example:
        >>> Store(None).load(RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero",
        ...     seed=0, epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)) is None
        True
    """

    def __init__(self, out: Path | None, note: Callable[[str], None] = lambda _: None) -> None:
        if out is not None and out.exists() and not out.is_dir():
            raise FirstlightError(f"out must be a folder, {out} is a file")
        self.out = out
        self._note = note
        self._noted: set[str] = set()

    def path(self, spec: RunSpec) -> Path | None:
        """Return the file of ``spec``."""
        return None if self.out is None else self.out / "runs" / f"{spec.key}.json"

    def load(
        self, spec: RunSpec, now: Mapping[str, str] = MappingProxyType({})
    ) -> RunResult | None:
        """Return the finished run of ``spec``; None where it must be trained (again).

        A crashed run is not finished: what made it crash may have been mended.

        Args:
            spec: the run.
            now: fingerprints of what it would be trained with; a result that was made with
                something else is not returned.
        """
        path = self.path(spec)
        if path is None:
            return None
        try:
            result = RunResult.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValidationError):
            self._note_once(f"{path} is not a readable result; the run is trained again")
            return None
        if result.spec != spec:
            self._note_once(f"{path} holds the result of another run; the run is trained again")
            return None
        for part, fingerprint in now.items():
            if result.fingerprints.get(part, fingerprint) != fingerprint:
                self._note_once(
                    f"{getattr(spec, part)} has changed since runs in {path.parent} were made; "
                    "they are trained again"
                )
                return None
        return None if result.status == "crashed" else result

    def save(self, result: RunResult) -> None:
        """Put ``result`` on disk, whole or not at all."""
        path = self.path(result.spec)
        if path is not None:
            text = result.model_dump_json(indent=1)
            write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)
