"""Measure one entry, keep what came of it, and read it again."""

import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from firstlight.errors import FirstlightError, check_choice
from firstlight.files import write_atomically
from firstlight.papers.entry import PRESETS, Entry
from firstlight.papers.finding import Finding
from firstlight.papers.work import Work
from firstlight.sweeps.job import code_version

if TYPE_CHECKING:
    import pandas as pd

#: Whose versions decide what comes out.
_PACKAGES = ("torch", "numpy", "scipy", "torchvision", "transformers", "deepxde")


@dataclass(frozen=True)
class Reproduced:
    """An entry with what was measured.

    Attributes:
        entry: which.
        about: preset, settings, command, seconds, versions.
        frame: one row per measured thing.
        findings: claim by claim.
    """

    entry: Entry
    about: Mapping[str, Any]
    frame: "pd.DataFrame"
    findings: tuple[Finding, ...]


def reproduce(
    entry: Entry,
    preset: str = "quick",
    *,
    out: Path | None = None,
    data: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    sweep: Mapping[str, Any] = MappingProxyType({}),
) -> Reproduced:
    """Measure ``entry`` at one of its presets, judge it, and keep both under ``out``/entry.

    Results of a larger preset that lie there are not replaced.

    Args:
        entry: of ``firstlight.papers.registry``.
        preset: quick, standard or full.
        out: folder of results; finished parts are kept there, too, so that the same call goes on.
        data: folder with data files that no package brings.
        tell: told how far the work is.
        sweep: how training runs are executed: workers, ray.

    Raises:
        OptionError: no such preset.
        FirstlightError: data that are not there, or a folder that cannot be written to.
    """
    check_choice(preset, PRESETS, "preset")
    folder = None if out is None else out / entry.name
    runs = None if folder is None else folder / "runs" / preset
    trained = None if out is None else out / entry.paper / "runs"
    settings = entry.presets[preset]
    if folder is not None:
        _check_folder(folder)
    began = time.monotonic()
    frame = entry.measure(Work(settings, runs, data, tell, sweep, trained))
    command = f"firstlight reproduce {entry.name} --preset {preset}"
    about = {
        "entry": entry.name,
        "preset": preset,
        "settings": json.loads(json.dumps(settings)),
        "command": command + (f" --data {shlex.quote(str(data))}" if data else ""),
        "seconds": round(time.monotonic() - began, 1),
        "versions": _versions(),
        "code": code_version(),
    }
    found = Reproduced(entry, about, frame, tuple(entry.judge(frame)))
    if folder is not None and PRESETS.index(preset) >= PRESETS.index(kept_preset(folder)):
        write(found, folder)
    return found


def _check_folder(folder: Path) -> None:
    """Raise ``FirstlightError`` where results cannot be written, before hours of measuring."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise FirstlightError(f"cannot write to {folder}: {there} is a file")
    if not os.access(there, os.W_OK):
        raise FirstlightError(f"cannot write to {folder}: no right to write to {there}")


def kept_preset(folder: Path) -> str:
    """Return the preset of the results in a folder; quick where there are none."""
    try:
        kept = json.loads((folder / "about.json").read_bytes())["preset"]
    except (OSError, ValueError, KeyError, TypeError):
        return PRESETS[0]
    return kept if kept in PRESETS else PRESETS[0]


def write(found: Reproduced, folder: Path) -> None:
    """Write about.json, results.parquet, findings.json and the figures into ``folder``."""
    table = found.frame.to_parquet(index=False)
    figures = found.entry.draw(found.frame)
    texts = {
        "about.json": json.dumps(dict(found.about), indent=1),
        "findings.json": json.dumps([asdict(each) for each in found.findings], indent=1),
    }
    write_atomically(folder / "results.parquet", lambda path: path.write_bytes(table))
    for name, figure in figures.items():
        write_atomically(folder / f"{name}.png", partial(figure.savefig, dpi=160))
    for name, text in texts.items():  # last: what they speak of is there
        write_atomically(folder / name, partial(_write_text, text + "\n"))


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def read(entry: Entry, out: Path) -> Reproduced | None:
    """Read what ``reproduce`` kept, judged anew; None where there is nothing.

    Raises:
        FirstlightError: files that are not what it wrote.
    """
    import pandas as pd

    folder = out / entry.name
    if not (folder / "about.json").exists():
        return None
    try:
        about = json.loads((folder / "about.json").read_bytes())
        frame = pd.read_parquet(folder / "results.parquet")
        return Reproduced(entry, about, frame, tuple(entry.judge(frame)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FirstlightError(
            f"{folder} does not hold results of {entry.name} that can be read: {error}"
        ) from error


def _versions() -> dict[str, str]:
    # importing firstlight would reach the layers above
    found = {"firstlight": str(sys.modules["firstlight"].__version__)}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {"python": platform.python_version()}
