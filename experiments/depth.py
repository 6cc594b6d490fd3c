"""Very deep, narrow networks under every start: the measurements behind docs/depth.md.

Each measurement is one call of `firstlight.studies.depth_study`; its learning rates are chosen for
each start on a tenth of the training samples, with equal steps for all. MNIST is the 10,000 images
of ../shared/data: 8,000 to train on, of which 800 choose the rate, and 2,000 to judge; CIFAR-10
likewise. A depth counts hidden layers. Finished parts are kept in --runs; the same command goes on.

`python experiments/depth.py hard-case --out results/depth-hard-case --runs /tmp/depth`; `all` makes
every measurement, --out being the folder of all results then.
"""

import argparse
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch
from _depth_table import page
from rich.console import Console

from firstlight.cli.study_depth_progress import DepthBar
from firstlight.report.depth import write_depth
from firstlight.studies import depth_study
from firstlight.studies.depth_options import SCHEMES

MNIST = "parquet:../shared/data/mnist-test10k.parquet"
CIFAR10 = "parquet:../shared/data/cifar10-test.parquet"
EPOCH = 7200 // 64  # updates of either
OURS = "diagonal_plus_noise"

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
FEW_RATES = (3e-4, 1e-3, 3e-3)

#: Name of a measurement, and the options of its study.
MEASUREMENTS: dict[str, dict[str, Any]] = {
    "hard-case": {
        "widths": ((16, 4),),
        "depths": 100,
        # orthonormal rows halve the signal in 16 to 4, so also with the gain that makes up for it
        "schemes": (*SCHEMES, "orthogonal:gain=1.4142"),
        "data": MNIST,
        "learning_rates": RATES,
        "steps": 20 * EPOCH,
    },
    "noise-scale": {
        "depths": 50,
        "schemes": (),
        "noise_factors": (0.3, 0.55, 1.0, 1.7, 3.0),
        "data": MNIST,
        "learning_rates": FEW_RATES,
        "steps": 10 * EPOCH,
    },
    "noise-scale-longer": {
        "depths": 50,
        "schemes": (),
        "noise_factors": (1.0, 3.0, 0.3),
        "data": MNIST,
        "learning_rates": (3e-5, 1e-4, 3e-4),
        "steps": 40 * EPOCH,
    },
    "full-training": {
        "depths": 50,
        "data": MNIST,
        "learning_rates": RATES,
        "steps": 10 * EPOCH,
    },
    "wrong-omega": {
        "depths": 50,
        "schemes": (OURS,),
        "omega_errors": (-0.3, -0.1, -0.03, 0.03, 0.1, 0.3),
        "data": MNIST,
        "learning_rates": FEW_RATES,
        "steps": 5 * EPOCH,
    },
    "few-samples": {
        "depths": 50,
        "data": MNIST,
        "train_sizes": (100, 500),
        "learning_rates": FEW_RATES,
        "steps": 400,
    },
    "negative-rate": {
        "depths": (10, 50, 100),
        "schemes": (OURS,),
        "negative_rates": (1e-6, 1e-4, 0.01, 0.1, 0.4, 0.49),
        "data": MNIST,
        "learning_rates": FEW_RATES,
        "steps": 5 * EPOCH,
    },
    "negative-rate-1000": {
        "depths": 1000,
        "schemes": (OURS,),
        "negative_rates": (1e-30, 1e-6, 0.01, 0.1, 0.4),
        "learning_rates": (1e-4, 1e-3),
        "steps": 200,
    },
    "full-training-100": {
        "depths": 100,
        "data": MNIST,
        "learning_rates": RATES,
        "steps": 10 * EPOCH,
    },
    "signals": {
        "widths": (4, 16, 64, 256),
        "depths": (3, 100, 1000),
        "activations": ("tanh", "softsign"),
        "steps": 0,
    },
    "cifar10": {
        "widths": 32,
        "depths": 50,
        "data": CIFAR10,
        "learning_rates": FEW_RATES,
        "steps": 8 * EPOCH,
    },
    "noise-scale-64": {
        "widths": 64,
        "depths": 50,
        "schemes": (),
        "noise_factors": (0.3, 1.0, 3.0),
        "data": MNIST,
        "learning_rates": (3e-4, 1e-3),
        "steps": 5 * EPOCH,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*MEASUREMENTS, "all"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.name != "all":
        measure(options.name, options.out, options.runs / options.name)
        return
    for name in MEASUREMENTS:
        measure(name, options.out / f"depth-{name}", options.runs / name)


def measure(name: str, out: Path, runs: Path) -> None:
    began = time.time()
    with DepthBar(Console(stderr=True)) as bar:
        study = depth_study(**MEASUREMENTS[name], out=runs, progress=bar)
    out.mkdir(parents=True, exist_ok=True)
    seconds = sum(row.found.seconds for row in study.rows)
    about = {
        "command": f"python experiments/depth.py {name} --out results/depth-{name}",
        "seconds": round(seconds),
        "versions": {**study.versions, "python": sys.version.split()[0]},
        "threads": 1,
    }
    found = {"about": about, "study": study.as_dict()}
    (out / "study.json").write_text(json.dumps(found, allow_nan=False) + "\n")
    (out / "table.md").write_text(page(name, about, study))
    write_depth(study, out)
    print(f"{name}: {time.time() - began:.0f} s now, {seconds:.0f} s in all", shlex.quote(str(out)))
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
