"""Few training pictures: which start learns most from them?"""

import pandas as pd
from matplotlib.figure import Figure

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.paired import counted, differences, edges, means
from firstlight.papers.paired_figures import draw_differences
from firstlight.papers.training import small_pictures, trained
from firstlight.papers.work import Work

_SCHEMES = ("default", "glorot_normal", "orthogonal", "sinusoidal", "harmonic")


def _measure(work: Work) -> pd.DataFrame:
    block = dict(work.settings)
    sizes = block.pop("sizes")
    data = block.pop("data", None) or small_pictures(work)
    return trained(work, [{"data": data, **block, "train_size": size} for size in sizes])


_BY = ("form", "model", "train_size")


def _draw(frame: pd.DataFrame) -> dict[str, Figure]:
    pairs = [(scheme, "default", f"{scheme} - default") for scheme in ("sinusoidal", "harmonic")]
    return {"differences": draw_differences(frame, pairs, _BY)}


def _judge(frame: pd.DataFrame) -> list[Finding]:
    whole: list[Finding] = []
    found: list[Finding] = []
    for scheme in ("sinusoidal", "harmonic"):
        several = differences(frame, scheme, "default", _BY)
        if several:
            why = "settings are forms, networks and sizes; told apart at 5 %, corrected over them"
            whole.append(Finding(f"{scheme} - default", "", counted(several), "answer", why))
        for each in several:
            form, model, size = each.setting
            found.append(
                Finding(
                    f"{scheme} - default from {size} pictures: {model}, {form}",
                    "",
                    f"{each} points",
                    "answer",
                    f"{each.seeds} seeds; "
                    + ("told apart" if each.told_apart else "not told apart")
                    + " at 5 %",
                )
            )
    for setting, part in frame.groupby(list(_BY), sort=False):
        found.append(
            Finding(
                f"maximum accuracy of {', '.join(_SCHEMES)}: {', '.join(map(str, setting))}",
                "",
                means(part, _SCHEMES),
                "answer",
                "percent, means over seeds",
            )
        )
    return whole + found + edges(frame)


_STANDARD = {
    "models": ("mlp", "small_resnet"),
    "schemes": _SCHEMES,
    "optimizers": ("adamw",),
    "forms": ("published", "matched", "tuned"),
    "sizes": (50, 200, 1000),
    "seeds": 5,
    "epochs": 10,
    "batch_size": 32,
}

SMALL_DATA = Entry(
    name="sinusoidal/small-data",
    kind="check",
    where="next check 2",
    asks="Which start learns most from few pictures: 5, 20 or 100 of each class?",
    published="not looked at",
    presets={
        "quick": {
            **_STANDARD,
            "models": ("mlp",),
            "data": "digits",
            "schemes": ("default", "sinusoidal", "harmonic"),
            "forms": ("published",),
            "sizes": (20, 100),
            "seeds": 3,
            "epochs": 3,
        },
        "standard": _STANDARD,
        "full": {**_STANDARD, "data": "cifar100", "sizes": (500, 2000, 10000), "epochs": 100},
    },
    measure=_measure,
    judge=_judge,
    draw=_draw,
)
