"""The machinery of checks, and what single ones must tell apart."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

import firstlight
from firstlight.auditing.attention import attention_entropy
from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.checks.output import heads
from firstlight.auditing.flat import flat
from firstlight.auditing.rank import rank
from firstlight.init import harmonic_, sinusoidal_
from firstlight.model import trace


def check(values, **options) -> Check:
    found = [Found(f"layer {i}", value, (f"layer {i}.weight",)) for i, value in enumerate(values)]
    said = {"fault": "{where}: {number}", "fine": "{number}", "advice": "call({only}) {names}"}
    row = {"name": "it", "warning": 1, "failure": 10, "source": "s", **said, **options}
    return Check(values=lambda _audit, _trace: found, **row)


def test_the_worst_layer_comes_first_and_both_levels_are_told():
    failure, warning = check([2.0, 11.0, 0.5, 12.0]).verdicts(None, None)
    assert (failure.level, failure.where, failure.number) == ("failure", ("layer 3", "layer 1"), 12)
    assert (warning.level, warning.where, warning.number) == ("warning", ("layer 0",), 2)
    assert failure.message == "layer 3: 12 (and 1 more)"


def test_the_first_layer_comes_first_where_what_is_wrong_goes_on():
    (failure,) = check([0.5, 11.0, 12.0], in_order=True).verdicts(None, None)
    assert failure.where == ("layer 1", "layer 2")


def test_smaller_values_can_be_worse():
    (failure,) = check([5.0, 0.1, 3.0], smaller=True, warning=1, failure=0.2).verdicts(None, None)
    assert failure.where == ("layer 1",)
    (fine,) = check([5.0, 3.0], smaller=True, warning=1, failure=0.2).verdicts(None, None)
    assert (fine.level, fine.number) == ("ok", 3.0)


def test_nothing_is_said_of_what_was_not_measured():
    assert check([]).verdicts(None, None) == []
    assert check([math.nan]).verdicts(None, None) == []


def test_an_advice_lists_a_few_layers_and_means_all_where_they_are_many():
    (few,) = check([11.0, 12.0]).verdicts(None, None)
    assert "include=['layer 1.weight', 'layer 0.weight']" in few.advice
    (many,) = check([11.0] * 9).verdicts(None, None)
    assert "include" not in many.advice
    assert "'layer 8.weight'" in many.advice  # where the list itself is asked for


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        ("relu", 0.0, math.inf),
        (torch.exp, -4.0, math.inf),  # its slope has no bound above
        (torch.square, -math.inf, math.inf),
        (lambda x: functional.relu(x - 5), 5.0, math.inf),
    ],
)
def test_where_an_activation_is_flat(function, low, high):
    found = flat(function, 1e-3)
    assert found.low == pytest.approx(low, abs=2.5)
    assert found.high == high


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [64, 300])
def test_rank_in_sixteen_bits_counts_above_rounding(dtype, size):
    generator = torch.Generator().manual_seed(0)
    square = torch.randn(size, size, generator=generator)
    low = square[:, :8] @ square[:8]
    assert rank(square.to(dtype)).rank >= 0.98 * size
    assert rank(low.to(dtype)).rank == 8
    assert rank(sinusoidal_(torch.empty(size, size)).to(dtype)).rank == size // 2 - 1
    assert rank(harmonic_(torch.empty(size, size)).to(dtype)).rank == size - 2


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_rank_knows_no_scale(factor):
    square = torch.randn(40, 40, generator=torch.Generator().manual_seed(0))
    found, plain = rank(factor * square), rank(square)
    assert found.rank == plain.rank == 40
    assert found.condition == pytest.approx(plain.condition, rel=1e-3)


def entropy(probabilities: torch.Tensor) -> float:
    return attention_entropy("softmax", (), {}, probabilities, "here").entropy


def test_attention_is_judged_by_the_places_that_a_mask_leaves():
    scores = torch.zeros(2, 4, 6, 6)
    hidden = torch.ones(6, 6).triu(1).bool()
    assert entropy(scores.softmax(-1)) == pytest.approx(1.0)
    assert entropy(scores.masked_fill(hidden, -math.inf).softmax(-1)) == pytest.approx(1.0)


def test_attention_at_one_place_is_no_mask():
    scores = 1e4 * torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    assert entropy(scores.softmax(-1)) < 1e-3
    assert attention_entropy("softmax", (), {}, torch.ones(2, 4, 6, 1), "here") is None


@pytest.mark.parametrize("causal", [False, True])
def test_torchs_attention_layer_is_looked_into(causal):
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(16, 2, batch_first=True)
    x, mask = torch.randn(3, 5, 16), torch.ones(5, 5).triu(1).bool() if causal else None
    with torch.no_grad():
        weights = layer(x, x, x, attn_mask=mask, average_attn_weights=False)[1]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = layer

        def forward(self, x):
            return self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]

    (found,) = firstlight.audit(Model(), x).attentions
    assert found.path == "attention"
    assert found.entropy == pytest.approx(entropy(weights), abs=1e-5)


def test_the_head_is_found_where_it_is_tied_and_where_there_are_two():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(9, 8)
            self.body, self.second = nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x):
            y = self.body(self.tokens(x)).relu()
            return y @ self.tokens.weight.T, self.second(y)

    model, x = Two(), torch.randint(9, (4, 5))
    assert set(heads(firstlight.audit(model, x), trace(model, x))) == {
        "tokens.weight",
        "second.weight",
    }


def test_a_norm_of_zeros_may_close_a_branch():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.norm = nn.Linear(32, 32), nn.LayerNorm(32)
            nn.init.zeros_(self.norm.weight)

        def forward(self, x):
            return x + self.norm(self.inner(x).relu())

    x = torch.randn(16, 32)
    for model, level in (
        (Branch(), "ok"),
        (nn.Sequential(Branch().norm, nn.Linear(32, 4)), "failure"),
    ):
        found = [v for v in firstlight.audit(model, x).verdicts if v.check == "zero norms"]
        assert [v.level for v in found] == [level]


def test_a_norm_written_by_hand_is_no_activation():
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.head = nn.Linear(8, 32), nn.Linear(32, 4)

        def forward(self, x):
            y = self.inner(x)
            return self.head((y / y.pow(2).mean(-1, keepdim=True).sqrt()).relu())

    found = firstlight.audit(ByHand(), torch.randn(16, 8)).activations
    assert "relu" in [one.activation for one in found]
    assert "pow" not in [one.activation for one in found]
