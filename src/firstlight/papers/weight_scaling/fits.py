"""One fit of a network to a signal as one row: measured once, and kept where it was."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from firstlight import fields
from firstlight.papers.weight_scaling.signals import signal
from firstlight.papers.weight_scaling.trained_alpha import Scaled, TrainedSine
from firstlight.papers.work import Work
from firstlight.runs.store import Store

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
#: The seed that rates are tuned on, and a rate so many dB worse than the best ends the search.
TUNING, WORSE = 100, 1.0


def alpha_name(alpha: Any) -> str:
    """What a weight scale is called in tables.

    Example:
        >>> alpha_name(1.5), alpha_name("auto")
        ('alpha 1.5', 'auto')
    """
    return alpha if isinstance(alpha, str) else f"alpha {alpha:g}"


@dataclass(frozen=True)
class Fits:
    """Fits of one measurement.

    Attributes:
        work: its settings say "target" in dB, at which steps are counted, and "precision".
    """

    work: Work

    @property
    def cases(self) -> list[tuple[str, int]]:
        """(signal, seed): every picture at the first seed, the last one at the others too."""
        pictures, seeds = self.work["pictures"], self.work["seeds"]
        return [(each, seeds[0]) for each in pictures] + [(pictures[-1], s) for s in seeds[1:]]

    @property
    def last(self) -> list[tuple[str, int]]:
        """The last picture at every seed."""
        return [(self.work["pictures"][-1], seed) for seed in self.work["seeds"]]

    def run(
        self,
        case: tuple[str, int],
        group: str,
        variant: str,
        network: fields.Network,
        **training: Any,
    ) -> Row:
        """Fit, or take the fit that was finished before.

        Args:
            case: signal and seed.
            group: what its variants are compared within.
            variant: what differs.
            network: what is fitted; an alpha of "auto" is chosen once for a signal.
            **training: options of ``fields.fit``.
        """
        labels = {"group": group, "variant": variant, "signal": case[0], "seed": case[1]}
        asked = {"signal": case[0], "seed": case[1], "network": network.as_dict()}
        asked = json.loads(json.dumps(asked | {"training": training}))
        store = Store(self.work.runs, self.work.tell)
        found = store.load(asked, dict)
        if found is None:
            found = measured(self.work, case, network, training)
            store.save(asked, found)
            self.work.tell(f"{group}, {variant}, {case[0]}, seed {case[1]}: {found['psnr']} dB")
        described = json.dumps(asked["network"], sort_keys=True)
        options = json.dumps(asked["training"], sort_keys=True)
        return labels | {"network": described, "training": options} | found

    def tuned_rate(
        self,
        rows: list[Row],
        group: str,
        network: fields.Network,
        rates: Iterable[float],
        **training: Any,
    ) -> float:
        """Return the rate of the highest PSNR on a seed of its own, from the smallest on."""
        case, levels = (self.work["pictures"][-1], TUNING), {}
        for rate in rates:
            run = self.run(case, group, f"rate {rate:g}", network, learning_rate=rate, **training)
            rows.append(run)
            levels[rate] = run["psnr"]
            if run["psnr"] < max(levels.values()) - WORSE:
                break
        return max(levels, key=lambda each: levels[each])


def measured(
    work: Work, case: tuple[str, int], network: fields.Network, training: dict[str, Any]
) -> Row:
    """Fit a network and say what came of it, as plain values."""
    name, seed = case
    known, target = signal(work, name), float(work["target"])
    network = chosen(work.data, name, network, target)
    options = {"precision": work["precision"], "compile": False, "seed": seed} | training
    if isinstance(network, TrainedSine):
        options["layer_rates"] = network.layer_rates()
    fit = fields.fit(known, network, **options)
    alpha, reached = fit.network.alpha, fit.steps_to(target)
    return {
        "alpha": float(alpha) if isinstance(alpha, int | float) else None,
        "omega_0": getattr(fit.network, "omega_0", None),
        "parameters": fit.network.parameters(known.inputs, known.outputs),
        "steps_to_target": None if reached is None else float(reached),
        "steps": float(fit.curve[-1].step),
        "psnr": round(fit.psnr, 3),
        "held_out_psnr": None if fit.held_out_psnr is None else round(fit.held_out_psnr, 3),
        "measured": json.dumps({name: round(value, 4) for name, value in fit.measured.items()}),
        "stopped": fit.stopped,
        "alphas_at_the_end": json.dumps(ends(fit.field.network)),
        "notes": json.dumps(list(fit.notes)),
        **{f"steps_to_{level}": fit.steps_to(level) for level in work.settings.get("levels", ())},
        "seconds": round(fit.seconds, 1),
        "torch": str(torch.__version__),
    }


def ends(network: nn.Module) -> list[float]:
    """Trained weight scales of a network's layers."""
    scaled = [each for each in network.modules() if isinstance(each, Scaled)]
    return [round(each.alpha.item(), 4) for each in scaled]


def chosen(data: Path | None, name: str, network: fields.Network, target: float) -> fields.Network:
    """Return the network with the automatic alpha, if it asks for it."""
    if network.alpha != "auto":
        return network
    return _chosen(data, name, network, target)


@lru_cache
def _chosen(data: Path | None, name: str, network: Any, target: float) -> fields.Network:
    """Once for all seeds, as the choice does not know them."""
    choice = fields.choose_alpha(signal(Work({}, data=data), name), network, target_psnr=target)
    return replace(network, alpha=choice.alpha, omega_0=choice.omega_0)


def table(rows: list[Row]) -> "pd.DataFrame":
    """Return rows as a table whose numbers are numbers, with NaN where there is none."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    numbers = {"alpha", "omega_0", "steps", "psnr", "held_out_psnr"}
    for name in frame:
        if name in numbers or name.startswith("steps_to_"):
            frame[name] = pd.to_numeric(frame[name]).astype(float)
    return frame
