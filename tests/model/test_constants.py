"""Numbers that a network keeps in tensors count by their value when its activations are told."""

import pytest
import torch
from torch import nn

import firstlight
from firstlight.model import trace

X = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))


class Sines(nn.Module):
    """A sine network whose frequency stands in ``keep``."""

    def __init__(self, keep):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 1)
        self.keep = keep
        if keep == "buffer":
            self.register_buffer("omega", torch.tensor(30.0))
        elif keep == "parameter":
            self.omega = nn.Parameter(torch.tensor(30.0))
        elif keep == "attribute":
            self.omega = torch.tensor(30.0)

    def forward(self, x):
        omega = torch.tensor(30.0) if self.keep == "made" else self.omega
        return self.last(torch.sin(omega * self.second(torch.sin(omega * self.first(x)))))


@pytest.mark.parametrize("example", [None, X], ids=["fx", "run"])
@pytest.mark.parametrize("keep", ["buffer", "parameter", "attribute", "made"])
def test_a_frequency_in_a_tensor_is_found(keep, example):
    plan = firstlight.plan(Sines(keep), example=example)
    for name in ("first", "second", "last"):
        assert plan[f"{name}.weight"].scheme == "siren"
        assert plan[f"{name}.weight"].options["omega"] == pytest.approx(30)


class Bent(nn.Module):
    """Linear, a function written out by hand, Linear."""

    def __init__(self, bend):
        super().__init__()
        self.first, self.last, self.bend = nn.Linear(2, 8), nn.Linear(8, 1), bend

    def forward(self, x):
        return self.last(self.bend(self.first(x)))


@pytest.mark.parametrize("example", [None, X], ids=["fx", "run"])
@pytest.mark.parametrize(
    ("bend", "name"),
    [
        (lambda x: torch.maximum(x, torch.zeros(())), "relu"),
        (lambda x: torch.where(x > 0, x, torch.zeros(())), "relu"),
        (lambda x: x * (x > 0), "relu"),
        (lambda x: torch.where(x > 0.5, x, 0.2 * x), None),
        (lambda x: torch.minimum(x, torch.full((), 2.5)), None),
    ],
)
def test_a_bend_written_out_is_what_it_computes(bend, name, example):
    site = trace(Bent(bend), example).facts["first.weight"].after
    assert (site.name == name) == (name is not None)
    x = torch.linspace(-3, 3, 25, dtype=torch.float64)
    torch.testing.assert_close(site.function(x), bend(x).double(), check_dtype=False)
