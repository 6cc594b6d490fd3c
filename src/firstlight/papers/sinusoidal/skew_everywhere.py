"""Are neurons of whole architectures skewed, and does sinusoidal keep them from it?"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import torch

from firstlight.auditing.activations import activation_measures
from firstlight.auditing.objective import objective
from firstlight.auditing.passes import passes
from firstlight.auditing.predicted import Layers
from firstlight.auditing.untouched import untouched
from firstlight.comparison.seeded import seeded
from firstlight.model.initialize import initialize
from firstlight.model.named import build
from firstlight.model.slots import slots
from firstlight.model.views import views
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.beside import interval
from firstlight.papers.sinusoidal.parts import part
from firstlight.papers.sinusoidal.pictures import pictures
from firstlight.papers.sinusoidal.rank import MODELS
from firstlight.papers.work import Work
from firstlight.report.canvas import plain_axes
from firstlight.report.palette import styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SCHEMES = ["default", "orthogonal", "sinusoidal", "harmonic"]
_STANDARD = {
    "models": MODELS
    | {"ViT-B/16": "torchvision:vit_b_16:image_size=32", "MLP": "mlp:width=1024:depth=4"},
    "schemes": _SCHEMES,
    "seeds": 3,
    "samples": 64,
    "side": 32,
    "images": "cifar10",
}
PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD
    | {
        "models": {"small_resnet": "small_resnet", "MLP": "mlp"},
        "schemes": ["default", "sinusoidal", "harmonic"],
        "seeds": 1,
        "images": "photographs",
    },
    "standard": _STANDARD,
    "full": _STANDARD | {"side": 224, "samples": 256, "seeds": 5},
}


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per model, scheme, seed, mode (train or eval) and activation.

    Columns: activation, weight (before it), depth, units, skewed_10, skewed_30,
    skewed_10_random (what independent weights would give), oui.
    """
    import pandas as pd

    parts = []
    for (name, text), scheme in product(work["models"].items(), work["schemes"]):
        work.tell(f"{name}, {scheme}")
        for seed in range(work["seeds"]):
            make = partial(_network, work, name, text, scheme, seed)
            file = f"{name.replace('/', '-')}-{scheme}-{seed}"
            parts.append(part(work, file, make, text))
    return pd.concat(parts, ignore_index=True)


def _network(work: Work, name: str, text: str, scheme: str, seed: int) -> "pd.DataFrame":
    import pandas as pd

    with seeded(seed):
        model = build(text)
        if scheme != "default":
            initialize(model, scheme, seed=seed)
        batch = _batch(work, model, name, seed)
        modes = ("train", "eval") if _uses_batch_norm(model) else ("eval",)
        rows = [
            {"model": name, "scheme": scheme, "seed": seed, "mode": mode, **row}
            for mode in modes
            for row in _activations(model.train(mode == "train"), batch)
        ]
    return pd.DataFrame(rows)


def _batch(work: Work, model: torch.nn.Module, name: str, seed: int) -> Any:
    if name == "BERT-mini":
        size = int(model.config.vocab_size)  # type: ignore[union-attr, arg-type]
        return {"input_ids": torch.randint(size, (work["samples"] // 4, 64))}
    return pictures(work, work["samples"], work["side"], seed)


def _uses_batch_norm(model: torch.nn.Module) -> bool:
    norms = torch.nn.modules.batchnorm._BatchNorm
    return any(isinstance(module, norms) for module in model.modules())


def _activations(model: torch.nn.Module, batch: Any) -> list[dict[str, Any]]:
    """Run the audit's passes, without its measures of weights, which take long."""
    found = slots(model)
    with untouched(model):
        looked = passes(model, objective(model, batch, None), found)
    layers = Layers(views(model, tables=True, found=found), found)
    measured = activation_measures(looked.sites, looked.seen, layers, sketches=False)
    return [
        {
            "activation": one.activation,
            "weight": one.weight,
            "place": one.place,
            "depth": one.depth,
            "units": one.units,
            "skewed_10": one.skewed_10,
            "skewed_30": one.skewed_30,
            "oui": one.oui,
        }
        for one in measured
        if one.activation != "softmax"
    ]


def mean_skew(rows: "pd.DataFrame", column: str) -> dict[str, list[float]]:
    """Return by scheme the mean over one network's units, in percent, a number per seed."""
    found: dict[str, list[float]] = {}
    for (scheme, _), own in rows.groupby(["scheme", "seed"], sort=False):
        mean = float((own[column] * own["units"]).sum() / own["units"].sum())
        found.setdefault(scheme, []).append(100 * mean)
    return found


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Answer for each network and mode."""
    keys = dict.fromkeys(zip(frame["model"], frame["mode"], strict=True))
    chosen = {key: frame[(frame["model"] == key[0]) & (frame["mode"] == key[1])] for key in keys}
    return [_network_finding(rows, *key) for key, rows in chosen.items()]


def _network_finding(rows: "pd.DataFrame", model: str, mode: str) -> Finding:
    of, weaker = (mean_skew(rows, column) for column in ("skewed_30", "skewed_10"))
    told = "; ".join(
        f"{scheme} {interval(shares, unit=' %')} (degree 0.1: "
        f"{interval(weaker[scheme], unit=' %')})"
        for scheme, shares in of.items()
    )
    fewer = max(of["sinusoidal"]) < min(of["default"])
    more = min(of["sinusoidal"]) > max(of["default"])
    word = "fewer than" if fewer else "more than" if more else "about as many as"
    return Finding(
        f"does sinusoidal keep neurons of {model} from skewing{_in(mode)}?",
        "",
        f"skewed of degree 0.3: {told}",
        "answer",
        f"Sinusoidal skews {word} the default. {_reason(model, mode)}",
    )


def _in(mode: str) -> str:
    return " in training mode" if mode == "train" else " in evaluation mode"


def _reason(model: str, mode: str) -> str:
    if mode == "train":
        return (
            "Batch norm sets each channel's mean on the batch to 0 under any start; what is left "
            "stands behind additions, in squeeze-and-excitation, which has no norm, and where a "
            "few far values part the mean from the median."
        )
    if "ViT" in model or "BERT" in model:
        scale = " The default's scale, N(0, 0.02^2), is smaller, too." if "BERT" in model else ""
        return (
            "Layer norm centres a token over its features, not a feature over tokens: what all "
            f"tokens share passes through, and row sums of zero do not remove it.{scale}"
        )
    if model == "MLP":
        return (
            "Pixels correlate, unlike the random vectors of Table 1, so that images' common "
            "patterns skew neurons whose weights sum to zero."
        )
    return (
        "Batch norm's running statistics are 0 and 1 before training, so that here it does "
        "nothing; positions of a channel count as samples of it."
    )


def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
    """Draw the share of skewed neurons against depth, a panel for each network and mode."""
    from matplotlib.figure import Figure

    keys = list(dict.fromkeys(zip(frame["model"], frame["mode"], strict=True)))
    columns = min(4, len(keys))
    lines = -(-len(keys) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.6 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes in panels[len(keys) :]:
        axes.set_axis_off()
    looks = styles(frame["scheme"])
    for axes, (model, mode) in zip(panels, keys, strict=False):
        rows = frame[(frame["model"] == model) & (frame["mode"] == mode)]
        for scheme, own in rows.groupby("scheme", sort=False):
            by_depth = 100 * own.groupby("depth")["skewed_30"].mean()
            axes.plot(by_depth.index, by_depth, color=looks[str(scheme)].light, label=scheme)
        plain_axes(axes, f"{model}, {mode}")
        axes.set(xlabel="depth", ylim=(-3, 103))
    panels[0].set_ylabel("skewed of degree 0.3, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return {"skew": figure}


SKEW_EVERYWHERE = Entry(
    "sinusoidal/skew-beyond-mlp",
    "question",
    "Appendix A",
    "Are neurons of other architectures skewed, and does sinusoidal keep them from it?",
    "open: further research is needed",
    PRESETS,
    measure,
    judge,
    draw,
)
