"""Weight scaling beside other starts and other networks of its size, rates tuned for each.

Each network takes the learning rate that is best for it on a seed of its own, then equal steps of
Adam over all samples. Held-out samples judge what lies between.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from firstlight import fields
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.grid import LESS
from firstlight.papers.weight_scaling.numbers import agreed, answer, apart, everywhere, held, over
from firstlight.papers.weight_scaling.rival_networks import COMPARED, networks
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

#: SIREN's first omega: 30, as published; 3000 for a sound of seven seconds, so about 100 for a
#: quarter of one, where 150 is better.
SIGNALS = {
    "era u": 30.0,
    "stanford-bunny 4096": 30.0,
    "bach 1 s short": 150.0,
    "kodim05 128": 30.0,
}
#: What the paper names as rivals, and what it does not.
NAMED = ("SIREN", "Xavier-uniform", "Gauss", "WIRE", "Fourier features")
#: Ours, each judged by itself.
OWN = ("weight scaling, auto", "weight scaling, 2")
#: How ranges decide, in all entries on rivals.
RANGES = (
    "Same is a range over seeds above that of every rival, differs is one below that of some "
    "rival, open are ranges that meet."
)
STANDARD: dict[str, Any] = {
    "signals": SIGNALS,
    "networks": None,
    "width": 256,
    "steps": 50,
    "rates": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "seeds": 3,
    "precision": "bfloat16",
    "level": 40.0,
}
QUICK: dict[str, Any] = {
    "signals": {"china 32": 30.0},
    "networks": ["weight scaling, 2", "SIREN", "frequency tuning", "Gauss"],
    "width": 24,
    "steps": 15,
    "rates": [1e-3, 3e-3],
    "seeds": 1,
    "precision": "float32",
    "level": 20.0,
}
FULL: dict[str, Any] = STANDARD | {
    "signals": {"kodim05 512": 30.0},
    "width": 512,
    "steps": 150,
    "precision": "float32",
}


def measure(work: "Work") -> "pd.DataFrame":
    """Study every signal."""
    import pandas as pd

    rows = []
    for name, omega_0 in work["signals"].items():
        known = signal(work, name)
        found = networks(known, omega_0, work["width"])
        chosen = {each: found[each] for each in work["networks"] or COMPARED}
        study = fields.study(
            known,
            chosen,
            target_psnr=None,
            steps=work["steps"],
            seeds=work["seeds"],
            learning_rates=tuple(work["rates"]),
            probes=(),
            precision=work["precision"],
            compile=False,
            out=work.part(name),
        )
        rows += rows_of(name, study.as_dict(), work["level"])
        work.tell(f"{name}: done")
    return pd.DataFrame(rows)


def rows_of(name: str, study: Mapping[str, Any], level: float) -> list[dict[str, Any]]:
    """Return a study's runs as rows: level reached, held-out quality, rate and seconds."""
    rows = []
    for row in study["rows"]:
        for run in row["runs"]:
            reached = [step for step, _, psnr in run["curve"] if psnr >= level]
            rows.append(
                {
                    "signal": name,
                    "network": row["label"],
                    "alpha": row["alpha"],
                    "parameters": row["parameters"],
                    "learning_rate": row["learning_rate"],
                    "seed": run["seed"],
                    "psnr": run["psnr"],
                    "held_out_psnr": run["measured"].get("held_out_psnr"),
                    "steps_to_level": float(reached[0]) if reached else float("nan"),
                    "seconds": run["seconds"],
                }
            )
    return rows


def medians(frame: "pd.DataFrame", name: str, what: str) -> dict[str, float]:
    """Return by network the median over seeds on one signal."""
    own = frame[frame.signal == name]
    return {
        str(each): float(value) for each, value in own.groupby("network")[what].median().items()
    }


def best_of(levels: Mapping[str, float], names: Iterable[str]) -> str:
    """Which of some networks has the highest level."""
    return max((each for each in names if each in levels), key=lambda each: levels[each])


def both(frame: "pd.DataFrame", name: str, network: str) -> str:
    """Fitted and held-out PSNR of a network on a signal, over seeds."""
    own = frame[(frame.signal == name) & (frame.network == network)]
    return f"{network} {over(own.psnr)} / {over(own.held_out_psnr)}"


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Each alpha by itself on every signal: ahead of all rivals, and between the samples?"""
    found = []
    for name in frame.signal.unique():
        for own in OWN:
            if own in set(frame[frame.signal == name].network):
                found += [_fitted(frame, name, own), _held_out(frame, name, own)]
    return [*found, _between(frame)]


def ahead(frame: "pd.DataFrame", name: str, own: str, other: str, what: str) -> bool | None:
    """Whether ranges over seeds of two networks do not meet, and whose is the higher one."""
    rows = frame[frame.signal == name].set_index("network")[what]
    return apart(list(rows.loc[[own]]), list(rows.loc[[other]]))


def _of_all(frame: "pd.DataFrame", name: str, own: str, what: str) -> tuple[bool | None, str]:
    """Whether it is ahead of every rival that the paper names, and which of them is best."""
    levels = medians(frame, name, what)
    there = [each for each in NAMED if each in levels]
    is_so = everywhere(ahead(frame, name, own, each, what) for each in there)
    return is_so, best_of(levels, there)


def _fitted(frame: "pd.DataFrame", name: str, own: str) -> Finding:
    is_so, rival = _of_all(frame, name, own, "psnr")
    levels = medians(frame, name, "psnr")
    rest = [each for each in levels if each not in (*NAMED, *OWN)]
    return held(
        f"{name}: {own} fits better than each of the paper's rivals in equal steps",
        "ahead of SIREN, Xavier-uniform, Gauss, WIRE, Fourier features + ReLU",
        f"fitted / held out, dB: {both(frame, name, own)}, {both(frame, name, rival)}",
        is_so,
        f"Rates tuned for each on a seed of their own. {RANGES} The best rival named is shown; "
        f"the best of all others: {both(frame, name, best_of(levels, rest))}.",
    )


def _held_out(frame: "pd.DataFrame", name: str, own: str) -> Finding:
    """Against the standard start, seed by seed, with the margin of all entries."""
    rows = frame[frame.signal == name].set_index(["network", "seed"]).held_out_psnr
    change = [float(each) for each in (rows[own] - rows["SIREN"]).dropna()]
    rival = _of_all(frame, name, own, "held_out_psnr")[1]
    return held(
        f"{name}: and {own} keeps the standard start's quality between the samples",
        "quality kept or better",
        f"held out, dB: {over(list(rows[own]))}, SIREN {over(list(rows['SIREN']))}; best rival "
        f"named: {rival} {over(list(rows[rival]))}",
        agreed(each >= -LESS for each in change),
        f"Kept: at most {LESS:g} dB less in every seed, a margin that is ours, the same in all "
        "entries; open where seeds disagree.",
    )


def _between(frame: "pd.DataFrame") -> Finding:
    """Quality between samples: how far weight scaling is from the best."""
    parts = []
    for name in frame.signal.unique():
        quality = medians(frame, name, "held_out_psnr")
        best = best_of(quality, quality)
        own = {each: quality[each] for each in quality if each.startswith("weight scaling")}
        listed = ", ".join(f"{each} {value:.1f}" for each, value in own.items())
        parts.append(f"{name}: {listed}, best {best} {quality[best]:.1f}")
    claim = "who is best between the samples?"
    why = "Rates are chosen for what is fitted, which costs some rivals quality between samples."
    return answer(claim, "held-out PSNR, dB, " + "; ".join(parts), why)


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Fitted against held-out PSNR of every network, by signal."""
    panels = {}
    for name in frame.signal.unique():
        own = frame[frame.signal == name]
        points = {
            str(each): list(zip(rows.psnr, rows.held_out_psnr, strict=True))
            for each, rows in own.groupby("network")
        }
        panels[str(name)] = lambda axes, points=points: figures.scatter(
            axes, points, "fitted PSNR, dB", "held-out PSNR, dB"
        )
    said = "a mark for each seed, rates tuned for each network; up and right is better"
    return {"rivals": figures.sheet("Rivals in equal steps", said, panels, height=4.6)}


ENTRIES = (
    Entry(
        "weight-scaling/rivals",
        "table",
        "Tables: every rival on every domain",
        "Does it beat other starts and networks on pictures, maps, sounds and shapes?",
        "ahead of all on all four",
        {"quick": QUICK, "standard": STANDARD, "full": FULL},
        measure,
        judge,
        draw,
    ),
)
