import math
import statistics
from dataclasses import replace

from firstlight.comparison.power import seeds_needed
from firstlight.comparison.statistics import Estimate
from firstlight.report.group import Group, Row, groups
from firstlight.report.palette import styles
from firstlight.report.verdict import failures, headline, overall, sentences, setting


def judged(**differences):
    """A group in which each scheme has the given (difference, Holm p)."""
    none = Estimate(math.nan, math.nan, math.nan)
    looks = styles(["default", *differences])

    def row(scheme, difference, p):
        level = Estimate(0.9 + difference, 0.88 + difference, 0.92 + difference)
        gap = Estimate(difference, difference - 0.01, difference + 0.01)
        return Row(
            scheme=scheme,
            style=looks[scheme],
            is_baseline=scheme == "default",
            measures={"accuracy_max": level},
            difference=none if scheme == "default" else gap,
            p=p,
            significant=p < 0.05,
            runs=(),
        )

    rows = [row("default", 0.0, math.nan)]
    rows += [row(scheme, difference, p) for scheme, (difference, p) in differences.items()]
    rows.sort(key=lambda row: -row.measures["accuracy_max"].mean)
    return SeededGroup("mlp", "digits", "adamw", "default", tuple(rows))


class SeededGroup(Group):
    seeds = 3
    runs = ()


def test_schemes_are_sorted_by_what_can_be_said_of_them():
    group = judged(
        up=(0.02, 0.01),
        down=(-0.02, 0.01),
        near=(0.01, 0.2),
        edge=(0.005, 0.05),
        odd=(0.0, math.nan),
    )
    assert sentences(group) == [
        "Better than default at 5 %: up.",
        "Worse than default at 5 %: down.",
        "Not distinguishable from default at 5 %: near, edge.",
        "Not judged, for want of finished runs or of spread between seeds: odd.",
    ]


def test_what_is_not_told_apart_says_how_many_seeds_would(make):
    # differences 0.01 times 1, 2 and 5, and 1, -1 and 0
    group = table(
        make,
        default=(0.8, 0.82, 0.81),
        near=(0.81, 0.84, 0.86),
        odd=(0.81, 0.81, 0.81),
        far=(0.9, 0.92, 0.911),
    )
    needed = seeds_needed(8 / 3, statistics.stdev([1, 2, 5]), tests=3)
    assert sentences(group) == [
        "Better than default at 5 %: far.",
        "Not distinguishable from default at 5 %: near, odd. If they differ as found, so many "
        f"seeds show it in 80 % of cases: near {needed}.",
    ]
    assert 3 < needed < 20


def test_the_headline_claims_no_more_than_was_shown():
    assert headline(judged(up=(0.02, 0.012))) == (
        "up reaches 92.0 %, +2.00 points against default (95 % interval +1.00 to +3.00, p = 0.012)."
    )
    assert headline(judged(up=(0.02, 0.2))) == (
        "up has the highest mean accuracy, 92.0 %, but cannot be told apart from default at 5 %."
    )
    assert headline(judged(up=(0.02, 0.2), sure=(0.01, 0.01))) == (
        "up has the highest mean accuracy, 92.0 %, but cannot be told apart from default at 5 %; "
        "sure can, and is better."
    )
    assert headline(judged(down=(-0.02, 0.01))) == (
        "No scheme beats default, which reaches the highest mean accuracy, 90.0 %."
    )


def table(make, **accuracies):
    """A group of real runs; None stands for a run that diverged."""
    runs = [
        make.run(scheme, seed, accuracy=[value])
        if value is not None
        else make.run(scheme, seed, accuracy=[], status="diverged")
        for scheme, values in accuracies.items()
        for seed, value in enumerate(values)
    ]
    (group,) = groups(make.of(runs))
    return group


def test_what_was_not_tested_is_not_called_alike(make):
    diverged = table(make, default=(None,) * 3, a=(0.8, 0.82, 0.81), b=(0.7, 0.72, 0.71))
    assert headline(diverged) == (
        "a has the highest mean accuracy, 81.0 %, but cannot be judged against default: "
        "no run of default finished."
    )
    alone = table(make, default=(0.8, None, None), a=(0.9, None, None))
    assert headline(alone) == (
        "a has the highest mean accuracy, 90.0 %, but cannot be judged against default: "
        "fewer than two seeds finished under both."
    )
    steady = table(make, default=(0.5, 0.625, 0.75), a=(0.625, 0.75, 0.875))
    assert headline(steady) == (
        "a has the highest mean accuracy, 75.0 %, but cannot be judged against default: the "
        "difference is the same for every seed, which leaves a test nothing to go by."
    )
    assert overall([diverged, alone]) == (
        "3 of 3 differences could not be tested. 7 of 15 runs failed."
    )


def test_survivors_do_not_win(make):
    group = table(make, default=(0.8, 0.81, 0.83), safe=(0.82, 0.8, 0.86), risky=(0.99, None, None))
    assert [row.scheme for row in group.rows] == ["safe", "default", "risky"]
    assert headline(group) == (
        "safe has the highest mean accuracy of the schemes with the fewest failed runs, 82.7 %, "
        "but cannot be told apart from default at 5 %."
    )
    late = table(make, default=(0.8, 0.81, 0.83, 0.8), risky=(0.9, 0.911, 0.93, None))
    assert headline(late) == (
        "default has the highest mean accuracy of the schemes with the fewest failed runs, "
        "81.0 %; risky is better, where finished."
    )


def test_over_several_settings_the_schemes_are_counted():
    first = judged(up=(0.02, 0.01), odd=(0.01, 0.2), low=(-0.1, 0.01))
    second = judged(up=(0.02, 0.01), odd=(0.03, 0.02), low=(0.0, 0.9))
    assert overall([first, second]) == (
        "Better than default at 5 %: up in 2, odd in 1 of 2 settings. "
        "Worse than default at 5 %: low in 1 of 2 settings."
    )
    same = judged(up=(0.02, 0.2))
    assert overall([same, same, same]) == (
        "In none of 3 settings does a scheme differ from default at 5 %."
    )


def test_one_seed_is_no_result(make):
    (group,) = groups(make.sweep(seeds=1))
    assert "no error bar" in headline(group)
    assert "no error bar" in overall([group, group])
    (sentence,) = sentences(group)
    assert "nothing here can be called better or worse" in sentence


def test_failures_are_counted_and_named(make):
    (group,) = groups(make.with_failures())
    assert overall([group]).endswith("4 of 18 runs failed.")
    assert failures(group.runs) == [
        "sinusoidal, seed 2: diverged: loss became nan at epoch 2, step 31",
        "lsuv, seeds 0, 1, 2: crashed: out of memory",
    ]
    assert "lsuv" in sentences(group)[-1]


def test_nothing_finished(make):
    crashed = [make.run("default", seed, accuracy=[], status="crashed") for seed in range(3)]
    (group,) = groups(make.of(tuple(crashed)))
    assert headline(group) == "No run finished."


def test_the_setting_names_rates_only_once_where_they_agree(make):
    (group,) = groups(make.sweep())
    assert setting(group) == "3 seeds, 12 epochs, learning rate 0.001"
    slow = make.sweep(("default",), learning_rate=0.01, seeds=1, epochs=1, match_variance=True)
    fast = make.sweep(("harmonic",), learning_rate=0.003, seeds=1, epochs=1, match_variance=True)
    (tuned,) = groups(make.of(slow.results + fast.results))
    assert setting(tuned) == (
        "1 seed, 1 epoch, learning rates harmonic 0.003, default 0.01, mean squares matched"
    )
    (equal,) = groups(make.sweep())
    assert setting(replace(equal, tuned=True)) == (
        "3 seeds, 12 epochs, learning rate 0.001 (tuned for each scheme)"
    )
