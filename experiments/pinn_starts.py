"""Which start lets a deep, narrow tanh network solve Burgers' and the Allen-Cahn equation?

`python experiments/pinn_starts.py measure --out results/pinn-starts` trains what is missing, one
measurement after the other (--measurement names some), and writes its table and figures; `... table
--out results/pinn-starts` prints what is there, finished or not. Every start gets the same points
and steps, and the rate of Adam that has the least loss for it on a seed that is not reported.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from firstlight import physics
from firstlight.cli.output import rendered
from firstlight.cli.pinn_progress import PinnProgressBar
from firstlight.papers.odd_sigmoid.pinn import ALLEN_CAHN, BURGERS, STARTS
from firstlight.physics.study import TUNING_SEED
from firstlight.report.physics import pinn_table, write_pinn

#: Part of the entry for each folder of results/pinn-starts.
PARTS = {"burgers": "layers-20", "burgers-30": "layers-30", "burgers-few-points": "few-points"}
MEASUREMENTS: dict[str, dict[str, Any]] = {
    name: dict(BURGERS.presets["standard"]["studies"][part]) for name, part in PARTS.items()
}
MEASUREMENTS["allen_cahn_hard"] = dict(ALLEN_CAHN.presets["standard"]["studies"]["hard"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("measure", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--measurement", nargs="+", default=list(MEASUREMENTS))
    parser.add_argument("--starts", nargs="+", default=STARTS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.measurement:
        if asked.what == "measure":
            measure(name, asked.starts, asked.out / name)
        else:
            print(finished(name, asked.out / name))


def measure(name: str, starts: list[str], out: Path) -> None:
    """Train what is missing, and write the table."""
    setting = {key: value for key, value in MEASUREMENTS[name].items() if key != "schemes"}
    with PinnProgressBar(Console(stderr=True), name) as bar:
        found, maps = physics.study(schemes=starts, out=out, progress=bar, **setting)
    write_pinn(found, maps, out)
    text = rendered(pinn_table(found))
    command = " ".join(["python", *sys.argv])
    (out / "table.md").write_text(f"`{command}`, {found.versions}\n\n```\n{text}```\n")


def finished(name: str, out: Path) -> str:
    """Lay out the runs that are there, without waiting for the others."""
    errors: dict[str, dict[str, float]] = {}
    for path in sorted((out / "runs").glob("*.json")):
        data = json.loads(path.read_text())
        if "looks" in data["found"]:
            spec = data["asked"]["spec"]
            seed = "tuning" if spec["seed"] == TUNING_SEED else f"seed {spec['seed']}"
            cells = errors.setdefault(spec["scheme"], {})
            cells[f"{seed}, {spec['learning_rate']:g}"] = data["found"]["error"]
    lines = [f"{name}: relative L2 error of finished runs"]
    for scheme, cells in errors.items():
        told = "; ".join(f"{run}: {float(error):.3g}" for run, error in sorted(cells.items()))
        lines.append(f"  {scheme}: {told}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
