"""Open question 1: the best alpha by depth, to 12 weight layers."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, questions
from firstlight.papers.weight_scaling.grid import LESS
from firstlight.papers.weight_scaling.numbers import agreed, answer, held, more, over, speedups

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Alphas of a grid by weight layers, beside 1 and "auto".
DEPTHS: dict[str, list[float]] = {
    "3": [1.5, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25],
    "5": [1.25, 1.375, 1.5, 1.625, 1.75, 2.0],
    "7": [1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 2.0],
    "9": [1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 2.0],
    "12": [1.0625, 1.125, 1.1875, 1.25, 1.375, 1.5, 2.0],
}


def best_alphas(frame: "pd.DataFrame") -> dict[int, list[float]]:
    """Return by depth each case's alpha of the fewest steps that keeps held-out quality."""
    found: dict[int, list[float]] = {}
    for (depth, _, _), alpha in _best_by_case(frame).items():
        found.setdefault(depth, []).append(alpha)
    return dict(sorted(found.items()))


def _best_by_case(frame: "pd.DataFrame") -> dict[tuple[int, str, int], float]:
    """Return it by depth, signal and seed."""
    found = {}
    fixed = frame[frame.variant != "auto"]
    for (group, name, seed), own in fixed.groupby(["group", "signal", "seed"]):
        if len(own) < 3:  # no grid
            continue
        kept = own[own.held_out_psnr >= own.held_out_psnr.max() - LESS]
        kept = kept[kept.steps_to_target.notna()]
        if len(kept):
            depth = int(str(group).removeprefix("depth "))
            best = kept.loc[kept.steps_to_target.idxmin()]
            found[depth, str(name), int(seed)] = float(best.alpha)
    return found


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Falls with depth to 7, and beyond; what it still gains."""
    best = best_alphas(frame)
    shown = ", ".join(f"{depth} layers: {over(own, '.2f')}" for depth, own in best.items())
    by_case: dict[tuple[str, int], list[float]] = {}
    for (depth, name, seed), alpha in sorted(_best_by_case(frame).items()):
        if depth <= 7:
            by_case.setdefault((name, seed), []).append(alpha)
    deep = [depth for depth in best if depth > 7]
    gains = ", ".join(
        f"{depth}: {over(_gain(frame, depth))} times{_loss(frame, depth)}" for depth in best
    )
    broken = [f"{depth} layers" for depth in best if _never(frame, depth)]
    return [
        held(
            "the best alpha falls with depth, tested to 7 layers",
            "negative correlation to 7 layers",
            f"best alpha, {shown}",
            agreed(_falls(own) for own in by_case.values() if len(own) > 1),
            "Fewest steps within 0.5 dB of the best held-out PSNR; median and range of pictures. "
            "The same where it falls in every picture.",
        ),
        answer(
            "how does it go on beyond 7 layers, and does the gain end?",
            f"{'best alpha goes on to fall; ' if deep else ''}alpha 1's steps over the best gain "
            f"at each depth, {gains}",
            "The gain shrinks with depth and does not end by 12 layers: SIREN itself trains faster "
            "when deeper. "
            + (f"Alpha 2 does not train at all at {', '.join(broken)}." if broken else ""),
            "tested to 7 layers",
        ),
    ]


def _falls(values: Sequence[float]) -> bool:
    return all(a >= b for a, b in pairwise(values)) and values[0] > values[-1]


def _of(frame: "pd.DataFrame", depth: int) -> "pd.DataFrame":
    return frame[frame.group == f"depth {depth}"]


def _gain(frame: "pd.DataFrame", depth: int) -> list[float]:
    own = _of(frame, depth)
    if "auto" in set(own.variant):
        return speedups(own, "auto", "alpha 1")
    scaled = [each for each in own.variant.unique() if each != "alpha 1"]
    return speedups(own, scaled[0], "alpha 1")


def _loss(frame: "pd.DataFrame", depth: int) -> str:
    own = _of(frame, depth)
    change = more(own, "auto", "alpha 1", "held_out_psnr")
    return f" at {over(change, '+.1f')} dB held out (auto)" if change else ""


def _never(frame: "pd.DataFrame", depth: int) -> bool:
    own = _of(frame, depth)
    doubled = own[own.variant == "alpha 2"].steps_to_target
    return len(doubled) > 0 and all(map(math.isnan, doubled))


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """The best alpha by depth, and steps by alpha."""
    series = {"best of the grid": best_alphas(frame)}
    auto = frame[frame.variant == "auto"]
    for row in auto.itertuples():
        depth = int(str(row.group).removeprefix("depth "))
        series.setdefault("automatic", {}).setdefault(depth, []).append(float(row.alpha))
    fixed = frame[frame.variant != "auto"]
    named = fixed.assign(name=[each.removeprefix("depth ") + " layers" for each in fixed.group])
    panels = {
        "best alpha": lambda axes: figures.lines(axes, series, "weight layers", "alpha"),  # type: ignore[arg-type]
        "steps to the target": lambda axes: figures.lines(
            axes,
            figures.by(named, "name", "alpha", "steps_to_target"),
            "alpha",
            "steps",
            log_y=True,
        ),
    }
    said = "median and range over pictures and seeds"
    return {"depth": figures.sheet("Weight scale and depth", said, panels)}


ENTRIES = (
    Entry(
        "weight-scaling/depth",
        "question",
        "Figure on depth; open question 1",
        "How does the best alpha go on beyond 7 layers, and where does the gain end?",
        "falls with depth, to 7 layers",
        questions.presets({"depths": DEPTHS}, depths={"3": [1.5, 2.0], "5": [1.5, 2.0]}),
        questions.depth,
        judge,
        draw,
    ),
)
