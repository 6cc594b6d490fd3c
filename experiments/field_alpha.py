"""How good is the automatic weight scale? Brute force over alpha, on images, audio, a map, a shape.

For every signal and depth a sine network of width 256 is fitted at each alpha of {1, 1.25, ..., 4}
and at alpha="auto", Adam 1e-4, to the target PSNR. Images are trained on every second pixel in both
axes; the others judge. The best alpha is the one with the fewest steps among those whose held-out
PSNR at the target is within 0.5 dB of the best. Of most parts
a case ends at the alpha whose held-out PSNR is 3 dB below the best so far: larger ones only lose
more, as the whole grid at 128 x 128 shows.

Signals, alphas and options stand in ``firstlight.papers.weight_scaling.grid``, of which parts are
entries: `firstlight reproduce weight-scaling/images --preset standard`.

`python experiments/field_alpha.py measure --out results/field-alpha [--part 128 --part 256 ...]`,
`... seeds ...`, then `python experiments/field_alpha.py table --out results/field-alpha`.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch

from firstlight import fields
from firstlight.papers.weight_scaling import grid
from firstlight.papers.weight_scaling.grid import ALPHAS, LESS, LOST, MORE, MOST_STEPS, PARTS, RATE
from firstlight.papers.weight_scaling.signals import signal
from firstlight.papers.work import Work

DATA = Path("../shared/data")


def measure(options: argparse.Namespace) -> None:
    """Fit every signal of some parts at every alpha; finished fits are taken as they are."""
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "runs.jsonl"
    for part in options.part or PARTS:
        settings = grid.STANDARD | {"parts": {part: PARTS[part]}}
        frame = grid.measure(Work(settings, options.out / "parts", DATA, print))
        lines = [line(row) for row in frame.to_dict("records")]
        others = [run for run in read(path) if run["part"] != part]
        text = "".join(json.dumps(run) + "\n" for run in [*others, *lines])
        path.write_text(text, encoding="utf-8")


def line(row: dict[str, Any]) -> dict[str, Any]:
    """A row of an entry as a line of ``runs.jsonl``."""
    asked = json.loads(row["network"])["alpha"]
    never = math.isnan(row["steps_to_target"])
    return {
        "depth": row["depth"],
        "asked": asked,
        "alpha": row["alpha"],
        "omega_0": row["omega_0"],
        "steps": None if never else int(row["steps_to_target"]),
        "psnr": row["psnr"],
        "measured": json.loads(row["measured"]),
        "seconds": row["seconds"],
        "torch": row["torch"],
        "signal": row["signal"].removesuffix(f" {2**14}"),
        "part": row["part"],
        "precision": json.loads(row["training"])["precision"],
    }


def seeds(options: argparse.Namespace) -> None:
    """SIREN and the automatic alpha on the image that is median in SIREN's steps, three seeds."""
    path = options.out / "seeds.jsonl"
    known = signal(Work({}, data=DATA), "kodim11 256")
    for asked in (1.0, "auto"):
        for seed in range(3):
            run = fitted(known, asked, seed) | {"signal": "kodim11 256", "seed": seed}
            with path.open("a") as file:
                file.write(json.dumps(run) + "\n")


def fitted(known: fields.Signal, asked: float | str, seed: int) -> dict[str, Any]:
    network = fields.Sine(width=grid.WIDTH, depth=5, alpha=asked, omega_0=30.0)
    fit = fields.fit(
        known,
        network,
        target_psnr=grid.TARGET,
        steps=MOST_STEPS,
        learning_rate=RATE,
        compile=False,
        precision="bfloat16",
        seed=seed,
    )
    return {
        "depth": 5,
        "asked": asked,
        "alpha": fit.network.alpha,
        "omega_0": fit.network.omega_0,
        "steps": fit.steps if fit.stopped == "target" else None,
        "psnr": round(fit.psnr, 3),
        "measured": {name: round(value, 4) for name, value in fit.measured.items()},
        "seconds": round(fit.seconds, 1),
        "precision": "bfloat16",
        "torch": torch.__version__,
    }


def read(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from (json.loads(line) for line in path.read_text().splitlines())


def table(out: Path) -> str:
    cases: dict[tuple[str, str, int], dict[float | str, dict[str, Any]]] = {}
    for run in read(out / "runs.jsonl"):
        case = (run["part"], run["signal"], run["depth"])
        cases.setdefault(case, {})[run["asked"]] = run
    judged = [
        Judged.of(*case, runs) for case, runs in sorted(cases.items()) if whole(runs) is not None
    ]
    lines = [
        "| cases | | at most 1.2 times the best alpha's steps | held out within 0.5 dB of the best "
        "| of alpha 1's | alpha 1's steps / auto's, median |",
        "|---|---|---|---|---|---|",
    ]
    for part in [*PARTS, "all but fresh"]:
        own = [
            each
            for each in judged
            if part == each.part or (part == "all but fresh" and "fresh" not in each.part)
        ]
        if own:
            lines.append(summary(part, own))
    lines += [
        "",
        "| signal | depth | best alpha | steps | auto | steps | more | held out, against the best "
        "and alpha 1, dB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [each.row() for each in judged]
    return "\n".join(lines) + "\n"


def whole(runs: dict[float | str, dict[str, Any]]) -> dict[float, dict[str, Any]] | None:
    """Runs of the grid by alpha; None where it goes neither to its end nor beyond the best."""
    grid = {alpha: run for alpha, run in runs.items() if not isinstance(alpha, str)}
    if not grid or "auto" not in runs:
        return None
    top = max(held(run) for run in grid.values())
    last = max(grid)
    return grid if last == ALPHAS[-1] or held(grid[last]) < top - LOST else None


class Judged(NamedTuple):
    part: str
    name: str
    depth: int
    best: float
    steps: int
    auto: dict[str, Any]
    more: float
    to_best: float
    to_first: float
    fewer: float

    @classmethod
    def of(
        cls, part: str, name: str, depth: int, runs: dict[float | str, dict[str, Any]]
    ) -> "Judged":
        grid = {alpha: run for alpha, run in (whole(runs) or {}).items() if run["steps"]}
        top = max(held(run) for run in grid.values())
        near = [alpha for alpha, run in grid.items() if held(run) >= top - LESS]
        best = min(near, key=lambda alpha: grid[alpha]["steps"])
        steps, auto, first = grid[best]["steps"], runs["auto"], runs[1.0]
        own = auto["steps"] or math.inf
        return cls(
            part,
            name,
            depth,
            best,
            steps,
            auto,
            own / steps,
            held(auto) - top,
            held(auto) - held(first),
            (first["steps"] or MOST_STEPS) / own,
        )

    def row(self) -> str:
        return (
            f"| {self.name} | {self.depth} | {self.best} | {self.steps} | "
            f"{self.auto['alpha']:.2f} | {self.auto['steps']} | {self.more:.2f} | "
            f"{self.to_best:+.2f}, {self.to_first:+.2f} |"
        )


def summary(part: str, judged: list[Judged]) -> str:
    count = len(judged)
    good = sum(each.more <= MORE for each in judged)
    kept = sum(each.to_best >= -LESS for each in judged)
    siren = sum(each.to_first >= -LESS for each in judged)
    side, _, which = part.partition(" ")
    name = f"Kodak, {side} x {side}{', ' if which else ''}{which}" if side.isdigit() else part
    return (
        f"| {name} | {count} | {good} | {kept} | {siren} | "
        f"{median(each.fewer for each in judged):.1f} |"
    )


def held(run: dict[str, Any]) -> float:
    return run["measured"]["held_out_psnr"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("measure", "seeds", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", action="append", choices=PARTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.verb == "measure":
        measure(options)
        return
    if options.verb == "seeds":
        seeds(options)
        return
    text = table(options.out)
    (options.out / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
