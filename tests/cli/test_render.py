"""``firstlight render``: a checkpoint becomes a file of its own kind, or is refused in one line."""

import json
import struct
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import trimesh
import xarray
from PIL import Image
from safetensors.torch import save_file

from firstlight.fields import Field, Sine
from firstlight.fields.checkpoint import write_field
from firstlight.fields.signals.audio import AudioForm
from firstlight.fields.signals.image import ImageForm
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.shape_form import OccupancyForm
from firstlight.fields.signals.sphere_form import SphereForm
from firstlight.fields.signals.volume import VolumeForm

NETWORK = Sine(width=8, depth=3, alpha=1.5)
#: Name, form, coordinates and values of a field of every kind.
FORMS = {
    "photo": (ImageForm(height=4, width=6, mode="RGB", bits=8), 2, 3),
    "tune": (AudioForm(channels=2, rate=8000, length=80, peak=0.5), 1, 2),
    "bunny": (OccupancyForm(centre=(0.0, 0.0, 5.0), unit=2.0), 3, 1),
    "climate": (SphereForm((60.0, 0.0, -60.0), (0.0, 120.0, 240.0), 1.0, 2.0, "z"), 3, 1),
    "scan": (VolumeForm((3, 4), None, "float32", 0.0, 1.0), 2, 1),
}


@pytest.fixture
def made(tmp_path):
    """Return a function that writes an untrained field of a kind into the folder of the call."""

    def make(name: str) -> Field:
        form, inputs, outputs = FORMS[name]
        field = Field(NETWORK, form, inputs=inputs, outputs=outputs)
        if name == "bunny":  # about one half is inside
            with torch.no_grad():
                field.network.layers[-1].bias -= field.predict(Lattice.cells((9, 9, 9))).mean()
        write_field(field, tmp_path / f"{name}.safetensors")
        return field

    return make


@pytest.mark.parametrize(
    ("name", "options", "written"),
    [
        ("photo", [], "photo-x1.png"),
        ("photo", ["--scale=2"], "photo-x2.png"),
        ("photo", ["--scale=0.5"], "photo-x0.5.png"),
        ("photo", ["--size=7x5"], "photo-7x5.png"),
        ("tune", ["--rate=16000"], "tune-16000Hz.wav"),
        ("bunny", ["--resolution=9"], "bunny-9.obj"),
        ("climate", ["--scale=2"], "climate-x2.nc"),
        ("scan", ["--size=6x8"], "scan-6x8.npy"),
    ],
)
def test_the_name_says_how_fine(call, made, tmp_path, name, options, written):
    made(name)
    code, out, err = call("render", f"{name}.safetensors", *options, "--device=cpu")
    assert (code, err) == (0, "")
    assert out.startswith(f"{written} (")
    assert sorted(path.name for path in tmp_path.iterdir()) == [written, f"{name}.safetensors"]


def test_what_is_written_is_what_the_field_shows(call, made, tmp_path):
    options = {"photo": "--scale=2", "tune": "--rate=16000", "bunny": "--resolution=9"}
    options |= {"climate": "--size=5x6", "scan": "--scale=3"}
    names = {
        "photo": "a.tif",
        "tune": "b.flac",
        "bunny": "c.ply",
        "climate": "d.nc",
        "scan": "e.npz",
    }
    fields = {name: made(name) for name in options}
    for name, option in options.items():
        assert call("render", f"{name}.safetensors", option, f"--out={names[name]}")[0] == 0
    with Image.open("a.tif") as image:
        assert np.array_equal(np.asarray(image), fields["photo"].render(scale=2))
    sound, rate = soundfile.read("b.flac")
    assert (sound.shape, rate) == ((160, 2), 16000)
    assert np.allclose(sound, fields["tune"].render(rate=16000), atol=2**-15)
    mesh = trimesh.load_mesh("c.ply")
    assert np.allclose(mesh.bounds, fields["bunny"].render(resolution=9).bounds)
    with xarray.open_dataset("d.nc", engine="scipy") as dataset:
        assert np.allclose(dataset["z"], fields["climate"].render(size=(5, 6)))
    with np.load("e.npz") as arrays:
        assert np.array_equal(arrays["volume"], fields["scan"].render(scale=3))


def test_a_file_that_is_there_is_not_replaced_unasked(call, made, tmp_path):
    made("photo")
    (tmp_path / "photo.png").write_text("the photograph itself")
    arguments = ("render", "photo.safetensors", "--out=photo.png")
    assert call(*arguments) == (
        2,
        "",
        "firstlight: photo.png is there already: --overwrite replaces it, --out names another "
        "file\n",
    )
    assert (tmp_path / "photo.png").read_text() == "the photograph itself"
    assert call(*arguments, "--overwrite")[0] == 0
    with Image.open(tmp_path / "photo.png") as image:
        assert image.size == (6, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.safetensors"], "there is no checkpoint none.safetensors"),
        (["photo.safetensors", "--rate=3"], "image is rendered with scale, size; it has no rate"),
        (["photo.safetensors", "--size=3"], "size must be 2 whole numbers"),
        (["photo.safetensors", "--size=3xa"], "'--size': expected a whole number, got 'a'"),
        (["photo.safetensors", "--size=0x3"], "sizes must be whole numbers of 1 or more, got 0"),
        (["photo.safetensors", "--scale=0"], "scale must be a number above 0"),
        (["photo.safetensors", "--scale=1e9"], "is larger than 4 GiB"),
        (["photo.safetensors", "--scale=2", "--size=3x3"], "give one of them"),
        (["photo.safetensors", "--out=a.wav"], "an image is written as .png"),
        (["photo.safetensors", "--out=."], "expected the name of a file, got '.'"),
        (["photo.safetensors", "--out=photo.safetensors/a.png"], "cannot write into --out"),
        (["photo.safetensors", "--out=photo.safetensors", "--overwrite"], "an image is written as"),
        (["photo.safetensors", "--device=gpu"], "got 'gpu'"),
        ([], "missing argument 'CHECKPOINT'"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(call, made, tmp_path, arguments, message):
    made("photo")
    before = (tmp_path / "photo.safetensors").read_bytes()
    code, out, err = call("render", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photo.safetensors"]
    assert (tmp_path / "photo.safetensors").read_bytes() == before


def changed(data: bytes, **facts) -> bytes:
    """The checkpoint with other words in its header."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    known = json.loads(header["__metadata__"]["firstlight_field"])
    header["__metadata__"]["firstlight_field"] = json.dumps({**known, **facts})
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


HUGE = {"family": "sine", "width": 16384, "depth": 256, "alpha": 1.0}
IMAGE = {"kind": "image", "height": 4, "width": 6, "mode": "RGB", "bits": 8}
DAMAGED = {
    "empty": lambda _: b"",
    "cut off": lambda data: data[:-7],
    "header cut off": lambda data: data[:40],
    "rubbish": lambda data: bytes(reversed(data)),
    "huge header": lambda data: b"\xff" * 8 + data[8:],
    "version": lambda data: changed(data, version=2),
    "no network": lambda data: changed(data, network=None),
    "family": lambda data: changed(data, network={"family": "os.system"}),
    "huge network": lambda data: changed(data, network=HUGE),
    "other network": lambda data: changed(data, network={"family": "sine", "alpha": 1.0}),
    "no alpha": lambda data: changed(data, network={"family": "sine", "alpha": "auto"}),
    "form": lambda data: changed(data, form={"kind": "video"}),
    "huge image": lambda data: changed(data, form={**IMAGE, "height": 10**9}),
    "negative image": lambda data: changed(data, form={**IMAGE, "height": -4}),
    "text for a number": lambda data: changed(data, form={**IMAGE, "height": "4"}),
    "outputs": lambda data: changed(data, outputs=1),
    "inputs": lambda data: changed(data, inputs=10**12),
    "measured": lambda data: changed(data, measured={"psnr": [1]}),
    "notes": lambda data: changed(data, notes=3),
}


@pytest.mark.parametrize("fault", DAMAGED)
def test_a_damaged_or_forged_checkpoint_is_one_line_and_code_2(call, made, tmp_path, fault):
    made("photo")
    path = tmp_path / "photo.safetensors"
    path.write_bytes(DAMAGED[fault](path.read_bytes()))
    code, out, err = call("render", "photo.safetensors")
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert err.count("\n") == 1
    assert len(err) < 400
    assert [each.name for each in tmp_path.iterdir()] == ["photo.safetensors"]


def test_the_change_of_a_header_alone_is_no_fault(call, made, tmp_path):
    made("photo")
    path = tmp_path / "photo.safetensors"
    path.write_bytes(changed(path.read_bytes()))
    assert call("render", "photo.safetensors")[0] == 0


def test_another_safetensors_file_is_none_of_ours(call, tmp_path):
    save_file({"weight": torch.ones(2)}, tmp_path / "other.safetensors")
    code, _, err = call("render", "other.safetensors")
    assert code == 2
    assert "other.safetensors is not a field's checkpoint" in err


def test_it_says_how_many_places_are_done(made, monkeypatch):
    module = import_module("firstlight.cli.render")
    field = made("photo")
    monkeypatch.setattr(module, "_EVERY", -1.0)
    said = []
    told = module._told(field, said.append, Path("photo.png"))
    field.form.render(told, size=(10, 20))
    assert said == ["rendering photo.png: 200 places, 0:00 gone"]


def test_ctrl_c_leaves_no_file(call, made, monkeypatch, tmp_path):
    made("photo")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Field, "predict", stopped)
    assert call("render", "photo.safetensors") == (130, "", "firstlight: stopped\n")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.safetensors"]
