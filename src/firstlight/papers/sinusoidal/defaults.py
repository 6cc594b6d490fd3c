"""Table 2: what torchvision and transformers draw by default, told from the weights themselves."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.comparison.seeded import seeded
from firstlight.model.named import build
from firstlight.model.views import WeightView, views
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.rank import MODELS
from firstlight.papers.work import Work

if TYPE_CHECKING:
    import pandas as pd

#: (model, kind of layer): what the paper says.
TABLE = {
    ("ResNet-50", "conv"): "He normal",
    ("ResNet-50", "linear"): "He uniform",
    ("MobileNetV3-small", "conv"): "He normal",
    ("MobileNetV3-small", "linear"): "normal",
    ("EfficientNetV2-S", "conv"): "He normal",
    ("EfficientNetV2-S", "linear"): "uniform",
    ("ViT-B/16", "conv"): "truncated normal",
    ("ViT-B/16", "linear"): "Glorot uniform",
    ("BERT-mini", "linear"): "normal",
}
#: What a network's own start may scale by: standard deviations, given fan-in and fan-out.
SCALES: Mapping[str, Any] = {
    "He, fan-in": lambda fan: math.sqrt(2 / fan[0]),
    "He, fan-out": lambda fan: math.sqrt(2 / fan[1]),
    "Glorot": lambda fan: math.sqrt(2 / sum(fan)),
    "1 / fan-in": lambda fan: math.sqrt(1 / fan[0]),
    "1 / (3 fan-in)": lambda fan: math.sqrt(1 / (3 * fan[0])),
    "1 / (3 fan-out)": lambda fan: math.sqrt(1 / (3 * fan[1])),
    "0.01": lambda _: 0.01,
    "0.02": lambda _: 0.02,
}
#: Rules that fit so nearly alike cannot be told apart; the first one is named.
_ALIKE = 0.02
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "models": {"MobileNetV3-small": MODELS["MobileNetV3-small"]},
        "seed": 0,
        "most": 20000,
    },
    "standard": {"models": MODELS, "seed": 0, "most": 500_000},
    "full": {"models": MODELS, "seed": 0, "most": 500_000},
}


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per model and kind of layer: the law and the scale that fit its weights best."""
    import pandas as pd

    rows = []
    for name, text in work["models"].items():
        work.tell(name)
        with seeded(work["seed"]):
            model = build(text)
        groups = defaultdict(list)
        for view in views(model):
            groups[_kind(view)].append(view)
        rows += [
            {"model": name, "kind": kind, **_identified(found, work["most"])}
            for kind, found in groups.items()
        ]
    return pd.DataFrame(rows)


def _kind(view: WeightView) -> str:
    """Return conv, depthwise, attention's input or output, classifier, or linear."""
    if view.role == "depthwise":
        return "depthwise"
    name = view.name
    if "in_proj" in name:
        return "attention in"
    if name.endswith("out_proj.weight"):
        return "attention out"
    if name.startswith("heads."):
        return "head"
    return "conv" if len(view.shape) > 2 else "linear"


def fans(view: WeightView) -> tuple[int, int]:
    """Return fan-in and fan-out as ``torch.nn.init`` counts them, from the stored tensor."""
    tensor = view.slot.tensor
    assert tensor is not None
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def _identified(found: list[WeightView], most: int) -> dict[str, Any]:
    weights = [view.weight.detach().flatten().double().numpy() for view in found]
    size = sum(len(weight) for weight in weights)
    row: dict[str, Any] = {"matrices": len(found), "entries": size}
    if not any(weight.any() for weight in weights):
        return row | {"law": "zero", "scale": "zero", "off": 0.0}
    off = {name: _off(rule, found, weights) for name, rule in SCALES.items()}
    least = min(off.values())
    scale = next(name for name, value in off.items() if value < least + _ALIKE)
    pooled = np.concatenate([weight / weight.std() for weight in weights])
    pooled = pooled[:: math.ceil(len(pooled) / most)]
    distances = {name: _distance(pooled, law) for name, law in _laws().items()}
    law = min(distances, key=lambda name: distances[name])
    return row | {
        "law": law,
        "scale": scale,
        "off": off[scale],
        "largest": float(np.abs(pooled).max()),
        **{f"distance_{name}": value for name, value in distances.items()},
    }


def _off(rule: Any, found: list[WeightView], weights: list[np.ndarray]) -> float:
    """Return the mean deviation of log rms from a rule, each matrix weighed by its entries."""
    sizes = [len(weight) for weight in weights]
    logs = [
        abs(math.log(float(np.sqrt(np.square(weight).mean())) / rule(fans(view))))
        for view, weight in zip(found, weights, strict=True)
    ]
    return float(np.average(logs, weights=np.sqrt(sizes)))


def _laws() -> dict[str, Any]:
    """Return distribution functions of unit variance."""
    from scipy import stats

    cut = stats.truncnorm(-2, 2)
    return {
        "normal": stats.norm.cdf,
        "uniform": stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)).cdf,
        "normal cut at 2 sigma": lambda x: cut.cdf(x * cut.std()),
    }


def _distance(values: np.ndarray, law: Any) -> float:
    from scipy import stats

    return float(stats.kstest(values, law).statistic)


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Hold each cell of Table 2 against the weights; then what it leaves out."""
    found = []
    for (model, kind), published in TABLE.items():
        rows = frame[(frame["model"] == model) & (frame["kind"] == kind)]
        if len(rows):
            row = rows.iloc[0]
            found.append(_cell(model, kind, published, row))
    others = [row for row in frame.itertuples() if (row.model, row.kind) not in TABLE]
    told = "; ".join(f"{row.model} {row.kind}: {_words(row)}" for row in others)
    left = Finding(
        "what does the table leave out?",
        "",
        told or "nothing",
        "answer",
        "He's fan-out counts all output channels of a depthwise convolution although each input "
        "reaches one of them: such filters start smaller than He meant by the root of the "
        "channels. A head of zeros is kept by firstlight, and overwritten by the paper's manual "
        "start of every linear layer.",
    )
    return [*found, left]


def _words(row: Any) -> str:
    if row.law == "zero":
        return "all zero"
    if row.scale[:2] == "0.":
        return f"{row.law}, standard deviation {row.scale}"
    return f"{row.law}, variance {_VARIANCES.get(row.scale, row.scale)}"


_VARIANCES = {
    "He, fan-in": "2 / fan-in",
    "He, fan-out": "2 / fan-out",
    "Glorot": "2 / (fan-in + fan-out)",
}
#: What makes a published name true: law and scale.
_MEANS = {
    "He normal": ("normal", ("He, fan-in", "He, fan-out")),
    "He uniform": ("uniform", ("He, fan-in", "He, fan-out")),
    "Glorot uniform": ("uniform", ("Glorot",)),
    "truncated normal": ("normal cut at 2 sigma", tuple(SCALES)),
    "normal": ("normal", tuple(SCALES)),
    "uniform": ("uniform", tuple(SCALES)),
}


def _cell(model: str, kind: str, published: str, row: Any) -> Finding:
    law, scales = _MEANS[published]
    same = row["law"] == law and row["scale"] in scales
    return Finding(
        f"default start of {model}, {kind} layers",
        published,
        f"{_words(row)} ({int(row['matrices'])} matrices, {int(row['entries'])} weights)",
        "same" if same else "differs",
        _WHY.get(
            (model, kind),
            "Law by the least Kolmogorov distance, scale by the root mean "
            "squares of all matrices of the kind.",
        ),
    )


_WHY = {
    ("ResNet-50", "linear"): "PyTorch's own nn.Linear: kaiming_uniform_ with a = sqrt(5), which "
    "is U(-1 / sqrt(n), 1 / sqrt(n)), a sixth of He's variance.",
    ("MobileNetV3-small", "linear"): "N(0, 0.01^2): far below He's 0.059 for 576 inputs.",
    ("EfficientNetV2-S", "linear"): "U(-1 / sqrt(m), 1 / sqrt(m)) with m the outputs.",
    ("ViT-B/16", "conv"): "trunc_normal_ cuts at -2 and 2 in absolute numbers, 55 standard "
    "deviations away, so that nothing is cut: what comes is normal, of variance 1 / n.",
}


TABLE2 = Entry(
    "sinusoidal/table2",
    "table",
    "Table 2",
    "What do the libraries draw by default?",
    "variants of He: He normal, He uniform, normal, uniform, truncated normal, Glorot uniform",
    PRESETS,
    measure,
    judge,
)
