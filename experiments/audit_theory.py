"""How far is what `firstlight.audit` measures from what theory predicts beside it?

Two parts, five seeds each. Skew: the network of the sinusoidal paper's Table 1, three times ReLU
and a linear layer of width 1024 on N(0, 1) inputs, under six schemes. Chi: eight layers with five
activations at five widths, weights of variance sigma_w^2 / n.
`python experiments/audit_theory.py --out results/audit-theory`
"""

import argparse
import json
import statistics
from itertools import product
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import nn

import firstlight
from firstlight.report.palette import INK, styles

SEEDS = range(5)
SCHEMES = ("glorot_normal", "he_normal", "orthogonal", "lsuv", "sinusoidal", "harmonic")
ACTIVATIONS = ("tanh", "erf", "relu", "gelu", "silu")
WIDTHS = (32, 64, 128, 256, 512)
SIGMA = 1.4  # near the critical one of all five


class Erf(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.erf(x)


MODULES = {"tanh": nn.Tanh, "erf": Erf, "relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


def skew(scheme: str, seed: int) -> list[dict[str, Any]]:
    """Audit the paper's network; a row for each linear layer and degree."""
    torch.manual_seed(seed)
    layers = [part for _ in range(3) for part in (nn.ReLU(), nn.Linear(1024, 1024))]
    net = nn.Sequential(*layers, nn.Identity(), nn.ReLU())  # the last ReLU shows the last layer
    batch = torch.randn(1024, 1024)
    firstlight.initialize(net, scheme, seed=seed, example=batch)
    sites = [site for site in firstlight.audit(net, batch).activations if site.weight]
    return [
        {
            "scheme": scheme,
            "seed": seed,
            "layer": layer,
            "alpha": alpha,
            "measured": getattr(site, f"skewed_{alpha}"),
            "predicted": getattr(site, f"skewed_{alpha}_predicted"),
        }
        for (layer, site), alpha in product(enumerate(sites, 1), (10, 30))
    ]


def chi(activation: str, width: int, seed: int) -> list[dict[str, Any]]:
    """Audit a plain network; a row for each layer."""
    torch.manual_seed(seed)
    act = MODULES[activation]
    net = nn.Sequential(
        *(part for _ in range(8) for part in (nn.Linear(width, width), act())),
        nn.Linear(width, 10),
    )
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=SIGMA / width**0.5)
            nn.init.zeros_(layer.bias)
    found = firstlight.audit(net, (torch.randn(128, width), torch.randint(10, (128,))))
    return [
        {"activation": activation, "width": width, "seed": seed, "ratio": s.chi / s.chi_predicted}
        for s in found.activations
        if s.chi is not None and s.chi_predicted
    ]


def draw(skews: list[dict[str, Any]], chis: list[dict[str, Any]], path: Path) -> None:
    figure = Figure(figsize=(10, 4.2), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    looks = styles(SCHEMES)
    for scheme in SCHEMES:
        rows = [row for row in skews if row["scheme"] == scheme]
        x, y = [100 * r["predicted"] for r in rows], [100 * r["measured"] for r in rows]
        style = looks[scheme]
        marker = style.marker.matplotlib
        left.scatter(x, y, s=22, color=style.light, marker=marker, label=scheme, alpha=0.7)
    left.axline((0, 0), slope=1, color="#999999", linewidth=0.8)
    left.set(xlabel="predicted, %", ylabel="measured, %")
    left.set_title("Skewed units of degrees 0.1 and 0.3, layers 1 to 3", loc="left", size=10)
    left.legend(frameon=False, fontsize=8)
    looks = styles(ACTIVATIONS)
    for shift, activation in enumerate(ACTIVATIONS):
        rows = [row for row in chis if row["activation"] == activation]
        x = [WIDTHS.index(r["width"]) + 0.14 * (shift - 2) for r in rows]
        style = looks[activation]
        marker = style.marker.matplotlib
        y = [r["ratio"] for r in rows]
        right.scatter(x, y, s=12, color=style.light, marker=marker, label=activation, alpha=0.5)
    right.axhline(1, color=INK[0], linewidth=0.8)
    right.axhspan(0.9, 1.1, color="#dddddd", zorder=0)
    right.set_xticks(range(len(WIDTHS)), [str(width) for width in WIDTHS])
    right.set(xlabel="width", ylabel="measured / predicted", ylim=(0.4, 1.6))
    right.set_title("Gradient factor chi of each layer", loc="left", size=10)
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def table(skews: list[dict[str, Any]], chis: list[dict[str, Any]]) -> str:
    lines = ["skewed units in %, measured (predicted), mean over seeds", ""]
    keys = list(product((1, 2, 3), (10, 30)))
    lines.append(f"{'scheme':14}" + "".join(f"layer {n}, 0.{a // 10}".rjust(16) for n, a in keys))
    for scheme in SCHEMES:
        cells = []
        for layer, alpha in keys:
            rows = [
                r for r in skews if (r["scheme"], r["layer"], r["alpha"]) == (scheme, layer, alpha)
            ]
            measured, predicted = (
                100 * statistics.mean(r[key] for r in rows) for key in ("measured", "predicted")
            )
            cells.append(f"{measured:.1f} ({predicted:.1f})".rjust(16))
        lines.append(f"{scheme:14}" + "".join(cells))
    first = [r for r in skews if r["layer"] == 1]
    worst = max(abs(r["measured"] - r["predicted"]) for r in first)
    lines += ["", f"largest distance in layer 1, any scheme and seed: {100 * worst:.1f} points", ""]
    lines.append("chi, measured over predicted: mean [least, largest] over layers and seeds")
    lines.append(f"{'activation':14}" + "".join(f"width {width}".rjust(20) for width in WIDTHS))
    for activation in ACTIVATIONS:
        cells = []
        for width in WIDTHS:
            found = [
                r["ratio"] for r in chis if (r["activation"], r["width"]) == (activation, width)
            ]
            text = f"{statistics.mean(found):.2f} [{min(found):.2f}, {max(found):.2f}]"
            cells.append(text.rjust(20))
        lines.append(f"{activation:14}" + "".join(cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    skews = [row for scheme, seed in product(SCHEMES, SEEDS) for row in skew(scheme, seed)]
    chis = [
        row
        for activation, width, seed in product(ACTIVATIONS, WIDTHS, SEEDS)
        for row in chi(activation, width, seed)
    ]
    versions = {"torch": torch.__version__, "firstlight": firstlight.__version__}
    made = {"versions": versions, "seeds": list(SEEDS), "skew": skews, "chi": chis}
    (out / "results.json").write_text(json.dumps(made, indent=1) + "\n")
    text = table(skews, chis)
    (out / "table.txt").write_text(text + "\n")
    draw(skews, chis, out / "audit-theory.png")
    print(text)


if __name__ == "__main__":
    main()
