"""Reviewers' question: weight-scaled sine networks as solutions of differential equations."""

from statistics import median
from typing import TYPE_CHECKING, Any

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.numbers import answer, over

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

#: DeepXDE's sine has no factor, so that omega is 1: the frequencies are the weights' own.
SCHEMES = {
    "Glorot normal": "Glorot normal",
    "alpha 1": "siren:omega=1",
    "alpha 1.5": "siren:omega=1:alpha=1.5",
    "alpha 2": "siren:omega=1:alpha=2",
    "alpha 3": "siren:omega=1:alpha=3",
}


def measure(work: "Work") -> "pd.DataFrame":
    """Solve every problem from every start, rates tuned by the loss."""
    import pandas as pd

    from firstlight import physics

    rows = []
    for problem in work["problems"]:
        found, _ = physics.study(
            problem,
            [SCHEMES[name] for name in work["starts"]],
            seeds=work["seeds"],
            learning_rates=tuple(work["rates"]),
            step_zero=0,
            out=work.part(problem),
            depth=work["depth"],
            width=work["width"],
            activation="sin",
            adam_steps=work["adam_steps"],
            lbfgs_steps=work["lbfgs_steps"],
            every=work["every"],
            points=work["points"],
        )
        names = {scheme: name for name, scheme in SCHEMES.items()}
        rows += [
            {"problem": problem, "start": names[row.scheme], "seed": run.seed}
            | {"error": run.error, "loss": run.loss, "learning_rate": run.learning_rate}
            | {"seconds": run.seconds, "stopped": run.stopped}
            for row in found.rows
            for run in row.runs
        ]
        work.tell(f"{problem}: done")
    return pd.DataFrame(rows)


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Which weight scale solves each problem best."""
    found = []
    for problem, own in frame.groupby("problem", sort=False):
        errors = {str(name): list(rows.error) for name, rows in own.groupby("start", sort=False)}
        shown = ", ".join(f"{name} {over(values, '.1e')}" for name, values in errors.items())
        best = min(errors, key=lambda name: median(errors[name]))
        found.append(
            answer(
                f"does weight scaling solve {problem} better?",
                f"relative L2 error: {shown}",
                f"Least median: {best}. Equal steps of Adam and L-BFGS, Adam's rate tuned for each "
                "by the loss. How high the solution's frequencies are decides: a larger alpha "
                "begins with higher ones.",
            )
        )
    return found


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Errors by start, by problem."""
    panels = {}
    for problem, own in frame.groupby("problem", sort=False):
        errors = {str(name): list(rows.error) for name, rows in own.groupby("start", sort=False)}
        panels[str(problem)] = lambda axes, errors=errors: figures.dots(
            axes, errors, "relative L2 error", log=True
        )
    said = "a dot for each seed, a bar at the median"
    return {"pde": figures.sheet("Weight scale and differential equations", said, panels)}


_STANDARD: dict[str, Any] = {
    "problems": ["poisson_1d", "helmholtz"],
    "starts": list(SCHEMES),
    "rates": [1e-3, 3e-3],
    "seeds": 3,
    "depth": 3,
    "width": 32,
    "adam_steps": 200,
    "lbfgs_steps": 150,
    "every": 50,
    "points": "small",
}
ENTRIES = (
    Entry(
        "weight-scaling/pde",
        "question",
        "Reviewers: differential equations",
        "Does weight scaling help a sine network to solve differential equations?",
        "",
        {
            "quick": _STANDARD
            | {"problems": ["poisson_1d"], "starts": ["alpha 1", "alpha 2"], "seeds": 1}
            | {"rates": [1e-3], "adam_steps": 40, "lbfgs_steps": 10, "every": 20},
            "standard": _STANDARD,
            "full": _STANDARD
            | {"problems": ["poisson_1d", "helmholtz", "burgers", "allen_cahn"]}
            | {"width": 128, "adam_steps": 15_000, "lbfgs_steps": 5000, "points": "published"},
        },
        measure,
        judge,
        draw,
    ),
)
