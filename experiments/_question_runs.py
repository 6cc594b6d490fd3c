"""One run of a question: measured once, kept as a JSON line, and copied where another one asks."""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import torch
from field_alpha import RATE, picture, read
from torch import Tensor, nn
from torch.nn.utils import parametrize

from firstlight import fields

TARGET = 40.0
#: The seed that rates are tuned on, and a rate so many dB worse than the best ends the search.
TUNING, WORSE = 100, 1.0

signal = lru_cache(picture)


@dataclass(frozen=True, kw_only=True)
class TrainedSine(fields.Sine):
    """A sine network whose alphas are trained with the weights.

        alpha_l / start_l W_l,  W_l drawn at start_l

    While alpha_l is start_l this is the plain network, bit for bit.

    Attributes:
        alpha_rate: Adam's rate of the alphas; 0 keeps them.
    """

    family = "sine with trained alpha"

    alpha_rate: float = 0.0

    def fill(self, module: nn.Module, seed: int) -> None:
        super().fill(module, seed)
        for layer, alpha in zip(module.layers, self.alphas(), strict=False):
            scaled = Scaled(alpha, trained=self.alpha_rate > 0)
            parametrize.register_parametrization(layer, "weight", scaled)

    def weight_layers(self) -> int:
        """Every alpha is a module with a number of its own."""
        return len(self.layer_rates())

    def layer_rates(self) -> tuple[float, ...]:
        """What ``fit`` wants: a factor for each module that has parameters of its own."""
        modules = self.build(2, 1).modules()
        own = [each for each in modules if any(True for _ in each.parameters(recurse=False))]
        return tuple(self.alpha_rate / RATE if isinstance(one, Scaled) else 1.0 for one in own)


class Scaled(nn.Module):
    def __init__(self, start: float, *, trained: bool) -> None:
        super().__init__()
        self.start, self.alpha = start, nn.Parameter(torch.tensor(start), requires_grad=trained)

    def forward(self, weight: Tensor) -> Tensor:
        return weight * (self.alpha / self.start)


@dataclass(frozen=True)
class Ask:
    """A question with its cases; ``run`` answers for one of them.

    Attributes:
        question: its name.
        options: the command line's.
    """

    question: str
    options: argparse.Namespace

    @property
    def cases(self) -> list[tuple[int, int]]:
        """(image, seed): every image at seed 0, and the last one at the other seeds."""
        first = [(image, 0) for image in self.options.image]
        return first + [(first[-1][0], seed) for seed in range(1, self.options.seeds)]

    @property
    def same_image(self) -> list[tuple[int, int]]:
        """The last image at every seed."""
        return [(self.options.image[-1], seed) for seed in range(self.options.seeds)]

    @cached_property
    def _kept(self) -> dict[tuple[str, str], dict[str, Any]]:
        runs = list(read(self.options.out / "runs.jsonl"))
        # any question's run serves; the question's own comes last
        known = {("", key(run)): run for run in runs if "taken_from" not in run}
        return known | {(run["question"], key(run)): run for run in runs}

    def run(
        self,
        case: tuple[int, int],
        group: str,
        variant: str,
        network: fields.Network,
        **training: Any,
    ) -> dict[str, Any]:
        """The run of a network, from the file or measured now."""
        if "steps" in training and self.options.most:
            training["steps"] = min(training["steps"], self.options.most)
        asked = {"image": case[0], "seed": case[1], "side": self.options.side}
        asked |= {"network": network.as_dict(), "training": training}
        labels = {"question": self.question, "group": group, "variant": variant}
        found = self._kept.get((self.question, key(asked)))
        if found is not None:
            return found
        found = self._kept.get(("", key(asked)))
        if found is not None:
            line = found | labels | {"taken_from": found["question"]}
        else:
            line = labels | asked | measured(case, self.options.side, network, training)
            self._kept["", key(asked)] = line
        self._kept[self.question, key(asked)] = line
        with (self.options.out / "runs.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        return line

    def tuned_rate(
        self, group: str, network: fields.Network, rates: Iterable[float], **training: Any
    ) -> float:
        """The rate of the highest PSNR on a seed of its own, from the smallest on."""
        case = (self.options.image[-1], TUNING)
        levels: dict[float, float] = {}
        for rate in rates:
            run = self.run(case, group, f"rate {rate:g}", network, learning_rate=rate, **training)
            levels[rate] = run["psnr"]
            if run["psnr"] < max(levels.values()) - WORSE:
                break
        return max(levels, key=lambda each: levels[each])


def key(run: dict[str, Any]) -> str:
    parts = [run[each] for each in ("image", "seed", "side", "network", "training")]
    return json.dumps(parts, sort_keys=True)


def measured(
    case: tuple[int, int], side: int, network: fields.Network, training: dict[str, Any]
) -> dict[str, Any]:
    image, seed = case
    network = chosen(network, image, side)
    if isinstance(network, TrainedSine):
        training = training | {"layer_rates": network.layer_rates()}
    fit = fitted(signal(image, side), network, seed=seed, **training)
    batch = training.get("batch", len(signal(image, side).train))
    reached = fit.steps_to(TARGET)
    return {
        "alpha": fit.network.alpha,
        "parameters": fit.network.parameters(2, 1),
        "steps_to_40": reached,
        "samples_to_40": None if reached is None else reached * batch,
        "steps": fit.curve[-1].step,
        "psnr": round(fit.psnr, 3),
        "held_out_psnr": round(fit.held_out_psnr or 0.0, 3),
        "stopped": fit.stopped,
        "alphas_at_the_end": list(ends(fit.field.network)),
        "notes": list(fit.notes),
        "seconds": round(fit.seconds, 1),
        "torch": torch.__version__,
    }


def fitted(of: fields.Signal, network: fields.Network, **training: Any) -> fields.Fit:
    return fields.fit(of, network, precision="bfloat16", compile=False, **training)


def ends(network: nn.Module) -> Iterator[float]:
    for each in network.modules():
        if isinstance(each, Scaled):
            yield round(float(each.alpha), 4)


@lru_cache
def chosen(network: fields.Network, image: int, side: int) -> fields.Network:
    """With the automatic alpha, if asked for; once for all seeds, as it does not know them."""
    if network.alpha != "auto":
        return network
    choice = fields.choose_alpha(signal(image, side), network, target_psnr=TARGET)
    return replace(network, alpha=choice.alpha, omega_0=choice.omega_0)
