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
from firstlight.theory import oui

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_B16 = {"patch": 16, "layers": 12, "heads": 12, "width": 768}
#: Sinusoidal in every Linear and convolution, as Appendix C.1 says: torchvision's queries, keys and
#: values are one parameter of no Linear, and keep the framework's random start.
MODULES = "sinusoidal_modules"
_SCHEMES = [
    "default",
    "glorot_normal",
    "he_normal",
    "orthogonal",
    "lsuv",
    "sinusoidal",
    MODULES,
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
_BALANCED = ("sinusoidal", MODULES, "harmonic")
#: Percent of neurons of degree 0.3 up to which there are no vertical bands.
_FEW = 5
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
        _start(model, scheme, seed, batch[:64])
    found: list[Tensor] = []
    last = [layer for layer in model.encoder.layers[-1].mlp if isinstance(layer, nn.Linear)][-1]
    handle = last.register_forward_hook(lambda _, __, made: found.append(made[:, 0] > 0))
    with torch.no_grad():
        for images in batch.split(50):
            model.eval()(images)
    handle.remove()
    on = torch.cat(found)
    return on[:, :: max(1, on.shape[1] // work["neurons"])][:, : work["neurons"]]


def _start(model: nn.Module, scheme: str, seed: int, batch: Tensor) -> None:
    if scheme == MODULES:
        initialize(model, "sinusoidal", exclude="*in_proj_weight")
    elif scheme != "default":
        initialize(model, scheme, seed=seed, example=batch)


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
    drawn = [scheme for scheme in schemes if scheme not in _BALANCED]
    found = [
        Finding(
            f"{scheme}: vertical bands, neurons that are always on or off",
            "distinct bands",
            _told(frame, scheme),
            "same" if min(skewed[scheme]) > _FEW else "differs",
            f"One border for bands and none: {_FEW} % of neurons, where chance alone makes none.",
        )
        for scheme in drawn
    ]
    worst = max(bands, key=lambda scheme: max(bands[scheme]))
    own = [scheme for scheme in schemes if scheme in _BALANCED[:2]]
    return [
        *found,
        *(_balanced(frame, scheme, skewed, drawn) for scheme in own),
        Finding(
            "no scheme has dominant horizontal bands, images on which all neurons agree",
            "none",
            f"images on which more than three neurons in four agree: at most "
            f"{max(bands[worst]):.1f} % ({worst})",
            "same" if max(bands[worst]) < 5 else "differs",
            "",
        ),
        Finding("and harmonic?", "", _told(frame, "harmonic"), "answer", _WHY["harmonic"]),
    ]


_WHY = {
    "sinusoidal": "Layers of one shape get one matrix, so queries equal keys: a token's product "
    "with itself is by far the largest, it attends to itself, and the class token, which starts "
    "as the same vector for all images, sees next to nothing of them.",
    MODULES: "Random queries and keys let the class token see the image, as they did in the "
    "paper if its start went to layers as Appendix C.1 says. What all images share still enters "
    "the MLP: layer norm centres a token over features, not a feature over images.",
    "harmonic": "It gives every layer frequencies of its own, so that queries are not keys.",
}


def _told(frame: "pd.DataFrame", scheme: str) -> str:
    at_30, at_10 = (_by_seed(frame, scheme, _skewed(alpha)) for alpha in (0.3, 0.1))
    return (
        f"{interval(at_30, unit=' %')} skewed of degree 0.3, {interval(at_10, unit=' %')} of 0.1; "
        f"OUI {interval(_by_seed(frame, scheme, _oui), digits=2)}"
    )


def _oui(on: np.ndarray) -> float:
    return oui(torch.from_numpy(on).float())


def _balanced(
    frame: "pd.DataFrame", scheme: str, skewed: Mapping[str, list[float]], drawn: list[str]
) -> Finding:
    least = min(min(skewed[other]) for other in drawn)
    where = "every weight" if scheme == "sinusoidal" else "Linear and convolution modules only"
    return Finding(
        f"sinusoidal in {where}: no dominant columns",
        "irregular, noise-like",
        f"{_told(frame, scheme)}; the least of a random scheme is {least:.1f} % of degree 0.3",
        "same" if max(skewed[scheme]) < min(_FEW, least) else "differs",
        _WHY[scheme],
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
