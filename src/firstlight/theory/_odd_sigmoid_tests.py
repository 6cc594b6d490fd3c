"""The five properties of an odd sigmoid, each tried on samples: whether it holds, and where not."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from firstlight.theory._odd_sigmoid_samples import Samples

#: What an activation may differ by from what it should be, in roundings.
_ROUNDINGS = 256
#: How far out what goes wrong is looked for first, on the scale of x.
_CLOSE = 20
#: A slope that jumps by so many roundings of f'(0) is no rounding.
_JUMP = 4096

Finding = tuple[bool, str]
Function = Callable[[Tensor], Tensor]


def odd(seen: Samples) -> Finding:
    """Whether f(-x) = -f(x)."""
    count = seen.finite
    x, y, off = seen.x[:count], seen.right[:count].abs(), (seen.right + seen.left)[:count].abs()
    allowed = _ROUNDINGS * seen.eps * y.clamp(min=float(y[x <= _CLOSE * seen.unit].max()))
    wrong = off > allowed
    worst = _worst(seen, wrong, off)
    text = f"|f(-x) + f(x)| = {float(off[worst]):.2g} at x = {float(x[worst]):.4g}"
    return not bool(wrong.any()), text


def bounded(seen: Samples) -> Finding:
    """Whether |f| stays below a bound: from x to x^2 it grows ever less.

    log x doubles there and log log x grows as much every time; c - 1/x^p hardly grows.
    """
    if seen.finite < len(seen.x):
        at, value = float(seen.x[seen.finite]), float(seen.right[seen.finite])
        return False, f"f({at:.4g}) is {value:g}"
    size = seen.right.abs().cummax(0).values
    last = math.log(float(seen.x[-1]) / seen.unit)
    marks = [seen.unit * math.exp(last / part) for part in (4, 2, 1)]
    places = torch.searchsorted(seen.x, torch.tensor(marks, dtype=torch.float64, device="cpu"))
    near, middle, far = size[places.clamp(max=len(size) - 1)].tolist()
    if far - middle > max(0.6 * (middle - near), _ROUNDINGS * seen.eps * far):
        ends = f"x = {marks[1]:.2g} and {marks[2]:.2g}"
        return False, f"|f| grows from {middle:.4g} to {far:.4g} between {ends}"
    return True, f"|f| <= {seen.bound:.6g} up to x = {marks[2]:.2g}"


def smooth(seen: Samples) -> Finding:
    """Whether f and f' are continuous, and autograd gives the slope that f has.

    f'' may jump, as softsign's does at 0.
    """
    count = seen.differentiable
    if count < seen.finite:
        at, value = float(seen.x[count]), float(seen.slopes[count])
        return False, f"f'({at:.4g}) is {value:g}"
    x, y, d = seen.x[:count], seen.right[:count], seen.slopes[:count]
    astray = (y.diff() - (d[1:] + d[:-1]) / 2 * x.diff()).abs()
    for what, g, values, excess in (("f", seen.f, y, astray), ("f'", seen.slope, d, _bends(d))):
        jump, place = _largest_jump(g, x, values, excess)
        if jump > _JUMP * seen.eps * float(values.abs().max()):
            return False, f"{what} jumps by {jump:.2g} at x = {place:.4g}"
    off, place = _not_the_slope(seen, x, astray)
    if off > 1e-5 * seen.bound:
        return False, f"autograd's f' is not the slope of f at x = {place:.4g}"
    return True, f"no jump in f or f' above {_JUMP * seen.eps:.1g} of its size"


def increasing(seen: Samples) -> Finding:
    """Whether f' > 0 up to where f has reached its bound but for a rounding."""
    count = seen.differentiable
    x, y, d = seen.x[:count], seen.right[:count], seen.slopes[:count]
    wrong = d < -_ROUNDINGS * seen.eps * float(d.abs().max())
    worst = _worst(seen, wrong, -d)
    if bool(wrong.any()):
        return False, f"f' = {float(d[worst]):.2g} at x = {float(x[worst]):.4g}"
    drop = y.diff()
    if bool((drop < -_ROUNDINGS * seen.eps * seen.bound).any()):
        place = int(drop.argmin())
        return False, f"f falls by {-float(drop[place]):.2g} behind x = {float(x[place]):.4g}"
    below = seen.bound - y > _ROUNDINGS * seen.eps * seen.bound
    if not bool(below.any()):
        return False, "f is constant"
    flat = ((d == 0) & below).nonzero()
    if len(flat):
        return False, f"f' = 0 at x = {float(x[flat[0]]):.4g}, where f is below its bound"
    end = _end(seen)
    if end is not None:
        return False, f"f reaches its bound at x = {end:.4g} and is flat from there"
    return True, f"least f' before f is at its bound: {float(d[below].min()):.2g}"


def falling(seen: Samples) -> Finding:
    """Whether f' falls from 0 on: it rises nowhere, and is constant nowhere."""
    count = seen.differentiable
    x, d = seen.x[:count], seen.slopes[:count]
    if math.isnan(seen.slope_at_zero):
        return False, f"f'(0) = {float(seen.slopes[0]):.2g}, and must be above 0"
    noise = _ROUNDINGS * seen.eps * seen.slope_at_zero
    rise = d[1:] - d.cummin(0).values[:-1]
    worst = int(rise.argmax())
    if float(rise[worst]) > noise:
        return False, f"f' rises by {float(rise[worst]):.2g} up to x = {float(x[worst + 1]):.4g}"
    share = d / seen.slope_at_zero
    still = (d.diff().abs() <= 16 * seen.eps * seen.slope_at_zero) & (
        (share[1:] > 1e-3) & (share[1:] < 0.999)
    )
    start = _run(still, 12)
    if start is not None:
        return False, f"f' is constant around x = {float(x[start]):.4g}"
    straight = _straight(seen)
    if straight is not None:
        return False, f"f' is constant up to x = {straight:.4g}"
    return True, f"rises nowhere by more than {max(0.0, float(rise[worst])):.1g}"


def _worst(seen: Samples, wrong: Tensor, amount: Tensor) -> int:
    """Return where what is wrong is most so, close to 0 if it can be found there."""
    close = seen.x[: len(wrong)] <= _CLOSE * seen.unit
    looked = wrong & close if bool((wrong & close).any()) else wrong if bool(wrong.any()) else close
    return int(torch.where(looked, amount, -math.inf).argmax())


def _bends(values: Tensor) -> Tensor:
    """How far each difference of neighbours is from the differences beside it."""
    step = values.diff()
    turn = step.diff().abs()
    edge = turn.new_zeros(1)
    return torch.maximum(torch.cat([edge, turn]), torch.cat([turn, edge]))


def _largest_jump(g: Function, x: Tensor, values: Tensor, excess: Tensor) -> tuple[float, float]:
    """Return the largest jump of ``g`` that is left where intervals shrink to neighbouring floats.

    Followed into the 32 intervals of the most excess, and the one next to 0. What a slope as steep
    as any between the places makes of the last interval is no jump.
    """
    chosen = torch.cat([excess.topk(min(32, len(excess))).indices, excess.new_zeros(1).long()])
    low, high = x[chosen], x[chosen + 1]
    rows, step = torch.arange(len(chosen), device="cpu"), low.new_zeros(len(chosen))
    for _ in range(20):
        places = _inside(low, high, 17)
        steps = g(places.flatten()).view(places.shape).diff(dim=1)
        most = (steps - steps.mean(1, keepdim=True)).abs().argmax(1)
        low, high, step = places[rows, most], places[rows, most + 1], steps[rows, most].abs()
    steepest = float((values.diff() / x.diff()).abs().max())
    step = step.nan_to_num() - 4 * steepest * (high - low)
    worst = int(step.argmax())
    return float(step[worst]), float(low[worst])


def _not_the_slope(seen: Samples, x: Tensor, astray: Tensor) -> tuple[float, float]:
    """Return by how much f gains other than its slope adds up to, and where.

    In the 32 intervals where that seems most, looked at in 256 parts; not so far out that these
    would be longer than the scale of x.
    """
    near = astray[: int((x <= 1e3 * seen.unit).sum()) - 1]
    chosen = near.topk(min(32, len(near))).indices
    places = _inside(x[chosen], x[chosen + 1], 257)
    d = seen.slope(places.flatten()).view(places.shape)
    y = seen.f(places[:, [0, -1]].flatten()).view(-1, 2)
    off = (y[:, 1] - y[:, 0] - ((d[:, 1:] + d[:, :-1]) / 2 * places.diff(dim=1)).sum(1)).abs()
    worst = int(off.argmax())
    return float(off[worst]), float(x[chosen[worst]])


def _inside(low: Tensor, high: Tensor, count: int) -> Tensor:
    """Places from ``low`` to ``high``, a row for each."""
    parts = torch.linspace(0, 1, count, dtype=torch.float64, device="cpu")
    return low[:, None] + (high - low)[:, None] * parts


def _end(seen: Samples) -> float | None:
    """Return where f reaches its bound at a finite x, as far as its values tell.

    r = 1 - f / bound falls as a power of x or as exp(-x^q) in a sigmoid: -x r' / r is then some
    dozens at most. Next to an end at c it is n x / (c - x), with r = (1 - x / c)^n.
    """
    small = math.sqrt(seen.eps)
    place = _crossing(seen.f, seen.x, seen.right[: seen.finite], (1 - small) * seen.bound)
    pace = place * _at(seen.slope, place) / (small * seen.bound)
    return place if pace > 0.5 / math.sqrt(small) else None


def _straight(seen: Samples) -> float | None:
    """Return up to where f' stays at f'(0), if it leaves that faster than any power of x.

    1 - f'(x) / f'(0) grows as a power of x in a sigmoid, 300 at most: a hundredfold takes its way.
    """
    gone = 1 - seen.slopes[: seen.differentiable] / seen.slope_at_zero
    small = math.sqrt(seen.eps)

    def left(x: Tensor) -> Tensor:
        return 1 - seen.slope(x) / seen.slope_at_zero

    first, later = (_crossing(left, seen.x, gone, level) for level in (small, 100 * small))
    return first if later < first * 100 ** (1 / 300) else None


def _crossing(g: Function, x: Tensor, values: Tensor, level: float) -> float:
    """Return where ``g`` first rises above a level, else the last place of its values at ``x``."""
    above = (values > level).nonzero()
    if not len(above):
        return float(x[len(values) - 1])
    after = max(1, int(above[0]))
    low, high = float(x[after - 1]), float(x[after])
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _at(g, middle) > level else (middle, high)
    return high


def _run(flags: Tensor, length: int) -> int | None:
    """Return where the first run of so many set flags begins."""
    if len(flags) < length:
        return None
    together = flags.double().unfold(0, length, 1).sum(1)
    found = (together == length).nonzero()
    return int(found[0]) if len(found) else None


def _at(g: Function, x: float) -> float:
    return float(g(torch.tensor([x], dtype=torch.float64, device="cpu")))


PROPERTIES = {
    "odd": odd,
    "bounded": bounded,
    "increasing": increasing,
    "f' falling": falling,
    "smooth": smooth,
}
