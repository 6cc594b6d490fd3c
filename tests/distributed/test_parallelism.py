"""Models that are spread over ranks start as on one device, and nothing is sent."""

import pytest
import ranks
import torch
from torch import nn

import firstlight
from firstlight.init import SCHEMES, Stream, variance_scaling_


@pytest.mark.parametrize("world", [4, 3, 2, 1])
def test_fsdp_and_tensor_parallelism_on_every_mesh(world, tmp_path):
    ranks.run("bodies_parallel:meshes", world, tmp_path)


def test_hybrid_offloaded_uneven_staged_replicated_and_trained_models(tmp_path):
    ranks.run("bodies_parallel:everything", 4, tmp_path)


def test_shards_that_hold_nothing_on_three_ranks(tmp_path):
    ranks.run("bodies_parallel:uneven", 3, tmp_path)


def test_parameters_that_a_forward_has_gathered_are_sharded_again_and_started(tmp_path):
    ranks.run("bodies_parallel:gathered", 2, tmp_path)


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_memory_that_was_filled_can_be_freed_as_fsdp_frees_it(scheme):
    """NumPy's views of it would hold it: they must be of copies."""
    chosen = SCHEMES[scheme]
    model, options = nn.Linear(6, 4), dict.fromkeys(chosen.required | chosen.traced, "tanh")
    example = torch.randn(8, 6) if SCHEMES[scheme].data_driven else None
    firstlight.initialize(model, scheme, example=example, **options)
    assert all(parameter.untyped_storage().resizable() for parameter in model.parameters())


def test_memory_that_a_draw_has_filled_by_itself_can_be_freed():
    weight = nn.Linear(6, 4).weight
    variance_scaling_(weight, gain="relu", generator=Stream.named(0, "weight"))
    assert weight.untyped_storage().resizable()
