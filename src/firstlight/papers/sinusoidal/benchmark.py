"""Table 3 and the figures of its trainings: does sinusoidal learn faster and better?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import sklearn.datasets

from firstlight.papers.entry import Entry
from firstlight.papers.sinusoidal import networks
from firstlight.papers.sinusoidal.benchmark_figures import draw_curves, draw_ranks
from firstlight.papers.sinusoidal.benchmark_judge import judge_curves, judge_table
from firstlight.papers.sinusoidal.published import SCHEMES, TABLE_4
from firstlight.papers.training import placed, small_pictures, trained
from firstlight.papers.work import Work

#: Ours is trained beside the paper's four.
ALL = (*SCHEMES, "harmonic")
FORMS = ("published", "matched", "tuned")

_OPTIMIZERS = {"vit_b_16": ("sgd",), "bert_mini": ("adamw",)}
_DATA = {
    "resnet50": "cifar100",
    "mobilenet_v3_small": "folder:{data}/tiny-imagenet-200",
    "efficientnet_v2_s": "folder:{data}/tiny-imagenet-200",
    "vit_b_16": "folder:{data}/imagenet:size=224",
    "bert_mini": "wikitext2",
}

#: What the models are trained on where two processor cores do it: images or rows, and epochs.
_STANDARD = {
    "resnet50": {"train_size": 2000, "epochs": 4},
    "mobilenet_v3_small": {"train_size": 4000, "epochs": 6},
    "efficientnet_v2_s": {"train_size": 1000, "epochs": 4},
    "vit_b_16": {"train_size": 1000, "epochs": 3},
    "bert_mini": {"epochs": 5, "batch_size": 16},
}


def _full() -> dict[str, Any]:
    return {
        model: {
            "data": _DATA[model],
            "optimizers": _OPTIMIZERS.get(model, ("sgd", "adam", "adamw")),
            "schemes": ALL,
            "forms": FORMS,
            "seeds": 3,
            **numbers,
        }
        for model, numbers in TABLE_4.items()
    }


def _rates(model: str) -> dict[str, float]:
    """Base rates of a standard training: plain SGD at 1e-3 learns nothing in so few steps."""
    adamw = TABLE_4[model]["learning_rate"]
    rates = {"sgd:momentum=0.9": 1e-2, "adamw": adamw}
    asked = _OPTIMIZERS.get(model, ("sgd", "adamw"))
    return {name: rate for name, rate in rates.items() if name.partition(":")[0] in asked}


def _standard() -> dict[str, Any]:
    return {
        model: {
            "optimizers": _rates(model),
            "schemes": ALL,
            "forms": FORMS,
            "seeds": 3,
            **numbers,
        }
        for model, numbers in _STANDARD.items()
    }


_QUICK = {
    "mobilenet_v3_small": {
        "optimizers": ("adamw",),
        "schemes": ("default", "sinusoidal"),
        "forms": ("published", "matched"),
        "data": "digits",
        "seeds": 1,
        "train_size": 40,
        "epochs": 1,
        "batch_size": 20,
    },
    "bert_mini": {
        "optimizers": ("adamw",),
        "schemes": ("default", "sinusoidal"),
        "forms": ("published",),
        "data": "page",
        "seeds": 1,
        "train_size": 16,
        "epochs": 1,
        "batch_size": 8,
    },
}

PRESETS: dict[str, Mapping[str, Any]] = {
    "quick": _QUICK,
    "standard": _standard(),
    "full": _full(),
}


def block(work: Work, model: str) -> dict[str, Any]:
    """Return the comparison of one model, on the data that there are."""
    asked = dict(work[model])
    data = asked.pop("data", None)
    if model == "bert_mini":
        return {"models": model, "data": _text(work, data), **asked}
    data = data or small_pictures(work)
    return {"models": f"{networks.__name__}:{model}", "data": placed(work, data), **asked}


def _text(work: Work, data: str | None) -> str:
    """WikiText-2's validation and test texts of the user's, or a page of English."""
    if data is None:
        return f"text:{work.file('text/wikitext2-valid.txt').parent}/wikitext2-*.txt"
    if data != "page":
        return data
    page = Path(sklearn.datasets.__file__).parent / "descr" / "twenty_newsgroups.rst"
    return f"text:{page}:context=32:vocabulary=512"


def measure(work: Work, *models: str) -> pd.DataFrame:
    """Train the models of the preset, or those named of them."""
    chosen = [model for model in work.settings if not models or model in models]
    frame = trained(work, [block(work, model) for model in chosen or work.settings])
    frame["network"] = frame["model"].str.rpartition(":")[2]
    return frame


def _measure_resnet(work: Work) -> pd.DataFrame:
    return measure(work, "resnet50")


_WHERE = (
    "the paper's data and GPUs: CIFAR-100, Tiny-ImageNet, ImageNet-1k (folders under --data), "
    "WikiText-2; 2 to 168 GPU hours a run"
)

TABLE3 = Entry(
    name="sinusoidal/table3",
    kind="table",
    where="Table 3",
    asks="Does sinusoidal reach a higher accuracy, and sooner, than default, orthogonal and LSUV?",
    published="+4.9 points, +20.9 % AUC over default; MobileNetV3 is the exception",
    presets=PRESETS,
    measure=measure,
    judge=judge_table,
    draw=draw_ranks,
    needs=_WHERE,
)


def _view(name: str, where: str, asks: str, measured: Any, published: str) -> Entry:
    return Entry(
        name=f"sinusoidal/{name}",
        kind="figure",
        where=where,
        asks=asks,
        published=published,
        presets=PRESETS,
        measure=measured,
        judge=judge_curves,
        draw=draw_curves,
        needs=_WHERE,
    )


FIGURE1 = _view(
    "figure1",
    "Figure 1",
    "Do ResNet-50's learning curves lie higher with sinusoidal than with the default?",
    _measure_resnet,
    "higher at every epoch, all optimizers",
)
FIGURE9 = _view(
    "figure9",
    "Figures 6 and 9",
    "Do accuracy and loss of every network lie better at every epoch with sinusoidal?",
    measure,
    "better along the whole training, but for MobileNetV3",
)
