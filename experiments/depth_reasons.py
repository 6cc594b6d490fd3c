"""Why does orthogonal train faster than diagonal plus noise at depth 50? Part by part.

Digits, 50 hidden layers of 16 tanh neurons, 400 steps of Adam. A variant takes the first layer
(64 pixels to 16), the last one (16 to 10) or the hidden ones from one start or the other; the
published diagonal hears the first 16 pixels and the first 10 neurons. Learning rates are chosen by
held-out training samples, for each variant.

`python experiments/depth_reasons.py --out results/depth-reasons`; finished variants are kept.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import firstlight
from firstlight.comparison.data import load
from firstlight.comparison.statistics import estimate
from firstlight.studies.deep_network import DeepModule, DeepNetwork
from firstlight.studies.depth_signal import measure_signal
from firstlight.studies.depth_start import DepthStart
from firstlight.studies.depth_training import Samples, train_replicas

ORTHOGONAL = DepthStart("orthogonal")
PUBLISHED = DepthStart("diagonal_plus_noise")
QUIET = DepthStart("diagonal_plus_noise", noise=0.3)
SILENT = DepthStart("diagonal_plus_noise", noise=0.0)
#: Starts of the first layer, the hidden layers and the last.
VARIANTS: dict[str, tuple[DepthStart, DepthStart, DepthStart]] = {
    "diagonal plus noise": (PUBLISHED, PUBLISHED, PUBLISHED),
    "first layer orthogonal": (ORTHOGONAL, PUBLISHED, PUBLISHED),
    "first and last orthogonal": (ORTHOGONAL, PUBLISHED, ORTHOGONAL),
    "first and last orthogonal, noise x 0.3": (ORTHOGONAL, QUIET, ORTHOGONAL),
    "first and last orthogonal, no noise": (ORTHOGONAL, SILENT, ORTHOGONAL),
    "orthogonal, first layer diagonal plus noise": (PUBLISHED, ORTHOGONAL, ORTHOGONAL),
    "orthogonal": (ORTHOGONAL, ORTHOGONAL, ORTHOGONAL),
}
NETWORK = DeepNetwork(64, 10, (16,), 50)
RATES, STEPS, SEEDS = (3e-4, 1e-3, 3e-3), 400, tuple(range(5))


def started(parts: tuple[DepthStart, ...], seed: int, batch: torch.Tensor) -> DeepModule:
    first, hidden, last = (part.fill(NETWORK, seed, batch) for part in parts)
    hidden.layers[0] = first.layers[0]
    hidden.output = last.output
    return hidden


def measured(parts: tuple[DepthStart, ...], samples: Samples) -> dict[str, Any]:
    began = time.perf_counter()
    batch = samples.first(256)
    modules = [started(parts, seed, batch) for seed in SEEDS]
    signals = measure_signal(modules, SEEDS, batch)
    runs = train_replicas(
        modules,
        SEEDS,
        RATES,
        samples,
        optimizer="adam",
        batch_size=64,
        judged_at=(100, STEPS),
    )
    chosen = max(RATES, key=lambda rate: mean(runs, rate, "validation"))
    own = [run for run in runs if run.learning_rate == chosen]
    return {
        "rate": chosen,
        "accuracy": [run.accuracy[-1] for run in own],
        "after_100": [run.accuracy[1] for run in own],
        "apart_ratio": float(np.median([each.apart_ratio for each in signals])),
        "gradient_ratio": float(np.median([each.gradient_ratio for each in signals])),
        "runs": [asdict(run) for run in runs],
        "seconds": time.perf_counter() - began,
    }


def mean(runs: Any, rate: float, what: str) -> float:
    return float(np.mean([getattr(run, what)[-1] for run in runs if run.learning_rate == rate]))


def page(found: dict[str, Any]) -> str:
    lines = [
        "# Why orthogonal is ahead at depth 50",
        "",
        f"`python experiments/depth_reasons.py --out results/depth-reasons`; digits, 50 hidden "
        f"layers of 16, tanh; {STEPS} steps of Adam, the best of the rates "
        f"{', '.join(f'{rate:g}' for rate in RATES)}; {len(SEEDS)} seeds; one thread; firstlight "
        f"{firstlight.__version__}, torch {torch.__version__}; "
        f"{sum(each['seconds'] for each in found.values()):.0f} s.",
        "",
        "| start | accuracy % | after 100 steps | rate | samples apart, last/first "
        "| gradient first/last |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        middle, low, high, _ = estimate(each["accuracy"])
        early = 100 * np.mean(each["after_100"])
        lines.append(
            f"| {name} | {100 * middle:.1f} ({100 * low:.1f} to {100 * high:.1f}) | {early:.1f} "
            f"| {each['rate']:g} | {each['apart_ratio']:.2g} | {each['gradient_ratio']:.2g} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "runs.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    samples = Samples.of(load("digits"), None)
    for name, parts in VARIANTS.items():
        if name not in found:
            found[name] = measured(parts, samples)
            path.write_text(json.dumps(found) + "\n")
    (out / "table.md").write_text(page(found))
    print(page(found))


if __name__ == "__main__":
    main()
