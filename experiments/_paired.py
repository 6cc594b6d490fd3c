"""Compare starts where the measure is no accuracy: train, tune, pair by seed, write, print."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

import firstlight
from firstlight.comparison.statistics import band, estimate, holm
from firstlight.report.palette import styles

#: Trains from a scheme at a learning rate and a seed; returns the measure after every stage.
Train = Callable[[str, float, int], Sequence[float]]

TUNING_SEED = 1000  # never reported


def run(
    doc: str,
    train: Train,
    schemes: Sequence[str],
    *,
    rates: Sequence[float],
    measure: str,
    larger: bool,
    **settings: Any,
) -> None:
    """Give every scheme the best of ``rates`` on other seeds than the reported ones, then compare.

    The first scheme is the baseline; ``measure`` is judged at the end of training, and larger or
    smaller is better.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rates", type=float, nargs="+", default=rates, help="learning rates")
    options = parser.parse_args()
    rates = options.rates
    sign = 1 if larger else -1
    rows: list[dict[str, Any]] = []

    def add(scheme: str, rate: float, seed: int) -> float:
        begin = time.perf_counter()
        curve = [float(value) for value in train(scheme, rate, seed)]
        seconds = time.perf_counter() - begin
        tuning = seed >= TUNING_SEED
        row = {"scheme": scheme, "learning_rate": rate, "seed": seed, "tuning": tuning}
        rows.append(row | {"final": curve[-1], "curve": curve, "seconds": seconds})
        print(f"{scheme}, {rate:g}, seed {seed}: {curve[-1]:.4f}  ({seconds:.1f} s)", flush=True)
        return sign * curve[-1] if np.isfinite(curve[-1]) else -np.inf

    chosen = {
        scheme: max(rates, key=lambda rate, s=scheme: add(s, rate, TUNING_SEED))
        for scheme in schemes
    }
    for seed in range(options.seeds):
        for scheme in schemes:
            add(scheme, chosen[scheme], seed)
    frame = pd.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(options.out / "results.parquet", index=False)
    spec = {"schemes": list(schemes), "seeds": options.seeds, "rates": list(rates)}
    spec |= {"chosen": chosen, "measure": measure, "better": "larger" if larger else "smaller"}
    spec |= {"torch": torch.__version__, "firstlight": firstlight.__version__} | settings
    (options.out / "spec.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
    text = table(doc, frame[~frame.tuning], chosen, measure, larger)
    (options.out / "table.txt").write_text(text, encoding="utf-8")
    draw(frame[~frame.tuning], list(schemes), measure).savefig(options.out / "curves.png", dpi=160)
    print(text)


def table(
    doc: str, frame: pd.DataFrame, chosen: dict[str, float], measure: str, larger: bool
) -> str:
    """Return the summary: mean, interval, and the paired difference to the first scheme."""
    finals = {s: part.set_index("seed").final for s, part in frame.groupby("scheme", sort=False)}
    base = next(iter(finals))
    differences = {s: estimate((v - finals[base]).dropna()) for s, v in finals.items() if s != base}
    p = dict(zip(differences, holm([d.p for d in differences.values()]), strict=True))
    width = max(map(len, finals))
    lines = [doc.splitlines()[0], "", f"{'':{width}}  rate     {measure}"]
    for scheme in sorted(finals, key=lambda s: -finals[s].mean() if larger else finals[s].mean()):
        values = finals[scheme].dropna()
        mean, _, high = band(values.to_numpy())
        line = f"{scheme:{width}}  {chosen[scheme]:<7g}  {mean:.3f} ± {high - mean:.3f}"
        if len(values) < len(finals[scheme]):
            line += f"  ({len(finals[scheme]) - len(values)} diverged)"
        if scheme == base:
            line += "  baseline"
        else:
            d = differences[scheme]
            better = p[scheme] < 0.05 and (d.mean > 0) == larger
            mark = " better" if better else " worse" if p[scheme] < 0.05 else ""
            line += f"  {d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]  p = {p[scheme]:.2g}{mark}"
        lines.append(line)
    lines += [
        "",
        "rate: the best of the grid on a seed that is not reported; ±: half the 95 % t interval",
        f"over {len(finals[base])} seeds. Differences are paired by seed; p is corrected for the",
        f"number of schemes (Holm). {'Larger' if larger else 'Smaller'} is better.",
    ]
    return "\n".join(lines) + "\n"


def draw(frame: pd.DataFrame, schemes: list[str], measure: str) -> Figure:
    """Draw mean and 95 % band of every scheme."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for scheme, style in zip(schemes, styles(schemes).values(), strict=True):
        curves = np.array(frame[frame.scheme == scheme].curve.tolist())
        stages = np.arange(1, curves.shape[1] + 1)
        mean, low, high = band(curves)
        dash = (0, style.dash) if style.dash else "-"
        axes.plot(stages, mean, color=style.light, linestyle=dash, label=scheme)
        axes.fill_between(stages, low, high, color=style.light, alpha=0.13, linewidth=0)
    axes.set(xlabel="tenth of training" if len(stages) == 10 else "stage", ylabel=measure)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure
