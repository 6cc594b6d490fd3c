"""Fills of DTensors: what makes ranks disagree is refused. tests/distributed has several ranks."""

import pytest
import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import (
    Block,
    Stream,
    diagonal_plus_noise_,
    edge_of_chaos_,
    harmonic_,
    isometric_diagonal_,
    looks_linear_,
    lsuv,
    orthogonal_,
    siren_,
    variance_scaling_,
)

RANDOM = {
    variance_scaling_: {},
    orthogonal_: {},
    looks_linear_: {},
    siren_: {},
    edge_of_chaos_: {"activation": "tanh"},
    diagonal_plus_noise_: {"activation": "tanh", "depth": 9},
    isometric_diagonal_: {"activation": "tanh", "depth": 9},
}
every_random_fill = pytest.mark.parametrize("fill", RANDOM, ids=lambda fill: fill.__name__)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """Return what makes a DTensor of a tensor, in a world of one."""
    from torch import distributed

    if not distributed.is_available() or not distributed.is_gloo_available():
        pytest.skip("needs gloo")
    from torch.distributed.tensor import Shard, distribute_tensor

    store = tmp_path_factory.mktemp("gloo") / "store"
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=0, world_size=1)
    mesh = distributed.device_mesh.init_device_mesh("cpu", (1,))
    yield lambda tensor: distribute_tensor(tensor, mesh, [Shard(0)])
    distributed.destroy_process_group()


@every_random_fill
@pytest.mark.parametrize("generator", [None, torch.Generator(), 5], ids=["none", "torch", "number"])
def test_a_random_fill_needs_a_stream(fill, generator, sharded):
    weight = sharded(torch.full((8, 6), 7.0))
    state = torch.get_rng_state()
    with pytest.raises(OptionError, match=r"on a DTensor needs a Stream.*Stream\.named") as caught:
        fill(weight, **RANDOM[fill], generator=generator)
    assert str(caught.value).startswith(fill.__name__)
    assert (weight.to_local() == 7).all()
    assert torch.equal(torch.get_rng_state(), state)


@every_random_fill
def test_a_random_fill_that_is_told_nothing_needs_a_stream(fill, sharded):
    with pytest.raises(OptionError, match="got generator=None"):
        fill(sharded(torch.empty(8, 6)), **RANDOM[fill])


@every_random_fill
def test_a_stream_gives_what_it_gives_a_whole(fill, sharded):
    options = RANDOM[fill] | {"generator": Stream(3)}
    weight = sharded(torch.empty(8, 6))
    assert fill(weight, **options) is weight
    assert torch.equal(weight.to_local(), fill(torch.empty(8, 6), **options))


@pytest.mark.parametrize("fill", [harmonic_, variance_scaling_])
def test_a_block_of_a_dtensor_is_refused(fill, sharded):
    weight = sharded(torch.full((8, 6), 7.0))
    options = {"generator": Stream(3)} if fill in RANDOM else {}
    with pytest.raises(OptionError, match="finds the blocks of a DTensor by itself"):
        fill(weight, **options, block=Block((8, 6), (range(8), range(6))))
    assert (weight.to_local() == 7).all()


def test_a_tensor_given_by_its_name_is_a_dtensor_all_the_same(sharded):
    weight = sharded(torch.empty(8, 6))
    assert harmonic_(tensor=weight, block=None) is weight
    assert torch.equal(weight.to_local(), harmonic_(torch.empty(8, 6)))
    with pytest.raises(OptionError, match="needs a Stream"):
        variance_scaling_(tensor=weight)


def test_lsuv_refuses_dtensors(sharded):
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 8))
    model[1].weight = nn.Parameter(sharded(torch.full((8, 8), 7.0)))
    before = model[0].weight.clone()
    with pytest.raises(OptionError, match=r"lsuv cannot fill '1\.weight', which is a DTensor"):
        lsuv(model, torch.ones(4, 6))
    assert torch.equal(model[0].weight, before)
