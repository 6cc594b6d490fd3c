"""Figure 4: which neurons of a vision transformer's last MLP are on, for which images."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from firstlight.comparison.seeded import seeded
from firstlight.model import _torchvision
from firstlight.model.initialize import initialize
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.beside import interval
from firstlight.papers.sinusoidal.parts import part
from firstlight.papers.sinusoidal.pictures import pictures
from firstlight.papers.work import Work

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_B16 = {"patch": 16, "layers": 12, "heads": 12, "width": 768}
_SCHEMES = [
    "default",
    "glorot_normal",
    "he_normal",
    "orthogonal",
    "lsuv",
    "sinusoidal",
    "harmonic",
]
_STANDARD = {
    "schemes": _SCHEMES,
    "seeds": 3,
    "samples": 250,
    "neurons": 250,
    "images": "cifar10",
    "side": 32,
    "network": _B16,
}
_SMALL = {"patch": 16, "layers": 2, "heads": 2, "width": 64}
PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD
    | {"seeds": 1, "samples": 64, "neurons": 64, "images": "photographs", "network": _SMALL},
    "standard": _STANDARD,
    "full": _STANDARD | {"samples": 768, "side": 224},
}
#: A sample is a band if so large a share of neurons agrees on it.
_BAND = 0.75


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per scheme, seed and image: the states of the neurons as a text of 0 and 1."""
    import pandas as pd

    parts = []
    for scheme, seed in product(work["schemes"], range(work["seeds"])):
        work.tell(f"{scheme}, seed {seed}")
        parts.append(part(work, f"{scheme}-{seed}", partial(_states, work, scheme, seed)))
    return pd.concat(parts, ignore_index=True)


def _states(work: Work, scheme: str, seed: int) -> "pd.DataFrame":
    import pandas as pd

    on = states(work, scheme, seed)
    texts = [_text(row) for row in on]
    return pd.DataFrame(
        {"scheme": scheme, "seed": seed, "sample": range(len(texts)), "states": texts}
    )


def states(work: Work, scheme: str, seed: int) -> Tensor:
    """Return whether each neuron is on for each image, (samples, neurons).

    The neurons are the outputs of the second linear layer of the last encoder block's MLP, at the
    class token, which is all that the classifier reads.
    """
    batch = pictures(work, work["samples"], work["side"], seed)
    with seeded(seed):
        model = transformer(work["side"], **work["network"])
        if scheme != "default":
            initialize(model, scheme, seed=seed, example=batch[:64])
    found: list[Tensor] = []
    last = [layer for layer in model.encoder.layers[-1].mlp if isinstance(layer, nn.Linear)][-1]
    handle = last.register_forward_hook(lambda _, __, made: found.append(made[:, 0] > 0))
    with torch.no_grad():
        for images in batch.split(50):
            model.eval()(images)
    handle.remove()
    on = torch.cat(found)
    return on[:, :: max(1, on.shape[1] // work["neurons"])][:, : work["neurons"]]


def transformer(side: int, *, patch: int, layers: int, heads: int, width: int) -> Any:
    """Build torchvision's vision transformer; ViT-B/16 is patch 16, 12 layers, 12 heads, 768."""
    _torchvision.prepare()
    from torchvision.models import VisionTransformer

    return VisionTransformer(side, patch, layers, heads, width, 4 * width, num_classes=1000)


def _text(row: Tensor) -> str:
    return "".join("1" if on else "0" for on in row.tolist())


def matrix(rows: "pd.DataFrame") -> np.ndarray:
    """Return states as numbers, (samples, neurons)."""
    ordered = rows.sort_values("sample")["states"]
    return np.array([[letter == "1" for letter in text] for text in ordered])


def _by_seed(frame: "pd.DataFrame", scheme: str, measure: Any) -> list[float]:
    rows = frame[frame["scheme"] == scheme]
    return [float(measure(matrix(group))) for _, group in rows.groupby("seed")]


def _skewed(alpha: float) -> Any:
    return lambda on: 100 * (np.abs(on.mean(0) - 0.5) > alpha).mean()


def _bands(on: np.ndarray) -> float:
    share = on.mean(1)
    return 100 * float((np.maximum(share, 1 - share) > _BAND).mean())


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Vertical bands of random schemes, none of sinusoidal; no horizontal ones of any."""
    schemes = list(dict.fromkeys(frame["scheme"]))
    skewed = {scheme: _by_seed(frame, scheme, _skewed(0.3)) for scheme in schemes}
    bands = {scheme: _by_seed(frame, scheme, _bands) for scheme in schemes}
    drawn = [scheme for scheme in schemes if scheme not in ("sinusoidal", "harmonic")]
    found = [
        Finding(
            f"{scheme}: vertical bands, neurons that are always on or off",
            "distinct bands",
            f"{interval(skewed[scheme], unit=' %')} skewed of degree 0.3, "
            f"{interval(_by_seed(frame, scheme, _skewed(0.1)), unit=' %')} of 0.1",
            "same" if min(skewed[scheme]) > 20 else "differs",
            "Bands are called distinct from one neuron in five on.",
        )
        for scheme in drawn
    ]
    worst = max(bands, key=lambda scheme: max(bands[scheme]))
    return [
        *found,
        _balanced(frame, "sinusoidal", skewed, drawn),
        Finding(
            "no scheme has dominant horizontal bands, images on which all neurons agree",
            "none",
            f"images on which more than three neurons in four agree: at most "
            f"{max(bands[worst]):.1f} % ({worst})",
            "same" if max(bands[worst]) < 5 else "differs",
            "",
        ),
        _answer(frame, skewed),
    ]


def _balanced(
    frame: "pd.DataFrame", scheme: str, skewed: Mapping[str, list[float]], drawn: list[str]
) -> Finding:
    least = min(min(skewed[other]) for other in drawn)
    own = skewed[scheme]
    return Finding(
        "sinusoidal: no dominant columns",
        "irregular, noise-like",
        f"{interval(own, unit=' %')} skewed of degree 0.3, "
        f"{interval(_by_seed(frame, scheme, _skewed(0.1)), unit=' %')} of 0.1; the least of a "
        f"random scheme is {least:.1f} %",
        "same" if max(own) < min(5, least) else "differs",
        "The class token starts from a vector, the same for every image, and residual "
        "branches add to it: what all images share enters the MLP whatever the rows sum to.",
    )


def _answer(frame: "pd.DataFrame", skewed: Mapping[str, list[float]]) -> Finding:
    return Finding(
        "and harmonic?",
        "",
        f"{interval(skewed['harmonic'], unit=' %')} skewed of degree 0.3, "
        f"{interval(_by_seed(frame, 'harmonic', _skewed(0.1)), unit=' %')} of 0.1",
        "answer",
        "",
    )


def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
    """Draw the states of every scheme: neurons across, images down, white for on."""
    from matplotlib.figure import Figure

    schemes = list(dict.fromkeys(frame["scheme"]))
    columns = min(4, len(schemes))
    lines = -(-len(schemes) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.7 * lines), layout="constrained")
    grid = np.ravel(figure.subplots(lines, columns, squeeze=False))
    for axes in grid[len(schemes) :]:
        axes.set_axis_off()
    for axes, scheme in zip(grid, schemes, strict=False):
        rows = frame[(frame["scheme"] == scheme) & (frame["seed"] == 0)]
        axes.imshow(matrix(rows), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(scheme, loc="left", size=9.5)
        axes.tick_params(labelsize=7)
        axes.set(xlabel="neuron", ylabel="image")
    return {"states": figure}


FIGURE4 = Entry(
    "sinusoidal/figure4",
    "figure",
    "Figure 4",
    "Which neurons of a vision transformer's last MLP are on, for which images?",
    "random schemes: vertical bands of skewed neurons; sinusoidal: none; no horizontal ones",
    PRESETS,
    measure,
    judge,
    draw,
    needs="ImageNet-1k; CIFAR-10 stands in",
)
