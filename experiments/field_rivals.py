"""Weight scaling against every start and every network of equal size, at equal steps and own rates.

A sine network of width 256 and 5 weight layers at alpha="auto" beside SIREN, Xavier-uniform,
frequency tuning, gradient control, WINNER, VI3NR, TUNER and seven other networks with as many
numbers, on a picture, an occupancy field, a map of the sphere and a sound. Each takes the learning
rate of {1e-4, 3e-4, 1e-3, 3e-3, 1e-2} that is best for it on a seed of its own, then 50 steps of
Adam over all samples, three seeds, bfloat16, one thread; after 150 steps many have all there is to
have. Held-out samples judge what lies between.

`python experiments/field_rivals.py measure --out results/field-rivals [--signal image ...]`, then
`table`; finished runs are kept under OUT/SIGNAL/runs and not repeated.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console

from firstlight import fields
from firstlight.cli.study_progress import StudyProgressBar
from firstlight.fields.networks.network import Network
from firstlight.report.fields import write_study

from field_alpha import picture  # isort: skip  # beside this file

DATA = Path("../shared/data")
STEPS, RATES, SEEDS = 50, (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 3


def shape() -> fields.Signal:
    return fields.load(DATA / "shapes" / "stanford-bunny.obj", points=2**12)


def sphere() -> fields.Signal:
    select = {"level": 500, "month": 1}
    return fields.load(DATA / "sphere" / "eraint_uvz.nc", variable="u", select=select, every=4)


def sound() -> fields.Signal:
    return fields.load(DATA / "audio" / "gt_bach.wav", start=1.0, seconds=0.25, every=2)


#: How each is made, and SIREN's first omega: 30, as published; 3000 for a sound of seven seconds,
#: so about 100 for a quarter of one, where 150 is better.
SIGNALS: dict[str, tuple[Callable[[], fields.Signal], float]] = {
    "sphere": (sphere, 30.0),
    "shape": (shape, 30.0),
    "audio": (sound, 150.0),
    "image": (lambda: picture(5, 128), 30.0),
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
        "weight scaling, 2": start(alpha=2.0),
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
    (out / name / "spectra.png").unlink()  # of networks that have nothing in common
    _shorten(out / name / "study.json")


def _shorten(path: Path) -> None:
    """Keep what the table and the figures are made of."""
    found = json.loads(path.read_text())
    for row in found["rows"]:
        for run in row["runs"] + row["tuning"]:
            run["start"] = None
        for run in row["tuning"]:
            run["curve"] = []
    path.write_text(json.dumps(found))


def table(name: str, out: Path) -> str:
    """Medians and ranges over seeds, the most fitted first."""
    found = json.loads((out / name / "study.json").read_text())
    rows = sorted(found["rows"], key=lambda row: -median(run["psnr"] for run in row["runs"]))
    lines = [
        f"## {name}: {found['samples']:,} samples fitted, {found['held_out']:,} held out\n",
        "| network | numbers | rate | PSNR, dB | held out, dB | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        label = row["label"] + (f" ({row['alpha']:.2f})" if row["auto"] else "")
        psnr = over(run["psnr"] for run in row["runs"])
        held_out = over(run["measured"]["held_out_psnr"] for run in row["runs"])
        seconds = median(run["seconds"] for run in row["runs"])
        lines.append(
            f"| {label} | {row['parameters']:,} | {row['learning_rate']:g} | {psnr} | {held_out} | "
            f"{seconds:.0f} |"
        )
    lines += ["", *(f"{choice['line']}" for choice in found["choices"])]
    versions = ", ".join(f"{package} {version}" for package, version in found["versions"].items())
    return "\n".join(
        [*lines, "", f"{found['steps']} steps, seeds {found['seeds']}, {versions}", ""]
    )


def over(values: Iterable[float]) -> str:
    known = sorted(values)
    return f"{median(known):.1f} ({known[0]:.1f} to {known[-1]:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("measure", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--signal", action="append", choices=SIGNALS)
    options = parser.parse_args()
    if options.verb == "measure":
        torch.set_num_threads(1)
        for name in options.signal or SIGNALS:
            compare(name, options.out)
        return
    there = [name for name in SIGNALS if (options.out / name / "study.json").exists()]
    text = "\n".join(table(name, options.out) for name in there)
    (options.out / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
