"""Figure 3 and Theorem 2: what the formula's weights look like, and whether rows sum to zero."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from firstlight.init import sinusoidal_
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.work import Work
from firstlight.report.canvas import plain_axes
from firstlight.report.palette import INK
from firstlight.theory import ArcsineLaw

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Whether a row sum in float64 is zero, in units of its row's length.
_ZERO = 1e-9
#: (m, n) and where such a layer occurs.
SHAPES = {
    (64, 147): "ResNet stem",
    (64, 576): "ResNet 3 x 3",
    (512, 2048): "ResNet reduction",
    (256, 64): "ResNet expansion",
    (1000, 2048): "ResNet classifier",
    (768, 768): "ViT attention",
    (3072, 768): "ViT MLP, first",
    (768, 3072): "ViT MLP, second",
    (96, 9): "depthwise 3 x 3",
    (96, 25): "depthwise 5 x 5",
    (256, 256): "BERT-mini attention",
    (1024, 256): "BERT-mini MLP, first",
}
_SHAPES = [list(shape) for shape in SHAPES]
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"shapes": [[64, 147], [256, 64], [96, 9]]},
    "standard": {"shapes": _SHAPES},
    "full": {"shapes": _SHAPES},
}


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per shape: row sums, and how far its entries are from the arcsine law."""
    import pandas as pd

    return pd.DataFrame([_shape(m, n) for m, n in work["shapes"]])


def weights(m: int, n: int) -> torch.Tensor:
    """Return the published matrix, in float64."""
    return sinusoidal_(torch.empty(m, n, dtype=torch.float64))


def _shape(m: int, n: int) -> dict[str, Any]:
    from scipy.stats import kstest

    matrix = weights(m, n)
    sums = matrix.sum(1).abs()
    entries = matrix.flatten().numpy()
    law = ArcsineLaw.of_variance(float(matrix.var(correction=0)))
    spread = float(matrix.square().mean().sqrt())
    return {
        "where": SHAPES.get((m, n), ""),
        "m": m,
        "n": n,
        "largest_row_sum": float(sums.max()),
        "rows_not_zero_sum": int((sums > _ZERO * spread * n**0.5).sum()),
        "distance_arcsine": float(kstest(entries, law.cdf).statistic),
        "distance_normal": float(kstest(entries / spread, "norm").statistic),
        "kurtosis": float(matrix.pow(4).mean() / matrix.square().mean() ** 2),
    }


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Arcsine law; Theorem 2 where m < n, and where it does not hold."""
    wide = frame[frame["m"] < frame["n"]]
    others = frame[frame["m"] >= frame["n"]]
    failing = others[others["rows_not_zero_sum"] > 0]
    named = [
        f"{row.m} x {row.n}: {row.rows_not_zero_sum} rows, up to {row.largest_row_sum:.2g}"
        for row in failing.itertuples()
    ]
    return [
        _law(frame),
        Finding(
            "every row sums to zero where m < n (Theorem 2)",
            "S = 0 for every row",
            f"at most {wide['largest_row_sum'].max():.1g}, {len(wide)} shapes in float64",
            "same" if not wide["rows_not_zero_sum"].any() else "differs",
            "The sum over j of exp(2 pi i j k / n) vanishes unless n divides the frequency.",
        ),
        Finding(
            "every row sums to zero at any shape",
            "stated without a condition",
            "; ".join(named) or "no row that does not",
            "differs" if named else "same",
            "Where n divides i the sine is constant along row i, and its sum is n a sin(2 pi i / "
            "m): the proof needs exp(2 pi i k / n) to differ from 1, so m < n. At m = n the one "
            "such row is zero.",
        ),
    ]


def _law(frame: "pd.DataFrame") -> Finding:
    nearer = frame["distance_arcsine"] < frame["distance_normal"]
    return Finding(
        "the weights follow an arcsine distribution",
        "yes (Figure 3)",
        f"largest distance of distribution functions {frame['distance_arcsine'].min():.3f} to "
        f"{frame['distance_arcsine'].max():.3f} from the arcsine law, "
        f"{frame['distance_normal'].min():.3f} to {frame['distance_normal'].max():.3f} from a "
        "normal one",
        "same" if nearer.all() else "differs",
        f"Kurtosis {frame['kurtosis'].min():.2f} to {frame['kurtosis'].max():.2f}; 1.5 is the "
        "law's. Small kernels stray from it, as few points of a sine are not a sine.",
    )


def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
    """Draw the matrix of the first shape, and how its entries are distributed."""
    from matplotlib.figure import Figure

    m, n = (int(frame[side].iloc[0]) for side in ("m", "n"))
    matrix = weights(m, n)
    limit = float(matrix.abs().max())
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    image = left.imshow(matrix.numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    left.set_title(f"Sinusoidal weights, {m} x {n}", loc="left", size=9.5)
    left.set(xlabel="input j", ylabel="neuron i")
    figure.colorbar(image, ax=left, pad=0.02)
    law = ArcsineLaw.of_variance(float(matrix.var(correction=0)))
    right.hist(matrix.flatten().numpy(), bins=60, density=True, color="#56B4E9", label="entries")
    inside = np.linspace(-law.amplitude, law.amplitude, 402)[1:-1]
    right.plot(inside, law.density(inside), color=INK[0], linewidth=1.2, label="arcsine law")
    plain_axes(right, "Their density")
    right.set(xlabel="weight", ylim=(0, 12 * law.density(0.0) / 2))
    right.legend(frameon=False, fontsize=8.5, loc="upper center")
    return {"weights": figure}


FIGURE3 = Entry(
    "sinusoidal/figure3",
    "figure",
    "Figure 3, Theorem 2",
    "How are the weights distributed, and does every row sum to zero?",
    "arcsine law; every row sums to zero",
    PRESETS,
    measure,
    judge,
    draw,
)
