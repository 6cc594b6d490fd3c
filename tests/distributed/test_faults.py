"""Ranks that die, meshes and names that change: errors in words, and no weights half written."""

import pytest
import ranks
import torch
from parallel import emptied, on_meta

import firstlight


def test_each_fault_is_refused_in_words_and_leaves_the_weights_as_they_were(tmp_path):
    ranks.run("bodies_faults:everything", 4, tmp_path)


def test_a_rank_that_dies_keeps_no_other_from_its_start(tmp_path):
    codes, said = ranks.start("bodies_faults:dying", 3, tmp_path)
    assert codes == [0, 9, 0], said
    one = emptied(on_meta())
    firstlight.initialize(one, "he_normal", empty=True, exclude=["angles"])
    for name, parameter in one.named_parameters():
        parts = parameter.detach().chunk(3)
        for rank in (0, 2):
            held = torch.load(tmp_path / f"held-{rank}.pt")[name]
            assert torch.equal(held, parts[rank]), name


@pytest.mark.parametrize("world", [2, 3])
def test_a_checkpoint_of_another_world_holds_what_a_start_gives_here(world, tmp_path):
    ranks.run("bodies_faults:saved", 4, tmp_path)
    ranks.run("bodies_faults:loaded", world, tmp_path)
