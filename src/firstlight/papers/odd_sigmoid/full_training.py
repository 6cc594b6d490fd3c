"""Training to the end, over several seeds, beside other starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import (
    EPOCH,
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
from firstlight.papers.odd_sigmoid._numbers import ahead, by_start, points
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies

if TYPE_CHECKING:
    import pandas as pd

_QUICK = {"depths": (10,), "seeds": 2, "learning_rates": (1e-3,), "steps": 40}
_STARTS = (OURS, "glorot_normal", "he_normal", "orthogonal", "edge_of_chaos", "residual")
_FULL = {
    "depths": 50,
    "data": "mnist",
    "seeds": 10,
    "learning_rates": RATES,
    "steps": 40 * 54_000 // 64,
}


def _judge_training(frame: "pd.DataFrame") -> Sequence[Finding]:
    said: list[Finding] = []
    for name, rows in networks(frame[frame.part != "matched"]):
        said += tuned(rows, name, "stable training")
        said += beside(rows, name, ("orthogonal", "lsuv", "residual"))
        early, late = by_start(rows, "half"), by_start(rows)
        rival = strongest(early, GAUSSIAN)
        if rival is not None:
            before, after = (ahead(each[OURS], each[rival]) for each in (early, late))
            said.append(
                Finding(
                    f"{name}: does the lead of the first epochs last?",
                    "five epochs",
                    f"over {rival} {points(before)} half-way, {points(after)} at the end",
                    "answer",
                    f"Half of {int(rows.steps.iloc[0]):,} steps; the rate chosen at the end.",
                )
            )
    for name, rows in networks(frame[frame.part == "matched"]):
        said += same_variance(rows, name, "stable training")
    return said


FULL_TRAINING = Entry(
    name="odd-sigmoid/full-training",
    kind="question",
    where="reviewers: several seeds, beyond five epochs, other starts",
    asks="does the lead last, over several seeds, and over orthogonal and LSUV starts?",
    published="stable training over five epochs",
    presets={
        "quick": studies(
            digits={**_QUICK, "schemes": _STARTS},
            matched={**_QUICK, "schemes": matched(10)},
        ),
        "standard": studies(
            mnist=mnist(depths=50, learning_rates=RATES, steps=10 * EPOCH),
            matched=mnist(
                depths=50,
                schemes=matched(50),
                learning_rates=(1e-4, 3e-4, 1e-3),
                steps=10 * EPOCH,
            ),
        ),
        "full": studies(mnist=_FULL, matched={**_FULL, "schemes": matched(50)}),
    },
    measure=measure,
    judge=_judge_training,
    draw=accuracies_by_part("Accuracy by start"),
    needs="MNIST (download), and days",
)
