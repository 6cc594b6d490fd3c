"""Beyond plain networks of odd sigmoids: what the paper leaves open, answered on the digits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from firstlight.comparison.statistics import holm
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import strongest
from firstlight.papers.odd_sigmoid._elsewhere import measure
from firstlight.papers.odd_sigmoid._figures import Dots, dots
from firstlight.papers.odd_sigmoid._numbers import ahead, percent, points
from firstlight.papers.odd_sigmoid.elsewhere_starts import PLACES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
#: Layers, blocks or steps, and epochs, of the standard presets.
_SIZES = {
    "conv": (20, 12),
    "residual": (16, 15),
    "recurrent": (64, 25),
    "attention": (6, 12),
    "relu": (30, 20),
    "gelu": (30, 12),
}
_QUICK_DEPTHS = {"conv": 3, "residual": 4, "recurrent": 16, "attention": 1, "relu": 6, "gelu": 6}

_ALL = {"train_size": None}
#: Of every test.
_LEVEL = 0.05


def _reported(frame: "pd.DataFrame", part: str) -> "dict[str, pd.Series]":
    rows = frame[(frame.part == part) & ~frame.tuning]
    return {
        str(start): own.set_index("seed").accuracy
        for start, own in rows.groupby("start", sort=False)
    }


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Each of ours against torch's own start and the strongest other."""
    said = []
    for part in frame.part.unique():
        place, found = PLACES[part], _reported(frame, part)
        rivals = {name: each for name, each in found.items() if name not in place.ours}
        top = strongest(rivals, list(rivals)) or "default"
        ours = [name for name in place.ours if name in found]
        base = {name: ahead(found[name], found["default"]) for name in ours}
        best = {name: ahead(found[name], found[top]) for name in ours}
        tests = [each.p for pairs in (base, best) for each in pairs.values()]
        adjusted = holm(tests)
        for number, name in enumerate(ours):
            said.append(
                Finding(
                    f"{place.said}: does {name.replace('_', ' ')} help?",
                    "",
                    f"{percent(found[name])}; over torch's own {points(base[name])}; over {top}, "
                    f"the best other with {percent(rivals[top])}, {points(best[name])}",
                    "answer",
                    _said(
                        _Compared("torch's own start", base[name].mean, adjusted[number]),
                        _Compared(top, best[name].mean, adjusted[len(ours) + number]),
                    ),
                )
            )
    return said


class _Compared(NamedTuple):
    """A difference to one rival, and how likely such a one is by chance."""

    rival: str
    lead: float
    p: float

    @property
    def said(self) -> str:
        """In words, at 5 %."""
        if not self.p < _LEVEL:
            return f"no different from {self.rival} (p = {self.p:.2g})"
        return f"{'better' if self.lead > 0 else 'worse'} than {self.rival} (p = {self.p:.2g})"


def _said(base: _Compared, best: _Compared) -> str:
    compared = (base,) if best.rival == "default" else (base, best)
    helps = all(each.lead > 0 and each.p < _LEVEL for each in compared)
    harms = any(each.lead < 0 and each.p < _LEVEL for each in compared)
    as_good = base.lead > 0 and base.p < _LEVEL
    word = "Not by more than chance"
    if helps or harms:
        word = "Yes" if helps else "No"
    elif as_good:
        word = f"Yes, but no more than {best.rival} does"
    return (
        f"{word}: {' and '.join(each.said for each in compared)}; p by paired t tests, corrected "
        "for all starts with a diagonal and both rivals (Holm)."
    )


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """Accuracy of every start."""
    panels = []
    for part in frame.part.unique():
        values = {name: list(100 * each) for name, each in _reported(frame, part).items()}
        panels.append(Dots(part, values, "test accuracy, %", limits=(0, 100)))
    caption = "digits, each start at its best learning rate; mean and 95 % interval, seeds"
    return {"accuracy": dots("Diagonal plus noise elsewhere", caption, panels)}


def _entry(name: str, kind: Any, where: str, asks: str, parts: Sequence[str]) -> Entry:
    def options(part: str, depth: int, epochs: int, **more: Any) -> dict[str, Any]:
        return {"schemes": PLACES[part].schemes, "depth": depth, "epochs": epochs, **_ALL, **more}

    def sizes(factor: int, seeds: int) -> dict[str, Any]:
        return {
            part: options(
                part, _SIZES[part][0], factor * _SIZES[part][1], learning_rates=_RATES, seeds=seeds
            )
            for part in parts
        }

    quick = {
        part: options(part, _QUICK_DEPTHS[part], 1, learning_rates=(3e-3,), seeds=2, train_size=500)
        for part in parts
    }
    return Entry(
        name=f"odd-sigmoid/{name}",
        kind=kind,
        where=where,
        asks=asks,
        published="",
        presets={
            "quick": {"studies": quick},
            "standard": {"studies": sizes(1, 6)},
            "full": {"studies": sizes(4, 20)},
        },
        measure=measure,
        judge=judge,
        draw=draw,
    )


CNN_TRANSFORMER = _entry(
    "cnn-transformer",
    "question",
    "open question 1",
    "does it help convolutional networks and transformers?",
    ("conv", "attention"),
)
RELU_GELU = _entry(
    "relu-gelu",
    "question",
    "open question 3",
    "can it be had for activations that are neither odd nor sigmoid: ReLU and GELU?",
    ("relu", "gelu"),
)
RESIDUAL = _entry(
    "residual",
    "question",
    "low confidence: architectures with residual connections",
    "does it help residual networks?",
    ("residual",),
)
RECURRENT = _entry(
    "recurrent",
    "question",
    "beyond the paper: depth in time",
    "does it help recurrent networks?",
    ("recurrent",),
)
