"""Claim: the first layer multiplies every frequency, a middle layer raises the harmonics."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from firstlight import fields, theory
from firstlight.fields.analysis import initial_spectra
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.numbers import NEAR, agreed, everywhere, held, over
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

#: Points of a turn, at which the harmonics of a sine of a sine are looked at.
_TURN = 512


def measure(work: "Work") -> "pd.DataFrame":
    """Mean frequency by the first layer's alpha; harmonics by a middle layer's; whole networks."""
    import pandas as pd

    rows = [*_basis(work), *_harmonics(work), *_networks(work)]
    return pd.DataFrame(rows)


def _row(
    part: str, alpha: float, seed: int, order: int, seen: float, told: float
) -> dict[str, Any]:
    names = ("part", "alpha", "seed", "order", "measured", "predicted")
    return dict(zip(names, (part, alpha, seed, order, seen, told), strict=True))


def _basis(work: "Work") -> list[dict[str, Any]]:
    """Frequencies of the first layer's waves: of its weights, over those at alpha 1."""
    rows = []
    for seed in work["seeds"]:
        first = _first_frequency(work, 1.0, seed)
        for alpha in work["alphas"]:
            ratio = _first_frequency(work, alpha, seed) / first
            rows.append(_row("basis", alpha, seed, 1, ratio, alpha))
    return rows


def _first_frequency(work: "Work", alpha: float, seed: int) -> float:
    """Mean power-weighted frequency of a first layer's values along a line, from its spectrum."""
    network: Any = fields.Sine(width=work["width"], depth=3, alpha=alpha, omega_0=30.0)
    network = network.build(1, 1, seed)
    points = 4096
    x = 2 * torch.arange(points)[:, None] / points - 1
    with torch.no_grad():
        waves = torch.sin(network.factors[0] * network.layers[0](x)).double().numpy()
    window = 1 - np.cos(2 * np.pi * np.arange(points) / points)
    power = np.square(np.abs(np.fft.rfft(waves * window[:, None], axis=0))).mean(1)
    return float((power * np.arange(len(power))).sum() / power.sum())


def _harmonics(work: "Work") -> list[dict[str, Any]]:
    """Amplitudes of sin(A sin t): by the discrete Fourier transform, and Bessel's J_k(A)."""
    turn = 2 * np.pi * np.arange(_TURN) / _TURN
    rows = []
    for alpha in work["alphas"]:
        amplitude = alpha * work["amplitude"]
        wave = np.fft.rfft(np.sin(amplitude * np.sin(turn))) / _TURN
        for order in work["orders"]:
            expected = 2 * abs(float(theory.sine_harmonics(amplitude, [order])[0]))
            rows.append(_row("harmonic", alpha, 0, order, 2 * abs(wave[order]), expected))
    return rows


def _networks(work: "Work") -> list[dict[str, Any]]:
    """Share of a network's power above the samples' Nyquist frequency, seen and expected."""
    known, rows = signal(work, work["signal"]), []
    for depth in work["depths"]:
        for alpha in work["alphas"]:
            network = fields.Sine(width=work["width"], depth=depth, alpha=alpha, omega_0=30.0)
            for seed in work["seeds"]:
                found = initial_spectra(network, known, seed=seed)[0]
                seen, told = (
                    math.nan if each is None else each
                    for each in (found.above, found.predicted_above)
                )
                rows.append(_row("above Nyquist", alpha, seed, depth, seen, told))
    return rows


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Frequencies times alpha; Bessel's harmonics; the whole spectrum."""
    return [
        _times_alpha(frame[(frame.part == "basis") & (frame.alpha > 1)]),
        _harmonic(frame[frame.part == "harmonic"]),
        _whole(frame[frame.part == "above Nyquist"]),
    ]


def _times_alpha(basis: "pd.DataFrame") -> Finding:
    by_alpha = list(basis.groupby("alpha"))
    near = (agreed((own.measured / own.predicted - 1).abs() <= NEAR) for _, own in by_alpha)
    shown = ", ".join(f"alpha {alpha:g}: {over(own.measured, '.2f')}" for alpha, own in by_alpha)
    return held(
        "scaling the first layer multiplies every basis frequency by alpha",
        "times alpha",
        f"mean frequency over alpha 1's: {shown}",
        everywhere(near),
        "The mean frequency of the first layer's waves along a line, from their spectrum, in "
        "which a wave of less than one turn cannot be told from a slower one. The same is "
        f"within {NEAR:.0%} in every seed, a margin that is ours, the same in all entries.",
    )


def _harmonic(harmonic: "pd.DataFrame") -> Finding:
    exact = float((harmonic.measured - harmonic.predicted).abs().max())
    powers = harmonic.assign(power=harmonic.measured**2)
    whole = powers.groupby("alpha").power.sum()
    share = (powers[powers.order > 1].groupby("alpha").power.sum() / whole).to_dict()
    listed = ", ".join(f"alpha {alpha:g}: {each:.0%}" for alpha, each in share.items())
    return held(
        "scaling a middle layer raises the higher harmonics (Jacobi-Anger, Bessel functions)",
        "more power in higher harmonics",
        f"power in the third and higher ones of one sine: {listed}",
        exact < 1e-9 and list(share.values()) == sorted(share.values()),
        f"Amplitudes of sin(A sin t) are J_k(A) to {exact:.0e}; A is 1 at alpha 1. No draws here.",
    )


def _whole(above: "pd.DataFrame") -> Finding:
    deepest = above[above.order == above.order.max()]
    medians = deepest.groupby("alpha")[["measured", "predicted"]].median()
    shown = ", ".join(
        f"alpha {row.Index:g}: {row.measured:.0%} ({row.predicted:.0%} expected)"
        for row in medians.itertuples()
    )
    known = above.dropna(subset=["measured"]).sort_values("alpha").groupby(["order", "seed"])
    rising = {key: own.measured.is_monotonic_increasing for key, own in known}
    orders = sorted({order for order, _ in rising})
    return held(
        "weight scaling raises the frequencies of the initial function",
        "a higher spectrum at the start",
        f"power above the samples' Nyquist frequency, {int(above.order.max())} layers: {shown}",
        everywhere(agreed(so for (each, _), so in rising.items() if each == o) for o in orders),
        "The same where it rises with alpha in every seed, at every depth. Expected is the closed "
        "form for infinite width (theory.sine_spectrum), which knows no draw. This is what trains "
        "fast, and what invents values between samples.",
    )


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Harmonics, and power above Nyquist."""
    harmonic = frame[frame.part == "harmonic"]
    above = frame[frame.part == "above Nyquist"]
    amplitudes = figures.by(
        harmonic.assign(name=[f"alpha {each:g}" for each in harmonic.alpha]),
        "name",
        "order",
        "measured",
    )
    seen = above.assign(name=[f"{each} layers" for each in above.order])
    shares = figures.by(seen, "name", "alpha", "measured")
    told = figures.by(
        seen.assign(name=[f"{each}, expected" for each in seen.name]), "name", "alpha", "predicted"
    )
    panels = {
        "amplitudes of sin(alpha sin t)": lambda axes: figures.lines(
            axes, amplitudes, "harmonic", "amplitude"
        ),
        "share of power above Nyquist": lambda axes: figures.lines(
            axes, shares | told, "alpha", "share"
        ),
    }
    said = "before training; median and range over seeds"
    return {"frequencies": figures.sheet("Frequencies at the start", said, panels)}


ENTRIES = (
    Entry(
        "weight-scaling/frequencies",
        "claim",
        "Mechanism 1: frequencies and harmonics",
        "What does alpha do to the frequencies of the initial function?",
        "the first layer's times alpha, more of the higher harmonics",
        {
            "quick": {
                "signal": "china 32",
                "width": 64,
                "depths": [3],
                "alphas": [1.0, 2.0],
                "amplitude": 1.0,
                "orders": [1, 3, 5],
                "seeds": [0],
            },
            "standard": {
                "signal": "kodim05 128",
                "width": 256,
                "depths": [3, 5],
                "alphas": [1.0, 1.5, 2.0, 3.0],
                "amplitude": 1.0,
                "orders": [1, 3, 5, 7, 9],
                "seeds": [0, 1, 2, 3, 4],
            },
            "full": {
                "signal": "kodim05 512",
                "width": 512,
                "depths": [3, 5, 7],
                "alphas": [1.0, 1.5, 2.0, 3.0],
                "amplitude": 1.0,
                "orders": [1, 3, 5, 7, 9],
                "seeds": list(range(10)),
            },
        },
        measure,
        judge,
        draw,
    ),
)
