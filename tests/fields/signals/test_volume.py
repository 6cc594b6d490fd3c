"""Volumes against NumPy's own arithmetic, and files that want more than they should."""

import io
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.samples import Samples
from firstlight.fields.signals.slabs import slabs
from firstlight.fields.signals.volume import VolumeForm, read_volume

TYPES = ("bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64")


def numbers(shape, dtype, seed=0):
    drawn = np.random.default_rng(seed).normal(size=shape) * 40
    if dtype == "bool":
        return drawn > 0
    return drawn.astype(dtype) if dtype in FLOATS else np.abs(drawn).astype(dtype)


def exact(volume):
    """A network that learned an array by heart: the cell a place lies in."""
    values = volume.train.span.scaled(volume.train.values).reshape(*volume.shape, -1)

    def predict(places):
        at = places.at(torch.arange(len(places)))
        cells = tuple(
            ((at[:, axis] + 1) / 2 * side).floor().long() for axis, side in enumerate(volume.shape)
        )
        return values[cells]

    return predict


@pytest.mark.parametrize("dtype", TYPES + FLOATS)
@pytest.mark.parametrize("shape", [(7,), (4, 6), (3, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_every_type_and_number_of_axes_comes_back(tmp_path, dtype, shape, suffix):
    there = numbers(shape, dtype)
    np.save(tmp_path / "a.npy", there)
    volume = read_volume(tmp_path / "a.npy", channels_last=False)
    assert (volume.inputs, volume.outputs, volume.shape) == (len(shape), 1, shape)
    scaled = volume.train.all().y
    assert float(scaled.abs().max()) <= 1
    low, high = volume.form.low, volume.form.high
    if dtype in ("uint8", "int8", "uint16", "int16"):
        assert (low, high) == (np.iinfo(dtype).min, np.iinfo(dtype).max)
        assert volume.train.values.element_size() == np.dtype(dtype).itemsize
    elif dtype != "bool":
        assert (low, high) == (float(there.min()), float(there.max()))
    expected = 2 * (there.astype(np.float64) - low) / (high - low) - 1
    np.testing.assert_allclose(scaled.numpy().reshape(shape), expected, atol=1e-6)
    path = volume.form.save(exact(volume), tmp_path / f"b{suffix}")
    loaded = np.load(path)
    again = loaded["volume"] if suffix == ".npz" else loaded
    assert again.dtype == there.dtype
    np.testing.assert_allclose(again, there, rtol=1e-3 if dtype == "float16" else 1e-6, atol=1e-5)
    if dtype not in FLOATS:
        np.testing.assert_array_equal(again, there)
    assert read_volume(path, channels_last=False).form.shape == shape


@pytest.mark.parametrize(
    ("shape", "last", "cells", "channels"),
    [
        ((5, 6, 3), None, (5, 6), 3),
        ((5, 6, 3), False, (5, 6, 3), None),
        ((5, 6, 7), None, (5, 6, 7), None),
        ((5, 6, 7), True, (5, 6), 7),
        ((5, 3), None, (5, 3), None),
        ((5, 3), True, (5,), 3),
        ((2, 5, 6, 3), None, (2, 5, 6), 3),
        ((2, 2, 5, 6, 1), None, (2, 2, 5, 6), 1),
    ],
)
def test_channels(shape, last, cells, channels):
    there = numbers(shape, "uint8")
    volume = read_volume(there, channels_last=last)
    assert (volume.form.shape, volume.form.channels) == (cells, channels)
    assert volume.outputs == (channels or 1)
    np.testing.assert_array_equal(volume.form.render(exact(volume)), there)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 3)), "has no number in it"),
        (np.float64(3), "1 to 4 axes"),
        (np.zeros((2,) * 5 + (9,)), "1 to 4 axes"),
        (np.array([1.0, np.nan, np.inf]), "2 of 3 values are NaN or infinite"),
        (np.array([1.0, 1e301]), "scale them down"),
        (np.array([0, 2**60]), "scale them down"),
        (np.array([1j]), "must hold real numbers"),
        (np.array(["a"]), "must hold real numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "must hold real numbers"),
        (np.zeros(3, dtype=[("a", "f4")]), "must hold real numbers"),
        (np.array([None]), "Python objects"),
        ([[1, 2], [3]], "cannot make an array"),
        (np.broadcast_to(np.uint8(0), (2**17, 2**17)), "larger than 4 GiB"),
    ],
)
def test_arrays_that_are_no_volumes(array, message):
    with pytest.raises(FirstlightError, match=message) as caught:
        read_volume(array)
    assert "\n" not in str(caught.value)


def test_channels_last_is_true_false_or_none():
    with pytest.raises(OptionError, match="channels_last must be"):
        read_volume(np.zeros((3, 3)), channels_last="yes")
    with pytest.raises(FirstlightError, match="1 to 4 axes beside its channels"):
        read_volume(np.zeros(3), channels_last=True)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, None])
def test_seeds_are_whole_numbers(seed):
    with pytest.raises(OptionError, match="seed must be a whole number"):
        read_volume(np.zeros(9), held_out=0.5, seed=seed)


def header(shape, dtype="<f8"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def saved(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(f"{name}.npy", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"", "it is empty"),
        ("a.npy", b"no array", "no .npy or .npz file"),
        ("a.npy", saved(np.zeros(9))[:-5], "ends after 67 of 72 bytes"),
        ("a.npy", saved(np.zeros(9))[:40], "cannot read"),
        ("a.npy", saved(np.array([{}]), allow_pickle=True), "Python objects"),
        ("a.npy", header((2**30, 2**10)), "larger than 4 GiB"),
        ("a.npy", header((2**20, 2**8)), "ends after 0 of 2147483648 bytes"),
        ("a.npy", header((-4, -4)), "cannot read"),
        ("a.npy", b"\x93NUMPY\x09\x09" + bytes(64), "cannot read"),
        ("a.npz", archive(), "holds 0"),
        ("a.npz", archive(a=saved(np.zeros(3)), b=saved(np.ones(3))), r"holds 2 \(a, b\)"),
        ("a.npz", archive(a=saved(np.zeros(3)))[:-30], "cannot read"),
        ("a.npz", archive(a=header((2**40,)) + bytes(10**5)), "larger than 4 GiB"),
        ("a.npz", archive(a=saved(np.array([{}]), allow_pickle=True)), "Python objects"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FirstlightError, match=message) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_orders_of_bytes_and_axes(tmp_path):
    there = np.asfortranarray(numbers((4, 5, 6), "int16").astype(">i2"))
    np.save(tmp_path / "a.npy", there)
    volume = read_volume(tmp_path / "a.npy")
    np.testing.assert_array_equal(volume.train.values.reshape(there.shape), there.astype("<i2"))
    np.testing.assert_array_equal(volume.form.render(exact(volume)), there)


@pytest.mark.parametrize("value", [0, 5, -3.5, 1e200])
def test_a_constant_comes_back(value):
    volume = read_volume(np.full((3, 4, 5), value))
    assert volume.train.all().y.abs().max() == 0
    assert (volume.form.render(exact(volume)) == value).all()
    assert volume.measure(lambda samples: samples.all().y) == {"psnr": np.inf}


@given(
    arrays.arrays(
        st.sampled_from(["float32", "float64"]),
        arrays.array_shapes(min_dims=1, max_dims=4, max_side=5),
        elements=st.floats(-(2.0**99), 2.0**99, width=32),
    )
)
def test_any_finite_floats_come_back_as_near_as_float32_goes(array):
    volume = read_volume(array, channels_last=False)
    size = max(float(np.abs(array).max()), volume.form.span.half)
    again = volume.form.render(exact(volume))
    np.testing.assert_allclose(again, array, rtol=0, atol=size * 1e-6)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 5))
def test_every_nth_along_each_axis(shape, every):
    volume = read_volume(np.zeros(shape, np.uint8), channels_last=False, every=every)
    lattice = np.arange(np.prod(shape)).reshape(shape)[(slice(None, None, every),) * len(shape)]
    train = volume.train
    chosen = np.arange(len(train)) if train.chosen is None else train.chosen.numpy()
    np.testing.assert_array_equal(chosen, lattice.flatten())
    whole = Samples(train.places, train.values, train.span)
    assert len(whole) == len(train) + (0 if volume.held_out is None else len(volume.held_out))
    rows = volume.rows()
    assert rows.size == lattice.size
    assert rows.shape[1] == (lattice.shape[-1] if lattice.shape[-1] > 1 else max(lattice.shape))


def test_rows_follow_the_last_axis_of_each_channel():
    there = numbers((3, 4, 5, 2), "float64")
    rows = read_volume(there, channels_last=True).rows()
    low, high = there.min(), there.max()
    expected = np.moveaxis(2 * (there - low) / (high - low) - 1, -1, 0).reshape(-1, 5)
    np.testing.assert_allclose(rows, expected, atol=1e-6)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.integers(1, 40))
def test_slabs_fill_a_box_in_order(shape, most):
    whole = np.arange(np.prod(shape)).reshape(shape)
    parts = [whole[slab].flatten() for slab in slabs(tuple(shape), most)]
    assert max(len(part) for part in parts) <= most
    np.testing.assert_array_equal(np.concatenate(parts), whole.flatten())


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (4, 6, 3)),
        ({"scale": 2}, (8, 12, 3)),
        ({"scale": 0.01}, (1, 1, 3)),
        ({"size": (5, 2)}, (5, 2, 3)),
    ],
)
def test_render_at_any_size(options, shape):
    form = VolumeForm((4, 6), 3, "float32", -2.0, 4.0)
    drawn = form.render(
        lambda places: places.at(torch.arange(len(places)))[:, [0, 1, 1]], **options
    )
    assert drawn.shape == shape
    x = (np.arange(shape[1]) + 0.5) / shape[1] * 2 - 1
    np.testing.assert_allclose(drawn[0, :, 1], 3 * x + 1, rtol=1e-5, atol=1e-6)


def test_types_bound_what_is_rendered():
    for dtype, low, high, least, most in (
        ("uint8", 0, 255, 0, 255),
        ("int32", -5, 9, -5, 9),
        ("float16", -6e4, 6e4, -65504, 65504),
    ):
        form = VolumeForm((2,), None, dtype, low, high)
        drawn = form.render(lambda _: torch.tensor([[-3.0], [3.0]]))
        assert drawn.tolist() == [least, most]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.txt", {}, "written as .npy or .npz"),
        ("a.npy", {"scale": -1}, "scale must be"),
        ("a.npy", {"size": (2,)}, "size must be 2 whole numbers"),
        ("a.npy", {"size": (2**20, 2**20)}, "larger than 4 GiB"),
        ("a.npy", {"fps": 3}, "volume is rendered with scale, size; it has no fps"),
    ],
)
def test_save_refuses_before_it_renders(tmp_path, name, options, message):
    def never(places):
        raise AssertionError("rendered for nothing")

    with pytest.raises(OptionError, match=message):
        VolumeForm((4, 6), None, "uint8", 0, 255).save(never, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given",
    [
        {"shape": ()},
        {"shape": (2, 2, 2, 2, 2)},
        {"shape": (2, 0)},
        {"shape": (2, -1)},
        {"shape": (2, 2.0)},
        {"shape": "ab"},
        {"shape": (2**30, 2**30)},
        {"channels": 0},
        {"channels": 2**40},
        {"channels": "3"},
        {"dtype": "object"},
        {"dtype": "complex64"},
        {"dtype": None},
        {"low": 300, "high": 200},
        {"low": float("nan")},
        {"high": float("inf")},
        {"low": -1},
        {"high": 256},
        {"high": "9"},
    ],
)
def test_forms_check_their_numbers(given):
    fields = {"shape": (2, 3), "channels": None, "dtype": "uint8", "low": 0, "high": 255}
    with pytest.raises(OptionError):
        VolumeForm(**{**fields, **given})
