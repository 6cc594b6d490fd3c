"""How far are predicted second moments from measured ones, at the input of every activation?

Whole models, each with one batch: `firstlight.plan(model, scheme, example=batch)` predicts,
`apply()` writes, one run measures. `python experiments/predictions.py --out results/predictions`
"""

import argparse
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import firstlight
from firstlight.model import libraries
from firstlight.model.trace.measure import measure
from firstlight.report.palette import styles

SCHEMES = ("auto", "harmonic", "he_normal", "orthogonal", "glorot_normal")


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def tokens(*shape: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {"input_ids": torch.randint(0, 30000, shape, generator=generator)}


def resnet50() -> tuple[nn.Module, Any]:
    return libraries.library("torchvision").models.resnet50(), normal(4, 3, 224, 224)


def vit_b_16() -> tuple[nn.Module, Any]:
    return libraries.library("torchvision").models.vit_b_16(), normal(2, 3, 224, 224)


def timm_vit_small() -> tuple[nn.Module, Any]:
    name = "vit_small_patch16_224"
    return libraries.library("timm").create_model(name), normal(2, 3, 224, 224)


def bert_mini() -> tuple[nn.Module, Any]:
    t = libraries.library("transformers")
    sizes = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4}
    return t.BertForMaskedLM(t.BertConfig(intermediate_size=1024, **sizes)), tokens(4, 64)


def gpt2_small() -> tuple[nn.Module, Any]:
    t = libraries.library("transformers")
    return t.GPT2LMHeadModel(t.GPT2Config()), tokens(2, 64)


def decoder() -> tuple[nn.Module, Any]:
    """Strided transposed convolutions without norms, kernels that strides do and do not divide."""
    sizes = (100, 256, 128, 64, 32)
    layers: list[nn.Module] = []
    for (n_in, n_out), (kernel, stride, padding) in zip(
        pairwise(sizes),
        ((4, 1, 0), (4, 2, 1), (3, 2, 1), (4, 2, 1)),
        strict=True,
    ):
        layers += [nn.ConvTranspose2d(n_in, n_out, kernel, stride, padding), nn.ReLU()]
    net = nn.Sequential(*layers, nn.ConvTranspose2d(32, 16, 5, 3, 1), nn.Tanh())
    return net, normal(16, 100, 1, 1)


def tanh_100() -> tuple[nn.Module, Any]:
    layers = [part for _ in range(100) for part in (nn.Linear(128, 128), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(128, 10)), normal(256, 128)


MODELS = (resnet50, vit_b_16, timm_vit_small, bert_mini, gpt2_small, decoder, tanh_100)


def row(make: Callable[[], tuple[nn.Module, Any]], scheme: str) -> dict[str, Any]:
    """Return the range of predicted over measured, and what was flagged."""
    torch.manual_seed(0)
    model, batch = make()
    plan = firstlight.plan(model, scheme, example=batch)
    predicted = plan.predictions
    plan.apply(undo=False)
    pairs = list(zip(predicted, measure(model, batch), strict=True))
    ratios = [p.second_moment / m.second_moment for p, m in pairs if p.second_moment is not None]
    reasons = sorted({p.reason for p in predicted if p.reason})
    known = [(p.second_moment, m.second_moment) for p, m in pairs if p.second_moment is not None]
    return {
        "pairs": known,
        "model": make.__name__,
        "scheme": scheme,
        "activations": len(pairs),
        "predicted": len(ratios),
        "least": min(ratios, default=None),
        "most": max(ratios, default=None),
        "flagged": reasons[:1],
    }


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw predicted against measured, a marker for each model, with the band of a fifth."""
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    names = [make.__name__ for make in MODELS]
    looks = styles(names)
    for name in names:
        pairs = [pair for r in rows if r["model"] == name for pair in r["pairs"]]
        look = looks[name]
        axes.scatter(
            [m for _, m in pairs],
            [p for p, _ in pairs],
            s=26,
            marker=look.marker.matplotlib,
            facecolors="none",
            edgecolors=look.light,
            label=f"{name} ({len(pairs)})",
        )
    every = [value for r in rows for pair in r["pairs"] for value in pair]
    line = [min(every) / 2, max(every) * 2]
    axes.plot(line, line, color="#1a1a1a", lw=0.8)
    axes.fill_between(line, [0.8 * x for x in line], [1.2 * x for x in line], alpha=0.15, lw=0)
    axes.set(xscale="log", yscale="log", xlim=line, ylim=line)
    axes.set(xlabel="measured second moment", ylabel="predicted second moment")
    axes.set_title("Before and after: the input of every activation, five starts", fontsize=11)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    rows = [row(make, scheme) for make in MODELS for scheme in SCHEMES]
    lines = [f"{'model':16}{'scheme':15}{'predicted':>11}  predicted / measured"]
    for r in rows:
        span = f"{r['least']:.3f} to {r['most']:.3f}" if r["predicted"] else "-"
        why = f"  flagged: {r['flagged'][0]}" if r["flagged"] else ""
        count = f"{r['predicted']}/{r['activations']}"
        lines.append(f"{r['model']:16}{r['scheme']:15}{count:>11}  {span}{why}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.txt").write_text("\n".join(lines) + "\n")
    versions = {"torch": torch.__version__, "firstlight": firstlight.__version__}
    picture(rows, out / "predictions.png")
    (out / "results.json").write_text(json.dumps({"versions": versions, "rows": rows}, indent=1))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
