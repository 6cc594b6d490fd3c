"""Questions to weight scaling that one table of fits answers: which are asked, and how.

Every picture is fitted at the first seed, the last one at the others too. A network that does not
reach the target ends after 600 steps, a deep one earlier, one with small batches later (``limit``).
An automatic alpha is chosen once for a picture and depth. Rates are tuned on a seed of their own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from firstlight import fields
from firstlight.papers.weight_scaling.fits import Fits, Row, alpha_name, table
from firstlight.papers.weight_scaling.grid import LESS, LOST
from firstlight.papers.weight_scaling.signals import signal
from firstlight.papers.weight_scaling.trained_alpha import TrainedSine

if TYPE_CHECKING:
    import pandas as pd

    from firstlight.papers.work import Work

#: Kodak 02, 05 and 13 at 128 x 128, trained on every second pixel in both axes: 4096 samples.
STANDARD: dict[str, Any] = {
    "pictures": ["kodim02 128", "kodim05 128", "kodim13 128"],
    "seeds": [0, 1, 2],
    "width": 256,
    "target": 40.0,
    "steps": 600,
    "learning_rate": 1e-4,
    "precision": "bfloat16",
}
QUICK: dict[str, Any] = {
    "pictures": ["china 32"],
    "seeds": [0],
    "width": 32,
    "target": 25.0,
    "steps": 60,
    "learning_rate": 1e-3,
    "precision": "float32",
}
FULL: dict[str, Any] = STANDARD | {
    "pictures": [f"kodim{number:02} 512" for number in range(1, 17)],
    "width": 512,
    "precision": "float32",
}


def presets(standard: Mapping[str, Any], **quick: Any) -> dict[str, dict[str, Any]]:
    """Return quick, standard and full with a question's own settings."""
    own = dict(standard)
    return {
        "quick": QUICK | own | quick,
        "standard": STANDARD | own,
        "full": FULL | own,
    }


def sine(work: "Work", alpha: Any, depth: int = 5, **options: Any) -> fields.Sine:
    """Return the network that questions are about."""
    return fields.Sine(width=work["width"], depth=depth, alpha=alpha, omega_0=30.0, **options)


def limit(work: "Work", depth: int = 5, *, batch: int = 0, samples: int = 1) -> dict[str, Any]:
    """As much work for a deep network as for one of 5 layers, and more steps of small batches."""
    steps = min(work["steps"], 4 * work["steps"] // (depth - 1))
    steps *= min(4, samples // batch) if batch else 1
    rate = work["learning_rate"]
    return {"target_psnr": work["target"], "steps": steps, "learning_rate": rate}


def depth(work: "Work") -> "pd.DataFrame":
    """Weight scales by depth; a grid ends where quality is lost, and goes on at alpha 2 once."""
    fits, rows = Fits(work), []
    for layers, grid in work["depths"].items():
        layers, group = int(layers), f"depth {layers}"
        for case in fits.cases:
            top = None
            for alpha in ("auto", 1.0, *(grid if case[1] == work["seeds"][0] else ())):
                network = sine(work, alpha, layers)
                run = fits.run(case, group, alpha_name(alpha), network, **limit(work, layers))
                rows.append(run)
                top = max(top or run["held_out_psnr"], run["held_out_psnr"])
                if run["held_out_psnr"] < top - LOST:
                    break
        last = (work["pictures"][-1], work["seeds"][0])
        run = fits.run(last, group, "alpha 2", sine(work, 2.0, layers), **limit(work, layers))
        if run not in rows:
            rows.append(run)
    return table(rows)


def draws(work: "Work") -> "pd.DataFrame":
    """Uniform and normal draws of the same variance."""
    fits = Fits(work)
    return table(
        [
            fits.run(case, drawn, alpha_name(each), network, **limit(work))
            for drawn in ("uniform", "normal")
            for each in work["alphas"]
            for network in [sine(work, each, distribution=drawn)]
            for case in fits.cases
        ]
    )


def layers(work: "Work") -> "pd.DataFrame":
    """One alpha, or one for each layer."""
    fits = Fits(work)
    return table(
        [
            fits.run(case, "depth 5", variant, sine(work, _alpha(each)), **limit(work))
            for variant, each in work["layers"].items()
            for case in fits.cases
        ]
    )


def _alpha(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def sgd_and_batches(work: "Work") -> "pd.DataFrame":
    """Mini-batches with Adam, then SGD over all samples at a tuned rate."""
    fits, rows = Fits(work), []
    samples = len(signal(work, work["pictures"][0]).train)
    for share in work["shares"]:
        batch = samples // share
        part = {} if share == 1 else {"batch": batch}
        for alpha in work["alphas"]:
            for case in fits.cases:
                asked = limit(work, batch=batch, samples=samples) | part
                network = sine(work, alpha)
                rows.append(fits.run(case, f"batch {batch}", alpha_name(alpha), network, **asked))
    return table(rows + _sgd(work, fits))


def _sgd(work: "Work", fits: Fits) -> list[Row]:
    rows: list[Row] = []
    for alpha in work["alphas"]:
        name, network = alpha_name(alpha), sine(work, alpha)
        tuning = {"steps": work["tuning_steps"], "optimizer": "sgd"}
        rate = fits.tuned_rate(rows, name, network, work["sgd_rates"], **tuning)
        training = {"steps": work["sgd_steps"], "learning_rate": rate, "optimizer": "sgd"}
        rows += [fits.run(case, "sgd", name, network, **training) for case in fits.last]
    return rows


def trained(work: "Work") -> "pd.DataFrame":
    """Alphas as parameters, from two starts, at two rates."""
    fits, rows = Fits(work), []
    for alpha in work["alphas"]:
        group = f"from {alpha_name(alpha)}"
        for case in fits.cases:
            rows.append(fits.run(case, group, "fixed", sine(work, alpha), **limit(work)))
            for rate in work["alpha_rates"]:
                network = TrainedSine(
                    width=work["width"], depth=5, alpha=alpha, omega_0=30.0, alpha_rate=rate
                )
                rows.append(fits.run(case, group, f"trained at {rate:g}", network, **limit(work)))
    return table(rows)


def families(work: "Work") -> "pd.DataFrame":
    """Weight scales of every family, the rate tuned at alpha 1; the best one at more seeds."""
    fits = Fits(work)
    rows: list[Row] = []
    for group, fewer in work["families"].items():
        network = alike(work, fields.FAMILIES[group])
        tuning = {"steps": work["tuning_steps"]}
        rate = fits.tuned_rate(rows, group, network, work["rates"], **tuning)
        training = {"steps": work["family_steps"], "learning_rate": rate}
        first, *others = fits.last
        runs = {
            alpha: fits.run(first, group, alpha_name(alpha), network.with_alpha(alpha), **training)
            for alpha in work["scales"]
        }
        rows += runs.values()
        best = best_of(runs)
        for case in others[: len(others) - fewer]:
            for alpha in sorted({1.0, best}):
                scaled = network.with_alpha(alpha)
                rows.append(fits.run(case, group, alpha_name(alpha), scaled, **training))
    return table(rows)


def best_of(runs: Mapping[float, Row]) -> float:
    """Return the alpha of the highest PSNR among those that hold out within 0.5 dB of the best."""
    least = max(run["held_out_psnr"] for run in runs.values()) - LESS
    kept = [alpha for alpha, run in runs.items() if run["held_out_psnr"] >= least]
    return max(kept, key=lambda alpha: runs[alpha]["psnr"])


def alike(work: "Work", family: type[fields.Network]) -> fields.Network:
    """The family at alpha 1, with as many numbers as the sine network; a hash grid's depth is 3."""
    sizes: dict[str, Any] = (
        {} if family is fields.HashGrid else {"width": work["width"], "depth": 5}
    )
    network: Any = family(alpha=1.0, **sizes)
    network = network.resolved(signal(work, work["pictures"][-1]))
    if family is fields.Sine:
        found: fields.Network = network
        return found
    return fields.sized_like(network, sine(work, 1.0), 2, 1)
