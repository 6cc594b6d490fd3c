"""What in the published formula helps or harms: collapse, equal layers, frequencies, phases."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from firstlight.papers.entry import Draw, Entry, Judge
from firstlight.papers.finding import Finding
from firstlight.papers.paired import counted, differences, edges, means
from firstlight.papers.paired_figures import Pair, draw_differences
from firstlight.papers.sinusoidal import started
from firstlight.papers.training import trained
from firstlight.papers.work import Work

#: With the middle of the grid of learning rates that tuned runs choose from.
_OPTIMIZERS = {"sgd:momentum=0.9": 1e-2, "adamw": 1e-3}


def _measure(work: Work) -> pd.DataFrame:
    """Train every network from every start; the sweep sees networks, whose start is their own."""
    block = dict(work.settings)
    networks, fills = block.pop("networks"), block.pop("fills")
    names = {started.name(n, f): (n, f) for n in networks for f in fills}
    digits = block.pop("digits", False)
    data = "digits" if digits else f"parquet:{work.file('mnist-test10k.parquet')}"
    frame = trained(work, [{"models": list(names), "data": data, "schemes": "default", **block}])
    frame["network"] = frame["model"].map(lambda each: names[each][0])
    frame["scheme"] = frame["model"].map(lambda each: names[each][1])
    return frame


_BY = ("form", "network", "optimizer")
_COUNTED = (
    "settings are forms, networks and optimizers; ahead and behind are those told apart at 5 %, "
    "corrected over them"
)


def _against(frame: pd.DataFrame, pairs: Sequence[Pair]) -> list[Finding]:
    """For each (start, baseline, claim) one finding over all settings, then one for each."""
    whole: list[Finding] = []
    found: list[Finding] = []
    for scheme, baseline, claim in pairs:
        several = differences(frame, scheme, baseline, _BY)
        if several:
            whole.append(Finding(claim, "", counted(several), "answer", _COUNTED))
        for each in several:
            form, network, optimizer = each.setting
            found.append(
                Finding(
                    f"{claim}: {network}, {optimizer}, {form}",
                    "",
                    f"{each} points",
                    "answer",
                    f"{each.seeds} seeds; "
                    + ("told apart at 5 %" if each.told_apart else "not told apart at 5 %")
                    + ", corrected over the settings",
                )
            )
    return whole + found


def _table(frame: pd.DataFrame, fills: Sequence[str]) -> list[Finding]:
    shown = [name for name in fills if name in set(frame["scheme"])]
    return [
        Finding(
            f"maximum accuracy in percent: {', '.join(map(str, setting))}",
            "",
            ", ".join(f"{_short(name)} {means(part, [name])}" for name in shown),
            "answer",
            "means over seeds",
        )
        for setting, part in frame.groupby(list(_BY), sort=False)
    ]


def _pairs_of_waves(frame: pd.DataFrame) -> list[Pair]:
    pairs = [
        (fill, _PUBLISHED_WAVES, f"{_words(fill)} - as published")
        for fill in dict.fromkeys(frame["scheme"])
        if fill.startswith("waves_") and fill != _PUBLISHED_WAVES
    ]
    return [*pairs, ("glorot", _PUBLISHED_WAVES, "Glorot - as published")]


def _words(fill: str) -> str:
    _, frequency, phase = fill.split("_")
    return f"{frequency} frequencies, {phase} phases"


def _short(fill: str) -> str:
    if not fill.startswith("waves_"):
        return _NAMES.get(fill, fill)
    parts = zip(fill.split("_")[1:], ("frequencies", "phases"), strict=True)
    other = [f"{word} {kind}" for word, kind in parts if word != "published"]
    return " and ".join(other) or "as published"


def _judged(pairs: Callable[[pd.DataFrame], Sequence[Pair]]) -> Judge:
    def judge(frame: pd.DataFrame) -> list[Finding]:
        fills = tuple(dict.fromkeys(frame["scheme"]))
        return _against(frame, pairs(frame)) + _table(frame, fills) + edges(frame)

    return judge


def _drawn(pairs: Callable[[pd.DataFrame], Sequence[Pair]]) -> Draw:
    def draw(frame: pd.DataFrame) -> dict[str, Figure]:
        return {"differences": draw_differences(frame, pairs(frame), _BY)}

    return draw


_NAMES = {
    "glorot": "Glorot",
    "he": "He",
    "published": "sinusoidal",
    "distinct": "harmonic",
    "same": "harmonic with equal layers",
    "moved": "sinusoidal turned in each layer",
    "published_first": "sinusoidal, then harmonic",
    "distinct_first": "harmonic, then sinusoidal",
}
_COLLAPSE_PAIRS: tuple[Pair, ...] = (
    ("distinct", "published", "harmonic - sinusoidal"),
    ("published", "glorot", "sinusoidal - Glorot"),
    ("distinct", "glorot", "harmonic - Glorot"),
    ("published_first", "published", "sinusoidal first layer, then harmonic - sinusoidal"),
    ("distinct_first", "published", "harmonic first layer, then sinusoidal - sinusoidal"),
)
_EQUAL_PAIRS: tuple[Pair, ...] = (
    ("distinct", "same", "harmonic: layers of their own - equal layers"),
    ("moved", "published", "sinusoidal: turned in each layer - as published"),
)
_PUBLISHED_WAVES = "waves_published_published"
_COLLAPSE = ("he", "glorot", "published", "distinct", "published_first", "distinct_first")
_EQUAL = ("published", "moved", "same", "distinct")
_WAVES = (
    "glorot",
    *(f"waves_{frequency}_published" for frequency in started.FREQUENCIES),
    *(f"waves_published_{phase}" for phase in started.PHASES if phase != "published"),
    "waves_random_random",
)


def _presets(
    fills: Sequence[str], networks: Sequence[str], train_size: int = 4000, epochs: int = 6
) -> dict[str, dict[str, Any]]:
    standard = {
        "networks": networks,
        "fills": fills,
        "optimizers": _OPTIMIZERS,
        "forms": ("published", "matched", "tuned"),
        "seeds": 5,
        "train_size": train_size,
        "epochs": epochs,
    }
    quick = {
        "networks": networks[:1],
        "fills": fills[:3],
        "digits": True,
        "optimizers": ("adamw",),
        "forms": ("published",),
        "seeds": 2,
        "train_size": 100,
        "epochs": 2,
    }
    return {
        "quick": quick,
        "standard": standard,
        "full": {**standard, "train_size": None, "epochs": 100, "seeds": 10},
    }


COLLAPSE = Entry(
    name="sinusoidal/collapse",
    kind="question",
    where="Theorem 2 needs m < n, which its first version omitted",
    asks="Does harmonic beat sinusoidal where the published formula collapses: square, expansion?",
    published="not looked at",
    presets=_presets(_COLLAPSE, ("square", "expansion", "narrowing")),
    measure=_measure,
    judge=_judged(lambda _: _COLLAPSE_PAIRS),
    draw=_drawn(lambda _: _COLLAPSE_PAIRS),
)

EQUAL_LAYERS = Entry(
    name="sinusoidal/equal-layers",
    kind="question",
    where="the formula knows no layer: equal shapes start equal",
    asks="Does it matter that layers of one shape have the same weights?",
    published="not looked at",
    presets=_presets(_EQUAL, ("square", "resnet"), train_size=2000, epochs=4),
    measure=_measure,
    judge=_judged(lambda _: _EQUAL_PAIRS),
    draw=_drawn(lambda _: _EQUAL_PAIRS),
)

WAVES = Entry(
    name="sinusoidal/frequency-phase",
    kind="check",
    where="next check 1",
    asks="How much do frequencies and phases matter?",
    published="not looked at",
    presets=_presets(_WAVES, ("narrowing", "square")),
    measure=_measure,
    judge=_judged(_pairs_of_waves),
    draw=_drawn(_pairs_of_waves),
)
