"""Faults of the weights themselves."""

import math

import torch
from torch import nn

from firstlight.init import sinusoidal_

from .fault import Fault, Finding, Planted, names

BASIC = names("mlp resnet transformer")


def fill(role: str, value: float):
    def plant(at: Planted) -> None:
        at[role].fill_(value)

    return plant


def first_entry(role: str, value: float):
    def plant(at: Planted) -> None:
        at[role].view(-1)[0] = value

    return plant


def rows_alike(at: Planted) -> None:
    at["inner"].copy_(at["inner"][:1].expand_as(at["inner"]).clone())


def some_twins(at: Planted) -> None:
    rows = at["inner"]
    count = math.ceil(0.1 * len(rows))
    rows[-count:] = -rows[:count]


def rank_one(at: Planted) -> None:
    matrix = at["inner"].view(len(at["inner"]), -1)
    matrix.copy_(torch.outer(matrix[:, 0], matrix[0]) / matrix[0, 0])


def half_the_rank(at: Planted) -> None:
    matrix = at["inner"].view(len(at["inner"]), -1)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values[len(values) // 2 :] = 0
    matrix.copy_(left * values @ right)


def two_rows_zero(at: Planted) -> None:
    at["inner"][:2] = 0


def most_rows_zero(at: Planted) -> None:
    at["inner"][: len(at["inner"]) * 3 // 4] = 0


def blind(at: Planted) -> None:
    at["inner"][:, 3] = 0


def copied(sign: float):
    def plant(at: Planted) -> None:
        at["other"].copy_(sign * at["inner"])

    return plant


def paper_exact(role: str):
    def plant(at: Planted) -> None:
        sinusoidal_(at[role])

    return plant


def frozen(at: Planted) -> None:
    at.model.get_parameter(at.names["inner"]).requires_grad_(False)


def normal(role: str, std: float):
    def plant(at: Planted) -> None:
        nn.init.normal_(at[role], std=std, generator=torch.Generator().manual_seed(3))

    return plant


FAULTS = (
    Fault(
        "a NaN among the weights", BASIC, first_entry("inner", math.nan),
        (Finding("weights are numbers", "failure", "inner"),),
    ),
    Fault(
        "an infinite weight", BASIC, first_entry("inner", math.inf),
        (Finding("weights are numbers", "failure", "inner"),),
    ),
    Fault(
        "a NaN in a bias", BASIC, first_entry("shift", math.nan),
        (Finding("weights are numbers", "failure", "shift"),),
    ),
    Fault(
        "an inner layer of zeros", BASIC, fill("inner", 0.0),
        (Finding("zero weights", "failure", "inner"),),
    ),
    Fault(
        "a layer of one constant", BASIC, fill("inner", 0.01),
        (
            Finding("twin rows", "failure", "inner"), Finding("constant rows", "warning", "inner"),
            Finding("rank", "failure", "inner"),
        ),
        mends=3,
    ),
    Fault(
        "a layer whose rows are one", BASIC, rows_alike,
        (Finding("twin rows", "failure", "inner"), Finding("rank", "failure", "inner")), mends=2,
    ),
    Fault("some twins", BASIC, some_twins, (Finding("twin rows", "warning", "inner"),)),
    Fault("rank one", BASIC, rank_one, (Finding("rank", "failure", "inner"),)),
    Fault("half the rank", BASIC, half_the_rank, (Finding("rank", "failure", "inner"),)),
    Fault("two rows of zeros", BASIC, two_rows_zero, (Finding("zero rows", "warning", "inner"),)),
    Fault(
        "most rows of zeros", BASIC, most_rows_zero,
        (Finding("zero rows", "failure", "inner"),),
    ),
    Fault("a blind input", BASIC, blind, (Finding("blind inputs", "warning", "inner"),)),
    Fault(
        "two layers that are one", BASIC, copied(1.0),
        (
            Finding("identical layers", "warning", "inner", among=True),
            Finding("identical layers", "warning", "other", among=True),
        ),
    ),
    Fault(
        "a layer that is another's negative", BASIC, copied(-1.0),
        (Finding("identical layers", "warning", "inner", among=True),),
    ),
    Fault(
        "sinusoidal on 768 x 768", names("wide_mlp wide_attention wide_convolutions"),
        paper_exact("square"),
        (
            Finding("rank", "failure", "square"), Finding("twin rows", "failure", "square"),
            Finding("zero rows", "warning", "square"),
        ),
        mends=3,
    ),
    Fault(
        "sinusoidal on 256 x 64", names("mlp bottleneck transformer vit"), paper_exact("expansion"),
        (
            Finding("zero rows", "warning", "expansion"),
            Finding("constant rows", "warning", "expansion"),
            Finding("twin rows", "failure", "expansion"),
        ),
        mends=3,
    ),
    Fault(
        "a frozen random layer", BASIC, frozen,
        (Finding("frozen random layers", "warning", "inner"),),
    ),
    Fault(
        "an embedding at 1 beside one at 0.02", names("transformer tabular tanh_transformer"),
        lambda at: (normal("table", 1.0)(at), normal("positions", 0.02)(at)),
        (Finding("embedding scales", "failure", "table"),),
    ),
    Fault(
        "positions that drown the tokens", names("transformer tabular tanh_transformer"),
        lambda at: (normal("table", 0.02)(at), normal("positions", 0.4)(at)),
        (Finding("embedding scales", "warning", "positions"),),
    ),
)  # fmt: skip
