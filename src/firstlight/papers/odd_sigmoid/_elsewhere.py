"""Train other networks than plain ones on the digits, each start at its best learning rate."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from firstlight.comparison.batches import batches, order
from firstlight.comparison.data import load
from firstlight.comparison.threads import threads
from firstlight.papers.odd_sigmoid.elsewhere_starts import PLACES, started
from firstlight.runs.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from firstlight.papers.work import Work

#: Seed of the runs that choose a learning rate, judged by held-out training samples.
TUNING_SEED = 1000
_BATCH = 64


@dataclass(frozen=True)
class _Trained:
    curve: tuple[float, ...]
    seconds: float


def measure(work: "Work") -> "pd.DataFrame":
    """Choose each start's rate on ``TUNING_SEED``, then train the seeds that are reported.

    Returns:
        ``rows_of`` each place.
    """
    import pandas as pd

    found = []
    for part, options in work["studies"].items():
        with threads(1):
            frame = pd.DataFrame(_runs(work, part, options))
        found.append(rows_of(frame, part))
    return pd.concat(found, ignore_index=True)


def rows_of(frame: "pd.DataFrame", part: str) -> "pd.DataFrame":
    """Lay runs out: a row for each; accuracies, now from 0 to 1, after the last epoch.

    Args:
        frame: with scheme, learning_rate, seed, tuning, final, curve and seconds.
        part: the place.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "part": part,
            "start": frame.scheme,
            "learning_rate": frame.learning_rate,
            "seed": frame.seed,
            "tuning": frame.tuning,
            "accuracy": frame.final / 100,
            "epochs": [len(curve) for curve in frame.curve],
            "seconds": frame.seconds,
        }
    )


def _runs(work: "Work", part: str, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    store, schemes = Store(work.part(part), work.tell), options["schemes"]
    for scheme in schemes:
        finals = {}
        for rate in options["learning_rates"]:
            row = _row(store, part, options, scheme, rate, TUNING_SEED)
            finals[rate] = row["final"]
            yield row
        chosen = max(finals, key=finals.__getitem__)
        for seed in range(options["seeds"]):
            yield _row(store, part, options, scheme, chosen, seed)
        work.tell(f"{part}: {scheme} done")


def _row(
    store: Store, part: str, options: Mapping[str, Any], scheme: str, rate: float, seed: int
) -> dict[str, Any]:
    asked = {"place": part, "scheme": scheme, "learning_rate": rate, "seed": seed}
    asked |= {name: options[name] for name in ("epochs", "depth", "train_size")}
    found = store.load(asked, _Trained)
    if found is None:
        began = time.perf_counter()
        model = started(PLACES[part], options["depth"], scheme, seed)
        curve = tuple(accuracies(model, rate, seed, options["epochs"], options["train_size"]))
        found = _Trained(curve, time.perf_counter() - began)
        store.save(asked, found)
    own = {"scheme": scheme, "learning_rate": rate, "seed": seed, "tuning": seed >= TUNING_SEED}
    return own | {"final": found.curve[-1]} | asdict(found)


def accuracies(
    model: nn.Module, rate: float, seed: int, epochs: int, train_size: int | None = None
) -> Sequence[float]:
    """Train on the digits by AdamW; return the accuracy in % after every epoch."""
    data = load("digits").select(train_size, held_out=seed >= TUNING_SEED)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-3, fused=True)
    curve = []
    for epoch in range(epochs):
        indices = order(seed, epoch, len(data.train))
        for images, labels in batches(data.train, data.normalisation, _BATCH, indices):
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimizer.step()
        with torch.no_grad():
            (images, labels), *_ = batches(data.test, data.normalisation, len(data.test))
            curve.append(100 * (model(images).argmax(1) == labels).float().mean().item())
    return curve
