"""Weight scaling against every start and every network of equal size, at equal steps and own rates.

A sine network of width 256 and 5 weight layers at alpha="auto" beside SIREN, Xavier-uniform,
frequency tuning, gradient control, WINNER, VI3NR, TUNER and seven other networks with as many
numbers, on a picture, an occupancy field, a map of the sphere and a sound. Each takes the learning
rate of {1e-4, 3e-4, 1e-3, 3e-3, 1e-2} that is best for it on a seed of its own, then 50 steps of
Adam over all samples, three seeds, bfloat16, one thread; after 150 steps many have all there is to
have. Held-out samples judge what lies between.

`python experiments/field_rivals.py --out results/field-rivals [--signal image ...]`; finished runs
are kept under OUT/SIGNAL/runs and not repeated.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from firstlight import fields
from firstlight.cli.study_progress import StudyProgressBar
from firstlight.fields.networks.network import Network
from firstlight.report.fields import study_table, write_study

from field_alpha import picture  # isort: skip  # beside this file

DATA = Path("../shared/data")
STEPS, RATES, SEEDS = 50, (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 3


def shape() -> fields.Signal:
    return fields.load(DATA / "shapes" / "stanford-bunny.obj", points=2**13)


def sphere() -> fields.Signal:
    select = {"level": 500, "month": 1}
    return fields.load(DATA / "sphere" / "eraint_uvz.nc", variable="u", select=select, every=4)


def sound() -> fields.Signal:
    return fields.load(DATA / "audio" / "gt_bach.wav", start=1.0, seconds=0.5, every=2)


#: How each is made, and SIREN's first omega: 30, as published; 3000 for a sound of seven seconds,
#: so about 200 for half of one, where 300 is better.
SIGNALS: dict[str, tuple[Callable[[], fields.Signal], float]] = {
    "sphere": (sphere, 30.0),
    "shape": (shape, 30.0),
    "audio": (sound, 300.0),
    "image": (lambda: picture(5, 192), 30.0),
}


def networks(signal: fields.Signal, omega_0: float) -> dict[str, Network]:
    """By name; all but the starts of the same network are sized like it."""
    sine = fields.Sine(width=256, depth=5, alpha=1.0, omega_0=omega_0)

    def start(**options: Any) -> Network:
        return replace(sine, **options)

    others: dict[str, Network] = {
        "TUNER": fields.Tuner(depth=5),
        "Gauss": fields.Gauss(depth=5),
        "sinc": fields.Sinc(depth=5),
        "WIRE": fields.Wire(depth=5),
        "FINER": fields.Finer(depth=5),
        "Fourier features": fields.FourierFeatures(depth=5),
        "multiplicative filter": fields.MultiplicativeFilter(depth=5),
        "hash grid": fields.HashGrid(),
    }
    sized = {
        name: fields.sized_like(network.resolved(signal), sine, signal.inputs, signal.outputs)
        for name, network in others.items()
    }
    return {
        "weight scaling, auto": start(alpha="auto"),
        "SIREN": sine,
        "Xavier-uniform": start(start="xavier_uniform"),
        "frequency tuning": start(omega_0="nyquist"),
        "gradient control": start(start="gradient_control", omega_0="nyquist"),
        "WINNER": start(start="winner"),
        "VI3NR": start(start="vi3nr"),
        **sized,
    }


def compare(name: str, out: Path) -> None:
    make, omega_0 = SIGNALS[name]
    signal = make()
    bar = StudyProgressBar(Console(stderr=True), name)
    with bar:
        found = fields.study(
            signal,
            networks(signal, omega_0),
            target_psnr=None,
            steps=STEPS,
            seeds=SEEDS,
            learning_rates=RATES,
            probes=(),
            precision="bfloat16",
            compile=False,
            out=out / name,
            progress=bar,
        )
    write_study(found, out / name)
    console = Console(width=140, record=True)
    console.print(study_table(found))
    (out / name / "table.txt").write_text(console.export_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--signal", action="append", choices=SIGNALS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.signal or SIGNALS:
        compare(name, options.out)


if __name__ == "__main__":
    main()
