"""The authors' script, and what becomes of its networks when they train on."""

from typing import TYPE_CHECKING, Any

from firstlight import fields
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, questions
from firstlight.papers.weight_scaling.fits import Fits, alpha_name, table
from firstlight.papers.weight_scaling.numbers import answer, apart, held, more, over

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work


def networks(width: int) -> dict[str, fields.Network]:
    """Return the script's networks: alpha for the sine network alone."""
    return {
        "weight scaling, 2.5": fields.Sine(width=width, depth=5, alpha=2.5, omega_0=30.0),
        "SIREN": fields.Sine(width=width, depth=5, alpha=1.0, omega_0=30.0),
        "sinc": fields.Sinc(width=width, depth=5),
        "Gauss": fields.Gauss(width=width, depth=5),
        "WIRE": fields.Wire(width=width, depth=5),  # width / sqrt 2 complex neurons
    }


def measure(work: "Work") -> "pd.DataFrame":
    """Fit all pixels from each network's own start."""
    fits = Fits(work)
    training = {"steps": work["steps"], "learning_rate": work["learning_rate"]}
    return table(
        [
            fits.run(case, "script", name, network, **training)
            for name, network in networks(work["width"]).items()
            for case in fits.cases
        ]
    )


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Is weight scaling ahead of each after equal steps?"""
    levels = {str(name): list(own.psnr) for name, own in frame.groupby("variant", sort=False)}
    ours, *rest = levels
    steps = int(frame.steps.max())
    return [
        held(
            f"the authors' script: weight scaling fits better than {rival} after equal steps",
            "ahead",
            f"PSNR after {steps} steps, dB: {over(levels[ours])} and {over(levels[rival])}",
            apart(levels[ours], levels[rival]),
            "Kodak 05, grey, every pixel, Adam 1e-4, alpha 2.5, smaller than the script's 512 x "
            "512 and width 512. Open is where ranges over seeds overlap, or one seed. Nothing is "
            "held out, so what lies between the pixels is not judged. Rates tuned: "
            "weight-scaling/rivals.",
        )
        for rival in rest
    ]


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """PSNR of each network, and its seconds."""
    panels = {}
    for title, column in (("PSNR, dB", "psnr"), ("seconds", "seconds")):
        values = {
            str(name): list(own[column]) for name, own in frame.groupby("variant", sort=False)
        }
        panels[title] = lambda axes, values=values, title=title: figures.dots(
            axes, values, title, log=title == "seconds"
        )
    return {"script": figures.sheet("The authors' script", "a dot for each seed", panels)}


def converged(work: "Work") -> "pd.DataFrame":
    """Train without a target."""
    fits = Fits(work)
    training = {"steps": work["steps"], "learning_rate": work["learning_rate"]}
    rows = []
    for alpha in work["alphas"]:
        network = questions.sine(work, alpha)
        rows += [
            fits.run(case, "end", alpha_name(alpha), network, **training) for case in fits.cases
        ]
    return table(rows)


def judge_converged(frame: "pd.DataFrame") -> list[Finding]:
    """What is left of the gain at the end."""
    shown = []
    for name, own in frame.groupby("variant", sort=False):
        levels = [each for each in frame if each.startswith("steps_to_") and each[-1].isdigit()]
        steps = ", ".join(over(own[each], ".0f") for each in levels)
        end = f"{over(own.psnr)} fitted, {over(own.held_out_psnr)} held out"
        shown.append(f"{name}: {end}, steps {steps}")
    change = ", ".join(
        f"{name} {over(more(frame, str(name), 'alpha 1', 'psnr'), '+.1f')}"
        for name in frame.variant.unique()
        if name != "alpha 1"
    )
    return [
        answer(
            "does the gain last when networks are trained to the end?",
            f"dB after {int(frame.steps.max()):,} steps and steps to {_levels(frame)} dB: "
            + "; ".join(shown),
            f"Fitted more than alpha 1 at the end, dB: {change}. Quality between the samples is "
            "decided by the start: training on does not mend it.",
        )
    ]


def _levels(frame: "pd.DataFrame") -> str:
    names = [each for each in frame if each.startswith("steps_to_") and each[-1].isdigit()]
    return ", ".join(each.removeprefix("steps_to_") for each in names)


def draw_converged(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Fitted and held-out PSNR at the end."""
    panels: dict[str, Any] = {}
    for title, column in (("fitted PSNR, dB", "psnr"), ("held-out PSNR, dB", "held_out_psnr")):
        values = {
            str(name): list(own[column]) for name, own in frame.groupby("variant", sort=False)
        }
        panels[title] = lambda axes, values=values, title=title: figures.dots(axes, values, title)
    said = "at the best step of a long training; a dot for each run"
    return {"end": figures.sheet("Trained to the end", said, panels)}


_PUBLISHED = {"target": 40.0, "steps": 150, "learning_rate": 1e-4}
ENTRIES = (
    Entry(
        "weight-scaling/script",
        "figure",
        "The authors' script",
        "Does the authors' own comparison come out the same?",
        "weight scaling ahead of all",
        {
            "quick": questions.QUICK
            | {"pictures": ["china 32 whole"], "steps": 20, "learning_rate": 1e-4},
            "standard": questions.STANDARD
            | _PUBLISHED
            | {"pictures": ["kodim05 128 whole"], "seeds": [0, 1], "width": 128},
            "full": questions.FULL | _PUBLISHED | {"pictures": ["kodim05 512 whole"]},
        },
        measure,
        judge,
        draw,
    ),
    Entry(
        "weight-scaling/to-convergence",
        "question",
        "Reviewers: training to convergence",
        "What is left of the gain after a long training?",
        "",
        questions.presets(
            {
                "pictures": ["kodim05 64", "kodim13 64"],
                "seeds": [0, 1],
                "width": 128,
                "alphas": [1.0, "auto", 2.0],
                "steps": 3000,
                "levels": [40, 50, 60],
            },
            pictures=["china 32"],
            seeds=[0],
            width=32,
            alphas=[1.0, 1.5],
            steps=150,
            levels=[20, 30],
        ),
        converged,
        judge_converged,
        draw_converged,
    ),
)
