"""The hash encoding against one place, one level and one corner at a time."""

from itertools import product

import pytest
import torch
from network_cases import Known

from firstlight.errors import OptionError
from firstlight.fields.networks.hash_encoding import HashEncoding
from firstlight.fields.networks.hash_grid import HashGrid

PRIMES = (1, 2654435761, 805459861, 3674653429)


def row_of(corner, cells, rows):
    """A grid point's row as the paper has it, in unsigned numbers of 32 bits."""
    if (cells + 1) ** len(corner) <= rows:
        return sum(each * (cells + 1) ** axis for axis, each in enumerate(corner))
    mixed = 0
    for each, prime in zip(corner, PRIMES, strict=False):
        mixed ^= (each * prime) % 2**32
    return mixed % rows


def slow(encoding, place):
    table, rows = encoding.table.detach().double(), encoding.rows
    start, found = 0, []
    for cells in encoding.resolutions:
        where = [min(max((x + 1) / 2, 0), 1) * cells for x in place]
        cell = [min(int(each), cells - 1) for each in where]
        total = torch.zeros(table.shape[1], dtype=torch.float64)
        for corner in product((0, 1), repeat=len(place)):
            weight = 1.0
            for each, low, up in zip(where, cell, corner, strict=True):
                weight *= each - low if up else 1 - (each - low)
            point = [low + up for low, up in zip(cell, corner, strict=True)]
            total += weight * table[start + row_of(point, cells, rows)]
        found.append(total)
        start += min((cells + 1) ** len(place), rows)
    assert start == len(table)
    return torch.cat(found)


def made(inputs, resolutions, rows, features=2):
    encoding = HashEncoding(inputs, resolutions, features, rows).to_empty(device="cpu")
    encoding.reset()
    torch.nn.init.normal_(encoding.table, generator=torch.Generator().manual_seed(0))
    return encoding


EDGES = (-1.0, 1.0, 0.0, -0.5, 0.999999, 1.5, -3.0)


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("resolutions", "rows"),
    [((1, 2, 3, 5), 2**16), ((3, 4, 7, 200), 2**6), ((16, 33, 70), 2**4), ((1, 1), 2)],
)
def test_encoding_is_the_papers(inputs, resolutions, rows):
    encoding = made(inputs, resolutions, rows)
    random = torch.rand(20, inputs, generator=torch.Generator().manual_seed(3)) * 2 - 1
    edges = torch.tensor([[edge] * inputs for edge in EDGES])
    places = torch.cat((random, edges))
    wanted = torch.stack([slow(encoding, place) for place in places.double().tolist()])
    assert torch.allclose(encoding(places).detach().double(), wanted, atol=2e-4)


def test_dense_levels_come_first_and_hold_every_point_once():
    encoding = made(2, (3, 7, 8), 64)
    assert encoding.dense == 2
    assert encoding.sizes == [16, 64, 64]
    corners = torch.cartesian_prod(*[torch.linspace(-1, 1, 8)] * 2)
    level = encoding(corners)[:, 2:4].detach()
    assert torch.allclose(level[level[:, 0].argsort()], _sorted(encoding.table[16:80]), atol=1e-5)


def _sorted(rows):
    rows = rows.detach()
    return rows[rows[:, 0].argsort()]


def test_gradients_reach_only_the_rows_of_the_cell():
    encoding = made(2, (4,), 1024)
    place = torch.tensor([[-0.9, -0.9]], requires_grad=True)
    encoding(place).sum().backward()
    touched = encoding.table.grad.abs().sum(1).nonzero().flatten().tolist()
    assert touched == [0, 1, 5, 6]
    assert encoding.table.grad.sum().item() == pytest.approx(2, abs=1e-6)
    assert place.grad.abs().max() > 0


def test_resolutions_grow_geometrically_from_base_to_finest():
    network = HashGrid(finest=2048)
    found = network.resolutions()
    assert found[0] == 16
    assert found[-1] == 2048
    growth = (2048 / 16) ** (1 / 15)
    assert found == [int(16 * growth**level + 1e-9) for level in range(16)]
    assert HashGrid(levels=1, finest=99).resolutions() == [16]


@pytest.mark.parametrize(
    ("spacing", "finest"), [((2 / 512, 2 / 768), 768), ((0.5, 0.5), 16), ((1e-9,), 2**22)]
)
def test_finest_grid_has_a_cell_for_each_sample(spacing, finest):
    assert HashGrid().resolved(Known(spacing=spacing)).finest == finest
    assert HashGrid(finest=50).resolved(Known(spacing=spacing)).finest == 50


def test_finest_below_base_is_refused():
    with pytest.raises(OptionError, match="finest must be a whole number from 32"):
        HashGrid(base=32, finest=31)


def test_tables_beyond_memory_are_refused_without_being_made():
    forged = HashGrid(levels=64, features=64, log2_table=28, base=2**20, finest=2**22)
    assert forged.parameters(3, 1) > 2**39
    with pytest.raises(OptionError, match="2\\^30"):
        forged.build(3, 1)


def test_hash_grid_fits_an_edge():
    network = HashGrid(levels=6, log2_table=12, width=16).resolved(Known(spacing=(2 / 32, 2 / 32)))
    module = network.build(2, 1, seed=0)
    axis = (torch.arange(32) + 0.5) / 16 - 1
    x = torch.cartesian_prod(axis, axis)
    y = (x[:, :1] + 0.3 * x[:, 1:] > 0).float() * 2 - 1
    optimizer = torch.optim.Adam(module.parameters(), 1e-2, eps=1e-15)
    for _ in range(60):
        optimizer.zero_grad()
        loss = (module(x) - y).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01
