"""The table of narrowing_layers.py: test accuracy at the end, each start at its own rate."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.comparison.statistics import band, estimate, holm

HEAD = """# Where layers narrow

`python experiments/narrowing_layers.py measure --out results/narrowing-layers`, then `table`.
{versions}; one thread, {minutes:.0f} minutes of CPU for all cells.
What each start is, and how it was trained: the script's docstring.

Test accuracy in % after training, mean ± half the 95 % t interval over seeds 1 to {last}. Best
rate: that of seed 0, which is not counted. Differences are to the published start, paired by seed,
p by t test, corrected for the starts of a cell (Holm): at each one's best rate, and in the mean
over all rates, which tells how wide the band of rates is that train. Last, the means at each rate.
"""


def page(out: Path) -> str:
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    versions = {f"firstlight {cell['firstlight']}, torch {cell['torch']}" for cell in cells}
    minutes, last = sum(cell["cpu"] for cell in cells) / 60, cells[0]["seeds"] - 1
    head = HEAD.format(versions="; ".join(sorted(versions)), minutes=minutes, last=last)
    return "\n".join([head, *(table(cell) for cell in cells)])


def table(cell: dict[str, Any]) -> str:
    finals: dict[str, dict[float, np.ndarray]] = {}
    for run in cell["runs"]:
        by_rate = finals.setdefault(run["start"], {})
        values = by_rate.setdefault(run["rate"], np.zeros(cell["seeds"]))
        values[run["seed"]] = 100 * run["accuracy"][-1]
    rates = sorted({run["rate"] for run in cell["runs"]})
    chosen = {s: max(rates, key=lambda rate, s=s: finals[s][rate][0]) for s in finals}
    best = {s: finals[s][chosen[s]][1:] for s in finals}
    over = {s: np.mean([finals[s][rate][1:] for rate in rates], 0) for s in finals}
    ahead, broader = against_published(best), against_published(over)
    head = ["start", "best rate", "accuracy", "more than published", "over all rates"]
    head += [f"{rate:g}" for rate in rates]
    lines = [f"## {cell['data']}, hidden layers {cell['network']}, {cell['steps']} steps\n"]
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for start in sorted(best, key=lambda s: -best[s].mean()):
        mean, _, high = band(best[start])
        cells = [start, f"{chosen[start]:g}", f"{mean:.1f} ± {high - mean:.1f}"]
        cells += [ahead.get(start, ""), broader.get(start, "")]
        cells += [f"{finals[start][rate][1:].mean():.1f}" for rate in rates]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def against_published(values: dict[str, np.ndarray]) -> dict[str, str]:
    """The difference of every start to the published one, in words."""
    others = {s: estimate(v - values["published"]) for s, v in values.items() if s != "published"}
    corrected = holm([other.p for other in others.values()])
    return {
        start: f"{d.mean:+.1f} [{d.low:+.1f}, {d.high:+.1f}], p = {p:.2g}"
        for (start, d), p in zip(others.items(), corrected, strict=True)
    }
