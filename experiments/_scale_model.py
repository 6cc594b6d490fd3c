"""What a start costs on many ranks: a few constants, fitted to measured blocks, and arithmetic.

A fill of a block takes

    seconds = piece + line * lines + entry * rows * made

where ``made`` are the columns that have to be made for those held: random fills make strips of
512 columns, sine fills coarse steps of about sqrt(n). ``lines`` are rows times sqrt(n) of sines,
what their tables cost, and strips of random values.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

STRIP = 512
RANDOM = ("he_normal", "uniform")


@dataclass(frozen=True)
class Cost:
    """Seconds per piece, per line and per entry made."""

    piece: float
    line: float
    entry: float

    def seconds(self, scheme: str, rows: int, columns: int, n: int) -> float:
        """Return what a block of so many rows and columns costs, of a weight with n inputs."""
        if not rows or not columns:
            return 0.0
        return float(
            np.dot(features(scheme, rows, columns, n), (self.piece, self.line, self.entry))
        )


def features(scheme: str, rows: int, columns: int, n: int) -> tuple[float, float, float]:
    """Return what each constant is multiplied with."""
    if scheme in RANDOM:
        drawn = min(-(-columns // STRIP) * STRIP, 1 << (n - 1).bit_length())
        return 1.0, max(1.0, drawn / STRIP), float(rows * drawn)
    fine = 2 ** round(math.log2(n) / 2)
    return 1.0, rows * math.sqrt(n), float(rows * -(-columns // fine) * fine)


def fit(scheme: str, measured: Sequence[Mapping[str, Any]]) -> Cost:
    """Return the constants, none below 0, with the least squares of relative errors."""
    rows = [features(scheme, m["rows"], m["columns"], m["n"]) for m in measured]
    seconds = np.array([m["seconds"] for m in measured])
    scaled = np.array(rows) / seconds[:, None]
    size = scaled.max(axis=0) + 1e-300  # columns of like size: nnls stops by absolute steps
    found, _ = nnls(scaled / size, np.ones(len(rows)))
    return Cost(*(float(x) for x in found / size))


def held_out_errors(scheme: str, measured: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return each block's relative error under the constants that all others give."""
    errors = []
    for i, left in enumerate(measured):
        cost = fit(scheme, [m for j, m in enumerate(measured) if j != i])
        predicted = cost.seconds(scheme, left["rows"], left["columns"], left["n"])
        errors.append(abs(predicted / left["seconds"] - 1))
    return errors


Costs = Mapping[str, Cost]


@dataclass(frozen=True)
class Llama:
    """A transformer by its sizes."""

    layers: int
    width: int
    inner: int
    keys: int  # width of keys and values
    vocabulary: int = 32_000

    def weights(self) -> Iterator[tuple[int, int, int, str]]:
        """Yield (how many, outputs, inputs, how tensor parallelism cuts it); the table is last."""
        yield self.layers, self.width, self.width, "rows"
        yield 2 * self.layers, self.keys, self.width, "rows"
        yield self.layers, self.width, self.width, "columns"
        yield 2 * self.layers, self.inner, self.width, "rows"
        yield self.layers, self.width, self.inner, "columns"
        yield 1, self.vocabulary, self.width, "rows"
        yield 1, self.vocabulary, self.width, "rows"

    @property
    def parameters(self) -> int:
        """Entries of all weights."""
        return sum(count * m * n for count, m, n, _ in self.weights())

    @property
    def tensors(self) -> int:
        """How many there are, two norms of each layer and a last one among them."""
        return sum(count for count, *_ in self.weights()) + 2 * self.layers + 1


#: What the constant share of a tensor is measured with.
TINY = Llama(32, 32, 88, 16, 100)
#: Bytes a second of one link of 400 Gb/s.
LINK = 50e9

MODELS = {
    "7B": Llama(32, 4096, 11008, 4096),
    "70B": Llama(80, 8192, 28672, 1024),
    "1T": Llama(128, 25600, 68352, 25600),
}


@dataclass(frozen=True)
class Beside:
    """What a start takes beside its fills: seconds for each tensor, and for each entry.

    Each entry's memory is new from the system, and is read back once.
    """

    tensor: float
    entry: float


def per_rank(
    model: Llama, ranks: int, tensor: int, scheme: str, costs: Costs, beside: Beside
) -> tuple[float, int]:
    """Return seconds and entries of the rank that holds most.

    FSDP cuts what tensor parallelism over ``tensor`` ranks leaves, along the outputs.

    Args:
        model: its sizes.
        ranks: in all.
        tensor: ranks that share each layer.
        scheme: of the weights; an embedding's table is drawn, whatever it is.
        costs: of each scheme's blocks.
        beside: what comes on top.
    """
    seconds, entries = model.tensors * beside.tensor, 0
    weights = list(model.weights())
    for i, (count, m, n, cut) in enumerate(weights):
        rows = -(-m // tensor) if cut == "rows" else m
        columns = -(-n // tensor) if cut == "columns" else n
        rows = -(-rows // max(1, ranks // tensor))
        law = scheme if i < len(weights) - 1 else "he_normal"
        seconds += count * costs[law].seconds(law, rows, columns, n)
        entries += count * rows * columns
    return seconds + entries * beside.entry, entries


def costs_of(fills: Sequence[Mapping[str, Any]], dtype: str) -> dict[str, Cost]:
    """Return the constants of every scheme in one dtype."""
    mine = [row for row in fills if row["dtype"] == dtype]
    return {
        scheme: fit(scheme, [row for row in mine if row["scheme"] == scheme])
        for scheme in sorted({row["scheme"] for row in mine})
    }


def fitted(measured: Mapping[str, Any]) -> tuple[dict[str, Cost], Beside]:
    """Return each scheme's constants in float32, and what comes beside the fills.

    Of a tensor that is what a tiny model takes less its blocks.
    """
    rivals, costs = measured["rivals"], costs_of(measured["fills"], "float32")
    entry = rivals["fresh fill_"] - rivals["fill_"] + rivals["norm"]
    found = []
    for row in measured["starts"]:
        if row["model"] == "tiny":
            asked = (row["ranks"], row["tensor"], row["scheme"])
            fills, _ = per_rank(TINY, *asked, costs, Beside(0.0, entry))
            found.append((row["seconds"] - fills) / TINY.tensors)
    return costs, Beside(max(0.0, sum(found) / len(found)), entry)
