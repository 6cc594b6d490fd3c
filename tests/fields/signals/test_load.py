"""What a file is taken for, and forms from what a checkpoint says."""

import inspect
import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals import audio, image, load, shape, sphere, volume
from firstlight.fields.signals.forms import find_form
from firstlight.fields.signals.image import Image, ImageForm
from firstlight.fields.signals.signal import Form
from firstlight.fields.signals.volume import Volume, VolumeForm


@pytest.fixture
def readers(monkeypatch):
    """Readers that say what they were asked; their options are those of the true ones."""
    asked = []

    def stand_in(name, true):
        def read(source, **options):
            asked.append((name, source, options))
            return name

        read.__signature__ = inspect.signature(true)
        return read

    for module, name in (
        (image, "read_image"),
        (audio, "read_audio"),
        (shape, "read_shape"),
        (sphere, "read_sphere"),
        (volume, "read_volume"),
    ):
        monkeypatch.setattr(module, name, stand_in(name, getattr(module, name)))
    return asked


@pytest.mark.parametrize(
    ("endings", "reader"),
    [
        ("png jpg jpeg tif tiff bmp webp gif ppm pgm PNG", "read_image"),
        ("wav flac ogg aiff aif mp3 opus Wav", "read_audio"),
        ("obj ply stl off glb OBJ", "read_shape"),
        ("nc nc4 cdf h5 NC", "read_sphere"),
        ("npy npz NPY", "read_volume"),
    ],
)
def test_endings_choose_the_reader(tmp_path, readers, endings, reader):
    for ending in endings.split():
        path = tmp_path / f"a.b.{ending}"
        path.touch()
        assert load.load(str(path)) == reader
        assert readers.pop() == (reader, str(path), {})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("image", ("read_image", {})),
        ("audio", ("read_audio", {})),
        ("occupancy", ("read_shape", {"kind": "occupancy"})),
        ("signed_distance", ("read_shape", {"kind": "signed_distance"})),
        ("sphere", ("read_sphere", {})),
        ("volume", ("read_volume", {})),
    ],
)
def test_kind_comes_before_the_ending(tmp_path, readers, kind, expected):
    path = tmp_path / "a.unheard-of"
    path.touch()
    load.load(path, kind=kind)
    assert readers == [(expected[0], path, expected[1])]
    with pytest.raises(OptionError, match=rf"{kind} is read with .*; it has no colour"):
        load.load(path, kind=kind, colour=3)


def test_options_reach_the_reader(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((6, 6, 3)))
    signal = load.load(tmp_path / "a.npy", channels_last=False, every=2)
    assert (signal.inputs, len(signal.train)) == (3, 3 * 3 * 2)


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((4, 5), "uint8", Image),
        ((4, 5, 3), "uint16", Image),
        ((4, 5, 4), "uint8", Image),
        ((4, 5, 2), "uint8", Volume),
        ((4, 5), "float32", Volume),
        ((9,), "uint8", Volume),
        ((2, 4, 5, 3), "uint8", Volume),
    ],
)
def test_what_arrays_are(shape, dtype, expected):
    assert type(load.load(np.zeros(shape, dtype))) is expected


def test_pillow_images_are_images():
    from PIL import Image as Pillow

    assert load.load(Pillow.new("CMYK", (3, 2))).form == ImageForm(2, 3, "RGB", 8)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("absent.png", {}, "there is no such file"),
        ("", {}, "cannot be told from its ending"),
        ("folder.png", {}, "it is a folder"),
        ("a.xyz", {}, r"what 'a\.xyz' is cannot be told"),
        ("a", {}, "cannot be told from its ending"),
        ("a.png", {"kind": "picture"}, "kind must be one of image, audio"),
        ("a.png", {"kind": "shape"}, "kind must be one of image, audio"),
        ("a.png", {"kind": 3}, "kind must be one of"),
        ("a.png", {"colour": 1}, "image is read with every, held_out, seed; it has no colour"),
        ("x" * 5000 + ".png", {}, "cannot read"),
        ("zero\0byte.png", {}, "cannot read"),
    ],
)
def test_what_cannot_be_loaded(tmp_path, name, options, message):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(FirstlightError, match=message) as caught:
        load.load(tmp_path / name, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [[[1, 2], [3]]])
def test_what_is_neither_file_nor_array(source):
    with pytest.raises(OptionError, match="a path, an array or a Pillow image, got list"):
        load.load(source)


FORMS = [
    ImageForm(4, 6, "RGBA", 16),
    ImageForm(4, 6, "F", 32, -1.5, 8.0),
    VolumeForm((2, 3, 4), 3, "float32", -2.5, 7.0),
    VolumeForm((9,), None, "bool", 0, 1),
]


@pytest.mark.parametrize("form", FORMS)
def test_forms_come_back_from_json(form):
    assert find_form(form.as_dict()) == form
    assert find_form(json.loads(json.dumps(form.as_dict()))) == form


def test_every_kind_of_form_is_found():
    from firstlight.fields.signals.audio import AudioForm
    from firstlight.fields.signals.shape import OccupancyForm, SignedDistanceForm
    from firstlight.fields.signals.sphere import SphereForm

    for cls in (ImageForm, VolumeForm, AudioForm, OccupancyForm, SignedDistanceForm, SphereForm):
        assert issubclass(cls, Form)
        with pytest.raises(OptionError, match=f"the {cls.kind} form has no nonsense"):
            find_form({"kind": cls.kind, "nonsense": 1})


GOOD = {"kind": "image", **asdict(FORMS[0])}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a form's kind must be one of image, volume"),
        ({"kind": "os.system"}, "a form's kind must be one of"),
        ({"kind": ["image"]}, "a form's kind must be one of"),
        ([1, 2], "described by a mapping, got list"),
        (None, "described by a mapping, got NoneType"),
        ({"kind": "image", "height": 3}, "lacks width, mode, bits; its fields are height"),
        ({**GOOD, "mode": "L", "depth": 3}, "has no depth"),
        ({**GOOD, 3: 4}, "has no 3"),
        ({**GOOD, "height": 2**50}, "larger than 4 GiB"),
        ({**GOOD, "height": "4"}, "whole numbers of 1 or more, got '4'"),
        ({**GOOD, "bits": {}}, "has .* bits"),
        ({**GOOD, "bits": None}, "has .* bits"),
        ({**GOOD, "mode": ["L"]}, "mode must be one of"),
        ({**GOOD, "low": [1, 2]}, "low must be a finite number"),
    ],
)
def test_forged_forms_end_in_one_line(given, message):
    with pytest.raises(OptionError, match=message) as caught:
        find_form(given)
    assert "\n" not in str(caught.value)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from(FORMS), st.data())
def test_any_forged_field_is_refused_or_a_form(form, data):
    given = form.as_dict()
    given[data.draw(st.sampled_from(sorted(set(given) - {"kind"})))] = data.draw(_PLAIN)
    try:
        assert isinstance(find_form(given), Form)
    except OptionError as error:
        assert "\n" not in str(error)  # noqa: PT017
