"""Other deterministic starts, and the same law without the structure, against sinusoidal."""

import pandas as pd

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.paired import differences, means
from firstlight.papers.sinusoidal import networks
from firstlight.papers.training import small_pictures, trained
from firstlight.papers.work import Work

_SCHEMES = ("default", "sinusoidal", "arcsine", "zero", "blumenfeld")

_BLOCK = {"schemes": _SCHEMES, "optimizers": ("adamw",), "forms": ("published", "matched", "tuned")}


def _measure(work: Work) -> pd.DataFrame:
    block = dict(work.settings)
    network = block.pop("network")
    data = block.pop("data", None) or small_pictures(work)
    return trained(work, [{"models": f"{networks.__name__}:{network}", "data": data, **block}])


def _judge(frame: pd.DataFrame) -> list[Finding]:
    found = []
    for form, part in frame.groupby("form", sort=False):
        names = [name for name in _SCHEMES if name in set(part["scheme"])]
        for rival in [name for name in names if name != "sinusoidal"]:
            for each in differences(part, "sinusoidal", rival, metric="auc"):
                told = each.told_apart and each.seeds > 2
                ahead = each.estimate.mean > 0
                found.append(
                    Finding(
                        f"sinusoidal learns faster than {rival} ({form})",
                        "faster than ZerO, constant and arcsine-random starts",
                        f"area under the curve {each}",
                        "open" if not told else "same" if ahead else "differs",
                        f"{each.seeds} seeds; points times epochs, p corrected",
                    )
                )
        found.append(
            Finding(
                f"maximum accuracy of {', '.join(names)} ({form})",
                "",
                means(part, names),
                "answer",
                "means over seeds in percent",
            )
        )
    return found


RIVALS = Entry(
    name="sinusoidal/rivals",
    kind="claim",
    where="Appendix D.1 and the comparison with ZerO and constant starts",
    asks="Do ZerO, constant (Blumenfeld) and arcsine-random starts train slower than sinusoidal?",
    published="slower, on ResNet-50",
    presets={
        "quick": {
            "network": "mobilenet_v3_small",
            "schemes": ("sinusoidal", "zero"),
            "data": "digits",
            "optimizers": ("adamw",),
            "seeds": 2,
            "train_size": 40,
            "batch_size": 20,
            "epochs": 1,
        },
        "standard": {
            "network": "resnet50", **_BLOCK, "seeds": 3, "train_size": 2000, "epochs": 4,
        },
        "full": {
            "network": "resnet50", **_BLOCK, "seeds": 3, "epochs": 100, "data": "cifar100",
            "optimizers": ("sgd", "adam", "adamw"),
        },
    },
    measure=_measure,
    judge=_judge,
    needs="CIFAR-100 and 2 GPU hours a run",
)  # fmt: skip
