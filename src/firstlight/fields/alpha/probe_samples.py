"""Pieces of a signal's training samples as a small signal of its own, a part of it held out.

What lies between training samples is unknown before a fit. Signals look alike at neighbouring
scales, so some training samples stand for what lies between: the pieces are drawn together until
those that are left are as near to each other as all training samples are.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from firstlight.fields.alpha.windows import trained, window_cells, windows
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.places import Scattered
from firstlight.fields.signals.samples import Samples, Span
from firstlight.fields.signals.signal import Signal

#: Training samples along each axis of a window, and the margin inside which none is held out, by
#: number of axes that have more than one.
_WINDOWS = {1: (128, 16), 2: (24, 3), 3: (10, 2), 4: (6, 1)}
#: Scattered samples that lie together, and the part of them that is held out.
_NEIGHBOURS, _HELD_OUT = 512, 1 / 3
#: Samples that are fitted, and at most a quarter of all, so that a probe's step costs less.
_MOST = 1024
#: Scattered samples that neighbourhoods are taken from.
_CANDIDATES = 2**20
#: Places whose neighbourhoods are tried.
_TRIED = 64
#: Fewer than these tell nothing.
_LEAST = 64


class ProbeSamples(NamedTuple):
    """Samples to fit and samples to judge by.

    Attributes:
        fitted: a lattice's every second, or most of the scattered ones.
        held_out: others among them.
        lattice: whether they are of a lattice.
    """

    fitted: Samples
    held_out: Samples
    lattice: bool


class _Piece(NamedTuple):
    """Numbers of the places that are fitted and held out, and how near they are drawn."""

    fitted: Tensor
    held_out: Tensor
    contraction: float


def probe_samples(signal: Signal, seed: int = 0) -> ProbeSamples | None:
    """Pieces of a signal's training samples, drawn together; None where there are too few.

    On a lattice every second sample is held out, like the black squares of a chess-board, and the
    others are again a lattice; of scattered samples a third is held out, at random.

        x -> c + s (x - c),  s = (share that is fitted)^(1 / axes),  c the middle of the piece

    Args:
        signal: what is to be fitted; nothing that it holds out is looked at.
        seed: of random choices.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> fitted, held_out, lattice = probe_samples(read_image(np.zeros((64, 64), np.uint8)))
        >>> len(fitted), len(held_out), lattice
        (1152, 648, True)
    """
    count = min(_MOST, len(signal.train) / 4)
    if isinstance(signal, Gridded) and (signal.every > 1 or signal.train.chosen is None):
        pieces, lattice = _of_lattice(signal, count, seed), True
    else:
        pieces, lattice = _of_scattered(signal, count, seed), False
    fitted = sum(len(piece.fitted) for piece in pieces)
    held_out = sum(len(piece.held_out) for piece in pieces)
    if min(fitted, held_out) < _LEAST:
        return None
    return ProbeSamples(
        _together(signal.train, [(piece.fitted, piece) for piece in pieces]),
        _together(signal.train, [(piece.held_out, piece) for piece in pieces]),
        lattice,
    )


def _together(samples: Samples, chosen: list[tuple[Tensor, _Piece]]) -> Samples:
    """The places with these numbers, each drawn to the middle of its piece."""
    places, numbers = [], torch.cat([each for each, _ in chosen])
    for each, piece in chosen:
        middle = samples.places.at(torch.cat(piece[:2])).mean(0)
        places.append(middle + piece.contraction * (samples.places.at(each) - middle))
    values = samples.span.scaled(samples.values[numbers.to(samples.device)]).cpu()
    weights = samples.weights
    if weights is not None:
        weights = weights[numbers.to(samples.device)].cpu()
    return Samples(Scattered(torch.cat(places).cpu()), values, Span(-1, 1), weights)


def _of_lattice(signal: Gridded, count: float, seed: int) -> list[_Piece]:
    """Windows of the trained lattice."""
    sides = [len(range(0, side, signal.every)) for side in signal.shape]
    axes = max(1, sum(side > 1 for side in sides))
    most, edge = _WINDOWS[min(axes, 4)]
    window = [min(most, side) for side in sides]
    local, inner = window_cells(window, edge)
    odd = local.sum(1) % 2 == 1
    pieces = []
    for corner in windows(signal, sides, window, max(1, round(count / (~odd).sum())), seed):
        cells = (corner + local).T * signal.every
        numbers = torch.from_numpy(np.ravel_multi_index(tuple(cells), signal.shape))
        there = trained(signal.train, numbers)
        kept, asked = (numbers[there & torch.from_numpy(each)] for each in (~odd, odd & inner))
        pieces.append(_Piece(kept, asked, 2 ** (-1 / axes)))
    return pieces


def _of_scattered(signal: Signal, count: float, seed: int) -> list[_Piece]:
    """The neighbourhoods of some samples; the outer half of each is never held out."""
    samples, generator = signal.train, torch.Generator().manual_seed(seed)
    size = min(_NEIGHBOURS, len(samples))
    order = torch.randperm(len(samples), generator=generator)[:_CANDIDATES]
    numbers = order if samples.chosen is None else samples.chosen.cpu()[order].long()
    places = samples.places.at(numbers.to(samples.device)).cpu()
    axes = sum(side > 1 for side in signal.shape) if isinstance(signal, Gridded) else signal.inputs
    pieces: list[_Piece] = []
    balls: list[tuple[Tensor, float]] = []
    share = (1 - _HELD_OUT) * len(order) / len(samples)
    for middle in places[:_TRIED]:
        if (1 - _HELD_OUT) * size * len(pieces) >= count:
            break
        near = (places - middle).square().sum(1).topk(size, largest=False)
        radius = float(near.values[-1].sqrt())
        # pieces that overlap would be drawn into each other
        if any(float((middle - other).norm()) < radius + far for other, far in balls):
            continue
        balls.append((middle, radius))
        held_out = torch.rand(size, generator=generator) < _HELD_OUT
        asked = near.indices[: size // 2][held_out[: size // 2]]
        fitted = near.indices[~held_out]
        pieces.append(_Piece(numbers[fitted], numbers[asked], share ** (1 / axes)))
    return pieces
