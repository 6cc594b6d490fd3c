import pytest
import torch

from firstlight.comparison.optimizers import build, parse
from firstlight.errors import OptionError


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("sgd", lambda p: torch.optim.SGD(p, 1e-3, weight_decay=1e-3)),
        (
            "sgd:momentum=0.9:nesterov=True",
            lambda p: torch.optim.SGD(p, 1e-3, 0.9, weight_decay=1e-3, nesterov=True),
        ),
        ("adam", lambda p: torch.optim.Adam(p, 1e-3, weight_decay=1e-3)),
        ("adamw:beta2=0.9", lambda p: torch.optim.AdamW(p, 1e-3, (0.9, 0.9), weight_decay=1e-3)),
    ],
)
def test_steps_are_those_of_the_plain_optimizer(text, plain):
    weights = []
    for make in (lambda p: build(text, p), plain):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 12))
        optimizer = make([weight])
        for _ in range(20):
            optimizer.zero_grad()
            (weight.sin() ** 2).sum().backward()
            optimizer.step()
        weights.append(weight.detach())
    torch.testing.assert_close(*weights)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lion", "optimizer must be one of sgd, adam, adamw; got 'lion'"),
        ("adam:momentum=0.9", "option of optimizer 'adam' must be one of beta1, beta2, eps"),
        ("sgd:momentum=high", "momentum must be a number, got 'high'"),
        ("sgd:momentum=-1", "Invalid momentum value"),
        ("sgd:nesterov=True", "Nesterov momentum requires"),
        ("adamw:beta1=[]", "adamw:beta1"),
        ("adamw:eps=True", "eps must be a number, got 'True'"),
        ("sgd:momentum=1e999", "momentum must be a number, got '1e999'"),
        ("sgd:momentum=nan", "momentum must be a number, got 'nan'"),
        ("sgd:momentum", "momentum must be a number, got ''"),
        ("sgd:momentum=0.9:nesterov=1", "nesterov must be one of True, False; got '1'"),
        ("sgd:momentum=0.9:momentum=0.5", "momentum is given twice"),
    ],
)
def test_what_an_optimizer_does_not_take_is_refused(text, message):
    with pytest.raises(OptionError, match=message):
        build(text, [torch.nn.Parameter(torch.zeros(2))])


def test_options_are_read():
    assert parse("adam:eps=1e-6") == ("adam", {"eps": 1e-6})
