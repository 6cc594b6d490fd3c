"""Open question 2: weight scaling of other activations, ReLU and multiplicative filters too."""

from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, questions
from firstlight.papers.weight_scaling.grid import LESS
from firstlight.papers.weight_scaling.numbers import agreed, answer, everywhere, held, more, over

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Families, and how many seeds fewer they get: steps of sinc and WIRE take 2 and 6 times as long.
FAMILIES = {
    "sine": 0,
    "finer": 0,
    "tuner": 0,
    "multiplicative_filter": 0,
    "fourier_features": 0,
    "hash_grid": 0,
    "gauss": 0,
    "sinc": 1,
    "wire": 1,
}
#: Whose layers are ReLU.
RELU = ("fourier_features", "hash_grid")
_STANDARD = {
    "families": FAMILIES,
    "scales": [0.5, 0.75, 1.0, 1.25, 1.5, 2.0],
    "rates": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "tuning_steps": 60,
    "family_steps": 150,
}
_QUICK = {"scales": [1.0, 1.5], "rates": [1e-3, 3e-3], "tuning_steps": 5, "family_steps": 15}


def gains(frame: "pd.DataFrame", group: str) -> tuple[float, float, float]:
    """Best alpha above 1 of the first seed, and its PSNR and held-out PSNR more than alpha 1's.

    The best is the highest PSNR among those that hold out within 0.5 dB of alpha 1; where none
    does, 1.25 or the least above 1.
    """
    own = frame[(frame.group == group) & ~frame.variant.str.startswith("rate ")]
    own = own[own.seed == own.seed.min()].set_index("alpha")
    first, larger = own.loc[1.0], own[own.index > 1]
    kept = larger[larger.held_out_psnr >= first.held_out_psnr - LESS]
    alpha = kept.psnr.idxmax() if len(kept) else larger.index.min()
    row = larger.loc[alpha]
    return float(alpha), row.psnr - first.psnr, row.held_out_psnr - first.held_out_psnr


def judge(frame: "pd.DataFrame") -> list[Finding]:
    """Which families gain from larger weights, and which from smaller."""
    found = []
    for group in frame.group.unique():
        alpha, fitted, held_out = gains(frame, group)
        own = frame[(frame.group == group) & ~frame.variant.str.startswith("rate ")]
        first = own[own.seed == own.seed.min()].set_index("alpha")
        pace = ", ".join(
            f"{each:g}: {over([row.steps_to_target], '.0f')} / {row.held_out_psnr:.1f}"
            for each, row in first.iterrows()
        )
        found.append(
            answer(
                f"does {group.replace('_', ' ')} gain from larger weights?",
                f"alpha {alpha:g} beside 1: {fitted:+.1f} dB fitted, {held_out:+.1f} dB held out; "
                f"steps to the target / held out by alpha, {pace}",
                "Equal steps; the rate was tuned at alpha 1, so part of a gain may be the rate's.",
            )
        )
    return found


def judge_relu(frame: "pd.DataFrame") -> list[Finding]:
    """ReLU layers gain nothing at any larger alpha; a sine network does."""
    shown, little = [], []
    for group in RELU:
        if group in set(frame.group):
            alpha, _, held_out = gains(frame, group)
            name = group.replace("_", " ")
            by_alpha = _gained(frame, group)
            listed = ", ".join(f"{each:g}: {over(own, '+.1f')}" for each, own in by_alpha.items())
            shown.append(
                f"{name}, dB fitted by alpha: {listed}; {held_out:+.1f} held out at the "
                f"best, {alpha:g}"
            )
            little.append(_nothing(list(by_alpha.values())))
    return [
        held(
            "networks of ReLU gain nothing from weight scaling",
            "nothing, by positive homogeneity",
            "; ".join(shown),
            everywhere(little),
            f"Nothing is less than {LESS:g} dB, the margin of all entries, after 150 steps at a "
            "tuned rate: same where no seed gains more at any alpha above 1, differs where every "
            "seed does at one. Only the ReLU layers are scaled, not the waves before them. The "
            "kernels: weight-scaling/relu-kernel.",
        )
    ]


def _gained(frame: "pd.DataFrame", group: str) -> dict[float, list[float]]:
    """By alpha above 1, PSNR more than alpha 1's, seed by seed."""
    own = frame[frame.group == group]
    alphas = sorted(each for each in own.alpha.dropna().unique() if each > 1)
    return {each: more(own, f"alpha {each:g}", "alpha 1", "psnr") for each in alphas}


def _nothing(gained: list[list[float]]) -> bool | None:
    every = [each for own in gained for each in own]
    if len(every) > 1 and max(every) < LESS:
        return True
    return False if any(agreed(each >= LESS for each in own) for own in gained) else None


def judge_filters(frame: "pd.DataFrame") -> list[Finding]:
    """Multiplicative filter networks beside the sine network, each at its best scale."""
    sizes = {}
    for group in ("sine", "multiplicative_filter"):
        own = frame[(frame.group == group) & ~frame.variant.str.startswith("rate ")]
        sizes[group] = own
    rival, own = sizes["multiplicative_filter"], sizes["sine"]

    def shown(rows: "pd.DataFrame") -> str:
        by_alpha = [
            f"alpha {alpha:g}: {over(each.steps_to_target, '.0f')} steps, {over(each.psnr)} dB, "
            f"held out {over(each.held_out_psnr)} dB"
            for alpha, each in rows.groupby("alpha")
        ]
        return "; ".join(by_alpha)

    change = more(rival, "alpha 0.5", "alpha 1", "held_out_psnr")
    half = f"Its published scale is too large here: 0.5 holds out {over(change, '+.1f')} dB more. "
    return [
        answer(
            "is a multiplicative filter network a rival?",
            f"multiplicative filters, {shown(rival)}. Sine network, {shown(own)}",
            (half if change else "")
            + "Rates tuned at alpha 1, as many numbers; against all others: weight-scaling/rivals.",
        )
    ]


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Fitted and held-out PSNR by alpha, by family."""
    own = frame[~frame.variant.str.startswith("rate ")]
    own = own.assign(name=own.group.str.replace("_", " "))
    panels = {
        "fitted": lambda axes: figures.lines(
            axes, figures.by(own, "name", "alpha", "psnr"), "alpha", "PSNR, dB"
        ),
        "held out": lambda axes: figures.lines(
            axes, figures.by(own, "name", "alpha", "held_out_psnr"), "alpha", "held-out PSNR, dB"
        ),
    }
    said = "after equal steps, rates tuned at alpha 1; median and range over seeds"
    return {"families": figures.sheet("Weight scale of other networks", said, panels, height=4.4)}


def _presets(*families: str) -> dict[str, dict[str, object]]:
    chosen = {name: fewer for name, fewer in FAMILIES.items() if not families or name in families}
    own = _STANDARD | {"families": chosen}
    return questions.presets(own, **_QUICK)


ENTRIES = (
    Entry(
        "weight-scaling/activations",
        "question",
        "Open question 2",
        "Does weight scaling help networks of other activations?",
        "",
        _presets(),
        questions.families,
        judge,
        draw,
    ),
    Entry(
        "weight-scaling/relu",
        "claim",
        "Section on positive homogeneity",
        "Do ReLU networks gain from weight scaling?",
        "nothing",
        _presets("sine", *RELU),
        questions.families,
        judge_relu,
        draw,
    ),
    Entry(
        "weight-scaling/multiplicative-filters",
        "question",
        "Reviewers: multiplicative filter networks",
        "Are multiplicative filter networks a rival?",
        "",
        _presets("sine", "multiplicative_filter"),
        questions.families,
        judge_filters,
        draw,
    ),
)
