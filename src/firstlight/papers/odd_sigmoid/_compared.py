"""Starts side by side: the same three forms of every training comparison."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Dots, dots
from firstlight.papers.odd_sigmoid._numbers import ahead, by_start, claimed_ahead, percent, points
from firstlight.papers.odd_sigmoid._studies import OURS
from firstlight.theory import critical_gain, noise_scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Independent weights, which the paper compares with.
GAUSSIAN = ("glorot_normal", "he_normal", "edge_of_chaos")
#: Learning rates that the paper advises, over omega.
BAND = (1e-5, 1e-3)

_MNIST = {"data": "file:mnist-test10k.parquet"}
#: Updates that see 8,000 images but the tenth that chooses the rate.
EPOCH = 7200 // 64
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
FEW_RATES = (3e-4, 1e-3, 3e-3)


def mnist(**options: object) -> dict[str, object]:
    """Options of a study on 10,000 images of MNIST."""
    return {**_MNIST, **options}


def matched(depth: int, activation: str = "tanh") -> tuple[str, ...]:
    """Our start, and rivals whose rows have the same sum of squares, omega^2 + sigma_z^2.

    Args:
        depth: hidden layers.
        activation: f.

    Example:
        >>> matched(50)[1:]
        ('orthogonal:gain=1.0321', 'truncated_normal:mode=fan_in:gain=1.0321')
    """
    omega = critical_gain(activation)
    gain = f"{math.hypot(omega, noise_scale(depth + 1, omega)):.4f}"
    return (OURS, f"orthogonal:gain={gain}", f"truncated_normal:mode=fan_in:gain={gain}")


def tuned(rows: "pd.DataFrame", network: str, published: str) -> Iterator[Finding]:
    """Ours against the strongest Gaussian start, each at its best rate, and at all alike."""
    found = by_start(rows)
    rival = strongest(found, GAUSSIAN)
    if rival is None or OURS not in found:
        return
    lead = ahead(found[OURS], found[rival])
    yield Finding(
        f"{network}: ahead of Gaussian starts, the learning rate tuned for each",
        published,
        f"{percent(found[OURS])} against {percent(found[rival])} of {rival}, the strongest; "
        f"{points(lead)}",
        claimed_ahead(lead),
        "Equal steps and rates to choose from; differences paired by seed.",
    )
    yield from _one_rate(rows, network, published)


def _one_rate(rows: "pd.DataFrame", network: str, published: str) -> Iterator[Finding]:
    omega = critical_gain(str(rows.activation.iloc[0]))
    low, high = (edge * omega * (1 + 1e-9 * sign) for edge, sign in zip(BAND, (-1, 1), strict=True))
    inside = rows[(rows.learning_rate >= low) & (rows.learning_rate <= high)]
    means = {
        str(start): own.groupby("seed").accuracy.mean()
        for start, own in inside.groupby("start", sort=False)
    }
    rival = strongest(means, GAUSSIAN)
    if rival is None or OURS not in means:
        return
    lead = ahead(means[OURS], means[rival])
    rates = ", ".join(f"{rate:g}" for rate in sorted(inside.learning_rate.unique()))
    yield Finding(
        f"{network}: ahead with one learning rate for all, as published",
        published,
        f"mean over the rates {rates}: {percent(means[OURS])} against {percent(means[rival])} of "
        f"{rival}; {points(lead)}",
        claimed_ahead(lead),
        "The rates inside the advised band, 1e-5 to 1e-3 omega.",
    )


def same_variance(rows: "pd.DataFrame", network: str, published: str) -> Iterator[Finding]:
    """Ours against rivals of the same mean square in every layer: ``matched`` ones."""
    found = by_start(rows)
    for rival in [name for name in found if ":gain=" in name]:
        lead = ahead(found[OURS], found[rival])
        random = rival.startswith("truncated_normal")
        yield Finding(
            f"{network}: variances matched, ahead of {'Gaussian' if random else 'orthogonal'} "
            "weights",
            published if random else "",
            f"{percent(found[OURS])} against {percent(found[rival])} of {rival}; {points(lead)}",
            claimed_ahead(lead) if random else "answer",
            "Rows of all starts have the same sum of squares, omega^2 + sigma_z^2; each at its "
            "best rate. Gaussian: cut at two standard deviations, as wide.",
        )


def beside(rows: "pd.DataFrame", network: str, others: Sequence[str]) -> Iterator[Finding]:
    """Ours beside starts and structures that the paper does not compare with."""
    found = by_start(rows)
    for other in others:
        if other in found and OURS in found:
            lead = ahead(found[OURS], found[other])
            yield Finding(
                f"{network}: how does it compare with {other.replace('_', ' ')}?",
                "",
                f"{percent(found[OURS])} against {percent(found[other])}; {points(lead)}",
                "answer",
                _said(lead.low, lead.high),
            )


def _said(low: float, high: float) -> str:
    if low > 0:
        return "Diagonal plus noise is ahead."
    return "Diagonal plus noise is behind." if high < 0 else "These seeds cannot tell them apart."


def strongest(found: "Mapping[str, pd.Series]", among: Sequence[str]) -> str | None:
    """The start of the highest mean."""
    return max(
        (name for name in found if name in among),
        key=lambda name: float(found[name].mean()),
        default=None,
    )


def networks(frame: "pd.DataFrame") -> "Iterator[tuple[str, pd.DataFrame]]":
    """Rows by network and data, with what tells them from each other in words."""
    keys = ["part", "data", "widths", "depth", "activation", "train_size"]
    telling = [key for key in keys[1:] if frame[key].nunique() > 1] or ["depth"]
    for _, rows in frame.groupby(keys, sort=False):
        yield ", ".join(_word(key, rows[key].iloc[0]) for key in telling), rows


def _word(key: str, value: object) -> str:
    words = {
        "widths": f"width {value}",
        "depth": f"{value} layers",
        "train_size": f"{value} samples" if value else "all samples",
    }
    text = words.get(key, str(value))
    return text.removesuffix(".parquet").replace("-test10k", "").replace("-test", "")


def accuracies(frame: "pd.DataFrame", title: str) -> "Figure":
    """Every start's accuracy at its best rate, a panel for each network."""
    panels = []
    for name, rows in networks(frame):
        values = {start: list(100 * own.dropna()) for start, own in by_start(rows).items()}
        chance = 100 * float(rows.chance.iloc[0])
        panels.append(Dots(name, values, "test accuracy, %", chance, limits=(0, 100)))
    steps = ", ".join(f"{count:,}" for count in sorted(frame.steps.unique()))
    caption = f"{steps} steps, each start at its best learning rate; mean and 95 % interval, seeds"
    return dots(title, caption, panels)


def accuracies_by_part(title: str) -> "Callable[[pd.DataFrame], Mapping[str, Figure]]":
    """Return what draws ``accuracies`` of every part of a table; the part ends the title."""

    def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
        return {
            f"accuracy-{part}": accuracies(rows, f"{title}: {part}")
            for part, rows in frame.groupby("part", sort=False)
        }

    return draw
