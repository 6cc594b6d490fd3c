"""The table of narrowing_layers.py: test accuracy at the end, each start at its own rate."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.comparison.statistics import band, estimate, holm

HEAD = """# Where layers narrow

`python experiments/narrowing_layers.py measure --out results/narrowing-layers`, then `table`.
{versions}; one thread, {minutes:.0f} minutes of CPU for all cells. The script's docstring says what
each start is.

Test accuracy in % after training, mean ± half the 95 % t interval over seeds 1 to {last}. Best
rate: that of the best test accuracy of seed 0, which is not counted. Difference: to the published
start, paired by seed at each one's best rate; p by t test, corrected for the starts of a cell
(Holm). The last columns are the means at every rate: the band of rates that train.
"""


def page(out: Path) -> str:
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    versions = "; ".join(
        sorted({f"firstlight {c['firstlight']}, torch {c['torch']}" for c in cells})
    )
    head = HEAD.format(
        versions=versions, minutes=sum(c["cpu"] for c in cells) / 60, last=cells[0]["seeds"] - 1
    )
    return "\n".join([head, *(table(cell) for cell in cells)])


def table(cell: dict[str, Any]) -> str:
    finals: dict[str, dict[float, np.ndarray]] = {}
    for run in cell["runs"]:
        by_rate = finals.setdefault(run["start"], {})
        by_rate.setdefault(run["rate"], np.zeros(cell["seeds"]))[run["seed"]] = (
            100 * run["accuracy"][-1]
        )
    rates = sorted({run["rate"] for run in cell["runs"]})
    chosen = {s: max(rates, key=lambda rate, s=s: finals[s][rate][0]) for s in finals}
    best = {s: finals[s][chosen[s]][1:] for s in finals}
    differences = {s: estimate(best[s] - best["published"]) for s in finals if s != "published"}
    p = dict(zip(differences, holm([d.p for d in differences.values()]), strict=True))
    head = ["start", "best rate", "accuracy", "against published", "p", *(f"{r:g}" for r in rates)]
    lines = [
        f"## {cell['data']}, hidden layers {cell['network']}, {cell['steps']} steps\n",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
    ]
    for start in sorted(best, key=lambda s: -best[s].mean()):
        mean, _, high = band(best[start])
        cells = [start, f"{chosen[start]:g}", f"{mean:.1f} ± {high - mean:.1f}", "", ""]
        if start in differences:
            d = differences[start]
            cells[3:] = [f"{d.mean:+.1f} [{d.low:+.1f}, {d.high:+.1f}]", f"{p[start]:.2g}"]
        cells += [f"{finals[start][rate][1:].mean():.1f}" for rate in rates]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
