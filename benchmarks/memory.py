"""Peak memory of a call, from what Linux knows of this process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def peak_mebibytes(action: Callable[[], object]) -> float:
    """Peak resident memory during ``action`` beyond what was resident before it."""
    Path("/proc/self/clear_refs").write_text("5")  # set the high-water mark back
    before = _resident("VmRSS")
    action()
    return (_resident("VmHWM") - before) / 1024


def mebibytes_of(script: str, *arguments: str) -> float:
    """Return what a script prints of a case, in a process of its own: its peak memory in MiB."""
    command = [sys.executable, script, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
