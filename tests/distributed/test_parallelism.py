"""Models that are spread over ranks start as on one device, and nothing is sent."""

import pytest
import ranks


@pytest.mark.parametrize("world", [4, 3, 2, 1])
def test_fsdp_and_tensor_parallelism_on_every_mesh(world, tmp_path):
    ranks.run("bodies_parallel:meshes", world, tmp_path)


def test_hybrid_offloaded_uneven_staged_replicated_and_trained_models(tmp_path):
    ranks.run("bodies_parallel:everything", 4, tmp_path)


def test_shards_that_hold_nothing_on_three_ranks(tmp_path):
    ranks.run("bodies_parallel:uneven", 3, tmp_path)
