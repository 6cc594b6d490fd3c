"""What a measurement is given: its settings, where data lie, where to keep parts, whom to tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from firstlight.errors import FirstlightError


@dataclass(frozen=True)
class Work:
    """One measurement of one entry.

    Attributes:
        settings: of the preset.
        runs: folder where finished parts are kept, so that the same command goes on; None: nowhere.
        data: folder of the user's with data files; None: only what packages bring or download.
        tell: called with a line on how far the work is.
        sweep: options of the executor for training runs: workers, ray, cpus.
        trained: folder of training runs that entries of one paper share: a figure of a table's
            trainings does not train them again.
    """

    settings: Mapping[str, Any]
    runs: Path | None = None
    data: Path | None = None
    tell: Callable[[str], None] = lambda _: None
    sweep: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    trained: Path | None = None

    def __getitem__(self, name: str) -> Any:
        return self.settings[name]

    def file(self, *names: str) -> Path:
        """Return the first of some files that the data folder has.

        Raises:
            FirstlightError: it has none of them.

        Example:
            >>> Work({}).file("kodak/kodim05.png")
            Traceback (most recent call last):
            firstlight.errors.FirstlightError: needs kodak/kodim05.png: pass --data FOLDER
        """
        if self.data is None:
            raise FirstlightError(f"needs {' or '.join(names)}: pass --data FOLDER")
        for name in names:
            found = self.data / name
            if found.exists() or any(found.parent.glob(found.name)):
                return found
        raise FirstlightError(f"needs {' or '.join(names)}, which {self.data} lacks")

    def has(self, name: str) -> bool:
        """Return whether the data folder has a file, or one that a pattern matches."""
        if self.data is None:
            return False
        found = self.data / name
        return found.exists() or any(found.parent.glob(found.name))

    def part(self, name: str) -> Path | None:
        """Return the folder for the finished parts of one of several studies."""
        return None if self.runs is None else self.runs / name
