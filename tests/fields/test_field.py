"""Fields: values at places, in order, in the field's own form."""

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, SIGNALS, SINE, image

from firstlight.errors import OptionError
from firstlight.fields import field as module
from firstlight.fields.field import Field
from firstlight.fields.signals.image import ImageForm

FORM = ImageForm(height=4, width=6, mode="L", bits=8)


def field_of(signal, network=SINE, seed=0):
    return Field(network, signal.form, inputs=signal.inputs, outputs=signal.outputs, seed=seed)


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_values_are_the_networks_in_the_places_order(kind, at_once, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    signal = SIGNALS[kind]()
    field = field_of(signal)
    expected = field(signal.train.all().x)
    found = field.predict_samples(signal.train)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert not found.requires_grad
    everywhere = field.predict(signal.train.places)
    assert everywhere.shape == (len(signal.train.places), signal.outputs)


def test_samples_that_are_a_part_are_predicted_where_they_are():
    signal = image(every=2)
    field = field_of(signal)
    whole = field.predict(signal.train.places)
    for part in (signal.train, signal.held_out):
        torch.testing.assert_close(field.predict_samples(part), whole[part.chosen.long()])


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_family_renders(network, tmp_path):
    field = Field(network, FORM, inputs=2, outputs=1)
    pixels = field.render(scale=2)
    assert (pixels.shape, pixels.dtype) == ((8, 12, 1), np.uint8)
    path = field.render(tmp_path / "out.png", scale=2)
    from PIL import Image

    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels[..., 0])


def test_seeds_make_the_weights():
    one, same, other = (field_of(image(), seed=seed) for seed in (3, 3, 4))
    weights = [each.network.layers[0].weight for each in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_what_depends_on_a_signal_must_be_resolved():
    from firstlight import fields

    with pytest.raises(OptionError, match="alpha='auto' needs a signal"):
        Field(fields.Sine(), FORM, inputs=2, outputs=1)
    with pytest.raises(OptionError, match="inputs must be a whole number from 1 to 4"):
        Field(SINE, FORM, inputs=9, outputs=1)
