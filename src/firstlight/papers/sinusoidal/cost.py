"""What the initialization itself costs: seconds and memory, by scheme, model and batch size."""

import math
import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from firstlight.errors import FirstlightError
from firstlight.model.named import build
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.start_memory import in_fresh_process, start
from firstlight.papers.work import Work
from firstlight.report.canvas import plain_axes
from firstlight.report.palette import styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STANDARD = {
    "models": {
        "ResNet-50": "torchvision:resnet50:num_classes=100",
        "MobileNetV3-small": "torchvision:mobilenet_v3_small:num_classes=200",
        "ViT-B/16": "torchvision:vit_b_16:image_size=32",
    },
    "schemes": ["he_normal", "orthogonal", "sinusoidal", "harmonic"],
    "batches": [2, 16, 64],
    "side": 32,
    "repeats": 3,
    "step": 64,
    "device": "cpu",
    "memory": True,
}
PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD
    | {
        "models": {"small_resnet": "small_resnet"},
        "batches": [4, 16],
        "repeats": 1,
        "step": 16,
        "memory": False,
    },
    "standard": _STANDARD,
    "full": _STANDARD | {"device": "cuda", "side": 224, "repeats": 5, "memory": False},
}
#: Schemes that look at a batch.
DATA_DRIVEN = ("lsuv",)


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per model, scheme and batch size (0 where no data are looked at).

    Columns: seconds (the least of the repeats; of processor time on a CPU), step_seconds (one
    training step at batch ``step``, by SGD), steps (their ratio), mebibytes (peak beyond the
    model; NaN where not measured), parameters, device.

    Raises:
        FirstlightError: the device is not there.
    """
    import pandas as pd

    if work["device"] == "cuda" and not torch.cuda.is_available():
        raise FirstlightError("needs a GPU that torch can use; the preset standard needs none")
    rows = []
    for name, text in work["models"].items():
        model = build(text).to(work["device"])
        step = _least(work, lambda m=model: _train(m, work))
        parameters = sum(p.numel() for p in model.parameters())
        for scheme, batch in _cases(work):
            work.tell(f"{name}, {scheme}, batch {batch}")
            case = scheme, batch, work["side"]
            seconds = _least(work, lambda m=model, c=case: start(m, *c))
            rows.append(
                {
                    "model": name,
                    "scheme": scheme,
                    "batch": batch,
                    "seconds": seconds,
                    "step_seconds": step,
                    "steps": seconds / step,
                    "mebibytes": in_fresh_process(text, *case) if work["memory"] else math.nan,
                    "parameters": parameters,
                    "device": work["device"],
                }
            )
    return pd.DataFrame(rows)


def _cases(work: Work) -> list[tuple[str, int]]:
    return [(scheme, 0) for scheme in work["schemes"]] + list(product(DATA_DRIVEN, work["batches"]))


def _train(model: nn.Module, work: Work) -> None:
    images = torch.randn(work["step"], 3, work["side"], work["side"], device=work["device"])
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    optimizer.zero_grad()
    labels = torch.zeros(work["step"], dtype=torch.long, device=work["device"])
    nn.functional.cross_entropy(model.train()(images), labels).backward()
    optimizer.step()
    optimizer.zero_grad()


def _least(work: Work, action: Any) -> float:
    """Return the least of some times, of the processor on a CPU, by the clock elsewhere."""
    on_cpu = work["device"] == "cpu"
    # programs that run beside this one do not lengthen it
    clock = time.process_time if on_cpu else time.perf_counter
    found = []
    for _ in range(work["repeats"]):
        began = clock()
        action()
        if not on_cpu:
            torch.cuda.synchronize()
        found.append(clock() - began)
    return min(found)


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Answer model by model; say what was not measured."""
    found = [_model(str(name), rows) for name, rows in frame.groupby("model", sort=False)]
    lsuv = frame[frame["batch"] > 0]
    growth = {
        name: rows.sort_values("batch")["seconds"].iloc[-1]
        / rows.sort_values("batch")["seconds"].iloc[0]
        for name, rows in lsuv.groupby("model", sort=False)
    }
    sizes = sorted(set(lsuv["batch"]))
    told = ", ".join(f"{name} {factor:.1f}" for name, factor in growth.items())
    found.append(
        Finding(
            "how does a data-driven start grow with the batch?",
            "",
            f"LSUV at batch {sizes[-1]} takes this many times what it takes at {sizes[0]}: {told}",
            "answer",
            "The other starts look at no data.",
        )
    )
    devices = sorted(set(frame["device"]))
    if devices == ["cpu"]:
        found.append(
            Finding(
                "what does it cost on a GPU or a TPU?",
                "",
                "not measured here",
                "open",
                "--preset full measures it on a CUDA device. Draws are made on the CPU and copied.",
            )
        )
    return found


def _model(name: str, rows: "pd.DataFrame") -> Finding:
    parts = []
    for row in rows.itertuples():
        batch = f" at batch {row.batch}" if row.batch else ""
        memory = "" if math.isnan(row.mebibytes) else f", {row.mebibytes:.0f} MiB"
        parts.append(
            f"{row.scheme}{batch} {row.seconds:.2g} s{memory} ({row.steps:.2g} training steps)"
        )
    size = rows["parameters"].iloc[0] / 1e6
    return Finding(
        f"what does it cost to initialize {name} ({size:.1f} M parameters)?",
        "",
        "; ".join(parts),
        "answer",
        "Least of the repeats, processor seconds of all threads on a CPU; memory beyond the model "
        "itself, in a process of its own; one training step is forward, backward and SGD on random "
        "images.",
    )


def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
    """Draw seconds by scheme, a panel for each model."""
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(frame["model"]))
    figure = Figure(figsize=(4.2 * len(models), 3.2), layout="constrained")
    looks = styles(frame["scheme"])
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, model in zip(panels, models, strict=True):
        rows = frame[frame["model"] == model].iloc[::-1]
        names = [f"{r.scheme}, batch {r.batch}" if r.batch else r.scheme for r in rows.itertuples()]
        colours = [looks[scheme].light for scheme in rows["scheme"]]
        axes.barh(names, 1000 * rows["seconds"], color=colours, height=0.6)
        plain_axes(axes, f"{model}: milliseconds of the start")
        axes.grid(visible=False)
        for at, value in enumerate(1000 * rows["seconds"]):
            axes.text(value, at, f" {value:,.0f}", va="center", size=8)
        axes.margins(x=0.15)
    return {"cost": figure}


COST = Entry(
    "sinusoidal/cost",
    "check",
    "Suggested check 3",
    "What does the initialization itself cost, in seconds and memory?",
    "open: not measured",
    PRESETS,
    measure,
    judge,
    draw,
    needs="a GPU",
)
