"""The planning page: docs/scale.md, computed from what experiments/scale.py measured."""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from _scale_model import LINK, MODELS, costs_of, handling_of, held_out_errors, per_rank
from scipy.optimize import nnls

RANKS = (8, 64, 512, 4096)
#: Ranks that share each layer by tensor parallelism; the rest is FSDP.
TENSOR = 8
SHOWN = ("he_normal", "harmonic")
#: Memory beyond the weights: `make bench` measures 3 to 4, and holds it to 16.
WORKING_MIB = 4


def page(measured: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    broadcast, broadcast_errors = _broadcast(measured["broadcasts"])
    parts = [
        _INTRODUCTION,
        *(_model_table(name, measured, broadcast) for name in MODELS),
        _explained(measured, broadcast, broadcast_errors),
        _CLOSING,
    ]
    return "\n".join(parts)


def _broadcast(measured: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, list[float]]:
    """Fit seconds = a + b bytes log2(ranks), relative errors, each point also held out."""
    x = np.array([[1.0, m["bytes"] * math.log2(m["ranks"])] for m in measured])
    y = np.array([m["seconds"] for m in measured])
    size = (x / y[:, None]).max(axis=0)

    def solve(keep: np.ndarray) -> np.ndarray:
        return nnls(x[keep] / y[keep, None] / size, np.ones(keep.sum()))[0] / size

    every = np.ones(len(y), dtype=bool)
    errors = []
    for i in range(len(y)):
        keep = every.copy()
        keep[i] = False
        errors.append(float(abs(x[i] @ solve(keep) / y[i] - 1)))
    return solve(every), errors


def _model_table(name: str, measured: Mapping[str, Any], broadcast: np.ndarray) -> str:
    model, drawing = MODELS[name], measured["rivals"]["normal_"]
    size = 4 * model.parameters
    planning = [row["planning"] for row in measured["starts"] if row["model"] == name]
    lines = [
        f"### {name}: {model.parameters / 1e9:.1f} billion weights, {_bytes(size)} in float32",
        "",
        f"{model.tensors} tensors; planning takes {_time(statistics.median(planning))}, once on "
        "every rank.",
        "",
        "| ranks | sharded by | weights on a rank | he_normal | run | harmonic | run | "
        "beyond the weights | sent |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for ranks in RANKS:
        for tensor in (1, TENSOR):
            lines.append(_row(name, ranks, tensor, measured))
    lines += ["", "Gather and broadcast, the same weights drawn on one rank and sent to all:", ""]
    lines += [
        "| ranks | memory of the first rank | drawing | sent in all | sending, gloo here | "
        "sending, 400 Gb/s |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for ranks in RANKS:
        here = broadcast[0] + broadcast[1] * size * math.log2(ranks)
        lines.append(
            f"| {ranks} | {_bytes(size)} | {_time(drawing * model.parameters)} | "
            f"{_bytes(size * (ranks - 1))} | {_time(here)} | {_time(size / LINK)} or more |"
        )
    return "\n".join([*lines, ""])


def _row(name: str, ranks: int, tensor: int, measured: Mapping[str, Any]) -> str:
    costs, handling = costs_of(measured["fills"], "float32"), handling_of(measured)
    cells, entries = [], 0
    for scheme in SHOWN:
        seconds, entries = per_rank(MODELS[name], ranks, tensor, scheme, costs, handling)
        run = [
            row["seconds"]
            for row in measured["starts"]
            if (row["model"], row["ranks"], row["tensor"], row["scheme"])
            == (name, ranks, tensor, scheme)
        ]
        cells += [_time(seconds), _time(run[0]) if run else ""]
    how = "FSDP" if tensor == 1 else f"FSDP x TP {TENSOR}"
    cells = [str(ranks), how, _bytes(4 * entries), *cells, f"{WORKING_MIB} MiB", "0"]
    return f"| {' | '.join(cells)} |"


def _errors_of_starts(measured: Mapping[str, Any]) -> list[float]:
    """Return how far the computed time of each start that was run is off."""
    costs, handling = costs_of(measured["fills"], "float32"), handling_of(measured)
    errors = []
    for row in measured["starts"]:
        if row["model"] in MODELS:
            asked = (MODELS[row["model"]], row["ranks"], row["tensor"], row["scheme"])
            errors.append(abs(per_rank(*asked, costs, handling)[0] / row["seconds"] - 1))
    return errors


def _explained(
    measured: Mapping[str, Any], broadcast: np.ndarray, broadcast_errors: list[float]
) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in measured["versions"].items())
    lines = [
        "## The model, and how far it is off",
        "",
        f"Measured on {measured['machine']} ({versions}) by `{measured['command']}`, medians of "
        f"{measured['repeats']}; the numbers are in `results/scale/measured.json`, the arithmetic "
        "in `experiments/_scale_model.py`. A block of `rows` x `columns` of a weight with n inputs "
        "takes",
        "",
        "    seconds = piece + line * lines + entry * rows * made",
        "",
        "`made` are the columns that have to be made for those held: random fills make strips of "
        "512, sine fills steps of about sqrt(n). `lines` are strips of random values, or rows times "
        "sqrt(n) of sines, which is what their tables cost. The error is of blocks left out of the fit, one "
        "at a time.",
        "",
        "| scheme | dtype | piece, µs | line, ns | entry, ns | error: half below | nine in ten below |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for dtype, scheme in product(
        ("float32", "bfloat16"), ("harmonic", "sinusoidal", "he_normal", "uniform")
    ):
        mine = [m for m in measured["fills"] if (m["scheme"], m["dtype"]) == (scheme, dtype)]
        cost, errors = costs_of(mine, dtype)[scheme], held_out_errors(scheme, mine)
        lines.append(
            f"| {scheme} | {dtype} | {cost.piece * 1e6:.0f} | {cost.line * 1e9:.2f} | "
            f"{cost.entry * 1e9:.2f} | {statistics.median(errors):.0%} | "
            f"{np.quantile(errors, 0.9):.0%} |"
        )
    rivals, off = measured["rivals"], _errors_of_starts(measured)
    lines += [
        "",
        f"A start takes that for each block, and {_time(handling_of(measured))} for each tensor "
        "beside it: finding out what the rank holds of it, cutting that into blocks, reading it "
        'back. That was measured on a tiny model. The columns "run" are whole starts of what '
        "one rank holds: one process as rank 0 of a group that torch fakes, which is enough, since "
        f"nothing is sent. Of those {len(off)}, half are within {statistics.median(off):.0%} of "
        f"what was computed, nine in ten within {np.quantile(off, 0.9):.0%}, all within "
        f"{max(off):.0%}.",
        "",
        f"`torch.nn.init.normal_` takes {rivals['normal_'] * 1e9:.2f} ns for an entry there, a plain "
        f"`fill_` {rivals['fill_'] * 1e9:.2f} ns. A broadcast between processes of this machine "
        f"takes {broadcast[0] * 1e6:.0f} µs and {broadcast[1] * 1e9:.2f} ns for a byte and each "
        f"doubling of the ranks (half of the errors below {statistics.median(broadcast_errors):.0%}, "
        f"nine in ten below {np.quantile(broadcast_errors, 0.9):.0%}).",
        "",
    ]
    return "\n".join(lines)


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            break
        count, unit = (
            count / 1000,
            {"B": "kB", "kB": "MB", "MB": "GB", "GB": "TB", "TB": "PB"}[unit],
        )
    return f"{count:.3g} {unit}"


def _time(seconds: float) -> str:
    for unit, size, most in (
        ("ms", 1e-3, 1),
        ("s", 1, 120),
        ("min", 60, 7200),
        ("h", 3600, math.inf),
    ):
        if seconds < most:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    raise ValueError(seconds)


_INTRODUCTION = """\
# Starts at scale

A model that fits on no single device is started where it lies: every rank fills what it holds,
nothing is sent, and together the ranks hold, bit for bit, what one process would have written.
`firstlight.model.sharding` says what that rests on; this page says what it costs.

```python
with torch.device("meta"):
    model = Llama(config)
plan = firstlight.plan(model)  # nothing is allocated; print it, edit it
model = parallelize(model, mesh)  # fully_shard, parallelize_module, a pipeline's stage ...
model.to_empty(device=device)
plan.apply(model, undo=False)  # each rank its own part
```

Buffers that only the model can compute are named by the plan; exclude them and fill them yourself.

## What it costs

![Time against ranks, for weights filled in place, and drawn on one rank and sent](images/scale.png)

Lines and plain columns are computed by the small model below, for one thread on each rank; dots and
the columns "run" are starts of one rank that were run. Two threads take about 0.55 of the time, and
ranks do not wait for each other. "Beyond the weights" is working memory.
FSDP cuts weights along their outputs; TP 8 first shares each layer among 8 ranks.
"""

_CLOSING = """\
Not in the model: ranks that share a core or a memory bus (`make bench` holds weak scaling over 1, 2 and 4 processes to 15 % beyond
what a plain `fill_` loses), and GPUs, where sines are made on the device and draws on the CPU and
copied: no GPU was at hand to measure them.

## Orthogonal matrices

A random orthogonal matrix is all or nothing: one entry depends on all others. `orthogonal` and
`looks_linear` on shards are exact all the same, as every rank makes the whole matrix and keeps its
part: nothing is sent, but time (QR, cubic in the width) and working memory (4 bytes for each entry of
the largest matrix) do not fall with the number of ranks. `harmonic` is the orthogonal alternative
in closed form: its rows are orthogonal for up to n - 1 of them, and its blocks cost what they hold.
`lsuv`, which runs the model, is refused on shards.

## What can go wrong, and what is said

| what | what happens |
|---|---|
| a rank dies | the others finish: they need nothing from it. What follows is torch's affair |
| a write fails on one rank | that rank's weights are as they were, and it raises |
| another number of ranks, another mesh | the same weights; checkpoints of `torch.distributed.checkpoint` load as ever |
| a parameter was renamed since the plan | refused by name, with the nearest planned name; weights depend on names |
| a plan of a sharded model, applied on another mesh | refused, both meshes named; plans made on the meta device fit any |
| a buffer that nobody fills after `to_empty` | refused by name |
| ranks with different models, seeds or versions | `sharding.check_agreement(plan)` names the ranks that differ |
| `FullyShardedDataParallel` (FSDP1), partial sums, `lsuv` | refused, with what to do instead |
"""
