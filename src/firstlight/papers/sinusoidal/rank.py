"""Rank, zero, constant and repeated rows of the published formula, and of harmonic beside it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from firstlight.auditing.weights import measure_weights
from firstlight.errors import OptionError
from firstlight.init import harmonic_, sinusoidal_
from firstlight.model.named import build
from firstlight.model.views import views
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.published_code import published_code_
from firstlight.papers.sinusoidal.rank_figures import draw
from firstlight.papers.work import Work

if TYPE_CHECKING:
    import pandas as pd

#: The paper's models as ``firstlight.model.named.build`` takes them.
MODELS = {
    "ResNet-50": "torchvision:resnet50:num_classes=100",
    "MobileNetV3-small": "torchvision:mobilenet_v3_small:num_classes=200",
    "EfficientNetV2-S": "torchvision:efficientnet_v2_s:num_classes=200",
    "ViT-B/16": "torchvision:vit_b_16",
    "BERT-mini": "hf:BertForMaskedLM:hidden_size=256:num_hidden_layers=4"
    ":num_attention_heads=4:intermediate_size=1024",
}
_SHAPES = [
    [64, 147],
    [64, 576],
    [512, 2048],
    [256, 64],
    [3072, 768],
    [768, 768],
    [96, 9],
]
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"shapes": [[64, 147], [256, 64], [96, 96]], "models": {"small_vit": "small_vit"}},
    "standard": {"shapes": _SHAPES, "models": MODELS},
    "full": {"shapes": _SHAPES, "models": MODELS},
}
_FILLS = {"sinusoidal": sinusoidal_, "harmonic": harmonic_}


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per shape, or shape of a model's layers, and scheme; all in float64.

    Columns: model ("" for the list of shapes), layers (how many have the shape), m, n, depthwise,
    scheme, rank, full_rank, zero_rows, constant_rows, twin_rows, row_sum (the largest),
    row_sum_code (of the authors' float32 code).
    """
    import pandas as pd

    rows = [_row("", (m, n), 1, False, scheme) for m, n in work["shapes"] for scheme in _FILLS]
    for name, text in work["models"].items():
        work.tell(name)
        for shape, (layers, depthwise) in _shapes(text).items():
            rows += [_row(name, shape, layers, depthwise, scheme) for scheme in _FILLS]
    return pd.DataFrame(rows)


def _shapes(text: str) -> dict[tuple[int, int], tuple[int, bool]]:
    """Return every flattened shape of a model's matrices: how many layers, whether depthwise."""
    found: Counter[tuple[int, int]] = Counter()
    depthwise = {}
    for view in views(build(text, meta=True)):
        shape = view.shape[0], view.fan_in
        found[shape] += 1
        depthwise[shape] = view.depthwise
    return {shape: (count, depthwise[shape]) for shape, count in found.items()}


def _row(
    model: str, shape: tuple[int, int], layers: int, depthwise: bool, scheme: str
) -> dict[str, Any]:
    row = {
        "model": model,
        "layers": layers,
        "m": shape[0],
        "n": shape[1],
        "depthwise": depthwise,
        "scheme": scheme,
    }
    holder = torch.nn.Linear(shape[1], shape[0], bias=False, dtype=torch.float64, device="meta")
    holder = holder.to_empty(device="cpu")
    try:
        _FILLS[scheme](holder.weight)
    except OptionError as error:  # one or two inputs: neither formula can vary
        return row | {"refused": str(error)}
    return row | {"refused": ""} | _structure(holder)


def _structure(holder: torch.nn.Linear) -> dict[str, Any]:
    one = measure_weights(list(views(holder)), {}, spectra=True)[0]
    code = published_code_(torch.empty(one.shape)).double().sum(1).abs().max()
    return {
        "rank": one.rank,
        "full_rank": one.full_rank,
        "zero_rows": one.zero_rows,
        "constant_rows": one.constant_rows,
        "twin_rows": one.twin_rows,
        "row_sum": float(holder.weight.detach().sum(1).abs().max()),
        "row_sum_code": float(code),
    }


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Shape by shape, model by model, and whether harmonic is free of it."""
    listed = frame[(frame["model"] == "") & (frame["scheme"] == "sinusoidal")]
    return [*_of_shapes(listed), *_of_models(frame[frame["model"] != ""]), _harmonic(frame)]


def _of_shapes(frame: "pd.DataFrame") -> Iterator[Finding]:
    for row in frame.itertuples():
        sound = row.rank == row.full_rank and not row.twin_rows and not row.zero_rows
        yield Finding(
            f"rows of a {row.m} x {row.n} matrix are functionally independent",
            "distinct frequencies and phases, evoking the orthogonality of Fourier bases",
            f"rank {row.rank:.0f} of {row.full_rank:.0f}; {row.zero_rows:.0f} zero, "
            f"{row.constant_rows:.0f} constant rows, {row.twin_rows:.0f} that equal another up to "
            f"sign; largest row sum {row.row_sum:.2g} (in float32 as published "
            f"{row.row_sum_code:.2g})",
            "same" if sound else "differs",
            _reason(int(row.m), int(row.n)),
        )


def _reason(m: int, n: int) -> str:
    if m < n / 2:
        return "All frequencies lie below half of the inputs, so no two rows alias."
    if m < n:
        return "Frequencies above n / 2 alias to lower ones; other phases tell their rows apart."
    return (
        "Frequency i on n points is frequency i mod n, and phases repeat with it where m is a "
        "multiple of n: row n - i is minus row i at m = n, and rows are constant where n divides i."
    )


def _of_models(frame: "pd.DataFrame") -> Iterator[Finding]:
    published = frame[(frame["scheme"] == "sinusoidal") & (frame["refused"] == "")]
    for model, rows in published.groupby("model", sort=False):
        total = int(rows["layers"].sum())
        lost = rows[rows["rank"] < rows["full_rank"]]
        twins = rows[(rows["twin_rows"] > 0) | (rows["constant_rows"] > 0)]
        shapes = ", ".join(f"{m} x {n}" for m, n in zip(lost["m"], lost["n"], strict=True))
        yield Finding(
            f"which layers of {model} lose rank under the published formula?",
            "",
            f"{int(lost['layers'].sum())} of {total} matrices lose rank ({shapes or 'none'}); "
            f"{int(twins['layers'].sum())} have constant rows or rows that repeat",
            "answer",
            "At m = n and m = 2 n half of the rank or more is lost, at m = n / 2 one dimension, as "
            f"a row is zero; the least here is {(rows['rank'] / rows['full_rank']).min():.0%} "
            "of what the shape allows.",
        )


def _harmonic(frame: "pd.DataFrame") -> Finding:
    ours = frame[(frame["scheme"] == "harmonic") & (frame["refused"] == "")]
    best = [min(m, 2 * ((n - 1) // 2)) for m, n in zip(ours["m"], ours["n"], strict=True)]
    short = int((ours["rank"] < best).sum())
    bad = int((ours[["zero_rows", "constant_rows", "twin_rows"]].sum(axis=1) > 0).sum())
    return Finding(
        "is harmonic free of all that, at the same shapes?",
        "",
        f"rank below min(m, 2 floor((n - 1) / 2)) at {short} of {len(ours)} shapes, zero, constant "
        f"or repeated rows at {bad}; largest row sum {ours['row_sum'].max():.1g}",
        "answer",
        "Rows that sum to zero cannot have rank n: one dimension is lost for odd n, two for even.",
    )


RANK = Entry(
    "sinusoidal/rank",
    "claim",
    "Section 3.2, functional independence",
    "At which shapes do rows repeat and ranks fall?",
    "each neuron has its own frequency and phase; nothing on ranks",
    PRESETS,
    measure,
    judge,
    draw,
)
