"""The gradient's factor chi per layer over depth and noise, and signals through 1000 layers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import best, span
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_GAUSSIAN = "edge_of_chaos"
_SHOWN = (OURS, "isometric_diagonal", _GAUSSIAN, "orthogonal")
#: Near 1, per layer; and a signal or gradient that is kept, through all layers.
_NEAR, _KEPT = (0.9, 1.1), (1e-2, 1e2)
_CHI = {
    "widths": 64,
    "depths": (10, 100, 1000),
    "schemes": (),
    "noise_factors": (0.1, 0.3, 1.0, 3.0, 10.0),
    "steps": 0,
}
_SIGNALS = {
    "widths": (4, 16, 64, 256),
    "depths": (3, 100, 1000),
    "activations": ("tanh", "softsign"),
    "steps": 0,
}


def _judge_chi(frame: "pd.DataFrame") -> Sequence[Finding]:
    rows = best(frame)
    said = []
    for scheme, column in ((OURS, "noise"), (_GAUSSIAN, "scale")):
        own = rows[rows.scheme == scheme].groupby(["depth", column]).chi.median()
        inside = own.between(*_NEAR)
        ours = scheme == OURS
        told = "; ".join(
            f"{depth} layers "
            + ", ".join(
                f"x {factor:g}: {value:.3g}".replace("nan", "beyond floats")
                for factor, value in part.droplevel(0).items()
            )
            for depth, part in own.groupby(level=0)
        )
        said.append(
            Finding(
                f"{scheme}: chi is {'near 1 over a wide' if ours else 'not near 1 over the'} "
                "region of depth and scale",
                "chi near 1 over a wide band" if ours else "fragile to the variance",
                f"within 0.9 to 1.1 in {inside.sum()} of {len(own)}: {told}",
                "same" if (inside.all() if ours else not inside.all()) else "differs",
                f"Times {'sigma*' if ours else 'the critical sigma_w'}; medians over seeds, "
                "measured. Outside: "
                + (", ".join(f"{d} layers x {f:g}" for d, f in own[~inside].index) or "none")
                + ".",
            )
        )
    said.append(_whole(rows))
    off = rows[rows.scheme == OURS]
    gap = (off.chi - off.chi_mean_field).abs()
    said.append(
        Finding(
            "chi is (omega^2 + sigma_z^2) E[f'(h)^2]",
            "mean field",
            f"largest difference from what is measured {gap.max():.2g}, median {gap.median():.2g}",
            "same" if gap.max() < 0.1 else "differs",
            "Counted as right: within 0.1 everywhere. The diagonal keeps units less mixed than a "
            "mean field has them.",
        )
    )
    return said


def _whole(rows: "pd.DataFrame") -> Finding:
    """Near 1 is not near enough: what chi makes of a gradient through all layers."""
    own = rows[rows.scheme == OURS].groupby(["depth", "noise"]).gradient_ratio.median()
    kept = own.between(*_KEPT)
    out = ", ".join(f"{d} layers x {f:g}: {value:.1g}" for (d, f), value in own[~kept].items())
    return Finding(
        "and through all layers: is the gradient kept within a hundredfold?",
        "",
        f"in {kept.sum()} of {len(own)}; outside: {out or 'none'}",
        "answer",
        "First layer over last. At 1000 layers a chi of 0.98 or 1.02 is a factor of e^10 on the "
        "norm: 'near 1' must be nearer the deeper the network.",
    )


def _judge_signals(frame: "pd.DataFrame") -> Sequence[Finding]:
    rows = best(frame)
    deepest = int(rows.depth.max())
    said = []
    for activation, part in rows[rows.depth == deepest].groupby("activation", sort=False):
        for start in _SHOWN:
            own = part[part.start == start]
            if own.empty:
                continue
            spread = own.groupby("widths", sort=False).spread_ratio.median()
            gradient = own.groupby("widths", sort=False).gradient_ratio.median()
            kept = spread.between(*_KEPT).all() and gradient.between(*_KEPT).all()
            ours = start == OURS
            told = "; ".join(
                f"width {width}: {value:.2g}, {gradient[width]:.2g}"
                for width, value in spread.items()
            )
            claim = "are signals and gradients kept?"
            if ours:
                claim = "keeps signals and gradients"
            elif start == _GAUSSIAN:
                claim = "loses them"
            right = kept if ours else not kept
            named = ours or start == _GAUSSIAN
            said.append(
                Finding(
                    f"{deepest} layers of {activation}, {start}: {claim}",
                    ("preserved across 1000+ layers" if ours else "collapses") if named else "",
                    f"spread and gradient, {told}",
                    ("same" if right else "differs") if named else "answer",
                    "Spread: last layer over first; gradient: first over last. Counted as kept: "
                    f"within a hundredfold at every width. Seeds: {span(list(own.spread_ratio))}.",
                )
            )
    return said


def _draw_chi(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    rows = best(frame)
    factor = np.where(rows.scheme == OURS, rows.noise, rows.scale)
    panels = [
        Panel(
            f"{depth} layers",
            series(own, "scheme", "factor", "chi"),
            "times sigma*, or the critical sigma_w",
            "chi per layer",
            "x",
            level=1.0,
        )
        for depth, own in rows.assign(factor=factor).groupby("depth")
    ]
    caption = "before training, digits; mean over seeds, and the seeds"
    return {"chi": lines("The gradient's factor per layer", caption, panels)}


def _draw_signals(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    rows = best(frame)
    rows = rows[rows.start.isin(_SHOWN)]
    shown = rows.assign(width=lambda table: table.widths.astype(int))
    figures = {}
    for value, up in (("spread_ratio", "spread, last / first"), ("gradient_ratio", "gradient")):
        panels = [
            Panel(
                f"{activation}, {depth} layers",
                series(own[own[value] > 0], "start", "width", value),
                "width",
                up,
                "xy",
            )
            for (activation, depth), own in shown.groupby(["activation", "depth"])
        ]
        name = value.partition("_")[0]
        figures[name] = lines(
            f"{name.capitalize()} through many layers", "median over seeds, and the seeds", panels
        )
    return figures


CHI = Entry(
    name="odd-sigmoid/chi",
    kind="check",
    where="mechanism 3; next check 2",
    asks="is chi near 1 over a wide region of depth and noise, and a Gaussian's not?",
    published="chi near 1 over a wide band of (L, sigma_z); Gaussian weights fragile",
    presets={
        "quick": studies(
            digits={**_CHI, "depths": (10, 100), "noise_factors": (0.3, 1.0, 3.0), "seeds": 1}
        ),
        "standard": studies(digits=_CHI),
        "full": studies(digits={**_CHI, "widths": (16, 64, 256), "seeds": 20}),
    },
    measure=measure,
    judge=_judge_chi,
    draw=_draw_chi,
)

SIGNALS = Entry(
    name="odd-sigmoid/signals",
    kind="claim",
    where="key results: 1000 layers without batch normalization",
    asks="are activations and gradients kept through 1000 layers, whatever the width?",
    published="preserved across 1000+ layers over a wide range of widths",
    presets={
        "quick": studies(
            digits={
                **_SIGNALS,
                "widths": (4, 16),
                "depths": (3, 100),
                "schemes": _SHOWN,
                "seeds": 1,
            }
        ),
        "standard": studies(digits=_SIGNALS),
        "full": studies(digits={**_SIGNALS, "seeds": 20}),
    },
    measure=measure,
    judge=_judge_signals,
    draw=_draw_signals,
)
