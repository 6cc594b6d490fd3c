"""Tables 4 and 5: the settings of the paper's trainings, and what one of them costs."""

import time
from typing import Any

import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from firstlight.comparison import models, optimizers
from firstlight.comparison.threads import threads
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.benchmark import PRESETS
from firstlight.papers.sinusoidal.published import TABLE_4, TABLE_5
from firstlight.papers.work import Work

_NAMES = ("epochs", "learning_rate", "weight_decay", "batch_size")

#: Steps of one epoch of the paper's data, and the side of its pictures.
_STEPS = {
    "resnet50": (50_000 // 64, 32, 100),
    "mobilenet_v3_small": (100_000 // 64, 64, 200),
    "efficientnet_v2_s": (100_000 // 64, 64, 200),
    "vit_b_16": (1_281_167 // 64, 224, 1000),
}


def _measure_settings(work: Work) -> pd.DataFrame:
    del work
    defaults = {"weight_decay": optimizers.WEIGHT_DECAY, "learning_rate": optimizers.LEARNING_RATE}
    rows = []
    for model, published in TABLE_4.items():
        ours = {"batch_size": 64, **defaults, **PRESETS["full"][model]}
        rows += [
            {"model": model, "setting": name, "published": published[name], "ours": ours[name]}
            for name in _NAMES
        ]
    return pd.DataFrame(rows).astype({"published": float, "ours": float})


def _judge_settings(frame: pd.DataFrame) -> list[Finding]:
    return [
        Finding(
            f"{model}: {', '.join(part['setting'])}",
            ", ".join(f"{value:g}" for value in part["published"]),
            ", ".join(f"{value:g}" for value in part["ours"]),
            "same" if (part["published"] == part["ours"]).all() else "differs",
            "of the preset full of sinusoidal/table3; no schedule, no augmentation",
        )
        for model, part in frame.groupby("model", sort=False)
    ]


def _measure_cost(work: Work) -> pd.DataFrame:
    return pd.DataFrame([_cost(model, work["steps"]) for model in work["models"]])


def _cost(model: str, steps: int) -> dict[str, Any]:
    """Time training steps of the paper's size on this machine's first device."""
    batches, side, classes = _STEPS[model]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    network = models.factory(f"torchvision:{model}")(3, (side, side), classes).to(device)
    optimizer = optimizers.build("adamw", network.parameters())
    images = torch.randn(64, 3, side, side, device=device)
    labels = torch.randint(classes, (64,), device=device)
    taken = []
    with threads(1 if device.type == "cpu" else torch.get_num_threads()):
        for _ in range(steps + 1):  # the first one warms up
            began = time.perf_counter()
            optimizer.zero_grad()
            cross_entropy(network(images), labels).backward()
            optimizer.step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
    seconds = float(min(taken[1:]))
    epochs = int(TABLE_4[model]["epochs"])
    return {
        "model": model,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "one CPU thread",
        "seconds_per_step": seconds,
        "steps": batches * epochs,
        "hours": seconds * batches * epochs / 3600,
        "published_hours": float(TABLE_5[model][0]),
    }


def _judge_cost(frame: pd.DataFrame) -> list[Finding]:
    return [
        Finding(
            f"{row.model}: hours of one training",
            f"{row.published_hours:g} ({TABLE_5[row.model][1]})",
            f"{row.hours:,.0f} ({row.device}, {64 / row.seconds_per_step:.0f} images/s)",
            "answer",
            f"{row.seconds_per_step:.2f} s for the fastest step of 64 times {row.steps:,} steps",
        )
        for row in frame.itertuples()
    ]


TABLE4 = Entry(
    name="sinusoidal/table4",
    kind="table",
    where="Table 4",
    asks="With which settings are the networks trained?",
    published="epochs 100 to 200, rate 1e-3 (5e-5), decay 1e-3, batch 64 (16)",
    presets={"quick": {}, "standard": {}, "full": {}},
    measure=_measure_settings,
    judge=_judge_settings,
)

TABLE5 = Entry(
    name="sinusoidal/table5",
    kind="table",
    where="Table 5",
    asks="How long does one training take?",
    published="2 to 168 GPU hours",
    presets={
        "quick": {"models": ("mobilenet_v3_small",), "steps": 1},
        "standard": {"models": tuple(_STEPS), "steps": 2},
        "full": {"models": tuple(_STEPS), "steps": 20},
    },
    measure=_measure_cost,
    judge=_judge_cost,
    needs="an A100 or H100 for the paper's own hours",
)
