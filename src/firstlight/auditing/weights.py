"""What the weights themselves tell: sums, norms, twins, blind inputs, rank, copies."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from firstlight.auditing.measures import WeightMeasures, WeightSketch
from firstlight.auditing.rank import rank, roomy
from firstlight.model.trace import Facts
from firstlight.model.views import WeightView

#: Rows agree if they differ by less than this share of the largest entry: the rounding of a
#: deterministic formula in float32 is below it, chance far above.
_SAME = 1e-5
#: A row or column of one entry is zero below this share: chance often comes near zero.
_ZERO = 1e-10
_BINS, _CELLS, _COUNTED = 41, 64, 2**18


def measure_weights(
    found: list[WeightView], facts: Mapping[str, Facts], *, spectra: bool = False
) -> tuple[WeightMeasures, ...]:
    """Measure every matrix of a model.

    Args:
        found: the model's views, embeddings among them.
        facts: what the trace knows, by parameter name.
        spectra: whether to compute the rank of large matrices, too.
    """
    measured, marks = [], defaultdict(list)
    for view in found:
        if view.blocked or view.weight.is_meta or not view.weight.is_floating_point():
            continue
        matrix = _flat(view)
        known = facts.get(view.slot.name)
        one = _measure(view, matrix, known.depth if known else None, spectra)
        measured.append(one)
        if one.rms > 0 and one.finite and view.role != "table":
            marks[_mark(view.shape, matrix)].append((one.name, view))
    copies = _copies(list(marks.values()))
    return tuple(replace(one, same_as=copies.get(one.name, ())) for one in measured)


def _flat(view: WeightView) -> Tensor:
    weight: Any = view.weight.detach()
    if type(weight).__name__ == "DTensor":
        weight = weight.full_tensor()
    return weight.reshape(len(weight), -1)


def _measure(view: WeightView, matrix: Tensor, depth: int | None, spectra: bool) -> WeightMeasures:
    work = roomy(matrix)
    finite = bool(work.isfinite().all())
    rows, sums = work.norm(dim=1), work.sum(1)
    rms = float(work.norm()) / math.sqrt(max(work.numel(), 1))
    row_sum = float(sums.square().mean().sqrt())
    independent = rms * math.sqrt(work.shape[1])
    base = WeightMeasures(
        name=view.name,
        parameter=view.slot.name,
        kind=view.kind,
        role=view.role,
        shape=view.shape,
        depth=depth,
        frozen=view.frozen,
        finite=finite,
        mean=float(work.mean()),
        rms=rms,
        row_norm_smallest=float(rows.min()),
        row_norm_largest=float(rows.max()),
        row_sum_rms=row_sum,
        row_sum_ratio=row_sum / independent if independent else 0.0,
        full_rank=min(work.shape),
    )
    if not finite or view.role == "table":
        note = "an embedding: its rows are read one by one" if finite else "not finite"
        return replace(base, note=note, sketch=_sketch(work) if finite else None)
    return replace(base, **_structure(work, rows, view), **_spectral(matrix, rms, spectra))


def _spectral(matrix: Tensor, rms: float, everything: bool) -> dict[str, Any]:
    found = rank(matrix, everything=everything)
    edge = None
    if rms:
        edge = found.largest / (rms * (math.sqrt(matrix.shape[0]) + math.sqrt(matrix.shape[1])))
    return {
        "rank": found.rank,
        "stable_rank": found.stable,
        "condition": found.condition,
        "edge": edge,
        "note": found.note,
    }


def _structure(work: Tensor, norms: Tensor, view: WeightView) -> dict[str, Any]:
    largest = float(norms.max())
    zero = norms <= (_SAME if work.shape[1] > 1 else _ZERO) * largest
    spread = work.amax(1) - work.amin(1)
    level = work.abs().amax(1)
    constant = (spread <= _SAME * level) & ~zero if work.shape[1] > 1 else torch.zeros_like(zero)
    alone = view.role == "depthwise"  # each row filters a channel of its own
    return {
        "zero_rows": int(zero.sum()),
        "constant_rows": int(constant.sum()),
        "twin_rows": _twins(work[~zero]),
        "blind_inputs": 0 if alone else _blind(work, view.shape),
        "sketch": _sketch(work),
    }


def _blind(work: Tensor, shape: tuple[int, ...]) -> int:
    """Count the inputs, or channels of them, that no row sees."""
    seen = work.abs().amax(0).reshape(shape[1], -1).amax(1)
    entries = work.numel() // shape[1]
    return int((seen <= (_SAME if entries > 1 else _ZERO) * float(seen.max())).sum())


def _twins(rows: Tensor) -> int:
    """Count the rows that equal another one up to sign.

    Rows are sorted by a random projection, whose sign each row is made to agree with, and compared
    with those beside them: twins lie next to each other.

    Example:
        >>> _twins(torch.tensor([[1.0, 2.0], [3.0, 1.0], [-1.0, -2.0]]))
        2
    """
    if len(rows) < 2 or rows.shape[1] < 2:
        return 0
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(rows.shape[1], generator=generator, dtype=torch.float64)
    projected = rows @ direction.to(rows)
    order = projected.abs().argsort(stable=True)
    near, far = order[:-1], order[1:]
    # a first sieve by the projections alone: on most matrices nothing is left
    gap = (projected[far].abs() - projected[near].abs()) <= 1e-4 * rows.norm(dim=1)[near]
    near, far = near[gap], far[gap]
    twin = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    for first, second in zip(near.split(4096), far.split(4096), strict=True):
        a, b = rows[first], rows[second]
        sign = (projected[first].sign() * projected[second].sign())[:, None]
        same = (a - sign * b).abs().amax(1) <= _SAME * a.abs().amax(1)
        twin[first[same]] = True
        twin[second[same]] = True
    return int(twin.sum())


def _mark(shape: tuple[int, ...], matrix: Tensor) -> tuple[object, ...]:
    """Return what two equal matrices, up to sign, have in common, from a few entries."""
    few = matrix.flatten()[:: max(1, matrix.numel() // 16)][:16].abs()
    return (shape, *few.tolist())


def _copies(groups: list[list[tuple[str, WeightView]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for index, (name, view) in enumerate(group):
            if name in found:
                continue
            first = _flat(view)
            same = [other for other, twin in group[index + 1 :] if _equal(first, _flat(twin))]
            everyone = [name, *same]
            if same:
                found |= {one: tuple(n for n in everyone if n != one) for one in everyone}
    return found


def _equal(a: Tensor, b: Tensor) -> bool:
    b = b.to(a)
    return torch.equal(a, b) or torch.equal(a, -b)


def _sketch(work: Tensor) -> WeightSketch:
    rows, columns = (max(1, math.ceil(side / _CELLS)) for side in work.shape)
    limit = float(work.abs().max()) or 1.0
    every = work.numel() // _COUNTED | 1  # odd, so as not to meet the same columns again and again
    counts = torch.histc(work.flatten()[::every].float(), _BINS, -limit, limit)
    heat = _four_digits(work[::rows, ::columns].cpu())
    return WeightSketch(
        tuple(map(tuple, heat.tolist())),
        tuple(int(count) for count in counts.tolist()),
        limit,
    )


def _four_digits(x: Tensor) -> Tensor:
    """Round to four significant digits, as JSON has no use for more.

    Example:
        >>> _four_digits(torch.tensor([0.0, 0.123456, -2.00004e-5])).tolist()
        [0.0, 0.1235, -2e-05]
    """
    x = x.double()
    powers = 10.0 ** (3 - x.abs().clamp(min=1e-300).log10().floor())
    return torch.where(x == 0, x, (x * powers).round() / powers)
