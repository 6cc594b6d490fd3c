"""How good is the automatic weight scale? Brute force over alpha, on images, audio, a map, a shape.

For every signal and depth a sine network of width 256 is fitted at each alpha of {1, 1.25, ..., 4}
and at alpha="auto", Adam 1e-4, to the target PSNR. Images are trained on every second pixel in both
axes; the others judge. The best alpha is the one with the fewest steps among those whose held-out
PSNR at the target is within 0.5 dB of the best. Runs are kept line by line and not repeated. With
--short a case ends at the alpha whose held-out PSNR is 3 dB below the best so far: larger ones only
lose more, as the whole grid at 128 x 128 shows.

`python experiments/field_alpha.py measure --out results/field-alpha [--part 128 --part 256 ...]`,
`... seeds ...`, then `python experiments/field_alpha.py table --out results/field-alpha`.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from firstlight import fields

DATA = Path("../shared/data")
ALPHAS = tuple(1 + number / 4 for number in range(13))
ASKED: dict[str, tuple[float | str, ...]] = {
    "all": ("auto", *ALPHAS),
    "grid": ALPHAS,
    "auto": ("auto",),
}
MOST_STEPS, RATE, WIDTH = 1500, 1e-4, 256
#: "At most 20 % more steps", "within 0.5 dB", and what no larger alpha comes back from.
MORE, LESS, LOST = 1.2, 0.5, 3.0


#: What of a picture is looked at. No number in firstlight was set with the fresh part, which lies
#: outside the usual one, in a picture that is 768 wide as in one that is 512.
USUAL, FRESH = (0, 0, 512, 512), {768: (512, 128, 768, 384), 512: (128, 512, 384, 768)}


def picture(number: int, side: int, fresh: bool = False) -> fields.Signal:
    image = Image.open(DATA / "kodak" / f"kodim{number:02}.png").convert("L")
    part = FRESH[image.width] if fresh else USUAL
    image = image.crop(part).resize((side, side), Image.Resampling.LANCZOS)
    return fields.load(np.asarray(image), kind="image", every=2)


def sphere(variable: str) -> fields.Signal:
    select = {"level": 500, "month": 1}
    path = DATA / "sphere" / "eraint_uvz.nc"
    return fields.load(path, variable=variable, select=select, every=4)


def sound(start: float) -> fields.Signal:
    return fields.load(DATA / "audio" / "gt_bach.wav", start=start, seconds=0.5, every=2)


def shape(name: str) -> fields.Signal:
    return fields.load(DATA / "shapes" / f"{name}.obj", points=2**14)


#: Parts: names of signals, how they are made, the first layer's omega, the target in dB.
Case = tuple[str, Callable[[], fields.Signal], float, float]
PARTS: dict[str, list[Case]] = (
    {
        str(side): [
            (
                f"kodim{number:02} {side}",
                lambda number=number, side=side: picture(number, side),
                30,
                40,
            )
            for number in range(1, 17)
        ]
        for side in (128, 256)
    }
    | {
        f"{side} fresh": [
            (
                f"kodim{number:02} {side} fresh",
                lambda number=number, side=side: picture(number, side, fresh=True),
                30,
                40,
            )
            for number in range(1, 9)
        ]
        for side in (128, 256)
    }
    | {
        "audio": [(f"bach {at:g} s", lambda at=at: sound(at), 300, 40) for at in (1.0, 2.0, 4.0)],
        "sphere": [
            (f"era {each}", lambda each=each: sphere(each), 30, 40) for each in ("z", "u", "v")
        ],
        "shape": [
            (each, lambda each=each: shape(each), 30, 20)
            for each in ("stanford-bunny", "rocker-arm")
        ],
    }
)


def measure(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "runs.jsonl"
    done = {(run["signal"], run["depth"], run["asked"]): run for run in read(path)}
    for part in options.part or PARTS:
        for name, make, omega_0, target in PARTS[part]:
            signal = make()
            for depth in options.depth or (3, 5):
                top = -math.inf
                for asked in ASKED[options.asked]:
                    run = done.get((name, depth, asked))
                    if run is None:
                        run = fitted(signal, depth, asked, omega_0, target, options.precision)
                        run |= {"signal": name, "part": part}
                        with path.open("a") as file:
                            file.write(json.dumps(run) + "\n")
                        print(json.dumps(run), flush=True)
                    if asked != "auto":
                        top = max(top, held(run))
                        if options.short and held(run) < top - LOST:
                            break


def seeds(options: argparse.Namespace) -> None:
    """SIREN and the automatic alpha on the image that is median in SIREN's steps, three seeds."""
    path, signal = options.out / "seeds.jsonl", picture(11, 256)
    for asked in (1.0, "auto"):
        for seed in range(3):
            run = fitted(signal, 5, asked, 30, 40, options.precision, seed)
            with path.open("a") as file:
                file.write(json.dumps(run | {"signal": "kodim11 256", "seed": seed}) + "\n")


def fitted(
    signal: fields.Signal,
    depth: int,
    asked: float | str,
    omega_0: float,
    target: float,
    precision: str,
    seed: int = 0,
) -> dict[str, Any]:
    network = fields.Sine(width=WIDTH, depth=depth, alpha=asked, omega_0=float(omega_0))
    fit = fields.fit(
        signal,
        network,
        target_psnr=target,
        steps=MOST_STEPS,
        learning_rate=RATE,
        compile=False,
        precision=precision,
        seed=seed,
    )
    return {
        "depth": depth,
        "asked": asked,
        "alpha": fit.network.alpha,
        "omega_0": fit.network.omega_0,
        "steps": fit.steps if fit.stopped == "target" else None,
        "psnr": round(fit.psnr, 3),
        "measured": {name: round(value, 4) for name, value in fit.measured.items()},
        "seconds": round(fit.seconds, 1),
        "precision": precision,
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
    parser.add_argument("--depth", action="append", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--asked", choices=ASKED, default="all")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
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
