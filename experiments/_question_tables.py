"""The answers as Markdown: medians and ranges over cases, and differences within a case."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from field_alpha import read

import firstlight
from firstlight.papers.weight_scaling.grid import LESS

Run = dict[str, Any]
#: What a variant of a group is compared with, case by case; "alpha 1" where nothing is said.
REFERENCE = {"layers": "auto", "trained": "fixed"}
#: Questions that stop after so many steps and ask for the level.
LEVELS = ("families", "optimizer")
#: Words of ``fields`` for a fit that goes wrong, in short.
TROUBLES = {
    "not a number": "no number",
    "jumped": "jumps",
    "worse than the signal's mean": "worse than the mean",
    "no better than the signal's mean": "stuck at the mean",
}


def page(path: Path, questions: list[str]) -> str:
    runs = list(read(path))
    parts = ["# Open questions of weight scaling\n", versions(runs)]
    for question in questions:
        own = [run for run in runs if run["question"] == question]
        if own:
            parts += [f"## {question}\n", table(question, own)]
            parts += [more(own) for more in MORE.get(question, ())]
    return "\n".join(parts)


def versions(runs: list[Run]) -> str:
    seconds = sum(run["seconds"] for run in runs if "taken_from" not in run)
    torch = ", ".join(sorted({run["torch"] for run in runs}))
    images, seeds = (sorted({run[each] for run in judged(runs)}) for each in ("image", "seed"))
    return (
        "`python experiments/field_questions.py measure --out results/field-questions`, then "
        f"`table`; firstlight {firstlight.__version__}, torch {torch}, one thread, bfloat16; Kodak "
        f"{images}, seeds {seeds} (100 tunes rates); {seconds / 60:.0f} minutes of fits.\n\n"
        "Median (least to most) over cases; differences are within a case. Never: not to 40 dB "
        "within the steps allowed; in a ratio a reference counts with the steps allowed, this with "
        "0. What is asked and how: the script's docstring.\n"
    )


def judged(runs: Iterable[Run]) -> list[Run]:
    """Without the runs that tune a rate."""
    return [run for run in runs if not run["variant"].startswith("rate ")]


def groups(runs: Iterable[Run]) -> dict[str, dict[str, dict[tuple[int, int], Run]]]:
    """Runs by group, variant and case."""
    found: dict[str, dict[str, dict[tuple[int, int], Run]]] = {}
    for run in judged(runs):
        case = (run["image"], run["seed"])
        found.setdefault(run["group"], {}).setdefault(run["variant"], {})[case] = run
    return found


def table(question: str, runs: list[Run]) -> str:
    against = REFERENCE.get(question, "alpha 1")
    pace = ["steps to 40 dB", f"{against}'s steps / these"]
    level = ["steps to 40 dB", "PSNR", f"more than {against}"]
    columns = level if question in LEVELS else pace
    head = ["", "", "cases", *columns, "held-out PSNR", f"more than {against}", "s", "remarks"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for group, variants in groups(runs).items():
        for variant, cases in sorted(variants.items(), key=lambda each: order(each[0])):
            first = variants.get(against, {})
            cells = [group, variant, str(len(cases))]
            there, height = paces(cases, first), levels(cases, first, "psnr")
            cells += [there[0], *height] if question in LEVELS else there
            cells += levels(cases, first, "held_out_psnr")
            cells += [spread([run["seconds"] for run in cases.values()], ".0f")]
            cells += [remarks(cases.values())]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def order(variant: str) -> tuple[int, float]:
    """Alphas by their size, behind all else."""
    if variant.startswith("alpha "):
        return 1, float(variant.removeprefix("alpha "))
    return 0, 0.0


def steps_of(run: Run) -> float:
    return math.inf if run["steps_to_40"] is None else run["steps_to_40"]


def paces(cases: dict[tuple[int, int], Run], first: dict[tuple[int, int], Run]) -> list[str]:
    ratios = []
    for case, run in cases.items():
        if case in first and (first[case]["steps_to_40"] or run["steps_to_40"]):
            # a reference that never gets there counts with the steps that it took: at least so many
            ratios.append((first[case]["steps_to_40"] or first[case]["steps"]) / steps_of(run))
    return [spread([steps_of(run) for run in cases.values()], ".0f"), spread(ratios, ".2f")]


def levels(
    cases: dict[tuple[int, int], Run], first: dict[tuple[int, int], Run], what: str
) -> list[str]:
    more = [run[what] - first[case][what] for case, run in cases.items() if case in first]
    return [spread([run[what] for run in cases.values()], ".1f"), spread(more, "+.2f")]


def spread(values: list[float], form: str) -> str:
    if not values:
        return "-"
    # of an even number the lower one, as half of never is no number
    least, *_, most = shown = [
        "never" if math.isinf(each) else f"{each:{form}}"
        for each in (min(values), middle(values), max(values))
    ]
    return shown[1] if least == most else f"{shown[1]} ({least} to {most})"


def middle(values: list[float]) -> float:
    return median(values) if all(map(math.isfinite, values)) else sorted(values)[len(values) // 2]


def remarks(runs: Iterable[Run]) -> str:
    runs, found = list(runs), []
    for words, short in TROUBLES.items():
        count = sum(any(words in note for note in run["notes"]) for run in runs)
        found += [f"{short}: {count}"] if count else []
    if all(run["network"]["alpha"] == "auto" for run in runs):
        found.append("alpha " + spread([run["alpha"] for run in runs], ".2f"))
    if runs[0]["question"] == "batches":
        samples = [math.inf if steps_of(run) == math.inf else run["samples_to_40"] for run in runs]
        found.append(f"samples: {spread(samples, ',.0f')}")
    if "target_psnr" not in runs[0]["training"]:
        found.append(f"rate {runs[0]['training']['learning_rate']:g}")
    ends = [run["alphas_at_the_end"] for run in runs if run["alphas_at_the_end"]]
    if ends:
        found.append(
            "alphas at the end: "
            + "; ".join(spread(list(each), ".2f") for each in zip(*ends, strict=True))
        )
    return ", ".join(found)


def best_of(runs: dict[Any, Run], cost: Callable[[Run], float]) -> Any:
    """The cheapest of those whose held-out PSNR is within 0.5 dB of the best."""
    least = max(run["held_out_psnr"] for run in runs.values()) - LESS
    return min(
        (each for each in runs if runs[each]["held_out_psnr"] >= least),
        key=lambda each: cost(runs[each]),
    )


def best_of_cases(runs: list[Run]) -> str:
    """Which variant is best in each case that has all of them."""
    lines = ["| | image | seed | best | steps | alpha 1 | auto | its alpha |", "|---" * 8 + "|"]
    for group, variants in groups(runs).items():
        for case in sorted(variants["auto"]):
            own = {each: cases[case] for each, cases in variants.items() if case in cases}
            if len(own) < 3:
                continue
            fixed = {each: run for each, run in own.items() if each != "auto"}
            best = best_of(fixed, steps_of)
            steps = [spread([steps_of(own[each])], ".0f") for each in (best, "alpha 1", "auto")]
            cells = [group, *map(str, case), best, *steps, f"{own['auto']['alpha']:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def best_of_families(runs: list[Run]) -> str:
    """The best alpha of seed 0, and what it gains over alpha 1 on the other seeds."""
    head = [
        "",
        "best alpha of seed 0",
        "PSNR more than alpha 1",
        "on other seeds",
        "held out there",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for group, variants in groups(runs).items():
        first = {
            each: run
            for each, cases in variants.items()
            for (_, seed), run in cases.items()
            if seed == 0
        }
        best = best_of(first, lambda run: -run["psnr"])
        others = {case: run for case, run in variants[best].items() if case[1] != 0}
        cells = [group, best, f"{first[best]['psnr'] - first['alpha 1']['psnr']:+.2f}"]
        cells += [
            levels(others, variants["alpha 1"], each)[1] for each in ("psnr", "held_out_psnr")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def tuned(runs: list[Run]) -> str:
    """PSNR by rate on the tuning seed."""
    lines = ["| tuned: | rate and PSNR |", "|---|---|"]
    found: dict[str, list[str]] = {}
    for run in runs:
        if run["variant"].startswith("rate "):
            rate = run["variant"].removeprefix("rate ")
            found.setdefault(run["group"], []).append(f"{rate}: {run['psnr']:.1f}")
    lines += [f"| {group} | {', '.join(each)} |" for group, each in found.items()]
    return "\n".join(lines) + "\n"


#: Further tables of a question.
MORE: dict[str, tuple[Callable[[list[Run]], str], ...]] = {
    "depth": (best_of_cases,),
    "layers": (best_of_cases,),
    "optimizer": (tuned,),
    "families": (best_of_families, tuned),
}
