"""The forerunner's hard case, 100 layers of 16 and 4 neurons in turn; batch and layer norm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import (
    EPOCH,
    RATES,
    accuracies_by_part,
    beside,
    matched,
    mnist,
    networks,
    same_variance,
    tuned,
)
from firstlight.papers.odd_sigmoid._numbers import LITTLE, by_start, percent
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies
from firstlight.studies.depth_options import SCHEMES

if TYPE_CHECKING:
    import pandas as pd

_PUBLISHED = "trains where others stay at chance"
_FORERUNNER = 1e-5

_QUICK = {
    "widths": ((16, 4),),
    "depths": 20,
    "schemes": (OURS, "glorot_normal", "orthogonal", "batch_norm", "layer_norm"),
    "seeds": 2,
    "learning_rates": (1e-5, 1e-3),
    "steps": 40,
}
#: Orthonormal rows halve the signal in 16 to 4, so also with the gain that makes up for it.
_HARD = mnist(
    widths=((16, 4),),
    depths=100,
    schemes=(*SCHEMES, "orthogonal:gain=1.4142"),
    learning_rates=RATES,
    steps=20 * EPOCH,
)
_MATCHED = mnist(
    widths=((16, 4),),
    depths=100,
    schemes=(matched(100)[0], matched(100)[2]),
    learning_rates=(3e-5, 1e-4, 3e-4),
    steps=20 * EPOCH,
)
_ONE_WIDTH = mnist(depths=50, learning_rates=RATES, steps=10 * EPOCH)
_FULL = {"data": "mnist", "seeds": 10, "steps": 40 * 54_000 // 64}


def _judge_hard(frame: "pd.DataFrame") -> Sequence[Finding]:
    said: list[Finding] = []
    for name, rows in networks(frame[frame.part != "matched"]):
        where = f"width 16 and 4 in turn, {name}"
        said += tuned(rows, where, _PUBLISHED)
        said += _at_the_forerunners_rate(rows, where)
        others = ("isometric_diagonal", "orthogonal", "orthogonal:gain=1.4142", "lsuv", "residual")
        said += beside(rows, where, others)
    for name, rows in networks(frame[frame.part == "matched"]):
        said += same_variance(rows, f"width 16 and 4 in turn, {name}", _PUBLISHED)
    return said


def _at_the_forerunners_rate(rows: "pd.DataFrame", where: str) -> Sequence[Finding]:
    own = rows[(rows.learning_rate == _FORERUNNER) & (rows.start == OURS)]
    if own.empty:
        return ()
    chance = float(rows.chance.iloc[0])
    return [
        Finding(
            f"{where}: it trains with Adam at {_FORERUNNER:g}, the forerunner's rate",
            "trains",
            percent(list(own.accuracy)),
            "same" if own.accuracy.min() > chance + LITTLE else "open",
            f"After {int(rows.steps.iloc[0]):,} steps; chance is {100 * chance:.1f} %. Counted as "
            "training: 5 points above chance in every seed, which we chose for all entries.",
        )
    ]


def _judge_norms(frame: "pd.DataFrame") -> Sequence[Finding]:
    """With norms the rivals are Xavier weights; ours has none."""
    said: list[Finding] = []
    for name, rows in networks(frame):
        said += beside(rows, name, ("batch_norm", "layer_norm"))
        found = by_start(rows, "gradient_ratio")
        for norm in ("batch_norm", "layer_norm"):
            if norm in found:
                said.append(
                    Finding(
                        f"{name}: gradient at the first layer over that at the last, {norm}",
                        "trainable signals without normalisation",
                        f"{found[OURS].median():.2g} from diagonal plus noise, "
                        f"{found[norm].median():.2g} with {norm.replace('_', ' ')}",
                        "answer",
                        "Before training, medians over seeds.",
                    )
                )
    return said


HARD_CASE = Entry(
    name="odd-sigmoid/hard-case",
    kind="table",
    where="arXiv 2410.02242: 100 hidden layers of width 16 and 4 in turn",
    asks="does it train where layers narrow to 4 neurons, 50 times?",
    published=_PUBLISHED,
    presets={
        "quick": studies(
            digits=_QUICK, matched={**_QUICK, "schemes": (matched(20)[0], matched(20)[2])}
        ),
        "standard": studies(hard=_HARD, matched=_MATCHED),
        "full": studies(hard={**_HARD, **_FULL}, matched={**_MATCHED, **_FULL}),
    },
    measure=measure,
    judge=_judge_hard,
    draw=accuracies_by_part("Deep and narrow"),
    needs="MNIST (download), and days",
)

NORMS = Entry(
    name="odd-sigmoid/norms",
    kind="question",
    where="reviewers: batch and layer normalisation",
    asks="is it better than normalisation layers with Xavier weights?",
    published="trainable signals without batch normalization",
    presets={
        "quick": studies(hard=_QUICK),
        "standard": studies(hard=_HARD, one_width=_ONE_WIDTH),
        "full": studies(hard={**_HARD, **_FULL}, one_width={**_ONE_WIDTH, **_FULL}),
    },
    measure=measure,
    judge=_judge_norms,
    draw=accuracies_by_part("Deep and narrow"),
    needs="MNIST (download), and days",
)
