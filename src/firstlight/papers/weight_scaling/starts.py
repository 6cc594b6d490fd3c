"""Starts of one sine network at the published rate: which frequencies are raised, and how."""

from typing import TYPE_CHECKING, Any

from firstlight import fields
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, questions
from firstlight.papers.weight_scaling.fits import Fits, table
from firstlight.papers.weight_scaling.numbers import answer, more, over, speedups

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

#: Options of ``fields.Sine`` by name. Frequency tuning at 45 has the first layer's variance of
#: alpha 1.5, and the hidden layers' of SIREN.
STARTS: dict[str, dict[str, Any]] = {
    "SIREN": {"alpha": 1.0},
    "weight scaling, 1.25": {"alpha": 1.25},
    "weight scaling, 1.5": {"alpha": 1.5},
    "weight scaling, 2": {"alpha": 2.0},
    "frequency tuning, 45": {"alpha": 1.0, "omega_0": 45.0},
    "frequency tuning, 60": {"alpha": 1.0, "omega_0": 60.0},
    "frequency tuning, Nyquist": {"alpha": 1.0, "omega_0": "nyquist"},
    "gradient control, 60": {"alpha": 1.0, "omega_0": 60.0, "start": "gradient_control"},
    "gradient control, Nyquist": {"alpha": 1.0, "omega_0": "nyquist", "start": "gradient_control"},
}
LEVELS = [30, 40, 50]


def measure(work: "Work") -> "pd.DataFrame":
    """Fit from every start."""
    fits, rows = Fits(work), []
    training = {"target_psnr": work["target"], "steps": work["steps"]}
    training["learning_rate"] = work["learning_rate"]
    for name, options in work["starts"].items():
        network = fields.Sine(width=work["width"], depth=5, **{"omega_0": 30.0} | options)
        rows += [fits.run(case, "starts", name, network, **training) for case in fits.cases]
    return table(rows)


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Speed and quality of each, against SIREN."""
    names = list(frame.variant.unique())
    shown = []
    for name in names:
        own = frame[frame.variant == name]
        levels = [each for each in frame if each.startswith("steps_to_") and each[-1].isdigit()]
        steps = ", ".join(over(own[each], ".0f") for each in levels)
        shown.append(f"{name}: {steps} / {over(own.held_out_psnr)}")
    scaled = [name for name in names if name.startswith("weight scaling")]
    tuned = [name for name in names if name.startswith(("frequency", "gradient"))]
    gains = {name: speedups(frame, name, "SIREN") for name in scaled + tuned}
    listed = "; ".join(
        f"{name} {over(own)} times, {over(more(frame, name, 'SIREN', 'held_out_psnr'), '+.1f')} dB"
        for name, own in gains.items()
    )
    return [
        answer(
            "is weight scaling ahead of frequency tuning, at equal first layers too?",
            f"fewer steps than SIREN to the highest level, and held out: {listed}",
            "As published: Adam 1e-4 for all. Frequency tuning at 45 matches the first layer's "
            "variance of alpha 1.5: what is left is the hidden layers' part. Rates tuned: "
            f"weight-scaling/other-starts. Steps to levels / held-out dB: {'; '.join(shown)}.",
        )
    ]


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Steps and quality of every start."""
    names = list(frame.variant.unique())
    panels = {}
    for title, column, log in (
        ("speed", "steps_to_target", True),
        ("quality", "held_out_psnr", False),
    ):
        values = {name: list(frame[frame.variant == name][column]) for name in names}
        what = "steps to the highest level" if log else "held-out PSNR, dB"
        panels[title] = lambda axes, values=values, what=what, log=log: figures.dots(
            axes, values, what, log=log
        )
    said = "a dot for each run, a bar at the median"
    return {"starts": figures.sheet("Starts of one sine network, Adam 1e-4", said, panels)}


_STANDARD = {
    "starts": STARTS,
    "pictures": ["kodim05 128"],
    "seeds": [0, 1],
    "target": 50.0,
    "levels": LEVELS,
    "steps": 300,
}
ENTRIES = (
    Entry(
        "weight-scaling/frequency-start",
        "check",
        "Next check 3: frequency starts, as published",
        "Is it ahead of frequency tuning, Nyquist's frequency and gradient control at Adam 1e-4?",
        "",
        questions.presets(
            _STANDARD,
            pictures=["china 64"],
            seeds=[0],
            target=30.0,
            levels=[20, 25],
            steps=60,
            starts={name: STARTS[name] for name in list(STARTS)[::3]},
        ),
        measure,
        judge,
        draw,
    ),
)
