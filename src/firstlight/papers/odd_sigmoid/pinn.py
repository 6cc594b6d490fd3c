"""Physics-informed networks: Burgers, Allen-Cahn, diffusion and Poisson."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.odd_sigmoid._figures import Dots, dots
from firstlight.papers.odd_sigmoid._numbers import span
from firstlight.papers.odd_sigmoid._pinn import measure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OURS, GLOROT = "diagonal_plus_noise", "Glorot normal"
STARTS = (GLOROT, OURS, "orthogonal", "edge_of_chaos", "Glorot uniform", "lsuv")
_PAIR = (GLOROT, OURS)
#: What all studies of results/pinn-starts share.
SETTING: dict[str, Any] = {
    "depth": 20,
    "width": 16,
    "adam_steps": 300,
    "every": 100,
    "step_zero": 50,
    "seeds": 3,
    "learning_rates": (1e-3, 3e-3),
}
_QUICK = {
    **SETTING,
    "depth": 4,
    "width": 8,
    "points": 100,
    "adam_steps": 20,
    "lbfgs_steps": 10,
    "every": 15,
    "step_zero": 0,
    "seeds": 2,
    "learning_rates": (1e-3,),
    "schemes": _PAIR,
}
#: As the paper has it: 20,000 + 500 + 1,000 points.
_FULL = {**SETTING, "depth": 30, "points": "published", "lbfgs_steps": 15_000, "seeds": 10}


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Loss, which the paper reports, and error, which counts."""
    said: list[Finding] = []
    for (part, depth), rows in frame[~frame.tuning].groupby(["part", "depth"], sort=False):
        where = f"{part}, {depth} layers, {rows.points.iloc[0]} points"
        by_start = {str(start): own.set_index("seed") for start, own in rows.groupby("start")}
        if OURS not in by_start or GLOROT not in by_start:
            continue
        for column, word in (("loss", "training loss"), ("error", "error")):
            said.append(_against(where, column, word, by_start))
        others = {name: own for name, own in by_start.items() if name not in _PAIR}
        if others:
            listed = ", ".join(f"{name} {own.error.median():.2g}" for name, own in others.items())
            said.append(
                Finding(
                    f"{where}: and other starts?",
                    "",
                    f"median errors: {listed}; diagonal plus noise "
                    f"{by_start[OURS].error.median():.2g}",
                    "answer",
                    _one_loss(by_start),
                )
            )
    return said


def _against(where: str, column: str, word: str, by_start: "Mapping[str, pd.DataFrame]") -> Finding:
    ours, theirs = by_start[OURS][column], by_start[GLOROT][column]
    ratio = float(ours.median() / theirs.median())
    return Finding(
        f"{where}: a lower {word} than Glorot's start",
        "lower losses in physics-informed networks" if column == "loss" else "",
        f"{span(list(ours), '.2g')} against {span(list(theirs), '.2g')}: {ratio:.2g} times",
        _apart(np.asarray(ours), np.asarray(theirs)) if column == "loss" else "answer",
        f"Medians with the least and most of {len(ours)} seeds; equal points and steps, each start "
        "at the better of the rates for it. Counted as different: ranges that do not meet.",
    )


def _apart(ours: np.ndarray, theirs: np.ndarray) -> Verdict:
    if len(ours) < 3:
        return "open"
    return (
        "same" if ours.max() < theirs.min() else "differs" if ours.min() > theirs.max() else "open"
    )


def _one_loss(by_start: "Mapping[str, pd.DataFrame]") -> str:
    ours = by_start[OURS]
    misled = [
        name
        for name, own in by_start.items()
        if (own.loss.median() - ours.loss.median()) * (own.error.median() - ours.error.median()) < 0
    ]
    if not misled:
        return "The order of the losses is that of the errors, as far as it concerns ours."
    return f"A small loss is no small error: the other way round for {', '.join(misled)}."


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """Errors of all starts, part by part."""
    panels = []
    for part, rows in frame[~frame.tuning].groupby("part", sort=False):
        errors = {str(start): list(own.error) for start, own in rows.groupby("start", sort=False)}
        title = f"{part}: {rows.depth.iloc[0]} layers, {rows.points.iloc[0]} points"
        panels.append(Dots(title, errors, "relative L2 error", log=True))
    name = str(frame.problem.iloc[0]).replace("_", " ")
    caption = "each start at its learning rate of least loss; median, range and seeds"
    return {"error": dots(f"Physics-informed: {name}", caption, panels)}


def _entry(
    name: str, problem: str, standard: Mapping[str, Mapping[str, Any]], **quick: Any
) -> Entry:
    return Entry(
        name=f"odd-sigmoid/pinn-{name}",
        kind="table",
        where="physics-informed networks",
        asks=f"does it solve {problem} with a lower loss and error?",
        published="lower losses than Glorot's start",
        presets={
            "quick": {"studies": {problem: {**_QUICK, "problem": problem, **quick}}},
            "standard": {
                "studies": {
                    part: {**SETTING, "problem": problem, **own} for part, own in standard.items()
                }
            },
            "full": {"studies": {problem: {**_FULL, "problem": problem, "schemes": STARTS}}},
        },
        measure=measure,
        judge=judge,
        draw=draw,
        needs="a GPU, and hours",
    )


_SMALL = {"schemes": STARTS[:3], "points": "small", "lbfgs_steps": 300, "step_zero": 0}

#: A shock needs more points: with few the loss falls and the error does not, for what is wrong
#: lies between them.
BURGERS = _entry(
    "burgers",
    "burgers",
    {
        "layers-30": {"schemes": _PAIR, "points": 8000, "lbfgs_steps": 1200, "depth": 30},
        "layers-20": {"schemes": _PAIR, "points": 8000, "lbfgs_steps": 1200},
        "few-points": {"schemes": STARTS, "points": 2000, "lbfgs_steps": 1200},
    },
)
#: Conditions are built into the network; the equation needs more steps.
ALLEN_CAHN = _entry(
    "allen-cahn",
    "allen_cahn_hard",
    {"hard": {"schemes": STARTS, "points": 1000, "lbfgs_steps": 3000}},
)
DIFFUSION = _entry("diffusion", "diffusion", {"small": _SMALL}, points="small")
POISSON = _entry("poisson", "poisson_2d", {"small": _SMALL})
