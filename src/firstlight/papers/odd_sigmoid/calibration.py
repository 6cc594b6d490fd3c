"""sigma*(p, L, omega) against sign flips that are counted: of products, and of networks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from firstlight.comparison.statistics import band
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.theory import noise_scale
from firstlight.theory.activations import elementwise

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

_QUICK = {
    "depths": (10, 50),
    "rates": (0.01, 0.1, 0.4, 0.49),
    "products": 5000,
    "widths": (1, 4, 16),
    "units": 2048,
    "samples": 4,
}
_STANDARD = {
    **_QUICK,
    "depths": (10, 50, 100, 1000),
    "rates": (0.01, 0.1, 0.3, 0.4, 0.49),
    "products": 40_000,
    "widths": (1, 2, 4, 16, 64),
    "units": 8192,
}
_SEED = 0


def measure(work: "Work") -> "pd.DataFrame":
    """Count signs that turned: width 0 are products of gains, the others tanh networks.

    A network is W = I + Z in ``depth`` square layers; ``flipped`` is the share of its units whose
    sign is not that of the input they stand for, ``count`` the number of networks.
    """
    import pandas as pd

    rows = []
    for depth in work["depths"]:
        for p in work["rates"]:
            sigma = noise_scale(depth, 1.0, p)
            about = {"depth": depth, "rate": p, "sigma": sigma}
            rows.append(about | {"width": 0} | _products(depth, sigma, work["products"]))
            for width in work["widths"]:
                shares = _networks(depth, sigma, width, work["units"] // width, work["samples"])
                rows.append(about | {"width": width} | shares)
        work.tell(f"{depth} layers done")
    return pd.DataFrame(rows)


def _products(depth: int, sigma: float, count: int) -> dict[str, Any]:
    random = np.random.default_rng(_SEED)
    negative = np.zeros(count, dtype=bool)
    for _ in range(depth):
        negative ^= random.normal(1.0, sigma, count) < 0
    return _interval(negative.astype(float))


def _networks(depth: int, sigma: float, width: int, count: int, samples: int) -> dict[str, Any]:
    random = torch.Generator().manual_seed(_SEED)
    f = elementwise("tanh")
    x = torch.randn(count, samples, width, generator=random, dtype=torch.float64)
    before = x.signbit()
    identity = torch.eye(width, dtype=torch.float64)
    for _ in range(depth):
        noise = torch.randn(count, width, width, generator=random, dtype=torch.float64)
        x = f(x @ (identity + sigma / width**0.5 * noise).mT)
    return _interval((x.signbit() != before).double().mean((1, 2)).numpy())


def _interval(shares: np.ndarray) -> dict[str, Any]:
    """Mean over independent ones, with its 95 % interval."""
    mean, low, high = band(shares)
    return {"flipped": float(mean), "low": float(low), "high": float(high), "count": len(shares)}


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Products and networks of one unit must flip as often as the formula says; others need not."""
    said = [*_exact(frame[frame.width == 0], "products of gains a ~ N(omega, sigma_z^2)")]
    said += _exact(frame[frame.width == 1], "tanh networks of width 1")
    for width, own in frame[frame.width > 1].groupby("width"):
        listed = "; ".join(
            f"{depth} layers "
            + ", ".join(
                f"{rate:g}: {flipped:.2g}"
                for rate, flipped in zip(rows.rate, rows.flipped, strict=True)
            )
            for depth, rows in own.groupby("depth")
        )
        said.append(
            Finding(
                f"width {width}: do as many signs turn as the formula has it?",
                "elementwise scalar surrogate",
                f"by target: {listed}",
                "answer",
                _said(own),
            )
        )
    return said


def _exact(own: "pd.DataFrame", what: str) -> Iterator[Finding]:
    if own.empty:
        return
    error = (own.high - own.low) / 2 / 1.96
    off = (own.flipped - own.rate).abs() / error.clip(lower=1e-12)
    worst = own.loc[off.idxmax()]
    yield Finding(
        f"{what} turn their sign with the target rate",
        "pi_L(sigma*) = p",
        f"at most {off.max():.1f} standard errors away: {worst.flipped:.3f} "
        f"({worst.low:.3f} to {worst.high:.3f}) for {worst.rate:g} at {int(worst.depth)} layers",
        "same" if off.max() < 4 else "differs",
        f"{len(own)} rates and depths, {int(own['count'].min()):,} or more of each; four standard "
        "errors are rare among so many.",
    )


def _said(own: "pd.DataFrame") -> str:
    ratio = own.flipped / own.rate
    words = (
        f"Between {ratio.min():.2g} and {ratio.max():.2g} times the target. The diagonal's own "
        "gains hardly turn a sign, as their noise is sigma_z / sqrt(width); the sum of the other "
        "units' signals does."
    )
    return f"{words} The sign of a unit tells what mixing does, not what the scalar model does."


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """What turned over what should."""
    names = {0: "products"}
    shown = frame.assign(label=[names.get(width, f"width {width}") for width in frame.width])
    panels = [
        Panel(
            f"{depth} layers",
            series(own, "label", "rate", "flipped"),
            "target p",
            "share of signs that turned",
            "xy",
        )
        for depth, own in shown.groupby("depth")
    ]
    caption = "products of gains, and tanh networks, unit by unit"
    return {"flips": lines("Signs that turn", caption, panels)}


CALIBRATION = Entry(
    name="odd-sigmoid/calibration",
    kind="claim",
    where="closed form of sigma_z; reviewers: the theory assumes width one",
    asks="do signs turn as often as sigma*(p, L, omega) says?",
    published="sigma* = -omega / Phi^-1((1 - (1 - 2p)^(1/L)) / 2)",
    presets={"quick": _QUICK, "standard": _STANDARD, "full": {**_STANDARD, "units": 65_536}},
    measure=measure,
    judge=judge,
    draw=draw,
)
