"""Entries on one grid of weight scales: sounds, shapes, spheres, other domains, and a rule."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scipy import stats

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, grid
from firstlight.papers.weight_scaling.numbers import answer, over
from firstlight.papers.weight_scaling.pictures import draw
from firstlight.papers.weight_scaling.speed import faster, five_to_ten, kept

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FULL = {"kodim05 512": [5]}


def _judge(what: str, why: str, claimed: bool = True) -> Any:
    """Judge a domain: is weight scaling faster there, how many times, and as good?"""

    def judge(frame: "pd.DataFrame") -> list[Finding]:
        return [
            faster({"": frame}, what, "auto", claimed),
            five_to_ten(frame, what, why, claimed),
            kept({"": frame}, what, "auto", claimed),
        ]

    return judge


def judge_selection(frame: "pd.DataFrame") -> list[Finding]:
    """Best alpha by depth and sampling, and whether the automatic one finds it."""
    best = grid.bests(frame)
    shown: dict[str, list[float]] = {}
    for each in best:
        shown.setdefault(f"{each.part}, {each.depth} layers", []).append(each.alpha)
    listed = "; ".join(f"{name}: {over(own, '.2f')}" for name, own in shown.items())
    claim = "how does the best alpha depend on depth and on how much the samples bear?"
    why = (
        "Fewest steps within 0.5 dB of the best held-out PSNR. Twice as many samples along each "
        "axis bear about 1.3 times the alpha, two layers less 1.6 times; smooth signals bear less."
    )
    found = [answer(claim, listed, why)]
    auto = [each for each in best if each.auto == each.auto]
    if len(auto) > 2:
        near = sum(each.auto_steps <= grid.MORE * each.steps for each in auto)
        kept = sum(each.auto_held_out >= each.top - grid.LESS for each in auto)
        rank = stats.spearmanr([each.alpha for each in auto], [each.auto for each in auto])
        found.append(
            answer(
                "can alpha be chosen without held-out samples?",
                f"alpha='auto': at most 1.2 times the best alpha's steps in {near} of {len(auto)} "
                f"cases, held out within 0.5 dB of the best in {kept}; rank correlation with the "
                f"best alpha {rank.statistic:.2f}",
                "Where it loses quality it is 0.5 to 1.5 dB for 3 to 15 times fewer steps than "
                "alpha 1. Parts named fresh set no number of it.",
            )
        )
    return found


def draw_selection(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """The automatic alpha against the best one."""
    points: dict[str, Sequence[tuple[float, float]]] = {}
    for each in grid.bests(frame):
        name = f"{each.part}, {each.depth} layers"
        points[name] = [*points.get(name, []), (each.alpha, each.auto)]

    def panel(axes: Any) -> None:
        figures.scatter(axes, points, "best alpha of the grid", "automatic alpha")
        axes.axline((1, 1), slope=1, color="#c4c4c4", linewidth=1, zorder=0)

    drawn = {"each point is one signal": panel}
    said = "on the line both agree"
    return {"selection": figures.sheet("The automatic weight scale", said, drawn, height=4.6)}


def _presets(
    parts: list[str], quick: Mapping[str, list[int]], full: Mapping[str, list[int]], **options: Any
) -> dict[str, dict[str, Any]]:
    return grid.presets(parts, quick, full, **options)


#: Not in the paper: a scan of a head, cells, terrain; maps of weather are the part "sphere".
_OTHERS = {"scan 128": [5], "cells 128": [5], "terrain 128": [5]}
_DOMAINS = {
    "quick": grid.QUICK
    | {
        "parts": {
            "quick": grid.PARTS["sphere"]
            | {"signals": {"scan 64": [5]}, "target": 25.0, "precision": "float32", "short": False}
        }
    },
    "standard": grid.STANDARD
    | {
        "alphas": [1.0, 1.25, 1.5, 2.0, 2.5],
        "parts": {"others": grid.PARTS["sphere"] | {"signals": _OTHERS}},
    },
    "full": grid.STANDARD
    | {
        "width": 512,
        "seeds": [0, 1, 2],
        "parts": {
            "others": grid.PARTS["128"]
            | {"signals": {"scan 256": [5], "cells 512": [5], "terrain 344": [5]}}
        },
    },
}

ENTRIES = (
    Entry(
        "weight-scaling/audio",
        "table",
        "Table: audio",
        "Is weight scaling faster on sounds?",
        "faster, quality kept or better",
        _presets(["audio"], {"brain": [4]}, {"bach 0 s": [5]}, omega_0=300.0),
        grid.measure,
        _judge("sounds", "Half seconds of Bach, every second frame, SIREN's omega_0 for them."),
        draw,
    ),
    Entry(
        "weight-scaling/occupancy",
        "table",
        "Table: occupancy fields",
        "Is weight scaling faster on shapes?",
        "faster, quality kept or better",
        _presets(
            ["shape"],
            {"torus 512": [4]},
            {f"stanford-bunny {2**20}": [5], f"rocker-arm {2**20}": [5]},
            target=20.0,
        ),
        grid.measure,
        _judge(
            "occupancy fields",
            "16,384 scattered points of two meshes, which bear little: what lies between them is "
            "judged; the paper's grids of millions of points leave nothing to guess.",
        ),
        draw,
    ),
    Entry(
        "weight-scaling/sphere",
        "table",
        "Table: spherical data",
        "Is weight scaling faster on maps of the sphere?",
        "faster, quality kept or better",
        _presets(["sphere"], {"coast": [4]}, {f"era {each}": [5] for each in "zuv"}),
        grid.measure,
        _judge(
            "maps of the sphere",
            "ERA-Interim at 500 hPa, every fourth row and column. The winds and heights are so "
            "smooth that SIREN has all frequencies that they need.",
        ),
        draw,
    ),
    Entry(
        "weight-scaling/domains",
        "check",
        "Next check 1: other domains",
        "Does it hold on data that the paper does not have: medical pictures, terrain, weather?",
        "",
        _DOMAINS,
        grid.measure,
        _judge(
            "a scan of a head, cells and terrain",
            "Weather is weight-scaling/sphere: three maps of ERA-Interim.",
            claimed=False,
        ),
        draw,
    ),
    Entry(
        "weight-scaling/selection",
        "check",
        "Next check 2: alpha by depth and data",
        "How does the best alpha depend on depth and data, and can it be chosen?",
        "",
        _presets(
            [*grid.PARTS],
            {"china 64": [3, 5]},
            {f"kodim{number:02} 512": [3, 5, 7] for number in range(1, 17)},
        ),
        grid.measure,
        judge_selection,
        draw_selection,
    ),
)
