"""Weights that are tied when they are planned and untied by ``to_empty`` start as one weight."""

import pytest
import ranks
import torch
from sharded import garbage, same
from torch import nn

import firstlight


class Tied(nn.Module):
    """An embedding and a head of one weight, registered in either order."""

    def __init__(self, first):
        super().__init__()
        if first == "head":
            self.head = nn.Linear(6, 10, bias=False)
        self.embed = nn.Embedding(10, 6, padding_idx=3)
        self.body = nn.Linear(6, 6)
        if first == "embed":
            self.head = nn.Linear(6, 10, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        return self.head(self.body(self.embed(tokens)))


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("scheme", ["auto", "harmonic"])
@pytest.mark.parametrize("first", ["embed", "head"])
def test_both_start_as_an_embedding_of_the_first_name_would(first, scheme, again):
    with torch.device("meta"):
        model = Tied(first)
    plan = firstlight.plan(model, scheme, seed=3)
    garbage(model.to_empty(device="cpu"))
    assert model.head.weight is not model.embed.weight
    if again:
        model.head.weight = model.embed.weight
    plan.apply(model)
    lone = nn.ModuleDict({first: nn.Embedding(10, 6, padding_idx=3)})
    table = firstlight.initialize(lone, empty=True, seed=3)[first].weight
    assert same(model.embed.weight, table)
    assert same(model.head.weight, table)


def test_tied_models_that_are_sharded_or_cut_into_stages_start_as_whole_ones(tmp_path):
    ranks.run("bodies_tied:everything", 4, tmp_path)
