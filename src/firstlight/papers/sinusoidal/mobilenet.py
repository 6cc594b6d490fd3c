"""Why does MobileNetV3 deviate? HardSwish or the high-pass depthwise filters: both crossed."""

from itertools import product

import pandas as pd

from firstlight.papers.entry import Entry
from firstlight.papers.sinusoidal import mobilenet_starts
from firstlight.papers.sinusoidal.mobilenet_judge import draw, judge
from firstlight.papers.sinusoidal.mobilenet_starts import ACTIVATIONS, STARTS
from firstlight.papers.training import placed, small_pictures, trained
from firstlight.papers.work import Work


def _measure(work: Work) -> pd.DataFrame:
    block = dict(work.settings)
    starts, activations = block.pop("starts"), block.pop("activations")
    data = block.pop("data", None) or small_pictures(work)
    here = mobilenet_starts.__name__
    names = {f"{here}:{a}__{s.replace('-', '_')}": (a, s) for a, s in product(activations, starts)}
    frame = trained(
        work, [{"models": list(names), "data": placed(work, data), "schemes": "default", **block}]
    )
    frame["activation"] = frame["model"].map(lambda name: names[name][0])
    # a start is what the model brings along; to the sweep all of them are the default
    frame["scheme"] = frame["model"].map(lambda name: names[name][1])
    return frame


_STANDARD = {
    "activations": ACTIVATIONS,
    "starts": [each for each in STARTS if each != "default"],
    "optimizers": {"sgd:momentum=0.9": 1e-2, "adamw": 1e-3},
    "forms": ("published", "matched", "tuned"),
    "seeds": 3,
    "train_size": 2000,
    "epochs": 5,
}

MOBILENET = Entry(
    name="sinusoidal/mobilenet",
    kind="question",
    where="Appendix A: why MobileNetV3 deviates",
    asks="Is HardSwish or the high-pass depthwise filter the cause of MobileNetV3's exception?",
    published="open; with ReLU in the place of HardSwish sinusoidal wins there, too",
    presets={
        "quick": {
            "activations": ACTIVATIONS,
            "starts": ("sinusoidal-published", "sinusoidal-mean"),
            "data": "digits",
            "optimizers": ("adamw",),
            "seeds": 1,
            "train_size": 40,
            "batch_size": 20,
            "epochs": 1,
        },
        "standard": _STANDARD,
        "full": {
            **_STANDARD,
            "optimizers": ("sgd", "adam", "adamw"),
            "train_size": None,
            "epochs": 200,
            "data": "folder:{data}/tiny-imagenet-200",
        },
    },
    measure=_measure,
    judge=judge,
    draw=draw,
    needs="Tiny-ImageNet and 4 GPU hours a run",
)
