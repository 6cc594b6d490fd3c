"""Every weight scale of a grid, and the automatic one, fitted to a target on many signals."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from firstlight import fields
from firstlight.papers.weight_scaling.fits import Fits, Row, alpha_name, table
from firstlight.papers.work import Work

if TYPE_CHECKING:
    import pandas as pd

#: {1, 1.25, ..., 4}
ALPHAS = tuple(1 + number / 4 for number in range(13))
#: "At most 20 % more steps", "within 0.5 dB", and what no larger alpha comes back from.
MORE, LESS, LOST = 1.2, 0.5, 3.0
#: What makes a case.
CASE = ["part", "signal", "depth", "seed"]
TARGET, MOST_STEPS, RATE, WIDTH = 40.0, 1500, 1e-4, 256


def _part(
    depths: Mapping[str, list[int]],
    omega_0: float = 30.0,
    target: float = TARGET,
    precision: str = "bfloat16",
    short: bool = True,
) -> dict[str, Any]:
    """Signals with their depths, and how they are fitted."""
    options = {"omega_0": omega_0, "target": target, "precision": precision, "short": short}
    return {"signals": dict(depths)} | options


def _kodak(side: int, most: int, depths: list[int], how: str = "") -> dict[str, list[int]]:
    return {f"kodim{number:02} {side}{how}": depths for number in range(1, most + 1)}


#: What was measured: parts of signals. Whose grid ran out of time is not there at that depth: 3 of
#: kodim15 and kodim16 at 128 and of the third sound.
PARTS: dict[str, dict[str, Any]] = {
    "128": _part(
        _kodak(128, 16, [3, 5]) | {"kodim15 128": [5], "kodim16 128": [5]},
        precision="float32",
        short=False,
    ),
    "256": _part(_kodak(256, 16, [3, 5])),
    "128 fresh": _part(_kodak(128, 8, [3, 5], " fresh"), precision="float32"),
    "256 fresh": _part(_kodak(256, 8, [5], " fresh")),
    "audio": _part({"bach 1 s": [3, 5], "bach 2 s": [3, 5], "bach 4 s": [5]}, omega_0=300.0),
    "sphere": _part({f"era {each}": [3, 5] for each in "zuv"}),
    "shape": _part(
        {f"{name} {2**14}": [3, 5] for name in ("stanford-bunny", "rocker-arm")}, target=20.0
    ),
}

STANDARD: dict[str, Any] = {
    "alphas": list(ALPHAS),
    "auto": True,
    "seeds": [0],
    "width": WIDTH,
    "steps": MOST_STEPS,
    "learning_rate": RATE,
}
QUICK: dict[str, Any] = {
    "alphas": [1.0, 1.5, 2.0, 3.0],
    "auto": False,
    "seeds": [0],
    "width": 64,
    "steps": 100,
    "learning_rate": 3e-4,
}


def presets(
    parts: list[str],
    quick: Mapping[str, list[int]],
    full: Mapping[str, list[int]],
    alphas: tuple[float, ...] = ALPHAS,
    **options: Any,
) -> dict[str, dict[str, Any]]:
    """Return the presets of a grid.

    Args:
        parts: of PARTS, for standard.
        quick: signals and depths.
        full: signals and depths, at the paper's width of 512 and in float32.
        alphas: of standard and full.
        **options: of the quick and full parts: omega_0, target.
    """
    small = _part(quick, precision="float32", short=False, **{"target": 25.0} | options)
    standard = STANDARD | {"alphas": list(alphas)}
    large = _part(full, precision="float32", short=False, **options)
    return {
        "quick": QUICK | {"parts": {"quick": small}},
        "standard": standard | {"parts": {part: PARTS[part] for part in parts}},
        "full": standard | {"parts": {"full": large}, "width": 512, "seeds": [0, 1, 2]},
    }


def measure(work: Work) -> "pd.DataFrame":
    """Fit every signal at every alpha.

    Of a part that is ``short`` a case ends at the alpha whose held-out PSNR is 3 dB below the best
    so far: larger ones only lose more, as whole grids show.
    """
    rows: list[Row] = []
    for part, options in work["parts"].items():
        settings = {"target": options["target"], "precision": options["precision"]}
        fits = Fits(Work({**work.settings, **settings}, work.runs, work.data, work.tell))
        for name, depths in options["signals"].items():
            for depth in depths:
                for seed in work["seeds"]:
                    rows += _case(fits, part, options, (name, seed), depth)
    return table(rows)


def _case(
    fits: Fits, part: str, options: Mapping[str, Any], case: tuple[str, int], depth: int
) -> list[Row]:
    work, top, rows = fits.work, -math.inf, []
    training = {
        "target_psnr": options["target"],
        "steps": work["steps"],
        "learning_rate": work["learning_rate"],
        "precision": options["precision"],
    }
    for alpha in (*(["auto"] if work["auto"] else []), *work["alphas"]):
        network = fields.Sine(
            width=work["width"], depth=depth, alpha=alpha, omega_0=options["omega_0"]
        )
        group = f"{part}, depth {depth}"
        run = fits.run(case, group, alpha_name(alpha), network, **training)
        rows.append(run | {"part": part, "depth": depth, "target": options["target"]})
        if alpha == "auto" or run["held_out_psnr"] is None:
            continue
        top = max(top, run["held_out_psnr"])
        if options["short"] and run["held_out_psnr"] < top - LOST:
            break
    return rows


class Best(NamedTuple):
    """One case of a grid: the alpha of the fewest steps that keeps held-out quality, beside others.

    Attributes:
        part, signal, depth, seed: which case.
        alpha: the best one.
        steps: of it, to the target.
        first_steps: alpha 1's; NaN where it never gets there.
        auto: the automatic alpha; NaN where there is none.
        auto_steps: its steps.
        held_out: PSNR of the best alpha, held out, in dB.
        first_held_out: of alpha 1.
        auto_held_out: of the automatic alpha.
        top: best held-out PSNR of the grid.
    """

    part: str
    signal: str
    depth: int
    seed: int
    alpha: float
    steps: float
    first_steps: float
    auto: float
    auto_steps: float
    held_out: float
    first_held_out: float
    auto_held_out: float
    top: float


def bests(frame: "pd.DataFrame") -> list[Best]:
    """Return the best alpha of every case that has some alpha at its target."""
    found = []
    for (part, name, depth, seed), own in frame.groupby(CASE):
        rows = own.set_index("variant")
        there = rows[(rows.index != "auto") & rows.steps_to_target.notna()]
        if there.empty or "alpha 1" not in rows.index:
            continue
        top = float(there.held_out_psnr.max())
        kept = there[there.held_out_psnr >= top - LESS]
        best = kept.loc[kept.steps_to_target.idxmin()]
        first = rows.loc["alpha 1"]
        numbers = ["alpha", "steps_to_target", "held_out_psnr"]
        auto = rows.reindex(["auto"])[numbers].iloc[0]
        found.append(
            Best(
                part=str(part),
                signal=str(name),
                depth=int(depth),
                seed=int(seed),
                alpha=float(best.alpha),
                steps=float(best.steps_to_target),
                first_steps=float(first.steps_to_target),
                auto=float(auto.alpha),
                auto_steps=float(auto.steps_to_target),
                held_out=float(best.held_out_psnr),
                first_held_out=float(first.held_out_psnr),
                auto_held_out=float(auto.held_out_psnr),
                top=top,
            )
        )
    return found


def ratio(first: float, own: float, most: float = MOST_STEPS) -> float:
    """Steps of alpha 1 over others; alpha 1 that never arrives counts with all that it may take."""
    return (most if math.isnan(first) else first) / max(own, 1.0)


def speed(frame: "pd.DataFrame", variant: str) -> list[float]:
    """Alpha 1's steps over a variant's, case by case; 0 where the variant never arrives."""
    found = []
    for _, own in frame.groupby(CASE):
        rows = own.set_index("variant").steps_to_target
        if variant in rows.index and "alpha 1" in rows.index:
            never = math.isnan(rows[variant])
            found.append(0.0 if never else ratio(rows["alpha 1"], rows[variant]))
    return found


def quality(frame: "pd.DataFrame", variant: str) -> list[float]:
    """Held-out PSNR more than alpha 1's, case by case, in dB."""
    found = []
    for _, own in frame.groupby(CASE):
        rows = own.set_index("variant").held_out_psnr
        if variant in rows.index and "alpha 1" in rows.index:
            found.append(float(rows[variant] - rows["alpha 1"]))
    return found
