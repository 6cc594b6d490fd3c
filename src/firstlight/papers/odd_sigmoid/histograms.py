"""Histograms of the activations in layers 1, 10, 50 and 100."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from firstlight.comparison.data import load
from firstlight.comparison.seeded import seeded
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import RULE, collapsed, kept, span
from firstlight.papers.odd_sigmoid._studies import OURS
from firstlight.studies import DeepNetwork, DepthStart
from firstlight.studies.depth_training import Samples
from firstlight.studies.replicas import Replicas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

_STARTS = (OURS, "edge_of_chaos", "glorot_normal")
_QUICK = {
    "width": 64,
    "depth": 100,
    "layers": (1, 10, 50, 100),
    "activation": "tanh",
    "starts": _STARTS,
    "seeds": 2,
    "samples": 256,
    "bins": 40,
}
_STANDARD = {**_QUICK, "starts": (*_STARTS, "he_normal", "orthogonal"), "seeds": 10}


def measure(work: "Work") -> "pd.DataFrame":
    """Pass digits through each network; a row for each bin, ``spread`` that of the layer."""
    import pandas as pd

    network = DeepNetwork(64, 10, (work["width"],), work["depth"], work["activation"])
    batch = Samples.of(load("digits"), None).first(work["samples"])
    edges = np.linspace(-1, 1, work["bins"] + 1)
    rows = []
    for start in work["starts"]:
        for seed in range(work["seeds"]):
            with seeded(seed):
                module = DepthStart(start).fill(network, seed, batch)
            with torch.no_grad():
                passed = Replicas([module], torch.float64)(batch.double()[None], keep=True)
            for layer in work["layers"]:
                values = passed.hidden[layer - 1].flatten().numpy()
                counts, _ = np.histogram(values, edges)
                about = {"start": start, "seed": seed, "layer": layer}
                about |= {"spread": float(values.std()), "depth": work["depth"]}
                middles = (edges[1:] + edges[:-1]) / 2
                rows += [
                    about | {"bin": float(at), "share": float(count) / len(values)}
                    for at, count in zip(middles, counts, strict=True)
                ]
    return pd.DataFrame(rows)


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Does the spread stay, and does a Gaussian's collapse."""
    spread = frame.groupby(["start", "layer", "seed"]).spread.first()
    said = []
    for start in frame.start.unique():
        own = spread[start]
        first, last = own.index.get_level_values("layer").min(), frame.layer.max()
        ratio = own[last] / own[first]
        ours = start == OURS
        claim = "keeps its spread" if ours else "collapses toward zero"
        layers = ", ".join(
            f"layer {layer}: {own[layer].median():.2g}"
            for layer in own.index.get_level_values("layer").unique()
        )
        named = ours or start == "edge_of_chaos"
        verdict = kept(ratio) if ours else collapsed(ratio)
        said.append(
            Finding(
                f"{start}: {claim} by layer {last}" if named else f"{start}: and its spread?",
                ("maintains spread" if ours else "collapses toward zero") if named else "",
                f"{layers}; last over first {span(list(ratio))}",
                verdict if named else "answer",
                f"{RULE} The second half of the layers takes {_second_half(own):.0%} of it.",
            )
        )
    return said


def _second_half(own: "pd.Series") -> float:
    """Part of the spread in the middle that is gone in the last layer."""
    layers = own.index.get_level_values("layer").unique()
    middle = own[min(layers, key=lambda layer: abs(2 * layer - layers.max()))]
    return 1 - float((own[layers.max()] / middle).median())


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """A panel for each layer, one seed."""
    shown = frame[frame.seed == 0]
    panels = [
        Panel(f"layer {layer}", series(own, "start", "bin", "share"), "activation", "share")
        for layer, own in shown.groupby("layer")
    ]
    title = f"Activations of {int(frame.depth.iloc[0])} layers before training"
    return {"histograms": lines(title, "digits, one seed", panels)}


HISTOGRAMS = Entry(
    name="odd-sigmoid/histograms",
    kind="figure",
    where="first experiment 1",
    asks="do activations keep their spread to layer 100 where those of the edge of chaos do not?",
    published="proposed maintains spread, edge of chaos collapses toward zero",
    presets={"quick": _QUICK, "standard": _STANDARD, "full": {**_STANDARD, "seeds": 100}},
    measure=measure,
    judge=judge,
    draw=draw,
)
