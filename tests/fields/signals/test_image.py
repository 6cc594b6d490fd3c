"""Images against Pillow's own reading, pixel by pixel, and every file that is not what it says."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.image import ImageForm, read_image
from firstlight.fields.signals.samples import Samples
from firstlight.theory import spectral_centroid

Pillow = pytest.importorskip("PIL.Image")
tifffile = pytest.importorskip("tifffile")

KODAK = Path(__file__).parents[4] / "shared" / "data" / "kodak" / "kodim01.png"


def pixels_of(image):
    """Pixels from all the samples' scaled values, by the form's numbers."""
    samples = Samples(image.train.places, image.train.values, image.train.span)
    low, high = image.form.span.low, image.form.span.high
    values = (samples.all().y.double().numpy() + 1) / 2 * (high - low) + low
    return values.reshape(image.form.height, image.form.width, -1)


def exact(image):
    """A network that learned an image by heart: the pixel whose cell a place lies in."""
    values = image.train.span.scaled(image.train.values).reshape(*image.shape, -1)

    def predict(places):
        at = places.at(torch.arange(len(places)))
        cells = [
            ((at[:, axis] + 1) / 2 * side).floor().long() for axis, side in enumerate(image.shape)
        ]
        return values[cells[0], cells[1]]

    return predict


def by_heart(samples):
    return samples.all().y


def numbers(shape, dtype, seed=0):
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max + 1, shape).astype(dtype)


def png(pixels, colour, path, interlace=0):
    """A 16-bit PNG without filters, by the book."""
    height, width = pixels.shape[:2]

    def packed(part):
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in part)

    starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    starts.append((1, 0, 2, 1))  # Adam7's passes: first row, first column, steps
    raw = packed(pixels)
    if interlace:
        parts = [pixels[y::down, x::right] for y, x, down, right in starts]
        raw = b"".join(packed(part) for part in parts if part.size)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, interlace))]
    chunks += [(b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


@pytest.mark.skipif(not KODAK.exists(), reason="shared/data/kodak is not here")
def test_a_photograph_is_pillows_pixels_and_comes_back_as_it_was(tmp_path):
    image = read_image(KODAK)
    there = np.asarray(Pillow.open(KODAK))
    assert image.train.values.dtype == torch.uint8
    assert image.train.chosen is None
    np.testing.assert_array_equal(np.rint(pixels_of(image)), there)
    for name in ("a.png", "a.tif", "a.webp"):
        path = image.form.save(exact(image), tmp_path / name)
        np.testing.assert_array_equal(np.asarray(Pillow.open(path)), there)
    image.form.save(exact(image), tmp_path / "a.JPG")
    assert np.abs(np.asarray(Pillow.open(tmp_path / "a.JPG")).astype(int) - there).mean() < 3
    measured = image.measure(by_heart)
    assert measured["psnr"] == np.inf
    assert measured["ssim"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("mode", "becomes"),
    [
        ("1", "L"),
        ("L", "L"),
        ("LA", "LA"),
        ("La", "LA"),
        ("P", "RGB"),
        ("PA", "RGBA"),
        ("RGB", "RGB"),
        ("RGBX", "RGB"),
        ("RGBA", "RGBA"),
        ("RGBa", "RGBA"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("HSV", "RGB"),
        ("LAB", "RGB"),
    ],
)
def test_every_mode_of_8_bits_is_what_pillow_converts_it_to(mode, becomes):
    source = Pillow.fromarray(numbers((7, 5, 4), np.uint8), "RGBA")
    via = {"La": "LA", "PA": "P"}.get(mode)
    made = source.convert(via).convert(mode) if via else None
    if made is None:
        made = Pillow.new("LAB", (5, 7), (90, 10, 200)) if mode == "LAB" else None
    if made is None:
        made = source.convert("RGB").convert(mode) if mode != "RGBa" else source.convert(mode)
    image = read_image(made)
    assert (image.form.mode, image.form.bits) == (becomes, 8)
    expected = np.asarray(made if mode == becomes else made.convert(becomes))
    np.testing.assert_array_equal(np.rint(pixels_of(image)), expected.reshape(7, 5, -1))


@pytest.mark.parametrize(
    ("mode", "transparent", "becomes"),
    [("P", 1, "RGBA"), ("L", 1, "LA"), ("RGB", (1, 1, 1), "RGBA")],
)
def test_a_transparent_colour_becomes_alpha(tmp_path, mode, transparent, becomes):
    grey = Pillow.fromarray(np.array([[0, 1], [2, 1]], np.uint8))
    made = grey.convert(mode) if mode != "P" else Pillow.frombytes("P", (2, 2), grey.tobytes())
    if mode == "P":
        made.putpalette(bytes(range(9)))
    made.save(tmp_path / "a.png", transparency=transparent)
    image = read_image(tmp_path / "a.png")
    assert image.form.mode == becomes
    assert np.rint(pixels_of(image))[..., -1].tolist() == [[255, 0], [255, 0]]


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize(("channels", "colour"), [(1, 0), (2, 4), (3, 2), (4, 6)])
def test_png_keeps_16_bits(tmp_path, channels, colour, interlace):
    there = numbers((9, 11, channels), np.uint16)
    image = read_image(png(there, colour, tmp_path / "a.png", interlace))
    assert (image.form.bits, image.form.channels) == (16, channels)
    np.testing.assert_array_equal(np.rint(pixels_of(image)), there)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": 2},
        {"tile": (16, 16)},
        {"planarconfig": "separate"},
        {"planarconfig": "separate", "compression": "zlib"},
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_keeps_16_bits(tmp_path, channels, options):
    there = numbers((33, 21, channels), np.uint16)
    given = there[..., 0] if channels == 1 else there
    if "planarconfig" in options:
        if channels < 3:
            return
        given = np.moveaxis(there, -1, 0)
    colours = "rgb" if channels > 2 else "minisblack"
    alpha = ["unassalpha"] if channels in (2, 4) else None
    tifffile.imwrite(tmp_path / "a.tif", given, photometric=colours, extrasamples=alpha, **options)
    np.testing.assert_array_equal(np.rint(pixels_of(read_image(tmp_path / "a.tif"))), there)


def test_tiff_whose_white_is_0_is_not_read_as_its_negative(tmp_path):
    there = numbers((4, 5), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", 65535 - there, photometric="miniswhite")
    np.testing.assert_array_equal(np.rint(pixels_of(read_image(tmp_path / "a.tif")))[..., 0], there)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_exif_orientation_is_applied(tmp_path, orientation, name):
    from PIL import ImageOps

    made = Pillow.fromarray(numbers((6, 10, 3), np.uint8))
    exif = made.getexif()
    exif[0x0112] = orientation
    made.save(tmp_path / name, exif=exif)
    with Pillow.open(tmp_path / name) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(np.rint(pixels_of(read_image(tmp_path / name))), expected)


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Pillow.new("L", (3, 2), colour) for colour in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.unique(np.rint(pixels_of(read_image(tmp_path / "a.gif")))).tolist() == [10]


def test_numbers_of_32_bits(tmp_path):
    whole = np.array([[0, 65535], [7, 300]], np.int32)
    image = read_image(Pillow.fromarray(whole))
    assert (image.form.mode, image.form.bits) == ("L", 16)
    np.testing.assert_array_equal(np.rint(pixels_of(image))[..., 0], whole)
    shares = read_image(np.array([[0.0, 0.5], [1.0, 0.25]]))
    assert np.rint(pixels_of(shares)).flatten().tolist() == [0, 32768, 65535, 16384]
    heights = np.array([[-3.5, 2000.25], [8.0, 100.0]], np.float32)
    Pillow.fromarray(heights).save(tmp_path / "heights.tif")
    image = read_image(tmp_path / "heights.tif")
    assert (image.form.mode, image.form.suffix) == ("F", ".tif")
    np.testing.assert_allclose(pixels_of(image)[..., 0], heights, atol=1e-3)
    image.form.save(exact(image), tmp_path / "b.tif")
    np.testing.assert_allclose(np.asarray(Pillow.open(tmp_path / "b.tif")), heights, atol=1e-3)
    with pytest.raises(OptionError, match=r"PNG cannot hold float32; name the file \.tif"):
        image.form.save(exact(image), tmp_path / "b.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_what_is_saved_is_read_back(tmp_path, dtype, channels, suffix):
    there = numbers((13, 8, channels), dtype, seed=channels)
    image = read_image(there)
    path = image.form.save(exact(image), tmp_path / f"a{suffix}")
    again = read_image(path)
    assert again.form == image.form
    np.testing.assert_array_equal(again.train.values, image.train.values)
    assert [each.name for each in tmp_path.iterdir()] == [f"a{suffix}"]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.data())
def test_every_pixel_is_trained_on_or_held_out_once(height, width, channels, every, data):
    share = data.draw(st.sampled_from([0.0, 0.3, 0.9])) if every == 1 else 0.0
    there = numbers((height, width, channels), np.uint8)
    image = read_image(there, every=every, held_out=share, seed=3)
    rest = [] if image.held_out is None else image.held_out.chosen.tolist()
    if every > 1:
        lattice = np.arange(height * width).reshape(height, width)[::every, ::every].flatten()
        assert image.train.chosen.tolist() == lattice.tolist()
    train = range(height * width) if image.train.chosen is None else image.train.chosen.tolist()
    assert sorted([*train, *rest]) == list(range(height * width))
    rows = image.rows()
    assert rows.dtype == np.float64
    if every > 1 and width > every:
        expected = np.moveaxis(there[::every, ::every], -1, 0) / 127.5 - 1
        np.testing.assert_allclose(rows, expected.reshape(-1, expected.shape[-1]), atol=1e-6)


def test_rows_use_no_held_out_pixel():
    there = numbers((20, 30), np.uint8)
    image = read_image(there, held_out=0.4, seed=1)
    changed = there.copy()
    changed.reshape(-1)[image.held_out.chosen.numpy()] = 255
    np.testing.assert_array_equal(image.rows(), read_image(changed, held_out=0.4, seed=1).rows())
    assert not np.array_equal(image.rows(), read_image(there).rows())


def test_rows_of_large_images_are_few_and_of_columns_along_them():
    wide = read_image(np.zeros((4000, 1000), np.uint8)).rows()
    assert wide.shape[1] == 1000
    assert 1000 < wide.shape[0] < 4000
    column = read_image(np.arange(50, dtype=np.uint8).reshape(50, 1))
    assert column.rows().shape == (1, 50)
    assert 0 < spectral_centroid(column.rows()) < 1


def test_spacing_is_that_of_the_trained_pixels():
    assert read_image(np.zeros((1, 8), np.uint8), every=2).spacing == (2.0, 0.5)
    assert read_image(np.zeros((4, 8), np.uint8)).spacing == (0.5, 0.25)


def test_ssim_is_of_the_whole_picture_and_only_where_windows_fit():
    from skimage.metrics import structural_similarity

    there = numbers((24, 31), np.uint8)
    image = read_image(there, held_out=0.5)

    def blurred(samples):
        return samples.all().y * 0.7

    measured = image.measure(blurred)
    assert set(measured) == {"psnr", "held_out_psnr", "ssim"}
    truth = np.pad(there / 127.5 - 1, 5, mode="reflect")  # as torchmetrics does
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, full = structural_similarity(truth, truth * 0.7, data_range=2.0, full=True, **options)
    assert measured["ssim"] == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-4)
    assert "ssim" not in read_image(there[:10]).measure(by_heart)


def test_render_at_any_size_is_what_one_lattice_gives(monkeypatch):
    from firstlight.fields.signals import slabs

    form = ImageForm(height=6, width=10, mode="RGB", bits=16)

    def predict(places):
        at = places.at(torch.arange(len(places)))
        return torch.stack([at[:, 0], at[:, 1], at[:, 0] * at[:, 1] * 3], 1)

    whole = {size: form.render(predict, size=size) for size in ((9, 4), (1, 1), (7, 33))}
    whole[(3, 5)] = form.render(predict, scale=0.5)
    monkeypatch.setattr(slabs.slabs, "__defaults__", (7,))
    for size, pixels in whole.items():
        assert pixels.dtype == np.uint16
        assert pixels.shape == (*size, 3)
        np.testing.assert_array_equal(form.render(predict, size=size), pixels)
        y = (np.arange(size[0]) + 0.5) / size[0] * 2 - 1
        np.testing.assert_allclose(pixels[:, 0, 0], (y + 1) / 2 * 65535, atol=0.51)
    assert whole[(7, 33)][..., 2].min() == 0  # values beyond [-1, 1] are clipped
    assert whole[(7, 33)][..., 2].max() == 65535


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "scale must be a number above 0"),
        ({"scale": 1e9}, "larger than 4 GiB"),
        ({"size": (3,)}, "size must be 2 whole numbers"),
        ({"size": (0, 3)}, "whole numbers of 1 or more, got 0"),
        ({"size": (1.5, 3)}, "whole numbers of 1 or more, got 1.5"),
        ({"size": (2, 2), "scale": 2}, "give one of them"),
        ({"rate": 3}, "image is rendered with scale, size; it has no rate"),
    ],
)
def test_render_refuses(tmp_path, options, message):
    form = ImageForm(height=4, width=4, mode="L", bits=8)

    def never(places):
        raise AssertionError("computed before the options were looked at")

    for call in (
        lambda: form.render(never, **options),
        lambda: form.save(never, tmp_path / "a.png", **options),
    ):
        with pytest.raises(OptionError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_field_that_diverged_is_not_drawn():
    form = ImageForm(height=4, width=4, mode="L", bits=8)
    with pytest.raises(FirstlightError, match="not finite"):
        form.render(lambda places: torch.full((len(places), 1), float("nan")))


@pytest.mark.parametrize(
    ("form", "name", "message"),
    [
        (ImageForm(4, 4, "RGBA", 8), "a.jpg", "JPEG cannot hold transparency"),
        (ImageForm(4, 4, "RGB", 16), "a.jpg", "JPEG cannot hold uint16"),
        (ImageForm(4, 4, "RGB", 16), "a.webp", "WEBP cannot hold uint16"),
        (ImageForm(4, 20000, "RGB", 8), "a.webp", "WEBP holds at most 16383 pixels a side"),
        (ImageForm(4, 4, "RGB", 8), "a.gif", "written as .png"),
        (ImageForm(4, 4, "RGB", 8), "a", "written as .png"),
    ],
)
def test_save_refuses_before_it_renders(tmp_path, form, name, message):
    def never(places):
        raise AssertionError("rendered for nothing")

    with pytest.raises(OptionError, match=message):
        form.save(never, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "CMYK"},
        {"mode": 3},
        {"bits": 12},
        {"bits": True},
        {"height": 0},
        {"height": 2.0},
        {"width": 2**40},
        {"height": True},
        {"low": 1.0, "high": 2.0},
        {"mode": "F", "bits": 8},
        {"mode": "F", "bits": 32, "low": 2.0, "high": 1.0},
        {"mode": "F", "bits": 32, "low": float("nan")},
    ],
)
def test_forms_check_their_numbers(given):
    with pytest.raises(OptionError):
        ImageForm(**{"height": 4, "width": 4, "mode": "L", "bits": 8, **given})


def photograph(kind):
    buffer = io.BytesIO()
    Pillow.fromarray(numbers((64, 64, 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def bomb():
    """A PNG of a few bytes that claims a terapixel."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**20, 2**20, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    body = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(body) - 4) + body + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.png", b"", "the file is empty"),
        ("text.png", b"no image at all, but a text", "of no format known here"),
        ("cut.png", photograph("PNG")[:2000], "cut.png as an image"),
        ("cut.jpg", photograph("JPEG")[:2000], "truncated"),
        ("cut.tif", photograph("TIFF")[:2000], "cut.tif as an image"),
        ("bomb.png", bomb(), r"more than 2\^27 pixels"),
        ("figure.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no format known"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FirstlightError, match=message) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@given(st.data())
def test_damaged_files_end_in_one_line_or_an_image(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["PNG", "TIFF", "GIF", "BMP"]))
    content = bytearray(photograph(kind))
    for place in data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=4)):
        content[place % len(content)] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.png"
    path.write_bytes(content)
    try:
        assert read_image(path).outputs in (1, 2, 3, 4)
    except FirstlightError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 4), np.uint8), "shape"),
        (np.zeros((4, 0, 3), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((2, 2, 5), np.uint8), "1 to 4 channels"),
        (np.zeros((2, 2, 3, 1), np.uint8), "shape"),
        (np.array([[np.nan, 1.0], [np.inf, 0.0]]), "2 of 4 pixels are NaN or infinite"),
        (np.full((2, 2, 3), 7.5), "read them as a volume"),
        (np.full((2, 2, 3), -1), "read them as a volume"),
        (np.full((2, 2), 1j), "must be of numbers"),
        (np.full((2, 2), "x"), "must be of numbers"),
        (np.full((2, 2), None), "must be of numbers"),
        ([[1, 2], [3]], "cannot read this array"),
        (np.broadcast_to(np.uint8(0), (2**14, 2**14)), r"more than 2\^27 pixels"),
    ],
)
def test_arrays_that_are_no_images(array, message):
    with pytest.raises(FirstlightError, match=message):
        read_image(array)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be a whole number"),
        ({"every": 2.0}, "every must be a whole number"),
        ({"held_out": 1.0}, "share from 0 to below 1"),
        ({"every": 2, "held_out": 0.5}, "give one of them"),
    ],
)
def test_options_are_checked_before_the_file(options, message):
    with pytest.raises(OptionError, match=message):
        read_image("there is no such file.png", **options)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("value", [0, 255])
def test_smallest_and_constant_images(tmp_path, shape, value):
    image = read_image(np.full(shape, value, np.uint8))
    assert image.measure(by_heart) == {"psnr": np.inf}
    assert all(spacing > 0 for spacing in image.spacing)
    path = image.form.save(exact(image), tmp_path / "a.png")
    assert (np.asarray(Pillow.open(path)) == value).all()


def test_the_array_given_is_not_shared():
    array = np.zeros((2, 2), np.uint8)
    image = read_image(array)
    array[:] = 9
    assert int(image.train.values.max()) == 0


_LARGE = """
import resource, sys
import numpy as np
import torch
torch.set_num_threads(1)
from firstlight.fields.signals.image import read_image
def peak():  # ru_maxrss also holds what the process that started this one had
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
resource.setrlimit(resource.RLIMIT_DATA, (2 * 2**30, 2 * 2**30))
image = read_image(sys.argv[1], held_out=0.1)
image.train.random(4096, torch.Generator().manual_seed(0))
image.rows()
image.form.render(lambda places: torch.zeros(len(places), image.outputs))
print(image.shape, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_20_megapixels_fit_into_2_gib(tmp_path):
    path = tmp_path / "large.bmp"
    Pillow.new("RGB", (5000, 4000), (1, 2, 3)).save(path)
    ended = subprocess.run(
        [sys.executable, "-c", _LARGE, str(path)], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("(4000, 5000)")
    assert int(ended.stdout.split()[-1]) < 2048
