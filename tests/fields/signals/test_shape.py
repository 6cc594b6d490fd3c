"""Meshes as occupancy and signed distance, against closed forms and exact winding numbers."""

import math
from pathlib import Path

import igl
import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.inside_lattice import inside_lattice
from firstlight.fields.signals.mesh import FILL, load, solid
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.shape import Occupancy, SignedDistance, read_shape
from firstlight.fields.signals.shape_form import OccupancyForm, SignedDistanceForm

SHAPES = Path(__file__).parents[4] / "shared" / "data" / "shapes"
KINDS = ["occupancy", "signed_distance"]
SUFFIXES = [".obj", ".ply", ".stl", ".off", ".glb"]


def real(name):
    path = SHAPES / name
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return path


def ball(subdivisions=3, radius=1.0, centre=(0, 0, 0)):
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    return mesh.apply_translation(centre)


def bowl():
    """A ball without its lid."""
    mesh = ball(4)
    return trimesh.Trimesh(mesh.vertices, mesh.faces[mesh.triangles_center[:, 2] < 0.3])


def sheet():
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 2), -1).reshape(-1, 2)
    corners = [(i, i + 1, i + 5, i + 4) for row in range(3) for i in range(4 * row, 4 * row + 3)]
    faces = [face for a, b, c, d in corners for face in ((a, b, c), (a, c, d))]
    return trimesh.Trimesh(np.column_stack([grid, grid @ [0.3, 0.5]]), faces)


def points(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 3))


def coordinates(places):
    return places.at(torch.arange(len(places)))


def predict_distance(shape):
    """The exact distance as a field."""

    def predict(places):
        return torch.from_numpy(shape.values(coordinates(places).numpy()))[:, None]

    return predict


# --- inside and distance


def test_a_box_knows_its_inside_and_distance():
    box = solid(trimesh.creation.box((2, 1, 0.5)), "box")
    half = np.array([2, 1, 0.5]) / 2 / box.unit
    assert half[0] == pytest.approx(FILL)
    x = points(20_000)
    beyond = np.abs(x) - half
    exact = np.linalg.norm(beyond.clip(0), axis=1) + beyond.max(1).clip(None, 0)
    assert box.signed_distance(x) == pytest.approx(exact, abs=1e-12)
    assert (box.inside(x) == (exact < 0)).all()


def test_a_ball_knows_its_distance():
    x = points(5000)
    exact = np.linalg.norm(x, axis=1) - FILL
    assert solid(ball(5), "ball").signed_distance(x) == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize("name", ["stanford-bunny.obj", "rocker-arm.obj"])
def test_real_meshes_agree_with_the_exact_winding_number(name):
    body = solid(load(real(name)), name)
    x = np.concatenate([points(300), body.surface_points(300, np.random.default_rng(0))])
    x[300:] += 0.01 * points(300, 1)
    exact = igl.winding_number(body.vertices, body.faces, x)
    assert body.winding(x) == pytest.approx(exact, abs=0.01)
    clear = np.abs(exact - 0.5) > 0.01
    assert (body.inside(x) == (exact > 0.5))[clear].all()
    assert clear.mean() > 0.95


def test_distance_is_the_smallest_over_all_triangles():
    mesh = trimesh.creation.annulus(0.4, 1.0, 0.5, sections=16)
    body = solid(mesh, "ring")
    x = points(200)
    triangles = body.vertices[body.faces]
    every = [
        trimesh.triangles.closest_point(np.repeat(triangle[None], len(x), 0), x)
        for triangle in triangles
    ]
    slow = np.min([np.linalg.norm(near - x, axis=1) for near in every], axis=0)
    assert body.distance(x) == pytest.approx(slow, abs=1e-9)


def test_a_ray_from_inside_crosses_the_surface_an_odd_number_of_times():
    body = solid(load(real("rocker-arm.obj")), "rocker arm")
    x, along = points(200), np.array([0.36, 0.48, 0.8])
    a, b, c = (body.vertices[body.faces[:, corner]] for corner in range(3))
    across = np.cross(along, c - a)
    size = ((b - a) * across).sum(1)
    for start in range(0, len(x), 50):
        away = x[start : start + 50, None] - a
        turned = np.cross(away, b - a)
        u, v = (away * across).sum(-1) / size, (turned @ along) / size
        ahead = (turned * (c - a)).sum(-1) / size > 0
        crossed = ((u >= 0) & (v >= 0) & (u + v <= 1) & ahead).sum(1)
        assert (body.inside(x[start : start + 50]) == (crossed % 2 == 1)).all()


@pytest.mark.parametrize("make", [ball, bowl, lambda: trimesh.creation.torus(1, 0.3)])
@pytest.mark.parametrize("n", [2, 7, 33])
def test_a_lattice_is_what_its_points_are(make, n):
    body = solid(make(), "mesh")
    whole = body.inside(coordinates(Lattice.cells((n, n, n))).double().numpy())
    assert (inside_lattice(body, n).ravel() == whole).all()


def test_the_bunny_s_lattice_is_what_its_points_are_though_it_has_holes():
    body = solid(load(real("stanford-bunny.obj")), "bunny")
    whole = body.inside(coordinates(Lattice.cells((40,) * 3)).double().numpy())
    assert (inside_lattice(body, 40).ravel() == whole).all()
    assert len(body.rim) == 223


# --- what is made of a mesh


def test_an_inverted_mesh_is_turned():
    mesh = ball(centre=(3, 2, 1))
    inverted = trimesh.Trimesh(mesh.vertices, mesh.faces[:, ::-1], process=False)
    right, turned = solid(mesh, "right"), solid(inverted, "inverted")
    assert turned.notes == ("watertight: inside is exact", "inside out: its triangles were turned")
    assert (right.inside(points(2000)) == turned.inside(points(2000))).all()


def test_triangles_that_disagree_are_turned_to_agree():
    mesh = trimesh.util.concatenate([ball(2), ball(2, centre=(3, 0, 0))])
    random = np.random.default_rng(0).random(len(mesh.faces)) < 0.4
    mixed = np.where(random[:, None], mesh.faces[:, ::-1], mesh.faces)
    body = solid(trimesh.Trimesh(mesh.vertices, mixed, process=False), "mixed")
    assert "disagreed" in body.notes[1]
    assert (body.inside(points(2000)) == solid(mesh, "right").inside(points(2000))).all()


def test_a_cavity_stays_one():
    hole = ball(radius=0.5)
    hollow = trimesh.util.concatenate([ball(), trimesh.Trimesh(hole.vertices, hole.faces[:, ::-1])])
    body = solid(hollow, "hollow")
    assert body.notes == ("watertight: inside is exact",)
    assert body.inside(np.array([[0.0, 0, 0], [0.7, 0, 0]])).tolist() == [False, True]


def test_a_triangle_soup_is_welded():
    soup = ball().triangles.reshape(-1, 3)
    body = solid(trimesh.Trimesh(soup, np.arange(len(soup)).reshape(-1, 3), process=False), "soup")
    assert len(body.vertices) == len(ball().vertices)
    assert len(body.rim) == 0


def test_a_bowl_says_what_is_assumed_and_is_closed():
    shape = read_shape(bowl(), points=2000)
    assert shape.notes[0].startswith("not watertight (112 open edges): inside is where")
    body = shape.solid
    assert body.inside(np.array([[0, 0, 0.2], [0, 0, 0.9]])).tolist() == [True, False]


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_any_size_and_place_becomes_the_same_box(scale):
    mesh = trimesh.creation.torus(1, 0.3)
    usual = solid(mesh, "usual")
    moved = mesh.copy()
    moved.vertices = (mesh.vertices + np.array([10, -20, 30])) * scale
    other = solid(moved, "moved")
    assert other.unit == pytest.approx(usual.unit * scale)
    assert other.centre == pytest.approx(np.array([10, -20, 30]) * scale)
    assert other.distance(points(100)) == pytest.approx(usual.distance(points(100)), abs=1e-9)


def test_triangles_without_area_do_no_harm():
    mesh = ball()
    faces = np.concatenate([mesh.faces, [[0, 0, 1], [2, 2, 2]]])
    odd = trimesh.Trimesh(mesh.vertices, faces, process=False)
    assert (solid(odd, "odd").distance(points(500)) == solid(mesh, "b").distance(points(500))).all()


def test_the_mesh_given_is_not_changed():
    mesh = trimesh.Trimesh(ball().vertices * 3, ball().faces[:, ::-1], process=False)
    before = mesh.vertices.copy(), mesh.faces.copy()
    read_shape(mesh, points=100)
    assert (mesh.vertices == before[0]).all()
    assert (mesh.faces == before[1]).all()


# --- samples


def test_occupancy_has_its_samples():
    shape = read_shape(ball(4), points=10_001, near=0.05)
    assert isinstance(shape, Occupancy)
    assert (len(shape.train), len(shape.held_out), len(shape.uniform)) == (10_001, 2500, 1250)
    batch = shape.train.all()
    assert shape.train.values.dtype == torch.int8
    assert batch.y.unique().tolist() == [-1, 1]
    radius = batch.x.norm(dim=1)
    clear = (radius - FILL).abs() > 5e-3
    assert ((radius < FILL) == (batch.y[:, 0] > 0))[clear].all()
    assert batch.x.abs().max() <= 1
    even, near = radius[:5001], radius[5001:]
    assert (even < FILL).float().mean() == pytest.approx(math.pi / 6 * FILL**3, abs=0.03)
    assert float((near - FILL).std()) == pytest.approx(0.05, rel=0.1)


def test_signed_distance_has_its_samples_in_the_file_s_units():
    shape = read_shape(ball(4, radius=7), kind="signed_distance", points=4000)
    assert isinstance(shape, SignedDistance)
    exact = shape.form.unit * shape.train.all().x.norm(dim=1) - 7
    assert (shape.train.values[:, 0] - exact).abs().max() < 0.02
    assert shape.train.values.dtype == torch.float32
    assert max(shape.train.all().y.abs().max(), shape.held_out.all().y.abs().max()) == 1


def test_clamp_cuts_distances():
    shape = read_shape(ball(2, radius=7), kind="signed_distance", points=4000, clamp=0.1)
    assert shape.form.reach == pytest.approx(0.1 * 7 / FILL)
    assert (shape.train.all().y.abs() == 1).float().mean() > 0.3
    assert np.abs(shape.rows()).max() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_draw_is_repeated_by_its_seed_alone(kind):
    def of(seed):
        shape = read_shape(ball(), kind=kind, points=500, seed=seed)
        return [
            samples.all().x.numpy() for samples in (shape.train, shape.held_out)
        ], shape.train.values

    (first, values), (again, same), (other, _) = of(3), of(3), of(4)
    assert (first[0] == again[0]).all()
    assert (values == same).all()
    assert not (first[0] == other[0]).any()
    assert not np.isin(first[1][:, 0], first[0][:, 0]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lattice_is_trained_on(kind):
    shape = read_shape(ball(5), kind=kind, lattice=20, points=400)
    assert shape.train.places.shape == (20, 20, 20)
    assert len(shape.held_out) == 100
    batch = shape.train.all()
    radius = batch.x.norm(dim=1)
    clear = (radius - FILL).abs() > 2e-3
    assert (((radius < FILL) == (batch.y[:, 0] * shape.form.sign_inside > 0))[clear]).all()


def test_nothing_held_out():
    shape = read_shape(ball(), points=101, held_out=0)
    assert shape.held_out is None
    assert len(shape.uniform) == 51
    assert set(shape.measure(lambda samples: samples.all().y)) == {"psnr", "iou"}
    assert len(read_shape(ball(), lattice=4, held_out=0).uniform) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_rows_go_through_the_box_along_each_axis(kind):
    shape = read_shape(trimesh.creation.box((2, 0.9, 1.3)), kind=kind, points=8000)
    rows = shape.rows()
    assert rows.shape == (192, 20)
    within = (rows * shape.form.sign_inside > 0).reshape(3, 64, 20).sum(2).max(1)
    assert within.tolist() == [12, 8, 18]  # along z, y, x


# --- measures


def test_measures_are_what_they_say():
    shape = read_shape(ball(3, radius=2), kind="signed_distance", points=4000)
    measured = shape.measure(lambda samples: samples.all().y + 0.01)
    assert measured["psnr"] == pytest.approx(10 * math.log10(4 / 1e-4), abs=0.01)
    assert measured["held_out_psnr"] == pytest.approx(46.02, abs=0.01)
    assert measured["mae"] == pytest.approx(0.01 * shape.form.reach, rel=1e-4)
    inside = shape.uniform.all().y < 0
    shrunk = shape.uniform.all().y < -0.01
    assert measured["iou"] == pytest.approx(float(shrunk.sum() / inside.sum()))
    assert 0.8 < measured["iou"] < 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_field_measures_best_and_its_reverse_worst(kind):
    shape = read_shape(ball(), kind=kind, points=1000)
    assert shape.measure(lambda samples: samples.all().y)["iou"] == 1
    assert shape.measure(lambda samples: -samples.all().y)["iou"] == 0
    assert shape.measure(lambda samples: samples.all().y)["held_out_psnr"] == math.inf


# --- back to a mesh


def test_the_bunny_comes_back_in_its_own_units():
    path = real("stanford-bunny.obj")
    shape = read_shape(path, kind="signed_distance", points=1000, clamp=0.1)
    near = inside_lattice(shape.solid, 128)
    edge = binary_dilation(near) & binary_dilation(~near)

    def predict(places):
        """Exact within a cell of the surface, which is all that counts, and cut beyond."""
        x = coordinates(places).numpy()
        place = tuple(((x + 1) * 64).astype(int).T)
        values = np.where(near[place], -1.0, 1.0).astype(np.float32)
        values[edge[place]] = shape.values(x[edge[place]])
        return torch.from_numpy(values)[:, None]

    mesh = shape.form.render(predict, resolution=128)
    assert mesh.is_watertight
    assert mesh.volume > 0
    # bounds and insides in the file's units
    original = load(path)
    assert np.abs(mesh.bounds - original.bounds).max() < 2 * shape.form.unit / 128
    ours = solid(mesh, "ours")
    asked = shape.form.unit * points(30_000) + shape.form.centre
    mine = ours.inside((asked - ours.centre) / ours.unit)
    theirs = shape.solid.inside(points(30_000))
    assert (mine & theirs).sum() / (mine | theirs).sum() > 0.99


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_mesh_is_written_and_read_again(tmp_path, suffix, unit):
    mesh = trimesh.creation.torus(1, 0.3).apply_translation([3, 0, -1])
    mesh.vertices = unit * mesh.vertices
    shape = read_shape(mesh, kind="signed_distance", points=1000)
    path = shape.form.save(predict_distance(shape), tmp_path / f"mesh{suffix}", resolution=40)
    again = read_shape(path, points=1000)
    assert again.notes == ("watertight: inside is exact",)
    assert again.form.unit == pytest.approx(shape.form.unit, rel=0.01)
    assert again.form.centre == pytest.approx(shape.form.centre, abs=0.01 * unit)
    both = shape.solid.inside(points(5000)), again.solid.inside(points(5000))
    assert (both[0] & both[1]).sum() / (both[0] | both[1]).sum() > 0.95
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_scenes_are_read_as_one_mesh(tmp_path, suffix):
    scene = trimesh.Scene([trimesh.creation.box()])
    scene.add_geometry(trimesh.creation.box(), transform=np.diag([1.0, 1, 1, 1]) + _shift(4))
    path = tmp_path / f"scene{suffix}"
    (scene if suffix in (".glb", ".obj") else scene.to_mesh()).export(path)
    shape = read_shape(str(path), points=1000)
    assert shape.form.centre == pytest.approx((2, 0, 0))
    assert shape.notes == ("watertight: inside is exact",)


def _shift(x):
    shift = np.zeros((4, 4))
    shift[0, 3] = x
    return shift


def test_scale_and_resolution_multiply():
    form = OccupancyForm((0.0, 0.0, 0.0), 1.0)
    asked = []

    def predict(places):
        asked.append(places.shape)
        return 0.5 - coordinates(places).norm(dim=1, keepdim=True)

    form.render(predict)
    form.render(predict, scale=0.5)
    form.render(predict, resolution=10, scale=2)
    assert [shape[1:] for shape in asked] == [(128, 128)] * 3 + [(64, 64)] * 2 + [(20, 20)]


def test_a_level_moves_the_surface():
    def predict(places):
        return coordinates(places).norm(dim=1, keepdim=True) - 0.5

    form = SignedDistanceForm((0.0, 0.0, 0.0), 1.0, 0.25, reach=1.0)
    assert form.render(predict, resolution=32).bounds[1] == pytest.approx([0.75] * 3, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_is_plain_numbers(kind):
    form = read_shape(ball(), kind=kind, points=100).form
    facts = form.as_dict()
    assert facts.pop("kind") == kind
    assert type(form)(**{**facts, "centre": list(facts["centre"])}) == form


# --- what cannot be done


def test_no_surface_says_so():
    form = OccupancyForm((0.0, 0.0, 0.0), 1.0)
    with pytest.raises(FirstlightError, match="no surface"):
        form.render(lambda places: torch.full((len(places), 1), -1.0), resolution=8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 3}, "it has no size"),
        ({"resolution": 1}, "2 to 2048 cells, got 1"),
        ({"resolution": 4096}, "got 4096"),
        ({"scale": 100}, "got 12800"),
        ({"resolution": 2.5}, "whole number"),
        ({"resolution": True}, "whole number"),
        ({"scale": -1}, "above 0"),
    ],
)
def test_wrong_options_of_rendering_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        OccupancyForm((0.0, 0.0, 0.0), 1.0).render(coordinates, **options)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"saved as \.obj"):
        OccupancyForm((0.0, 0.0, 0.0), 1.0).save(coordinates, tmp_path / "a.png")


@pytest.mark.parametrize(
    "forged",
    [
        {"centre": (0.0, 0.0)},
        {"centre": 1.0},
        {"centre": "abc"},
        {"centre": (0.0, 0.0, math.nan)},
        {"unit": 0.0},
        {"unit": math.inf},
        {"unit": "1"},
        {"level": 1.0},
        {"level": math.nan},
        {"reach": -1.0},
        {"reach": None},
    ],
)
def test_forged_forms_are_refused(forged):
    facts = {"centre": (0.0, 0.0, 0.0), "unit": 1.0, "level": 0.0, "reach": 1.0}
    with pytest.raises(OptionError):
        SignedDistanceForm(**{**facts, **forged})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "colour"}, "kind must be one of"),
        ({"points": 1}, "points must be a whole number from 2"),
        ({"points": 10.0}, "points"),
        ({"held_out": -1}, "held_out"),
        ({"held_out": True}, "held_out"),
        ({"near": 0}, "near"),
        ({"lattice": 1}, "lattice"),
        ({"lattice": 2000}, "lattice must be a whole number from 2 to 1024"),
        ({"clamp": 0.1}, "occupancy does not use it"),
        ({"kind": "signed_distance", "clamp": 0}, "clamp"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_options_of_reading_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        read_shape(ball(), **options)


@pytest.mark.parametrize("source", [None, 3, np.zeros((3, 3)), trimesh.Scene()])
def test_what_is_no_mesh_is_refused(source):
    with pytest.raises(OptionError, match=r"a file or a trimesh\.Trimesh"):
        read_shape(source)


BAD_FILES = {
    "absent.obj": (None, "no such file"),
    "folder.png": (None, "must end in .obj"),
    "empty.obj": (b"", "the file is empty"),
    "empty.glb": (b"", "the file is empty"),
    "text.obj": (b"this is a letter, not a mesh\n", "no triangles"),
    "points.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no triangles"),
    "nan.obj": (b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "no finite numbers"),
    "inf.obj": (b"v 0 0 inf\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "no finite numbers"),
    "one.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "is flat"),
    "line.obj": (b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "no triangle of any area"),
    "dot.obj": (b"v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n", "no triangle of any area"),
    "beyond.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "it is cut off, or not"),
    "beyond.off": (b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n", "cannot read"),
    "huge.ply": (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 1000000000000\n"
        b"property float x\nend_header\n",
        "cannot read",
    ),
    # read as text where a package that guesses encodings is installed
    "bytes.stl": (bytes(range(256)) * 4, "cannot read|has no triangles"),
    "bytes.glb": (bytes(range(256)) * 4, "cannot read"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_give_one_clear_line(tmp_path, name):
    content, message = BAD_FILES[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FirstlightError, match=message) as caught:
        read_shape(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_point_clouds_are_refused(tmp_path, suffix):
    trimesh.PointCloud(points(10)).export(tmp_path / f"cloud{suffix}")
    with pytest.raises(FirstlightError, match="no triangles"):
        read_shape(tmp_path / f"cloud{suffix}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_sheet_has_no_inside(kind):
    with pytest.raises(FirstlightError, match="is flat"):
        read_shape(sheet(), kind=kind)


def test_triangles_of_absent_vertices_are_refused():
    for wrong in (99, -1):
        mesh = trimesh.Trimesh(process=False)
        mesh.vertices, mesh.faces = ball(1).vertices, np.array([[0, 1, 2], [0, 1, wrong]])
        with pytest.raises(FirstlightError, match="not there"):
            read_shape(mesh)


def test_what_is_too_large_is_refused():
    mesh = ball(1)
    mesh.vertices = mesh.vertices * 1e200
    with pytest.raises(FirstlightError, match="size"):
        read_shape(mesh)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    for suffix in SUFFIXES:
        trimesh.creation.icosahedron().export(folder / f"whole{suffix}")
    return folder


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(files, data):
    suffix = data.draw(st.sampled_from(SUFFIXES))
    content = bytearray((files / f"whole{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = files / f"damaged{suffix}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        shape = read_shape(path, points=50)
    except FirstlightError as error:
        refused = str(error)
    else:
        assert np.isfinite(shape.solid.signed_distance(points(20))).all()
        return
    assert len(refused.splitlines()) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 12), st.integers(4, 30))
def test_any_soup_of_triangles_is_read_or_refused(seed, vertices, faces):
    random = np.random.default_rng(seed)
    corners = random.integers(-2, 3, (vertices, 3)).astype(float)
    soup = trimesh.Trimesh(corners, random.integers(0, vertices, (faces, 3)), process=False)
    try:
        shape = read_shape(soup, kind="signed_distance", points=200)
    except FirstlightError:
        return
    assert torch.isfinite(shape.train.all().y).all()
    whole = shape.solid.winding(coordinates(Lattice.cells((9,) * 3)).double().numpy())
    clear = np.abs(whole - 0.5) > 0.02
    assert (inside_lattice(shape.solid, 9).ravel() == (whole > 0.5))[clear].all()
