"""Networks in one word: every field of every family, and what is wrong with a word."""

from dataclasses import fields, replace

import pytest

from firstlight.errors import OptionError
from firstlight.fields.network_text import parse_network
from firstlight.fields.networks.families import FAMILIES
from firstlight.fields.networks.finer import Finer
from firstlight.fields.networks.sine import Sine


@pytest.mark.parametrize("name", FAMILIES)
def test_every_field_of_every_family_can_be_written_and_read_back(name):
    network = replace(FAMILIES[name](), alpha=(1.25,) * (FAMILIES[name]().depth - 1))
    values = {field.name: getattr(network, field.name) for field in fields(network)}
    words = {
        key: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for key, value in values.items()
    }
    for break_ in ":,":
        text = break_.join([name, *(f"{key}={word}" for key, word in words.items())])
        assert parse_network(text) == network
    assert parse_network(name, words) == network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("sine", Sine()),
        ("sine:alpha=1.5,omega_0=60", Sine(alpha=1.5, omega_0=60.0)),
        ("sine:alpha=auto:omega_0=nyquist", Sine(omega_0="nyquist")),
        ("sine: depth=3 : alpha=(2, 1.5)", Sine(depth=3, alpha=(2.0, 1.5))),
        ("sine:depth=2:alpha=(2,)", Sine(depth=2, alpha=(2.0,))),
        (
            "sine:noise=5,0.4:start=winner:alpha=1",
            Sine(noise=(5.0, 0.4), start="winner", alpha=1.0),
        ),
        ("sine:start=vi3nr", Sine(start="vi3nr", alpha=1.0)),
        ("sine:alpha=none", Sine()),
        ("sine:start=gradient_control:alpha=auto", Sine(start="gradient_control", alpha="auto")),
        ("finer:k=none:through_period=TRUE", Finer(through_period=True)),
    ],
)
def test_a_word_is_a_network(text, network):
    assert parse_network(text) == network


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "network must be one of sine, tuner"),
        ("siren", "got 'siren'"),
        ("sine:", "must read option=value; got ''"),
        ("sine:3", "must read option=value; got '3'"),
        ("sine:foo=1", "sine has width, depth"),
        ("sine:alpha=1:alpha=2", "option 'alpha' is given twice"),
        ("sine:width=2.5", "sine's width must be a whole number, got '2.5'"),
        ("sine:width=", "got ''"),
        ("sine:width=0", "width must be a whole number from 1"),
        ("sine:alpha=1,,2", "alpha, where it is no number"),
        ("sine:alpha=1,2", "one for each of 4 layers"),
        ("sine:alpha=nan", "alpha must be a finite number"),
        ("sine:start=winner:alpha=auto", "alpha cannot be chosen for 'sine:start=winner"),
        ("gauss:alpha=auto", "must be a number or numbers separated by commas, got 'auto'"),
        ("finer:through_period=yes", "must be true or false, got 'yes'"),
        ("finer:k=few", "finer's k must be a number or none, got 'few'"),
        ("tuner:bounds=1,2,x", "must be numbers separated by commas, got '1,2,x'"),
    ],
)
def test_what_is_wrong_with_a_word_is_said(text, message):
    with pytest.raises(OptionError) as caught:
        parse_network(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_option_in_two_places_is_an_error():
    with pytest.raises(OptionError, match="width is given twice, in 'sine:width=3' and as '4'"):
        parse_network("sine:width=3", {"width": "4"})
