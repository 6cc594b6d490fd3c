"""Reviewers' question: weight scaling of a radiance field, which is seen along rays alone."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from firstlight import fields
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, rays
from firstlight.papers.weight_scaling.numbers import answer, over
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work


def measure(work: "Work") -> "pd.DataFrame":
    """Fit views, and look at others."""
    import pandas as pd

    train, others = _views(work)
    rows = []
    for alpha in work["alphas"]:
        for seed in work["seeds"]:
            rows += [
                {"alpha": alpha, "seed": seed} | row
                for row in _fitted(work, alpha, seed, train, others)
            ]
            work.tell(f"alpha {alpha:g}, seed {seed}: {rows[-1]['held_out_psnr']:.1f} dB")
    return pd.DataFrame(rows)


def _views(work: "Work") -> tuple[rays.Rays, rays.Rays]:
    """Rays of the views that are fitted, and of others."""
    if "blender" in work.settings:
        folder = work.file(work["blender"] + "/transforms_train.json").parent
        parts = [rays.blender_views(folder, part, work["side"]) for part in ("train", "test")]
        return _joined(parts[0]), _joined(parts[1])
    known: Any = signal(work, work["picture"])
    values = (known.train.all().y + 1) / 2
    side = math.isqrt(len(values))
    made = [
        rays.plane_views(values.view(side, side).numpy(), count, work["side"], turned=turned)
        for count, turned in ((work["views"], 0.0), (2, 0.3))
    ]
    return _joined(made[0]), _joined(made[1])


def _joined(views: list[rays.Rays]) -> rays.Rays:
    return rays.Rays(
        torch.cat([each.origins for each in views]),
        torch.cat([each.directions for each in views]),
        torch.cat([each.colours for each in views]),
    )


def _fitted(
    work: "Work", alpha: float, seed: int, train: rays.Rays, others: rays.Rays
) -> list[dict[str, Any]]:
    """PSNR on fitted and on other views along training: one draw of rays a step, Adam."""
    outputs = train.colours.shape[1] + 1
    plan = fields.Sine(width=work["width"], depth=4, alpha=alpha, omega_0=work["omega_0"])
    network = plan.build(3, outputs, seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=work["learning_rate"])
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for step in range(work["steps"] + 1):
        if step in work["looks"]:
            fitted, held_out = (_psnr(work, network, each) for each in (train, others))
            rows.append({"step": step, "psnr": fitted, "held_out_psnr": held_out})
        chosen = torch.randint(len(train.origins), (work["batch"],), generator=generator)
        seen = _seen(work, network, train, chosen, generator)
        loss = (seen - train.colours[chosen]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return rows


def _seen(
    work: "Work",
    network: nn.Module,
    of: rays.Rays,
    chosen: torch.Tensor,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    near, far, samples = work["near"], work["far"], work["samples"]
    return rays.render(
        network, of.origins[chosen], of.directions[chosen], near, far, samples, generator
    )


def _psnr(work: "Work", network: nn.Module, of: rays.Rays) -> float:
    """10 log10(1 / mean squared error) of colours, over at most 4096 rays."""
    chosen = torch.arange(0, len(of.origins), max(1, len(of.origins) // 4096))
    with torch.no_grad():
        error = (_seen(work, network, of, chosen) - of.colours[chosen]).square().mean()
    return -10 * math.log10(max(float(error), 1e-12))


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Speed on fitted views, quality on others, by alpha."""
    last = frame[frame.step == frame.step.max()]
    level = float(last[last.alpha == 1].psnr.median()) - 1
    shown = []
    for alpha, own in frame.groupby("alpha"):
        steps = [float(run[run.psnr >= level].step.min()) for _, run in own.groupby("seed")]
        end = last[last.alpha == alpha]
        shown.append(
            f"alpha {alpha:g}: {over(steps, '.0f')} steps to {level:.0f} dB, "
            f"{over(end.psnr)} fitted, {over(end.held_out_psnr)} on other views"
        )
    return [
        answer(
            "does weight scaling help a radiance field?",
            "; ".join(shown),
            f"PSNR of views after {int(last.step.max())} steps, looked at now and then. The scene "
            "is a photograph on a plane before made cameras, whose views are exact: no posed "
            "photographs of a scene are here. full takes the Blender scene lego: --data FOLDER "
            "with nerf/lego/transforms_train.json.",
        )
    ]


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """PSNR along training."""
    named = frame.assign(name=[f"alpha {each:g}" for each in frame.alpha])
    panels = {
        title: lambda axes, column=column: figures.lines(
            axes, figures.by(named, "name", "step", column), "step", "PSNR, dB"
        )
        for title, column in (("fitted views", "psnr"), ("other views", "held_out_psnr"))
    }
    said = "a photograph on a plane, seen along rays; median and range over seeds"
    return {"nerf": figures.sheet("Weight scale of a radiance field", said, panels)}


_STANDARD: dict[str, Any] = {
    "picture": "kodim05 64 whole",
    "views": 12,
    "side": 32,
    "near": 2.0,
    "far": 4.0,
    "samples": 32,
    "width": 64,
    "omega_0": 15.0,
    "alphas": [1.0, 1.5, 2.0],
    "seeds": [0, 1],
    "batch": 256,
    "steps": 400,
    "looks": [0, 25, 50, 100, 150, 200, 300, 400],
    "learning_rate": 5e-4,
}
ENTRIES = (
    Entry(
        "weight-scaling/nerf",
        "question",
        "Reviewers: radiance fields",
        "Does weight scaling help a radiance field, which is seen along rays alone?",
        "",
        {
            "quick": _STANDARD
            | {"picture": "china 32 whole", "views": 4, "side": 12, "samples": 16, "width": 32}
            | {"alphas": [1.0, 1.5], "seeds": [0], "steps": 20, "looks": [0, 10, 20]},
            "standard": _STANDARD,
            "full": _STANDARD
            | {"blender": "nerf/lego", "side": 400, "samples": 128, "width": 256, "batch": 4096}
            | {"near": 1.3, "far": 4.0, "steps": 50_000, "looks": list(range(0, 50_001, 1000))},
        },
        measure,
        judge,
        draw,
        needs="posed photographs: the Blender scene lego as nerf/lego under --data",
    ),
)
