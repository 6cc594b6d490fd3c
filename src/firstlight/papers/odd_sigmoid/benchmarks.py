"""Accuracy over depth, width, activation and data; few samples; training to the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from firstlight.comparison.statistics import estimate
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import (
    EPOCH,
    FEW_RATES,
    GAUSSIAN,
    RATES,
    accuracies_by_part,
    beside,
    matched,
    mnist,
    networks,
    same_variance,
    strongest,
    tuned,
)
from firstlight.papers.odd_sigmoid._numbers import ahead, by_start, claimed_ahead, points
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies

if TYPE_CHECKING:
    import pandas as pd

_STARTS = (OURS, "glorot_normal", "he_normal", "orthogonal")
_QUICK = {"depths": (10,), "seeds": 2, "learning_rates": (1e-3,), "steps": 40}
_IMAGES = ("mnist", "fashion_mnist", "cifar10", "cifar100")
_DOWNLOADS = "MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100 (downloads), and days"


def _judge_benchmarks(frame: "pd.DataFrame") -> Sequence[Finding]:
    """One verdict over the sweep, and the three forms on photographs."""
    leads, told = [], []
    for name, rows in networks(frame):
        found = by_start(rows)
        rival = strongest(found, GAUSSIAN)
        if rival is None:
            continue
        lead = ahead(found[OURS], found[rival])
        leads.append(lead)
        told.append((lead.mean, f"{name}: {points(lead)}"))
    won = sum(claimed_ahead(lead) == "same" for lead in leads)
    lost = sum(claimed_ahead(lead) == "differs" for lead in leads)
    said = [
        Finding(
            "higher accuracy than Gaussian starts, whatever depth, width and activation",
            "more robust to depth, width and activation scale",
            f"ahead in {won} of {len(leads)} networks, behind in {lost}, undecided in "
            f"{len(leads) - won - lost}; most: {max(told)[1]}; least: {min(told)[1]}",
            "differs" if lost else "same" if won == len(leads) else "open",
            "Against the strongest Gaussian start of each network, both at their best rate; 95 % "
            "intervals paired by seed, not corrected for the number of networks.",
        )
    ]
    for depth, rows in frame.groupby("depth"):
        said.append(_by_depth(int(depth), rows))
    for name, rows in networks(frame[frame.part == "cifar10"]):
        said += [
            *tuned(rows, f"CIFAR-10, {name}", "stable training"),
            *beside(
                rows, f"CIFAR-10, {name}", ("orthogonal", "batch_norm", "layer_norm", "residual")
            ),
        ]
    return said


def _by_depth(depth: int, frame: "pd.DataFrame") -> Finding:
    """Over networks, each with its own strongest rival, instead of over seeds."""
    means: dict[str, list[float]] = {}
    leads = []
    for _, rows in networks(frame):
        found = by_start(rows)
        rival = strongest(found, GAUSSIAN)
        if rival is not None:
            leads.append(float(found[OURS].mean() - found[rival].mean()))
        for start, values in found.items():
            means.setdefault(start, []).append(100 * float(values.mean()))
    listed = ", ".join(
        f"{start} {sum(each) / len(each):.1f} %"
        for start, each in means.items()
        if len(each) == len(leads)
    )
    lead = estimate(leads)
    return Finding(
        f"{depth} hidden layers: ahead of Gaussian starts in the mean over networks",
        "more robust to depth, width and activation scale",
        f"{points(lead)} over the strongest of each; means: {listed}",
        claimed_ahead(lead),
        f"{len(leads)} networks, the interval over them; each start at its best rate in each.",
    )


def _judge_samples(frame: "pd.DataFrame") -> Sequence[Finding]:
    said: list[Finding] = []
    for name, rows in networks(frame):
        if rows.part.iloc[0] == "matched":
            said += same_variance(rows, name, "more data-efficient")
        else:
            said += tuned(rows, name, "more data-efficient")
            said += beside(rows, name, ("orthogonal", "batch_norm", "layer_norm", "residual"))
    return said


BENCHMARKS = Entry(
    name="odd-sigmoid/benchmarks",
    kind="table",
    where="accuracy over depth, width and activation",
    asks="does it train networks of any depth, width and activation better than Gaussian starts?",
    published="more robust to depth, width and activation scale",
    presets={
        "quick": studies(
            digits={**_QUICK, "activations": ("tanh", "softsign"), "schemes": _STARTS}
        ),
        "standard": studies(
            cifar10={
                "widths": 32,
                "depths": 50,
                "data": "file:cifar10-test.parquet",
                "learning_rates": FEW_RATES,
                "steps": 8 * EPOCH,
            },
            digits={
                "widths": (16, 64),
                "depths": (10, 50),
                "activations": ("tanh", "tanh(2x)", "erf", "softsign"),
                "schemes": _STARTS,
                "learning_rates": FEW_RATES,
                "steps": 300,
            },
        ),
        "full": studies(
            **{
                data: {
                    "widths": (16, 64, 256),
                    "depths": (3, 10, 50, 100),
                    "activations": ("tanh", "tanh(2x)", "erf", "arctan", "softsign"),
                    "data": data,
                    "seeds": 10,
                    "learning_rates": RATES,
                    "steps": 40 * 54_000 // 64,
                }
                for data in _IMAGES
            }
        ),
    },
    measure=measure,
    judge=_judge_benchmarks,
    draw=accuracies_by_part("Deep networks of odd sigmoids"),
    needs=_DOWNLOADS,
)

FEW_SAMPLES = Entry(
    name="odd-sigmoid/few-samples",
    kind="figure",
    where="accuracy with 100 and 500 samples",
    asks="does it learn more from few samples?",
    published="more data-efficient than Gaussian starts",
    presets={
        "quick": studies(
            digits={**_QUICK, "train_sizes": (100, 500), "schemes": (*_STARTS, "batch_norm")},
            matched={**_QUICK, "train_sizes": (100,), "schemes": matched(10)},
        ),
        "standard": studies(
            mnist=mnist(depths=50, train_sizes=(100, 500), learning_rates=FEW_RATES, steps=400),
            matched=mnist(
                depths=50,
                train_sizes=(100, 500),
                learning_rates=FEW_RATES,
                steps=400,
                schemes=matched(50),
            ),
        ),
        "full": studies(
            **{
                data: {
                    "depths": 50,
                    "train_sizes": (100, 500),
                    "data": data,
                    "seeds": 20,
                    "learning_rates": RATES,
                    "steps": 4000,
                }
                for data in _IMAGES
            }
        ),
    },
    measure=measure,
    judge=_judge_samples,
    draw=accuracies_by_part("Accuracy by start"),
    needs=_DOWNLOADS,
)
