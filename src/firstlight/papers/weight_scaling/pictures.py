"""Entries on one grid of weight scales: pictures, and the first experiments suggested."""

import math
from statistics import median
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry, Judge, Kind
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, grid
from firstlight.papers.weight_scaling.grid import CASE
from firstlight.papers.weight_scaling.numbers import answer, held, over
from firstlight.papers.weight_scaling.speed import faster, five_to_ten, kept

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_QUICK = {"china 64": [5]}
_FULL = {f"kodim{number:02} 512": [5] for number in range(1, 17)}


def judge_images(frame: "pd.DataFrame") -> list[Finding]:
    """Faster; five to ten times, at every size and depth; quality kept or better."""
    named = _named(frame)
    why = "The gain grows with the sampling and falls with depth."
    return [
        faster(named, "pictures", "auto"),
        *(five_to_ten(own, f"pictures of {name}", why) for name, own in named.items()),
        kept(named, "pictures", "auto"),
    ]


def _named(frame: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Cases by sampling and depth."""
    return {
        f"{part}, {depth} layers": own for (part, depth), own in frame.groupby(["part", "depth"])
    }


def judge_baseline(frame: "pd.DataFrame") -> list[Finding]:
    """How long the standard start takes."""
    own = frame[frame.variant == "alpha 1"]
    shown = {
        f"{part}, {depth} layers": f"{over(rows.steps_to_target, '.0f')} steps, held out "
        f"{over(rows.held_out_psnr)} dB"
        for (part, depth), rows in own.groupby(["part", "depth"])
    }
    listed = "; ".join(f"{name}: {each}" for name, each in shown.items())
    claim = "how long does the standard start take, and how good is it?"
    return [answer(claim, listed, "Steps to the target; Adam 1e-4, median and range of pictures.")]


def judge_doubled(frame: "pd.DataFrame") -> list[Finding]:
    """Alpha 2 beside alpha 1: speed and quality."""
    named = _named(frame)
    return [faster(named, "pictures", "alpha 2"), kept(named, "pictures", "alpha 2")]


def judge_alpha(frame: "pd.DataFrame") -> list[Finding]:
    """The best alpha; larger ones are faster and generalise worse."""
    best = grid.bests(frame)
    alphas = [each.alpha for each in best]
    inside = sum(1.5 <= each <= 3.0 for each in alphas)
    listed: dict[str, list[float]] = {}
    for each in best:
        listed.setdefault(f"{each.part}, {each.depth} layers", []).append(each.alpha)
    shown = "; ".join(f"{name}: {over(own, '.2f')}" for name, own in listed.items())
    turns, faster = _turns(frame), _faster(frame)
    enough = len(best) >= 8
    return [
        held(
            "the best alpha typically lies between 1.5 and 3.0",
            "1.5 to 3.0",
            f"{inside} of {len(best)} cases; {shown}",
            inside / len(best) >= 0.8 if enough else None,
            "Typically is read as four cases in five, which we chose, below too. The best has the "
            "fewest steps among those within 0.5 dB of the best held-out PSNR. It rises with "
            "resolution and falls with depth; the median of every group lies between the two.",
        ),
        held(
            "larger alpha trains faster and generalises worse past a sweet spot",
            "a trade-off",
            f"faster than alpha 1 past it in {sum(faster)} of {len(faster)} cases, held out worse "
            f"by {over(turns)} dB at the largest alpha tried",
            sum(faster) / len(faster) >= 0.8 and median(turns) > grid.LESS if enough else None,
            "Loss against the best held-out PSNR of the case; most grids end where 3 dB are lost.",
        ),
    ]


def _turns(frame: "pd.DataFrame") -> list[float]:
    """What the largest alpha loses between samples against the best."""
    fixed = frame[frame.variant != "auto"]
    cases = fixed.groupby(CASE)
    return [
        float(own.held_out_psnr.max() - own.loc[own.alpha.idxmax()].held_out_psnr)
        for _, own in cases
    ]


def _faster(frame: "pd.DataFrame") -> list[bool]:
    """Whether the largest alpha is faster than alpha 1."""
    found = []
    for _, own in frame[frame.variant != "auto"].groupby(CASE):
        rows = own.set_index("alpha").steps_to_target.fillna(math.inf)
        if 1.0 in rows.index:
            found.append(bool(rows[rows.index.max()] < rows[1.0]))
    return found


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Steps and held-out quality by alpha, by part and depth."""
    fixed = frame[frame.variant != "auto"]
    named = fixed.assign(
        name=[
            f"{part}, {depth} layers" for part, depth in zip(fixed.part, fixed.depth, strict=True)
        ]
    )
    first = named[named.alpha == 1].set_index(["name", "signal", "seed"]).held_out_psnr
    keys = list(zip(named.name, named.signal, named.seed, strict=True))
    named = named.assign(change=named.held_out_psnr.to_numpy() - [first.get(key) for key in keys])
    panels = {
        "speed": lambda axes: figures.lines(
            axes,
            figures.by(named, "name", "alpha", "steps_to_target"),
            "alpha",
            "steps",
            log_y=True,
        ),
        "quality": lambda axes: figures.lines(
            axes,
            figures.by(named, "name", "alpha", "change"),
            "alpha",
            "held-out PSNR more than alpha 1's, dB",
        ),
    }
    said = "steps to the target; median and range over signals"
    return {"alpha": figures.sheet("Weight scale, speed and quality", said, panels)}


def _entry(name: str, kind: Kind, where: str, asks: str, published: str, judge: Judge) -> Entry:
    presets = grid.presets(["128", "256"], _QUICK, _FULL)
    return Entry(name, kind, where, asks, published, presets, grid.measure, judge, draw)


ENTRIES = (
    _entry(
        "weight-scaling/images",
        "table",
        "Table: images",
        "How many times fewer steps does weight scaling take on images, and at which quality?",
        "5 to 10 times fewer, quality kept or better",
        judge_images,
    ),
    _entry(
        "weight-scaling/baseline",
        "check",
        "First experiment 1",
        "How long does the standard start take, and to which quality?",
        "",
        judge_baseline,
    ),
    _entry(
        "weight-scaling/doubled",
        "check",
        "First experiment 2",
        "Is alpha 2 faster and as good?",
        "faster, as good",
        judge_doubled,
    ),
    _entry(
        "weight-scaling/alpha",
        "figure",
        "First experiment 3; speed against generalisation",
        "Which alpha is best, and what do larger ones cost?",
        "1.5 to 3.0; larger is faster and generalises worse",
        judge_alpha,
    ),
)
