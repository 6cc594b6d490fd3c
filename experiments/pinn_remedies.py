"""What else helps a deep, narrow tanh network with Burgers' equation?

`python experiments/pinn_remedies.py --out results/pinn-remedies` trains, at the points, steps and
rate of results/pinn-starts/burgers, both starts with time from -1 to 1 in place of 0 to 1. The same
command goes on where it was stopped.
"""

import argparse
from pathlib import Path

import torch
from pinn_starts import MEASUREMENTS
from rich.console import Console

from firstlight import physics
from firstlight.cli.output import rendered
from firstlight.cli.pinn_progress import PinnProgressBar
from firstlight.report.physics import pinn_table

RATE = 3e-3  # what both starts of results/pinn-starts/burgers take
REMEDIES = {
    "diagonal plus noise, time from -1 to 1": ("_centred_burgers:centred", "diagonal_plus_noise"),
    "Glorot normal, time from -1 to 1": ("_centred_burgers:centred", "Glorot normal"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    setting = {**MEASUREMENTS["burgers"], "learning_rates": (RATE,), "step_zero": 0}
    del setting["problem"], setting["schemes"]
    lines = [f"`python experiments/pinn_remedies.py --out {out}`\n"]
    for name, (problem, scheme) in REMEDIES.items():
        with PinnProgressBar(Console(stderr=True), name) as bar:
            folder = out / name.replace(",", "").replace(" ", "-")
            found, _ = physics.study(problem, [scheme], out=folder, progress=bar, **setting)
        lines.append(f"{name}\n\n```\n{rendered(pinn_table(found))}```\n")
    (out / "table.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
