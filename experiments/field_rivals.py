"""Weight scaling against every start and every network of equal size, at equal steps and own rates.

A sine network of width 256 and 5 weight layers at alpha="auto" beside SIREN, Xavier-uniform,
frequency tuning, gradient control, WINNER, VI3NR, TUNER and seven other networks with as many
numbers, on a picture, an occupancy field, a map of the sphere and a sound. Each takes the learning
rate of {1e-4, 3e-4, 1e-3, 3e-3, 1e-2} that is best for it on a seed of its own, then 50 steps of
Adam over all samples, three seeds, bfloat16, one thread; after 150 steps many have all there is to
have. Held-out samples judge what lies between.

Networks and options stand in ``firstlight.papers.weight_scaling.rivals``, an entry:
`firstlight reproduce weight-scaling/rivals --preset standard`.

`python experiments/field_rivals.py measure --out results/field-rivals [--signal image ...]`, then
`table`; finished runs are kept under OUT/SIGNAL/runs and not repeated.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import torch
from rich.console import Console

from firstlight import fields
from firstlight.cli.study_progress import StudyProgressBar
from firstlight.papers.weight_scaling.adopt import KINDS
from firstlight.papers.weight_scaling.rival_networks import COMPARED, networks
from firstlight.papers.weight_scaling.rivals import SIGNALS, STANDARD
from firstlight.papers.weight_scaling.signals import signal
from firstlight.papers.work import Work
from firstlight.report.fields import write_study

DATA = Path("../shared/data")


def compare(name: str, out: Path) -> None:
    of = {kind: each for each, kind in KINDS.items()}[name]
    known = signal(Work({}, data=DATA), of)
    found = networks(known, SIGNALS[of], STANDARD["width"])
    bar = StudyProgressBar(Console(stderr=True), name)
    with bar:
        study = fields.study(
            known,
            {each: found[each] for each in COMPARED},
            target_psnr=None,
            steps=STANDARD["steps"],
            seeds=STANDARD["seeds"],
            learning_rates=tuple(STANDARD["rates"]),
            probes=(),
            precision=STANDARD["precision"],
            compile=False,
            out=out / name,
            progress=bar,
        )
    write_study(study, out / name)
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
    parser.add_argument("--signal", action="append", choices=KINDS.values())
    options = parser.parse_args()
    if options.verb == "measure":
        torch.set_num_threads(1)
        for name in options.signal or KINDS.values():
            compare(name, options.out)
        return
    there = [name for name in KINDS.values() if (options.out / name / "study.json").exists()]
    text = "\n".join(table(name, options.out) for name in there)
    (options.out / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
