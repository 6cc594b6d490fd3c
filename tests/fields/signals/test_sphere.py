"""Maps on a sphere: found in files of any order, weighted by area, and written back."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.forms import find_form
from firstlight.fields.signals.graticule import areas, check_longitudes, finer
from firstlight.fields.signals.sphere import SphereForm, read_sphere

xarray = pytest.importorskip("xarray")
ERA = Path(__file__).parents[4] / "shared/data/sphere/eraint_uvz.nc"
LATITUDE, LONGITUDE = np.linspace(90, -90, 7), np.arange(0, 360, 30.0)


def values(rows=7, columns=12, seed=0):
    return np.random.default_rng(seed).normal(280, 20, (rows, columns)).astype(np.float32)


def dataset(**options):
    """One variable of temperature with month and level, as files of reanalyses have them."""
    stack = np.stack([[values(seed=10 * m + k) for k in range(3)] for m in range(2)])
    coordinates = {
        "month": [1, 7],
        "level": np.array([0.1, 500, 850], np.float32),
        "lat": ("lat", LATITUDE, {"units": "degrees_north"}),
        "lon": ("lon", LONGITUDE, {"units": "degrees_east"}),
    }
    t = (("month", "level", "lat", "lon"), stack, {"units": "K", "long_name": "temperature"})
    return xarray.Dataset({"t": t}, coordinates, **options)


def own(sphere):
    """All values in the map's units, (rows, columns)."""
    scaled = sphere.train.span.scaled(sphere.train.values)
    return sphere.form.span.restored(scaled).reshape(sphere.train.places.shape)


def truth(sphere):
    """Predicts a map's own values at its own places."""
    scaled = sphere.train.span.scaled(sphere.train.values)
    return lambda places: scaled[: len(places)]


def exact(samples):
    return samples.all().y


def height(places):
    return places.at(torch.arange(len(places)))[:, 2:]


def test_the_real_map():
    if not ERA.exists():
        pytest.skip("no shared data")
    sphere = read_sphere(ERA, variable="z", select={"level": 500, "month": 1}, every=2)
    with pytest.warns(xarray.SerializationWarning):
        data = xarray.load_dataset(ERA)
    expected = data.z.sel(level=500, month=1).values
    latitude, longitude = data.latitude.values, data.longitude.values
    np.testing.assert_allclose(own(sphere), expected, rtol=1e-6)
    assert sphere.form.units == "m**2 s**-2"
    assert sphere.form.at == (("level", 500), ("month", 1))
    assert (len(sphere.train), len(sphere.held_out)) == (121 * 240, 241 * 480 - 121 * 240)
    first = sphere.train.all().x[240]
    assert float(first[2]) == pytest.approx(math.sin(math.radians(latitude[2])))
    assert math.degrees(math.atan2(first[1], first[0])) % 360 == longitude[0] % 360
    assert sphere.spacing[0] == pytest.approx(2 * math.radians(0.75))
    assert sphere.rows().shape == (121, 240)


@pytest.mark.parametrize("kind", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4"])
def test_files_of_every_version_are_read(kind, tmp_path):
    engine = "scipy"
    if kind == "NETCDF4":
        pytest.importorskip("h5py")
        engine = "h5netcdf"
    dataset().to_netcdf(tmp_path / "a.nc", format=kind, engine=engine)
    sphere = read_sphere(tmp_path / "a.nc", select={"month": 7, "level": 500})
    np.testing.assert_allclose(own(sphere), values(seed=11), rtol=1e-6)
    assert sphere.name == str(tmp_path / "a.nc")


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ({"name": "lat"}, {"name": "lon"}),
        ({"name": "LATITUDE"}, {"name": "Longitude"}),
        ({"name": "y", "units": "degrees_north"}, {"name": "x", "units": "degreesE"}),
        ({"name": "j", "standard_name": "latitude"}, {"name": "i", "standard_name": "longitude"}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_axes_are_found_by_name_or_units(rows, columns, turned):
    dims = (rows["name"], columns["name"])
    axes = ((dims[0], LATITUDE, rows), (dims[1], LONGITUDE, columns))
    data = xarray.DataArray(values(), dict(zip(dims, axes, strict=True)), dims, name="t")
    sphere = read_sphere(data.transpose() if turned else data)
    np.testing.assert_allclose(own(sphere), values(), rtol=1e-6)
    assert sphere.form.dims == dims


def test_axes_that_are_not_coordinates_are_found_too():
    data = xarray.Dataset(
        {"t": (("y", "x"), values()), "lat": ("y", LATITUDE), "lon": ("x", LONGITUDE)}
    )
    sphere = read_sphere(data)
    assert (sphere.form.variable, sphere.form.dims) == ("t", ("lat", "lon"))


@pytest.mark.parametrize("north_first", [True, False])
@pytest.mark.parametrize("start", [0, -180, -360])
def test_any_order_and_any_seam_give_the_same_points(north_first, start):
    latitude = LATITUDE if north_first else LATITUDE[::-1]
    longitude = LONGITUDE + start
    sphere = read_sphere((latitude, longitude, values()))
    table = {
        tuple(np.round(point, 5) + 0.0): value
        for point, value in zip(
            sphere.train.all().x.tolist(), own(sphere).flatten().tolist(), strict=True
        )
    }
    for row, lat in enumerate(np.radians(latitude[1:-1]), 1):
        for column, lon in enumerate(np.radians(longitude)):
            point = (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
            key = min(table, key=lambda other: math.dist(other, point))
            assert table[key] == pytest.approx(values()[row, column], rel=1e-6)


def test_longitudes_that_cross_the_seam_within_a_file_are_put_in_order():
    rolled = np.roll(LONGITUDE, 6)  # 180 ... 330, 0 ... 150
    sphere = read_sphere((LATITUDE, rolled, values()))
    assert sphere.form.longitude == tuple(np.arange(-180, 180, 30.0))
    np.testing.assert_allclose(own(sphere), values(), rtol=1e-6)
    assert check_longitudes(np.array([350, 355, 0, 5])).tolist() == [-10, -5, 0, 5]
    assert check_longitudes(np.array([-170, 180, 170])).tolist() == [-170, -180, -190]


def test_a_longitude_that_is_there_twice_is_fitted_once_and_written_twice(tmp_path):
    longitude = np.append(LONGITUDE, 360.0)
    twice = np.hstack([values(), values()[:, :1]])
    sphere, once = (
        read_sphere((LATITUDE, longitude, twice)),
        read_sphere((LATITUDE, LONGITUDE, values())),
    )
    assert torch.equal(sphere.train.values, once.train.values)
    assert torch.equal(sphere.train.weights, once.train.weights)
    assert sphere.form.longitude == tuple(longitude)
    assert sphere.notes == ("longitude 360 is 0 again, and is fitted once",)
    assert once.notes == ()
    shown = sphere.form.render(height)
    assert shown.shape == (7, 13)
    np.testing.assert_allclose(shown[:, 0], shown[:, -1], rtol=1e-6)
    assert sphere.form.render(height, scale=2).longitude.values.tolist() == list(range(0, 361, 15))


def test_an_even_lattice_weighs_cosine_of_latitude_and_the_poles_half_a_cell():
    sphere = read_sphere((LATITUDE, LONGITUDE, values()))
    weights = sphere.train.weights.reshape(7, 12).double().numpy()
    assert float(weights.mean()) == pytest.approx(1)
    inner = weights[1:-1, 0] / np.cos(np.radians(LATITUDE[1:-1]))
    np.testing.assert_allclose(inner, float(inner[0]), rtol=1e-6)
    cap = (1 - math.sin(math.radians(75))) / (2 * math.sin(math.radians(15)))
    assert float(weights[0, 0] / weights[3, 0]) == pytest.approx(cap)


@given(
    st.lists(st.integers(-90, 90), min_size=2, max_size=6, unique=True),
    st.lists(st.integers(-180, 179), min_size=2, max_size=6, unique=True),
)
def test_weights_are_areas_between_middles(latitudes, longitudes):
    latitudes, longitudes = np.sort(latitudes)[::-1], np.sort(longitudes)

    def edges(axis):
        half = np.diff(axis) / 2
        return [axis[0] - half[0], *(axis[:-1] + half), axis[-1] + half[-1]]

    expected = np.array(
        [
            [
                abs(math.sin(north) - math.sin(south)) * (east - west)
                for west, east in zip(edges(longitudes), edges(longitudes)[1:], strict=False)
            ]
            for north, south in zip(
                np.radians(np.clip(edges(latitudes), -90, 90)),
                np.radians(np.clip(edges(latitudes), -90, 90))[1:],
                strict=False,
            )
        ]
    )
    found = areas(latitudes, longitudes)
    np.testing.assert_allclose(found, expected / expected.mean(), rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"every": 2}, {"held_out": 0.3, "seed": 3}])
def test_errors_are_weighted_by_area_in_the_maps_units(options):
    sphere = read_sphere((LATITUDE, LONGITUDE, values()), **options)

    def off(samples):  # wrong by the square of z
        return samples.all().y + 0.05 * samples.all().x[:, 2:] ** 2

    found = sphere.measure(off)
    half = float(np.ptp(values())) / 2
    for prefix, samples in (("", sphere.train), ("held_out_", sphere.held_out)):
        if samples is not None:
            batch = samples.all()
            weight, error = batch.weight.double(), 0.05 * batch.x[:, 2:].double() ** 2
            mean = float((weight * error**2).sum() / weight.sum())
            assert found[f"{prefix}rmse"] == pytest.approx(half * math.sqrt(mean), rel=1e-4)
            assert found[f"{prefix}psnr"] == pytest.approx(10 * math.log10(4 / mean), abs=1e-3)
    assert ("held_out_rmse" in found) == bool(options)
    assert sphere.measure(exact)["rmse"] == 0
    assert sphere.measure(lambda samples: exact(samples) * math.nan)["rmse"] == math.inf


def test_a_constant_map_stays_constant(tmp_path):
    sphere = read_sphere((LATITUDE, LONGITUDE, np.full((7, 12), 273.15)))
    assert sphere.train.all().y.abs().max() == 0
    np.testing.assert_allclose(sphere.form.render(truth(sphere)), 273.15, rtol=1e-6)
    assert sphere.measure(exact) == {"psnr": math.inf, "rmse": 0.0}


def test_a_small_range_on_a_large_offset_is_not_lost():
    fine = 1e7 + 1e-3 * values().astype(np.float64)
    sphere = read_sphere((LATITUDE, LONGITUDE, fine))
    scaled = (fine - fine.min()) / np.ptp(fine) * 2 - 1
    np.testing.assert_allclose(sphere.train.all().y.reshape(7, 12), scaled, atol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_small_types_stay_small(dtype):
    whole = np.arange(84).reshape(7, 12).astype(dtype)
    sphere = read_sphere((LATITUDE, LONGITUDE, whole))
    assert sphere.train.values.element_size() == whole.itemsize
    np.testing.assert_allclose(own(sphere), whole, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1)])
def test_maps_of_a_line_or_a_point(shape, tmp_path):
    latitude, longitude = np.linspace(40, 50, shape[0]), np.linspace(0, 8, shape[1])
    sphere = read_sphere((latitude, longitude, values(*shape)))
    assert len(sphere.train) == math.prod(shape)
    assert float(sphere.train.weights.mean()) == pytest.approx(1)
    assert min(sphere.spacing) > 0
    shown = sphere.form.render(height, scale=3)
    assert shown.shape == tuple((n - 1) * 3 + 1 for n in shape)
    with pytest.raises(OptionError, match="do not fit where the map has one"):
        sphere.form.render(height, size=(4, 4))


@given(st.integers(2, 6), st.integers(1, 20))
def test_finer_axes_keep_their_ends_and_their_points(length, times):
    axis = np.cumsum(np.random.default_rng(length).uniform(1, 5, length))
    dense = finer(axis, (length - 1) * times + 1)
    np.testing.assert_allclose(dense[::times], axis, rtol=1e-12)
    assert (np.diff(dense) > 0).all()
    descending = finer(-axis, (length - 1) * times + 1)
    np.testing.assert_allclose(descending, -dense, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "rows", "columns"),
    [
        ({}, LATITUDE, LONGITUDE),
        ({"scale": 2}, np.linspace(90, -90, 13), np.arange(0, 360, 15.0)),
        ({"scale": 0.5}, np.linspace(90, -90, 4), np.arange(0, 360, 60.0)),
        ({"size": (3, 8)}, np.array([90.0, 0, -90]), np.arange(0, 360, 45.0)),
        ({"size": [1, 1], "scale": None}, np.array([90.0]), np.array([0.0])),
    ],
)
def test_rendering_at_any_fineness(options, rows, columns, tmp_path):
    sphere = read_sphere(dataset(), select={"month": 1, "level": 500})
    shown = sphere.form.render(height, **options)
    np.testing.assert_allclose(shown.lat, rows, atol=1e-9)
    np.testing.assert_allclose(shown.lon, columns, atol=1e-9)
    span = sphere.form.span
    expected = np.sin(np.radians(rows)) * span.half + span.middle
    np.testing.assert_allclose(shown, np.repeat(expected[:, None], len(columns), 1), rtol=1e-6)
    path = sphere.form.save(height, tmp_path / "a.nc", **options)
    with xarray.open_dataset(path) as back:
        xarray.testing.assert_allclose(back.t.load(), shown)
        assert back.t.attrs == {"units": "K", "long_name": "temperature"}
        assert back.lat.attrs == {"units": "degrees_north"}
        assert (back.t.dtype, float(back.level), int(back.month)) == (np.float32, 500, 1)
    assert read_sphere(path).form.units == "K"


def test_a_map_becomes_itself_again(tmp_path):
    sphere = read_sphere(dataset(), select={"month": 7, "level": 850})
    again = read_sphere(sphere.form.save(truth(sphere), tmp_path / "a.nc"))
    np.testing.assert_allclose(own(again), values(seed=12), rtol=1e-6)
    assert (again.form.latitude, again.form.longitude) == (
        sphere.form.latitude,
        sphere.form.longitude,
    )
    assert again.form.at == sphere.form.at


def test_rendering_asks_for_a_band_at_a_time():
    form, asked = SphereForm((90.0, -90.0), (0.0, 180.0), 0.0, 1.0), []

    def predict(places):
        asked.append(len(places))
        return height(places)

    shown = form.render(predict, size=(700, 800))
    assert max(asked) < sum(asked) == shown.size
    np.testing.assert_allclose(shown[:, 0], shown[:, -1])
    assert (np.diff(shown[:, 0]) <= 0).all()


def test_values_that_are_missing_are_counted_and_placed_or_left_out(tmp_path):
    holed = values()
    holed[2, 3] = holed[5, 0] = np.nan
    with pytest.raises(FirstlightError, match=r"2 of 84 .* latitude 30, longitude 90; missing"):
        read_sphere((LATITUDE, LONGITUDE, holed))
    numbers = {2 * 12 + 3, 5 * 12}
    for options, held in (({}, 0), ({"every": 2}, 60 - 1), ({"held_out": 0.5}, 41)):
        sphere = read_sphere((LATITUDE, LONGITUDE, holed), missing="drop", **options)
        used = set(sphere.train.chosen.tolist())
        others = set() if sphere.held_out is None else set(sphere.held_out.chosen.tolist())
        assert used | others == set(range(84)) - numbers
        assert not used & others
        assert sphere.notes == ("2 of 84 places have no value and are left out",)
        assert len(others) == held or "every" in options
        assert np.isfinite(sphere.rows()).all()
        assert all(math.isfinite(each) for each in sphere.measure(lambda s: exact(s) + 1).values())
    data = xarray.DataArray(holed, {"lat": LATITUDE, "lon": LONGITUDE}, ("lat", "lon"), "t")
    data.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with pytest.raises(FirstlightError, match=r"a\.nc has 2 of 84 values"):
        read_sphere(tmp_path / "a.nc")
    assert len(read_sphere(tmp_path / "a.nc", missing="drop").train) == 82


def test_nothing_missing_drops_nothing():
    sphere = read_sphere((LATITUDE, LONGITUDE, values()), missing="drop")
    assert len(sphere.train) == 84
    with pytest.raises(OptionError, match="missing must be one of refuse, drop"):
        read_sphere((LATITUDE, LONGITUDE, values()), missing="fill")
    for bad in (np.nan, np.inf):
        with pytest.raises(FirstlightError, match="no value at all"):
            read_sphere((LATITUDE, LONGITUDE, np.full((7, 12), bad)), missing="drop")


@pytest.mark.parametrize(
    ("select", "month", "level"),
    [
        ({"month": 7, "level": 500}, 1, 1),
        ({"month": 7.0, "level": 500.0}, 1, 1),
        ({"month": "1", "level": "850"}, 0, 2),
        ({"month": np.int64(1), "level": 0.1}, 0, 0),
    ],
)
def test_a_value_is_selected_exactly(select, month, level):
    sphere = read_sphere(dataset(), select=select)
    np.testing.assert_allclose(own(sphere), values(seed=10 * month + level), rtol=1e-6)


@pytest.mark.parametrize("value", [2, 1.5, "x", None, [1, 7], np.array([1, 7])])
def test_no_other_value_is_near_enough(value):
    with pytest.raises(OptionError, match="month must be one of 1, 7; got"):
        read_sphere(dataset(), select={"month": value, "level": 500})
    with pytest.raises(OptionError, match=r"level must be one of 0\.1\d*, 500\.0, 850\.0; got"):
        read_sphere(dataset(), select={"month": 1, "level": value})


def test_times_are_selected_by_their_text():
    times = np.array(["2000-01-01", "2000-07-01T12"], "datetime64[ns]")
    stack = np.stack([values(), values(seed=1)])
    axes = {"time": times, "lat": LATITUDE, "lon": LONGITUDE}
    data = xarray.DataArray(stack, axes, tuple(axes), "t")
    sphere = read_sphere(data, select={"time": "2000-07-01T12:00"})
    np.testing.assert_allclose(own(sphere), stack[1], rtol=1e-6)
    assert sphere.form.at == (("time", "2000-07-01T12:00:00"),)
    for wrong in ("2000-07-01", "noon", 3):
        with pytest.raises(OptionError, match="time must be one of 2000-01-01T00:00:00, 2000-07"):
            read_sphere(data, select={"time": wrong})


def test_a_dimension_of_one_needs_no_selection_and_times_are_written(tmp_path):
    axes = {"time": np.array(["2000-01-01"], "datetime64[ns]"), "lat": LATITUDE, "lon": LONGITUDE}
    data = xarray.DataArray(values()[None], axes, tuple(axes), "t")
    sphere = read_sphere(data)
    with xarray.open_dataset(sphere.form.save(height, tmp_path / "a.nc")) as back:
        assert str(back.time.values.astype(str)) == "2000-01-01T00:00:00"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"select one value of month \(1, 7\) and of level \(0\.1\d*, 500\.0, 850\.0\)"),
        ({"select": {"month": 1}}, r"select one value of level \("),
        ({"select": {"lat": 0}}, "select must name dimensions of t, which are month, level; got"),
        ({"select": {"time": 0}}, "which are month, level; got 'time'"),
        ({"variable": "u"}, "variable must be one of t in the dataset; got 'u'"),
        ({"variable": "lat"}, "variable must be one of t in the dataset; got 'lat'"),
    ],
)
def test_selecting_says_what_there_is(options, message):
    with pytest.raises(OptionError, match=message) as error:
        read_sphere(dataset(), **options)
    assert "\n" not in str(error.value)


def test_several_variables_are_named():
    two = dataset()
    two["u"], two["area"] = two.t, ("lat", LATITUDE)
    with pytest.raises(OptionError, match=r"give variable, one of t, u$"):
        read_sphere(two)
    assert read_sphere(two, variable="u", select={"month": 1, "level": 500}).form.variable == "u"


@pytest.mark.parametrize(
    "data",
    [
        xarray.Dataset(),
        xarray.Dataset({"t": (("y", "x"), np.zeros((2, 2)))}),
        xarray.Dataset({"t": ("lat", LATITUDE)}, {"lat": LATITUDE}),
        xarray.Dataset({"t": ("n", LATITUDE), "lat": ("n", LATITUDE), "lon": ("n", LATITUDE)}),
        xarray.Dataset(
            {"t": (("y", "x"), np.zeros((2, 2)))},
            {"lat": (("y", "x"), np.zeros((2, 2))), "lon": (("y", "x"), np.zeros((2, 2)))},
        ),
    ],
    ids=["empty", "no axes", "one axis", "a list of points", "curved"],
)
def test_data_without_a_map_is_refused(data):
    with pytest.raises(FirstlightError, match="no variable over 1-D latitude and longitude"):
        read_sphere(data)


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        ([0, 91], [0, 1], "latitudes must lie between -90 and 90 degrees, got 91"),
        ([0, -90.1], [0, 1], "latitudes must lie between -90 and 90 degrees, got -90.1"),
        ([0, math.nan], [0, 1], "latitudes must be finite"),
        ([5, 5], [0, 1], "latitudes must all differ and be in order"),
        ([0, 1, 0.5], [0, 1], "latitudes must all differ and be in order"),
        ([0, 1], [0, math.inf], "longitudes must be finite"),
        ([0, 1], [3, 3], "longitudes must all differ and be in order"),
        ([0, 1], [0, 10, 5], "longitudes must all differ and be in order"),
        ([0, 1], [0, 200, 400], "longitudes must span at most 360 degrees, got 400"),
        ([0, 1], [0, 721], "longitudes must lie between"),
        ([0, 1], ["a", "b"], "longitudes must be a list of degrees"),
    ],
)
def test_degrees_that_cannot_be_are_refused(latitude, longitude, message):
    shape = (len(latitude), len(longitude))
    with pytest.raises(FirstlightError, match=message):
        read_sphere((latitude, longitude, values(*shape)))


def test_a_pole_may_be_rounded():
    sphere = read_sphere((np.array([90.00001, 0, -90.00001]), LONGITUDE, values(3)))
    assert sphere.form.latitude == (90, 0, -90)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ((LATITUDE, LONGITUDE), "arrays must be latitudes, longitudes and values, got 2"),
        ((LATITUDE, LONGITUDE, values().T), r"values must have the shape \(7, 12\), got \(12, 7\)"),
        ((LATITUDE, LONGITUDE, values() * 1j), "must be real numbers, got complex64"),
        ((LATITUDE, LONGITUDE, values().astype(str)), "must be real numbers, got <U"),
        (([], [], np.zeros((0, 0))), "a map has 1 to 2"),
        (3, "a map is read from a file"),
        (None, "a map is read from a file"),
        (values(), "a map is read from a file"),
    ],
)
def test_other_sources_are_refused(source, message):
    with pytest.raises(FirstlightError, match=message) as error:
        read_sphere(source)
    assert "\n" not in str(error.value)


def test_a_huge_map_is_refused_before_it_is_read():
    axes = (np.linspace(-90, 90, 2**14), np.arange(2**14 + 1) * 0.02)
    huge = np.broadcast_to(np.float32(0), (2**14, 2**14 + 1))
    with pytest.raises(OptionError, match=r"a map has 1 to 2\^28"):
        read_sphere((*axes, huge))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"month,level\n1,500\n", "it begins like neither"),
        (b"CDF\x05" + bytes(64), "it begins like neither"),
        (b"CDF\x01", "as NetCDF: "),
        (b"CDF\x02\xff\xff\xff\xff\xff", "as NetCDF: "),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "NetCDF"),
    ],
)
def test_files_that_are_no_netcdf_are_refused(content, message, tmp_path):
    (tmp_path / "a.nc").write_bytes(content)
    with pytest.raises(FirstlightError, match=message) as error:
        read_sphere(tmp_path / "a.nc")
    assert "\n" not in str(error.value)
    for absent in (tmp_path, tmp_path / "absent.nc"):
        with pytest.raises(FirstlightError, match="there is no such file"):
            read_sphere(absent)


@pytest.mark.parametrize("engine", ["scipy", "h5netcdf"])
def test_a_file_cut_off_anywhere_is_refused_with_one_line(engine, tmp_path):
    if engine == "h5netcdf":
        pytest.importorskip("h5py")
    path = tmp_path / "a.nc"
    dataset().to_netcdf(path, engine=engine)
    whole = path.read_bytes()
    for length in range(4, len(whole) - 8, len(whole) // 9):
        path.write_bytes(whole[:length])
        with pytest.raises(FirstlightError, match="cannot read") as error:
            read_sphere(path, select={"month": 1, "level": 500})
        assert "\n" not in str(error.value)


def form(**changes):
    good = {"latitude": [90, -90], "longitude": [0, 180], "low": 0.0, "high": 1.0}
    return SphereForm(**{**good, **changes})


def test_a_form_survives_json():
    made = read_sphere(dataset(), select={"month": 1, "level": 500}).form
    assert find_form(json.loads(json.dumps(made.as_dict()))) == made
    assert hash(form()) == hash(form())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latitude": [90, -91]}, "latitudes must lie between"),
        ({"latitude": []}, "latitudes must be a list of degrees"),
        ({"latitude": 3}, "latitude must be a list, got int"),
        ({"latitude": "90"}, "latitude must be a list, got str"),
        ({"latitude": [90, None]}, "latitude must be a finite number"),
        ({"longitude": [0, 1e9]}, "longitudes must lie between"),
        ({"low": 2.0}, "low must not be above high"),
        ({"high": math.inf}, "high must be a finite number"),
        ({"low": "0"}, "low must be a finite number"),
        ({"variable": ""}, "names must differ"),
        ({"variable": "a/b"}, "names must differ, with no / in them"),
        ({"variable": "latitude"}, "names must differ"),
        ({"variable": 3}, "short printable text"),
        ({"units": "K\n"}, "short printable text"),
        ({"units": "K" * 257}, "short printable text"),
        ({"dims": ["a"]}, "dims must be two names"),
        ({"dims": ["a", "a"]}, "names must differ"),
        ({"at": [["level"]]}, "at pairs of a name and a value"),
        ({"at": [["level", None]]}, "short printable text"),
        ({"at": [["latitude", 1]]}, "names must differ"),
        ({"at": [["the level", 1]]}, "names of at must have no spaces"),
        ({"at": [["level", math.inf]]}, "level must be a finite number"),
        ({"at": [["level", 2**31]]}, r"level must be below 2\^31"),
        ({"at": {"level": 1}}, "at must be a list, got dict"),
    ],
)
def test_a_forged_form_is_refused(changes, message):
    with pytest.raises(FirstlightError, match=message) as error:
        form(**changes)
    assert "\n" not in str(error.value)


def test_a_form_cannot_ask_for_terabytes():
    for options in ({"scale": 1e6}, {"size": (2**20, 2**20)}):
        with pytest.raises(OptionError, match=r"more than 2\^28 points"):
            form().render(height, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": -1}, "scale must be a number above 0"),
        ({"size": 5}, "size must be a list, got int"),
        ({"size": (5,)}, "size must be two whole numbers"),
        ({"size": (5, 2.0)}, "size must be two whole numbers"),
        ({"size": (0, 2)}, "size must be two whole numbers"),
        ({"size": (3, 3), "scale": 2}, "give one of them"),
        ({"rate": 3}, "sphere is rendered with scale, size; it has no rate"),
    ],
)
def test_rendering_says_what_is_wrong(options, message):
    with pytest.raises(OptionError, match=message):
        form().render(height, **options)


def test_saving_says_what_is_wrong(tmp_path):
    with pytest.raises(OptionError, match=r"saved as \.nc, .* not as 'a\.png'"):
        form().save(height, tmp_path / "a.png")
    with pytest.raises(FirstlightError, match="not finite"):
        form().save(lambda places: height(places) * math.nan, tmp_path / "a.nc")
    (tmp_path / "file").write_text("")
    with pytest.raises(FirstlightError, match="cannot write"):
        form().save(height, tmp_path / "file" / "a.nc")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["byte", "a b ", "2m temperature", "Größe", "x" * 256])
def test_any_name_is_written_and_read_back(name, tmp_path):
    made = form(variable=name, units="m/s", at=[["level_2", -(2**31) + 1], ["n", "é"]])
    back = read_sphere(made.save(height, tmp_path / "a.nc")).form
    assert (back.variable, back.units, dict(back.at)) == (name, "m/s", dict(made.at))


def test_names_of_foreign_files_are_made_short_and_plain():
    data = dataset()
    data.t.attrs["long_name"] = "two\nlines \x00" + "x" * 999
    data = data.assign_coords({"of model": 3})
    made = read_sphere(data, select={"month": 1, "level": 500}).form
    assert ("of_model", 3) in made.at
    assert made.long_name.startswith("two lines x")
    assert len(made.long_name) == 256
