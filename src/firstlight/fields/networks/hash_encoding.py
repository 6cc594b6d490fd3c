"""The tables of a multiresolution hash grid (arXiv 2201.05989), all levels at once."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

#: One factor for each coordinate; the first is 1 for the sake of neighbours in memory.
_PRIMES = (1, 2654435761, 805459861, 3674653429)


class HashEncoding(nn.Module):
    """Features of places in [-1, 1]^d, d-linear between the points of several grids.

    All tables lie in one, level after level. A level whose points all fit has a row for each of
    them; the others share rows by a hash. Places outside are taken for the nearest inside.

    Attributes:
        table: (rows of all levels, features).
    """

    resolution: Tensor
    factor: Tensor
    offset: Tensor

    def __init__(self, inputs: int, resolutions: Sequence[int], features: int, rows: int) -> None:
        super().__init__()
        self.inputs, self.resolutions, self.rows = inputs, list(resolutions), rows
        points = [(cells + 1) ** inputs for cells in resolutions]
        #: Levels with a row for each point; they come first, as points never get fewer.
        self.dense = sum(count <= rows for count in points)
        self.sizes = [min(count, rows) for count in points]
        levels = len(self.resolutions)
        self.table = nn.Parameter(torch.empty(sum(self.sizes), features, device="meta"))
        for name, shape, kind in (
            ("resolution", (levels,), torch.float32),
            ("factor", (inputs, levels), torch.int64),
            ("offset", (levels,), torch.int64),
        ):
            blank = torch.empty(shape, dtype=kind, device="meta")
            self.register_buffer(name, blank, persistent=False)

    def reset(self) -> None:
        """Write what follows from the resolutions, once there is memory for it."""
        cells = torch.tensor(self.resolutions)
        self.resolution.copy_(cells)
        for axis in range(self.inputs):
            self.factor[axis, : self.dense] = (cells[: self.dense] + 1) ** axis
            self.factor[axis, self.dense :] = _PRIMES[axis]
        sizes = torch.tensor([0, *self.sizes[:-1]])
        self.offset.copy_(sizes.cumsum(0))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) to (n, levels * features)."""
        place = ((x + 1) / 2).clamp(0, 1)[:, :, None] * self.resolution
        # a place on the far edge belongs to the last cell
        cell = torch.minimum(place.detach().floor(), self.resolution - 1)
        share = place - cell
        low = cell.long() * self.factor
        near, far = low, low + self.factor
        rows, weights = self._corners(near, far, share)
        # twice as fast to train as ``embedding``, whose backward pass sorts
        found = self.table.index_select(0, rows.flatten()).view(*rows.shape, -1)
        return torch.einsum("nlc,nlcf->nlf", weights, found).flatten(1)

    def _corners(self, near: Tensor, far: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """Rows and weights of the 2^d corners of each cell: (n, levels, corners)."""
        terms = torch.stack((near, far), -1)
        shares = torch.stack((1 - share, share), -1)
        rows, weights = terms[:, 0], shares[:, 0]
        dense, hashed = rows[:, : self.dense], rows[:, self.dense :]
        for axis in range(1, self.inputs):
            term = terms[:, axis, :, None, :]
            dense = (dense[..., None] + term[:, : self.dense]).flatten(2)
            hashed = (hashed[..., None] ^ term[:, self.dense :]).flatten(2)
            weights = (weights[..., None] * shares[:, axis, :, None, :]).flatten(2)
        rows = torch.cat((dense, hashed % self.rows), 1)
        return rows + self.offset[:, None], weights
