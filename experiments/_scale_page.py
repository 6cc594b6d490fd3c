"""The planning page: docs/scale.md, computed from what experiments/scale.py measured."""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from _scale_model import LINK, MODELS, Beside, Costs, costs_of, fitted, held_out_errors, per_rank
from scipy.optimize import nnls

RANKS = (8, 64, 512, 4096)
#: Ranks that share each layer by tensor parallelism; the rest is FSDP.
TENSOR = 8
SHOWN = ("he_normal", "harmonic")
#: Memory beyond the weights where no start was run: `make bench` measures 3 to 4.
WORKING_MIB = 4


def page(measured: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    broadcast, broadcast_errors = _broadcast(measured["broadcasts"])
    costs, beside = fitted(measured)
    parts = [
        _INTRODUCTION,
        *(_model_table(name, measured, broadcast, costs, beside) for name in MODELS),
        _explained(measured, broadcast, broadcast_errors, costs, beside),
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


def _model_table(
    name: str, measured: Mapping[str, Any], broadcast: np.ndarray, costs: Costs, beside: Beside
) -> str:
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
            lines.append(_row(name, ranks, tensor, measured, costs, beside))
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


def _row(
    name: str, ranks: int, tensor: int, measured: Mapping[str, Any], costs: Costs, beside: Beside
) -> str:
    cells, entries, working = [], 0, [WORKING_MIB]
    for scheme in SHOWN:
        seconds, entries = per_rank(MODELS[name], ranks, tensor, scheme, costs, beside)
        asked = (name, ranks, tensor, scheme)
        runs = [
            row
            for row in measured["starts"]
            if (row["model"], row["ranks"], row["tensor"], row["scheme"]) == asked
        ]
        cells += [_time(seconds), _time(runs[0]["seconds"]) if runs else ""]
        working += [row["beyond_mebibytes"] for row in runs]
    how = "FSDP" if tensor == 1 else f"FSDP x TP {TENSOR}"
    cells = [str(ranks), how, _bytes(4 * entries), *cells, f"{max(working):.0f} MiB", "0"]
    return f"| {' | '.join(cells)} |"


def _off(measured: Mapping[str, Any], costs: Costs, beside: Beside, *, large: bool) -> list[float]:
    """Return what each start took, by what was computed; the large ones are those beyond 5 GB."""
    found = []
    for row in measured["starts"]:
        if row["model"] in MODELS and (row["entries"] * 4 > 5e9) == large:
            asked = (MODELS[row["model"]], row["ranks"], row["tensor"], row["scheme"])
            found.append(row["seconds"] / per_rank(*asked, costs, beside)[0])
    return found


def _explained(
    measured: Mapping[str, Any],
    broadcast: np.ndarray,
    broadcast_errors: list[float],
    costs: Costs,
    beside: Beside,
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
    rivals = measured["rivals"]
    off, large = (_off(measured, costs, beside, large=each) for each in (False, True))
    lines += [
        "",
        f"A start takes that for each block, and {_time(beside.tensor)} for each tensor and "
        f"{beside.entry * 1e9:.2f} ns for each entry: finding out what the rank holds, cutting it "
        "into blocks, memory that is new from the system, reading it back. The first was measured "
        'on a tiny model, the second by `fill_` and a norm. The columns "run" are whole starts of what '
        "one rank holds: one process as rank 0 of a group that torch fakes, which is enough, since "
        f"nothing is sent. Of {len(off)} below 5 GB the middle one took {_times(off, 0.5)} what was "
        f"computed, nine in ten at most {_times(off, 0.9)}, all at most {_times(off, 1.0)}: the "
        "first look at each placement is beside the model. "
        f"{len(large)} of 7.9 GB took {min(large):.1f} to {max(large):.1f} times it: past its first "
        f"5 GB this machine takes {rivals['fresh fill_ beyond 5 GB'] * 1e9:.0f} ns to give and write "
        f"an entry of new memory, and {rivals['fresh fill_'] * 1e9:.1f} ns before, which is a "
        "virtual machine's way and not yours.",
        "",
        f"`torch.nn.init.normal_` takes {rivals['normal_'] * 1e9:.2f} ns for an entry there, a plain "
        f"`fill_` {rivals['fill_'] * 1e9:.2f} ns. A broadcast between processes of this machine "
        f"takes {broadcast[0] * 1e6:.0f} µs and {broadcast[1] * 1e9:.2f} ns for a byte and each "
        f"doubling of the ranks (half of the errors below {statistics.median(broadcast_errors):.0%}, "
        f"nine in ten below {np.quantile(broadcast_errors, 0.9):.0%}).",
        "",
    ]
    return "\n".join(lines)


def _times(ratios: Sequence[float], share: float) -> str:
    return f"{np.quantile(ratios, share):.2g} times"


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
the columns "run" are starts of one rank that were run. Ranks do not wait for each other. "Beyond the
weights" is working memory: what a second start in the same process took, and no less than 4 MiB, which
`make bench` measures on one device.
FSDP cuts weights along their outputs; TP 8 first shares each layer among 8 ranks.
"""

_CLOSING = """\
Not in the model: ranks that share a core or a memory bus (`make bench` holds weak scaling over 1, 2 and 4 processes to 15 % beyond
what a plain `fill_` loses), and GPUs, where sines are made on the device and draws on the CPU and
copied: no GPU was at hand to measure them.

## Orthogonal matrices

A random orthogonal matrix is all or nothing: one entry depends on all others. `orthogonal` and
`looks_linear` on shards are exact all the same, as every rank makes the whole matrix and keeps its
part: nothing is sent, but time (QR, cubic in the width) and working memory (some 16 bytes for each
entry of the largest matrix) do not fall with the number of ranks. `harmonic` is the orthogonal alternative
in closed form: its rows are orthogonal for up to n - 1 of them, and its blocks cost what they hold.
`lsuv`, which runs the model, is refused on shards.

## What can go wrong, and what is said

| what | what happens |
|---|---|
| a rank dies | the others finish: they need nothing from it. What follows is torch's affair |
| a write fails on one rank | it raises; its weights are as they were, unless `undo=False` kept no copy |
| another number of ranks, another mesh | the same weights; checkpoints of `torch.distributed.checkpoint` load as ever |
| a parameter was renamed since the plan | refused by name, with the nearest planned name; weights depend on names |
| a plan of a sharded model, applied on another mesh | refused, both meshes named; plans made on the meta device fit any |
| a buffer that nobody fills after `to_empty` | refused by name |
| ranks with different models, seeds or versions | `sharding.check_agreement(plan)` names the ranks that differ |
| `FullyShardedDataParallel` (FSDP1), partial sums, `lsuv`, sharded weight_norm and its kin | refused, with what to do instead |
"""
