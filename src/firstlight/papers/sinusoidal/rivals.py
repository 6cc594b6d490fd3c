"""Other deterministic starts, and the same law without the structure, against sinusoidal."""

import pandas as pd

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.paired import Difference, differences, edges, means
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
    found: list[Finding] = []
    for form, part in frame.groupby("form", sort=False):
        names = [name for name in _SCHEMES if name in set(part["scheme"])]
        rivals = [name for name in names if name != "sinusoidal"]
        for each in differences(part, "sinusoidal", rivals, ("optimizer",), "auc"):
            optimizer, rival = each.setting
            found.append(
                Finding(
                    f"sinusoidal learns faster than {rival} ({optimizer}, {form})",
                    "faster than ZerO, constant and arcsine-random starts"
                    if form == "published"
                    else "",
                    f"area under the curve {each}",
                    _verdict(each) if form == "published" else "answer",
                    f"{each.seeds} seeds; points times epochs, p corrected over the rivals",
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
    return found + edges(frame)


def _verdict(difference: Difference) -> Verdict:
    if not difference.told_apart:
        return "open"
    return "same" if difference.estimate.mean > 0 else "differs"


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
