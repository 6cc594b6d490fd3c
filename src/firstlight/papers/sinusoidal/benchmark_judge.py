"""What the trainings of Table 3 say, claim by claim and form by form."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from firstlight.comparison.ranks import rank
from firstlight.comparison.statistics import band, estimate
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.paired import ENOUGH, Difference, differences, edges, means
from firstlight.papers.sinusoidal.published import MEAN_AUC_GAIN, MEAN_GAIN, SCHEMES, TABLE_3

_FORMS = {
    "published": "as published",
    "matched": "variances matched",
    "tuned": "learning rate tuned for each scheme",
}


def judge_table(frame: pd.DataFrame) -> list[Finding]:
    """Judge each row of the table, the means over rows, and what the paper leaves open."""
    return [
        *(finding for form in _forms(frame) for finding in _rows(frame, form)),
        *(finding for form in _forms(frame) for finding in _averages(frame, form)),
        *_optimizers(frame),
        *_harmonic(frame),
        *_ranks(frame),
        *edges(frame),
    ]


def judge_curves(frame: pd.DataFrame) -> list[Finding]:
    """Judge the curves: how many epochs lie higher with sinusoidal, in the mean over seeds."""
    found = []
    part = frame[frame["form"] == "published"]
    for network, optimizer in _settings(part):
        gaps = _gaps(part, network, optimizer)
        if gaps is None:
            continue
        mean = gaps.mean(0)
        exception = network == "mobilenet_v3_small"
        found.append(
            Finding(
                f"{network}, {optimizer}: sinusoidal's accuracy lies above the default's all along",
                "not all along" if exception else "above at every epoch",
                f"above at {int((mean > 0).sum())} of {len(mean)} epochs; {mean.min():+.1f} to "
                f"{mean.max():+.1f} points",
                _along(gaps, exception),
                f"{len(gaps)} pairs of seeds, {_size(part, network)}; settled where the intervals "
                "of the epochs that decide leave out zero",
            )
        )
    return found


def _along(gaps: np.ndarray, exception: bool) -> Verdict:
    """Judge paired curves (seeds, epochs): above at all epochs, or below at one."""
    if len(gaps) < ENOUGH:
        return "open"
    _, low, high = band(gaps)
    above, below = bool((low > 0).all()), bool((high < 0).any())
    if not (above or below):
        return "open"
    return "same" if below == exception else "differs"


def _forms(frame: pd.DataFrame) -> list[str]:
    return [form for form in _FORMS if form in set(frame["form"])]


def _settings(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(frame["network"], frame["optimizer"], strict=True)))


def _size(frame: pd.DataFrame, network: str) -> str:
    run = frame[frame["network"] == network].iloc[0]
    data = str(run["data"]).rpartition("/")[2]
    rows = "all" if pd.isna(run["train_size"]) else run["train_size"]
    return f"{run['epochs']} epochs of {rows} samples of {data}"


def _rows(frame: pd.DataFrame, form: str) -> Iterator[Finding]:
    """One finding for each network and optimizer."""
    part = frame[frame["form"] == form]
    by_setting = {
        each.setting: each
        for each in differences(part, "sinusoidal", "default", ("network", "optimizer"))
    }
    for setting, difference in by_setting.items():
        network, optimizer = setting
        own = part[(part["network"] == network) & (part["optimizer"] == optimizer)]
        paper = TABLE_3.get((network, optimizer.partition(":")[0]))
        gain = None if paper is None else paper.maximum[3] - paper.maximum[0]
        words = "" if paper is None else " ".join(f"{value:g}" for value in paper.maximum)
        yield Finding(
            f"{network}, {optimizer}, {_FORMS[form]}: maximum accuracy of {' '.join(SCHEMES)}",
            words if form == "published" else "",
            f"{means(own, SCHEMES)}; sinusoidal - default {difference}",
            _verdict(difference, gain) if form == "published" else "answer",
            f"{difference.seeds} seeds, {_size(own, network)}; p corrected over the settings",
        )


def _verdict(difference: Difference, gain: float | None) -> Verdict:
    """Same where the difference has the sign that the paper has; open where it has none."""
    if not difference.told_apart:
        return "open"
    if gain is None:
        return "answer"
    return "same" if np.sign(difference.estimate.mean) == np.sign(gain) else "differs"


def _averages(frame: pd.DataFrame, form: str) -> Iterator[Finding]:
    """The means that the paper's abstract tells: over all rows of the table."""
    part = frame[frame["form"] == form]
    for metric, published, unit in (
        ("accuracy_max", f"{MEAN_GAIN:+} points", "points"),
        ("auc", f"{MEAN_AUC_GAIN:+} %", "%"),
    ):
        found = differences(part, "sinusoidal", "default", ("network", "optimizer"), metric)
        if metric == "auc":
            good = part[(part["status"] == "ok") & (part["scheme"] == "default")]
            base = good.groupby(["network", "optimizer"])["auc"].mean()
            gains = [100 * d.estimate.mean / base[d.setting] for d in found if base[d.setting] > 0]
        else:
            gains = [100 * d.estimate.mean for d in found]
        whole = estimate(gains)
        low, high = whole.low, whole.high
        seeds = min((d.seeds for d in found), default=0)
        told = seeds >= ENOUGH and (low > 0 or high < 0)
        settled: Verdict = "open" if not told else "same" if whole.mean > 0 else "differs"
        interval = "" if np.isnan(low) else f" [{low:.1f}, {high:.1f}]"
        yield Finding(
            f"mean gain of sinusoidal over default in {metric}, {_FORMS[form]}",
            published if form == "published" else "",
            f"{whole.mean:+.1f}{interval} {unit} over {len(gains)} settings",
            settled if form == "published" else "answer",
            "mean over networks and optimizers, as the paper's; the interval is over them",
        )


def _optimizers(frame: pd.DataFrame) -> Iterator[Finding]:
    """The title's question of what to do: does it win with SGD as well as with Adam?"""
    for form in _forms(frame):
        found = differences(
            frame[frame["form"] == form], "sinusoidal", "default", ("network", "optimizer")
        )
        by_optimizer: dict[str, list[Difference]] = {}
        for each in found:
            by_optimizer.setdefault(each.setting[1], []).append(each)
        if len(by_optimizer) < 2:
            continue
        words = []
        for optimizer, several in by_optimizer.items():
            won = sum(d.told_apart and d.estimate.mean > 0 for d in several)
            lost = sum(d.told_apart and d.estimate.mean < 0 for d in several)
            words.append(f"{optimizer}: ahead in {won}, behind in {lost} of {len(several)}")
        yield Finding(
            f"does sinusoidal win with SGD as well as with Adam, {_FORMS[form]}?",
            "yes, more with SGD (+14.6 on ResNet-50) than with AdamW (+3.5)",
            "; ".join(words),
            "answer",
            "counted where the difference to default holds at 5 % after correction",
        )


def _harmonic(frame: pd.DataFrame) -> Iterator[Finding]:
    for form in _forms(frame):
        part = frame[frame["form"] == form]
        found = differences(part, "harmonic", "sinusoidal", ("network", "optimizer"))
        if found:
            words = "; ".join(f"{', '.join(d.setting)} {d}" for d in found)
            yield Finding(
                f"harmonic - sinusoidal, maximum accuracy, {_FORMS[form]}",
                "",
                words,
                "answer",
                "points, paired by seed, p corrected over the settings",
            )


def _ranks(frame: pd.DataFrame) -> Iterator[Finding]:
    """All schemes over all settings: average ranks."""
    for form in _forms(frame):
        table = setting_means(frame[frame["form"] == form])
        if table["setting"].nunique() < 2 or table["scheme"].nunique() < 3:
            continue
        ranks = rank(table)
        words = ", ".join(f"{name} {value:.2f}" for name, value in ranks.mean.items())
        yield Finding(
            f"average rank over settings, {_FORMS[form]}",
            "sinusoidal first",
            f"{words}; Friedman p {ranks.friedman:.2g}",
            "answer",
            f"{table['setting'].nunique()} settings; 1 is best",
        )


def setting_means(frame: pd.DataFrame) -> pd.DataFrame:
    """Return setting, scheme, value: what ranks are computed of; a failed run makes it NaN."""
    values = frame["accuracy_max"].where(frame["status"] == "ok")
    table = frame.assign(setting=frame["network"] + ", " + frame["optimizer"], value=values)
    means_ = table.groupby(["setting", "scheme"], sort=False)["value"]
    return means_.agg(lambda v: v.mean(skipna=False)).reset_index()


def _gaps(frame: pd.DataFrame, network: str, optimizer: str) -> np.ndarray | None:
    """Accuracy of sinusoidal less the default's in points: (seeds that both finished, epochs)."""
    own = frame[
        (frame["network"] == network)
        & (frame["optimizer"] == optimizer)
        & (frame["status"] == "ok")
    ]
    one, other = (
        own[own["scheme"] == name].set_index("seed")["accuracy"].map(np.asarray)
        for name in ("sinusoidal", "default")
    )
    gaps = (one - other).dropna()
    return 100 * np.stack(gaps.tolist()) if len(gaps) else None
