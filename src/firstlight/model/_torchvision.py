"""Let torchvision be imported beside a torch build that its compiled part does not match."""

import importlib.util
import sys
from pathlib import Path

import torch

_definitions: list[torch.library.Library] = []  # a Library undoes its work when collected


def prepare() -> None:
    """Make ``import torchvision`` safe; call it before importing torchvision, timm, torchmetrics.

    torchvision describes its compiled operators ``nms`` and ``qnms`` at import, and fails where
    they do not exist, as with a CUDA torchvision beside a CPU-only torch. Its networks and data
    sets use neither, so that declaring both is enough. Nothing happens where torchvision is
    absent, loaded already, or matches its torch.
    """
    spec = importlib.util.find_spec("torchvision")
    if "torchvision" in sys.modules or _definitions or spec is None or spec.origin is None:
        return
    for library in Path(spec.origin).parent.glob("_C.*"):
        try:
            torch.ops.load_library(str(library))  # what torchvision itself does first
        except OSError:
            continue
        return
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _definitions.append(operators)
