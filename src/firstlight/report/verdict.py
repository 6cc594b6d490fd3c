"""What a comparison shows, in plain words: which differences count, and which runs failed."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from firstlight.comparison.spec import RunResult
from firstlight.report.group import Group, Row
from firstlight.report.notation import count, p_value, percent, points, two_digits

ONE_SEED = (
    "One seed has no error bar, so nothing here can be called better or worse; "
    "repeat with at least three seeds."
)


def headline(group: Group) -> str:
    """Say in one sentence which start was best, and whether that is more than chance."""
    best = group.best("accuracy_max")
    if best is None:
        return "No run finished."
    mean = best.measures["accuracy_max"].mean
    level = f"{percent(mean)} %"
    if group.seeds < 2:
        return f"{best.scheme} came highest with {level}. {ONE_SEED}"
    top = f"the highest mean accuracy{_among(group, best)}, {level}"
    better = [row.scheme for row in group.rows if kind(row) == "better"]
    is_better = f"{'is' if len(better) == 1 else 'are'} better"
    if best.is_baseline and better:
        return f"{best.scheme} has {top}; {', '.join(better)} {is_better}, where finished."
    if best.is_baseline:
        return f"No scheme beats {best.scheme}, which reaches {top}."
    if not best.significant:
        doubt = {
            "same": f"told apart from {group.baseline} at 5 %",
            "unjudged": f"judged against {group.baseline}: {_untested(group, best)}",
        }[kind(best)]
        others = f"; {', '.join(better)} can, and {is_better}" if better else ""
        return f"{best.scheme} has {top}, but cannot be {doubt}{others}."
    low, high = points(best.difference.low), points(best.difference.high)
    return (
        f"{best.scheme} reaches {level}, {points(best.difference.mean)} points against "
        f"{group.baseline} (95 % interval {low} to {high}, p {_equals(best.p)})."
    )


def _among(group: Group, best: Row) -> str:
    """Name who was ranked lower for failed runs, where a higher mean was."""
    higher = [
        row.measures["accuracy_max"].mean > best.measures["accuracy_max"].mean for row in group.rows
    ]
    return " of the schemes with the fewest failed runs" if any(higher) else ""


def _untested(group: Group, row: Row) -> str:
    """Say why there is no test between ``row`` and its baseline."""
    (baseline,) = (other for other in group.rows if other.is_baseline)
    if not baseline.finished:
        return f"no run of {baseline.scheme} finished"
    pairs = {run.spec.seed for run in row.finished} & {run.spec.seed for run in baseline.finished}
    if len(pairs) < 2:
        return "fewer than two seeds finished under both"
    return "the difference is the same for every seed, which leaves a test nothing to go by"


def sentences(group: Group) -> list[str]:
    """Sort the schemes into better, worse, not distinguishable and not judged."""
    if group.seeds < 2:
        return [ONE_SEED]
    kinds: dict[str, list[str]] = {"better": [], "worse": [], "same": [], "unjudged": []}
    for row in group.rows:
        if not row.is_baseline:
            kinds[kind(row)].append(row.scheme)
    openings = {
        "better": f"Better than {group.baseline} at 5 %",
        "worse": f"Worse than {group.baseline} at 5 %",
        "same": f"Not distinguishable from {group.baseline} at 5 %",
        "unjudged": "Not judged, for want of finished runs or of spread between seeds",
    }
    said = {
        name: f"{openings[name]}: {', '.join(found)}." for name, found in kinds.items() if found
    }
    if "same" in said:
        said["same"] += _needed(group)
    return list(said.values())


def _needed(group: Group) -> str:
    """Say how many seeds would show what was not told apart."""
    found = {
        row.scheme: row.strength.seeds_needed
        for row in group.rows
        if not row.is_baseline and kind(row) == "same"
    }
    listed = [
        f"{scheme} {two_digits(seeds)}" for scheme, seeds in found.items() if not math.isnan(seeds)
    ]
    if not listed:
        return ""
    return f" If they differ as found, so many seeds show it in 80 % of cases: {', '.join(listed)}."


def kind(row: Row) -> str:
    """Return better, worse, same or unjudged: how ``row`` stands to its baseline."""
    if math.isnan(row.p):
        return "unjudged"
    if not row.significant:
        return "same"
    return "better" if row.difference.mean > 0 else "worse"


def overall(groups: Sequence[Group]) -> str:
    """Say in a few sentences what holds over all groups."""
    runs = [run for group in groups for run in group.runs]
    failed = sum(run.status != "ok" for run in runs)
    said = [headline(groups[0])] if len(groups) == 1 else _tally(groups)
    if failed:
        said.append(f"{failed} of {len(runs)} runs failed.")
    return " ".join(said)


def _tally(groups: Sequence[Group]) -> list[str]:
    """Count in how many groups each scheme is better or worse."""
    if all(group.seeds < 2 for group in groups):
        return [ONE_SEED]
    baselines = {group.baseline for group in groups}
    name = baselines.pop() if len(baselines) == 1 else "the baseline"
    said = []
    for wanted in ("better", "worse"):
        counts = Counter(
            row.scheme
            for group in groups
            for row in group.rows
            if not row.is_baseline and kind(row) == wanted
        )
        listed = ", ".join(f"{scheme} in {count}" for scheme, count in counts.most_common())
        if listed:
            of = f"of {len(groups)} settings"
            said.append(f"{wanted.capitalize()} than {name} at 5 %: {listed} {of}.")
    kinds = [kind(row) for group in groups for row in group.rows if not row.is_baseline]
    untested = kinds.count("unjudged")
    if not said and untested < len(kinds):
        said = [f"In none of {len(groups)} settings does a scheme differ from {name} at 5 %."]
    if untested:
        said.append(f"{untested} of {len(kinds)} differences could not be tested.")
    return said


def failures(runs: Iterable[RunResult]) -> list[str]:
    """List the runs that did not finish, each with its reason.

    Example:
        >>> from firstlight.comparison.spec import RunSpec
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="lsuv", seed=2,
        ...                epochs=1, batch_size=64, learning_rate=1.0, weight_decay=0.0)
        >>> failures([RunResult(spec=spec, status="diverged", reason="loss became nan")])
        ['lsuv, seed 2: diverged: loss became nan']
    """
    seeds: dict[tuple[str, str, str], list[int]] = {}
    for run in runs:
        if run.status != "ok":
            seeds.setdefault((run.spec.scheme, run.status, run.reason), []).append(run.spec.seed)
    return [
        f"{scheme}, seed{'s' * (len(own) > 1)} {', '.join(map(str, own))}: {status}"
        + (f": {reason}" if reason else "")
        for (scheme, status, reason), own in seeds.items()
    ]


def setting(group: Group) -> str:
    """Name what all runs of ``group`` share: seeds, epochs and learning rate."""
    epochs = sorted({run.spec.epochs for run in group.runs})
    rates = {row.scheme: row.learning_rate for row in group.rows}
    parts = [
        count(group.seeds, "seed"),
        ", ".join(count(number, "epoch") for number in epochs),
    ]
    if len(set(rates.values())) == 1:
        parts.append(f"learning rate {group.rows[0].learning_rate:g}")
    else:
        listed = ", ".join(f"{scheme} {rate:g}" for scheme, rate in rates.items())
        parts.append(f"learning rates {listed}")
    if group.tuned:
        parts[-1] += " (tuned for each scheme)"
    if group.runs[0].spec.match_variance:
        parts.append("mean squares matched")
    return ", ".join(parts)


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
