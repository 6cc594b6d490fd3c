import pytest

from firstlight import OptionError
from firstlight.init import SCHEMES, parse_scheme


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("harmonic", ("harmonic", {})),
        ("harmonic:gain=relu:mode=fan_avg", ("harmonic", {"gain": "relu", "mode": "fan_avg"})),
        ("siren:omega=20:alpha=1.5", ("siren", {"omega": 20, "alpha": 1.5})),
        ("diagonal_plus_noise:activation=tanh", ("diagonal_plus_noise", {"activation": "tanh"})),
    ],
)
def test_text_becomes_name_and_options(text, expected):
    assert parse_scheme(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("harmonik", "scheme must be one of .*harmonic.* got 'harmonik'"),
        ("harmonic:gain", "must read option=value; got 'gain'"),
        ("harmonic:layer=3", "'harmonic' does not use the option 'layer'; it accepts: gain, mode"),
        ("he_normal:gain=2", "'he_normal' does not use the option 'gain'; it accepts: none"),
        ("edge_of_chaos", "needs the option 'activation', as in .*:activation=VALUE"),
    ],
)
def test_bad_text_is_one_clear_line(text, message):
    with pytest.raises(OptionError, match=message) as error:
        parse_scheme(text)
    assert "\n" not in str(error.value)


def test_randomness_is_read_off_the_fill():
    deterministic = {name for name, scheme in SCHEMES.items() if not scheme.random}
    assert deterministic == {"harmonic", "sinusoidal", "zero", "blumenfeld"}
    assert {name for name, scheme in SCHEMES.items() if scheme.data_driven} == {"lsuv"}
