"""What weight scaling (arXiv 2410.04779) leaves open: seven questions, answered by runs.

Kodak 02, 05 and 13, grey, 128 x 128, trained on every second pixel in both axes (4096 samples); the
other pixels judge. Width 256, bfloat16, Adam 1e-4 where nothing else is said, to 40 dB; a run that
does not reach it ends after 600 steps (deep networks earlier, small batches later, see ``limit``).
alpha="auto" is chosen once for an image and depth; its seconds are not counted.

To keep the whole under 40 core-minutes a question is not asked at every image and seed:

  most       each image at seed 0, and image 13 at two seeds more: 5 cases
  depth      the same for alpha 1 and "auto"; a grid of alphas at seed 0 only. It ends at the alpha
             whose held-out PSNR is 3 dB below the best so far; what alpha 2 does to the training is
             looked at on image 13 all the same
  families   image 13, 150 steps. All alphas at seed 0; seeds 1 and 2 only at alpha 1 and at the
             best of seed 0, so those judge a choice that they did not make. Sinc and WIRE, whose
             steps take 2 and 6 times as long, at one seed less
  optimizer  image 13, 300 steps
  batches    all samples are looked at after every 4 or 16 steps, which rounds steps to 40 dB up

Rates are tuned on a seed of their own (100), on image 13, from the smallest on until one is 1 dB
worse than the best, 60 steps each: for a family at alpha 1, for SGD at each alpha. Best alpha of a
case: the fewest steps to 40 dB (for families the highest PSNR) among those whose
held-out PSNR is within 0.5 dB of the best. Runs are kept line by line and not repeated; one that
two questions need is copied.

`python experiments/field_questions.py measure --out results/field-questions [--question depth]`,
then `python experiments/field_questions.py table --out results/field-questions`.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from _question_runs import TARGET, Ask, TrainedSine, chosen, fitted, signal
from _question_tables import best_of, page
from field_alpha import LOST, RATE, WIDTH

from firstlight import fields

STEPS, DEPTH = 600, 5
DEPTHS: dict[int, tuple[float, ...]] = {
    3: (1.5, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25),
    5: (1.25, 1.375, 1.5, 1.625, 1.75, 2.0),
    7: (1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 2.0),
    9: (1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 2.0),
    12: (1.0625, 1.125, 1.1875, 1.25, 1.375, 1.5, 2.0),
}
FAMILIES: dict[type[fields.Network], int] = {
    # seeds less than asked for
    fields.Sine: 0,
    fields.Finer: 0,
    fields.Tuner: 0,
    fields.MultiplicativeFilter: 0,
    fields.FourierFeatures: 0,
    fields.HashGrid: 0,
    fields.Gauss: 0,
    fields.Sinc: 1,
    fields.Wire: 1,
}
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
ADAM_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
SGD_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
#: Alphas of depth 5 as powers of 1.5: the same product, rising and falling.
LAYERS: dict[str, float | str | tuple[float, ...]] = {
    "auto": "auto",
    "alpha 1": 1.0,
    "all 1.25": 1.25,
    "all 1.5": 1.5,
    "first only 1.5": (1.5, 1.0, 1.0, 1.0),
    "hidden only 1.5": (1.0, 1.5, 1.5, 1.5),
    "rising": tuple(round(1.5**power, 3) for power in (0.4, 0.8, 1.2, 1.6)),
    "falling": tuple(round(1.5**power, 3) for power in (1.6, 1.2, 0.8, 0.4)),
}


def sine(alpha: Any, depth: int = DEPTH, **options: Any) -> fields.Sine:
    return fields.Sine(width=WIDTH, depth=depth, alpha=alpha, omega_0=30.0, **options)


def name(alpha: float | str) -> str:
    return alpha if isinstance(alpha, str) else f"alpha {alpha:g}"


def limit(depth: int = DEPTH, batch: int = 4096) -> dict[str, Any]:
    """As much work for a deep network as 600 steps of 5 layers, and more steps of small batches."""
    steps = min(STEPS, 2400 // (depth - 1)) * min(4, 4096 // batch)
    return {"target_psnr": TARGET, "steps": steps, "learning_rate": RATE}


def depth(ask: Ask) -> None:
    for layers, grid in DEPTHS.items():
        for case in ask.cases:
            top = None
            for alpha in ("auto", 1.0, *(grid if case[1] == 0 else ())):
                network = sine(alpha, layers)
                run = ask.run(case, f"depth {layers}", name(alpha), network, **limit(layers))
                top = max(top or run["held_out_psnr"], run["held_out_psnr"])
                if run["held_out_psnr"] < top - LOST:
                    break
        last = (ask.options.image[-1], 0)
        ask.run(last, f"depth {layers}", name(2.0), sine(2.0, layers), **limit(layers))


def families(ask: Ask) -> None:
    for family, fewer in FAMILIES.items():
        network = alike(family, signal(ask.options.image[-1], ask.options.side))
        group = family.family
        rate = ask.tuned_rate(group, network, ADAM_RATES, steps=60)
        training = {"steps": 150, "learning_rate": rate}
        first, *others = ask.same_image
        runs = {
            alpha: ask.run(first, group, name(alpha), network.with_alpha(alpha), **training)
            for alpha in SCALES
        }
        best = best_of(runs, lambda run: -run["psnr"])
        for case in others[: len(others) - fewer]:
            for alpha in sorted({1.0, best}):
                ask.run(case, group, name(alpha), network.with_alpha(alpha), **training)


def alike(family: type[fields.Network], known: fields.Signal) -> fields.Network:
    """The family at alpha 1, with as many numbers as the sine network; a hash grid's depth is 3."""
    sizes: dict[str, Any] = {} if family is fields.HashGrid else {"width": WIDTH, "depth": DEPTH}
    network: Any = family(alpha=1.0, **sizes)
    network = network.resolved(known)
    return network if family is fields.Sine else fields.sized_like(network, sine(1.0), 2, 1)


def draws(ask: Ask) -> None:
    for drawn in ("uniform", "normal"):
        for alpha in (1.0, 1.5, "auto"):
            for case in ask.cases:
                ask.run(case, drawn, name(alpha), sine(alpha, distribution=drawn), **limit())


def optimizer(ask: Ask) -> None:
    for alpha in (1.0, "auto"):
        sgd = {"optimizer": "sgd"}
        rate = ask.tuned_rate(name(alpha), sine(alpha), SGD_RATES, steps=60, **sgd)
        for case in ask.same_image:
            ask.run(case, "sgd", name(alpha), sine(alpha), steps=300, learning_rate=rate, **sgd)


def batches(ask: Ask) -> None:
    for batch in (512, 2048, 4096):
        part = {} if batch == 4096 else {"batch": batch}
        for alpha in (1.0, "auto"):
            for case in ask.cases:
                group = f"batch {batch}"
                ask.run(case, group, name(alpha), sine(alpha), **limit(batch=batch), **part)


def trained(ask: Ask) -> None:
    check(ask.cases[0], ask.options.side)
    for alpha in (1.0, "auto"):
        for case in ask.cases:
            group = f"from {name(alpha)}"
            ask.run(case, group, "fixed", sine(alpha), **limit())
            for rate in (1e-4, 1e-2):
                network = TrainedSine(
                    width=WIDTH, depth=DEPTH, alpha=alpha, omega_0=30.0, alpha_rate=rate
                )
                ask.run(case, group, f"trained at {rate:g}", network, **limit())


def check(case: tuple[int, int], side: int) -> None:
    """A trained alpha that is kept must be the plain network: the same curve, bit for bit."""
    of, alpha = signal(case[0], side), chosen(sine("auto"), case[0], side).alpha
    frozen = TrainedSine(width=WIDTH, depth=DEPTH, alpha=alpha, omega_0=30.0)
    plain, kept = (fitted(of, each, steps=10, seed=0) for each in (sine(alpha), frozen))
    if [each.psnr for each in plain.curve] != [each.psnr for each in kept.curve]:
        raise SystemExit("a frozen alpha gives another curve than fields.fit: trained alphas too")


def layers(ask: Ask) -> None:
    for variant, alpha in LAYERS.items():
        for case in ask.cases:
            ask.run(case, "depth 5", variant, sine(alpha), **limit())


QUESTIONS = {
    each.__name__: each for each in (depth, draws, layers, batches, trained, optimizer, families)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("measure", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--question", action="append", choices=QUESTIONS)
    parser.add_argument("--image", type=int, nargs="+", default=[2, 5, 13])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--most", type=int, default=0, help="of steps, to try the script")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.verb == "table":
        text = page(options.out / "runs.jsonl", list(QUESTIONS))
        (options.out / "table.md").write_text(text)
        print(text)
        return
    for question in options.question or QUESTIONS:
        QUESTIONS[question](Ask(question, options))


if __name__ == "__main__":
    main()
