"""Results survive JSON exactly, and other JSON is refused."""

import json
import math

import pytest

from firstlight import fields
from firstlight.fields.analysis import InitialSpectrum
from firstlight.fields.networks.families import find_network
from firstlight.fields.studying.result import Over
from firstlight.runs.plain import from_plain, plain

READERS = {fields.Network: find_network}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (tuple[float, ...], (1.0, math.inf, -math.inf)),
        (tuple[tuple[str, float], ...], (("a", 1.0),)),
        (dict[str, float], {"psnr": math.inf}),
        (fields.Network, fields.Tuner(band=7)),
        (Over | None, Over(1.0, 2.0, math.inf)),
        (Over | None, None),
        (InitialSpectrum, InitialSpectrum(0, (1.0, math.inf), None, 2.0, beyond=0.5)),
    ],
)
def test_plain_values_come_back(kind, value):
    assert from_plain(kind, json.loads(json.dumps(plain(value), allow_nan=False)), READERS) == value


def test_an_older_result_may_lack_what_has_a_default_and_nothing_else():
    spectrum = InitialSpectrum(0, (1.0, 0.5), None, 2.0)
    data = plain(spectrum)
    del data["beyond"]
    assert from_plain(InitialSpectrum, data) == spectrum
    for wrong in ({**data, "other": 1}, {"axis": 0}):
        with pytest.raises(ValueError, match="expected the entries axis, measured"):
            from_plain(InitialSpectrum, wrong)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(float, True), (float, "1.0"), (int, 1.5), (tuple[int, ...], 3), (str, 1), (bool, 0)],
)
def test_other_types_are_refused(kind, value):
    with pytest.raises(ValueError, match=r"not a|is no number"):
        from_plain(kind, value)
