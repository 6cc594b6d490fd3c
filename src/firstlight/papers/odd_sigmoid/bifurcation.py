"""x -> f(a x): collapse up to the critical gain, two fixed points beyond it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Panel, lines
from firstlight.theory import critical_gain, fixed_point
from firstlight.theory.activations import elementwise

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

_ALL = ("tanh", "erf", "arctan", "softsign", "algebraic", "gudermannian")
_QUICK = {
    "activations": _ALL,
    "gains": (0.5, 0.9, 1.0, 1.1, 1.5),
    "starts": (-2.0, -0.1, 0.1, 2.0),
    "iterations": 2000,
}
_STANDARD = {
    **_QUICK,
    "gains": (0.5, 0.8, 0.9, 0.95, 0.99, 1.0, 1.01, 1.05, 1.1, 1.2, 1.5, 2.0),
    "iterations": 100_000,
}
#: How near to a fixed point is there.
_NEAR = 1e-6


def measure(work: "Work") -> "pd.DataFrame":
    """Iterate each map from each start; ``fixed_point`` is what the equation says."""
    import pandas as pd

    rows = []
    starts = torch.tensor(work["starts"], dtype=torch.float64)
    for name in work["activations"]:
        f, omega = elementwise(name), critical_gain(name)
        for gain in work["gains"]:
            x, last = starts.clone(), starts
            for _ in range(work["iterations"]):
                last, x = x, f(gain * omega * x)
                if torch.equal(last, x):
                    break
            root = fixed_point(gain * omega, name)
            rows += [
                {
                    "activation": name,
                    "omega": omega,
                    "gain": gain,
                    "x0": float(first),
                    "x": float(end),
                    "fixed_point": root,
                    "iterations": work["iterations"],
                }
                for first, end in zip(starts, x, strict=True)
            ]
    return pd.DataFrame(rows)


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Below, at and above the critical gain."""
    below, at, above = (
        frame[frame.gain < 1],
        frame[frame.gain == 1],
        frame[frame.gain > 1],
    )
    left, missed = below.x.abs().max(), (above.x - np.sign(above.x0) * above.fixed_point).abs()
    still = at.x.abs()
    slow = float(at.iterations.max())
    return [
        Finding(
            "x -> f(a x) collapses to 0 for gains a below omega = 1 / f'(0)",
            "trajectories collapse to 0",
            f"largest |x| left {left:.1g}, of {len(below)} trajectories",
            "same" if left < _NEAR else "differs",
            f"Gains up to {below.gain.max():g} omega, {frame.activation.nunique()} activations.",
        ),
        Finding(
            "at a = omega itself it collapses, too",
            "collapses for a <= omega",
            f"|x| left after {slow:g} iterations: {still.min():.2g} to {still.max():.2g}",
            "same" if still.max() < at.x0.abs().min() else "differs",
            "As a power of the number of layers, not exponentially: 1/sqrt(n) where f'' is 0 at 0, "
            "1/n for softsign. A network at omega without noise loses its signal, slowly.",
        ),
        Finding(
            "for a > omega trajectories go to one of two fixed points +-xi",
            "converge to +-xi, by the sign of the start",
            f"largest distance from sign(x0) xi: {missed.max():.1g}, of {len(above)} trajectories",
            "same" if missed.max() < _NEAR else "differs",
            "xi solves f(a x) = x, found without iterating the map.",
        ),
    ]


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """The pitchfork."""
    panels = []
    for name, own in frame.groupby("activation", sort=False):
        ends = {
            text: [(gain, [part.x.mean()]) for gain, part in own[side].groupby("gain")]
            for text, side in (("from above 0", own.x0 > 0), ("from below 0", own.x0 < 0))
        }
        panels.append(Panel(str(name), ends, "gain / omega", "x after all iterations"))
    count = int(frame.iterations.max())
    caption = f"where x goes in {count:,} iterations; mean over starts of one sign"
    return {"pitchfork": lines("The pitchfork bifurcation of x -> f(a x)", caption, panels)}


BIFURCATION = Entry(
    name="odd-sigmoid/bifurcation",
    kind="claim",
    where="fixed points of x -> f(a x)",
    asks="does x -> f(a x) collapse up to a = omega and go to +-xi beyond?",
    published="collapse for a <= omega, fixed points +-xi for a > omega",
    presets={"quick": _QUICK, "standard": _STANDARD, "full": _STANDARD},
    measure=measure,
    judge=judge,
    draw=draw,
)
