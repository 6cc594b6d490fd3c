"""Peak memory of giving one model a start, in a process where nothing else has been.

An allocator keeps what it once had, so that a process can tell it only once.
"""

import math
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from firstlight.model.initialize import initialize
from firstlight.model.named import build

#: Where Linux lets a process set its high-water mark back.
_MARK = Path("/proc/self/clear_refs")


def start(model: nn.Module, scheme: str, batch: int, side: int) -> None:
    """Give a model a start; a scheme that looks at data gets ``batch`` random images.

    Args:
        model: of images with three channels.
        scheme: its name.
        batch: how many images; 0 for a scheme that looks at none.
        side: of an image in pixels.
    """
    images = None
    if batch:
        images = torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))
        images = images.to(next(model.parameters()).device)
    initialize(model, scheme, example=images)


def in_fresh_process(model: str, scheme: str, batch: int, side: int) -> float:
    """Return the peak beyond the model itself in MiB; NaN where there is no Linux."""
    if not _MARK.exists():
        return math.nan
    program = f"from {__name__} import peak; print(peak{(model, scheme, batch, side)!r})"
    call = [sys.executable, "-c", program]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    return float(done.stdout)


def peak(text: str, scheme: str, batch: int, side: int) -> float:
    """Return the peak of one start in this process in MiB, beyond what was there before it."""
    warm = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 8))
    start(warm, scheme, 4 if batch else 0, 8)  # whatever loads at first use
    model = build(text)
    _MARK.write_text("5")
    before = _resident("VmRSS")
    start(model, scheme, batch, side)
    return (_resident("VmHWM") - before) / 1024


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
