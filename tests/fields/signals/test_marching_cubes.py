"""Blocks against one call of skimage over the whole lattice, and against closed forms."""

import tracemalloc

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from firstlight.errors import FirstlightError
from firstlight.fields.signals.marching_cubes import surface


def middles(n):
    return (2 * np.arange(n) + 1) / n - 1


def layers_of(function, n):
    """The layers of f(x, y, z)."""
    ticks = middles(n).astype(np.float32)
    return lambda start, stop: function(
        ticks[start:stop, None, None], ticks[:, None], ticks[None, None, :]
    )


def ball(radius):
    return lambda x, y, z: radius - np.sqrt(x * x + y * y + z * z)


def torus(x, y, z):
    return 0.25 - np.sqrt((np.sqrt(x * x + y * y) - 0.6) ** 2 + z * z)


def mesh_of(layers, n):
    vertices, faces = surface(layers, n)
    return trimesh.Trimesh(vertices, faces, process=False)


def at_once(values):
    """One marching cubes over all, with the mirror image outside the box."""
    n = len(values)
    padded = np.pad(values, 1, mode="edge")
    inner = np.zeros(padded.shape, dtype=bool)
    inner[1:-1, 1:-1, 1:-1] = True
    padded = np.where(inner, padded, -np.abs(padded)).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(padded, 0.0, gradient_direction="ascent")
    return trimesh.Trimesh((2 * vertices.astype(float) - 1) / n - 1, faces, process=False)


def assert_same(ours, other, n):
    assert (len(ours.vertices), len(ours.faces)) == (len(other.vertices), len(other.faces))
    for mine, theirs in (
        (ours.vertices, other.vertices),
        (ours.triangles_center, other.triangles_center),
    ):
        distance, number = cKDTree(mine).query(theirs)
        assert distance.max() < 1e-4 / n
        assert len(np.unique(number)) == len(mine)
    assert ours.volume == pytest.approx(other.volume, rel=1e-4)


@pytest.mark.parametrize("n", [2, 3, 40, 63, 64, 65, 130])
def test_blocks_give_what_one_call_gives(n):
    values = gaussian_filter(np.random.default_rng(n).normal(size=(n, n, n)), n / 16)
    values /= values.std()
    values[np.abs(values) < 1e-4] = 1e-4  # nearer to 0 a vertex is moved away from the corner
    assert_same(mesh_of(lambda a, b: values[a:b], n), at_once(values.clip(-2, 2)), n)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_noise_of_any_size_gives_a_closed_surface(seed, n):
    values = np.random.default_rng(seed).choice([-1.0, -1e-3, 0.0, 1e-9, 0.3, 1.0], (n, n, n))
    values[0, 0, 0] = 1
    mesh = mesh_of(lambda a, b: values[a:b], n)
    edges, times = np.unique(mesh.edges, axis=0, return_counts=True)
    back, again = np.unique(mesh.edges[:, ::-1], axis=0, return_counts=True)
    assert (edges == back).all()
    assert (times == again).all()
    assert mesh.volume > 0
    assert np.abs(mesh.vertices).max() <= 1


def test_a_ball_is_closed_round_and_faces_outwards():
    n = 96
    mesh = mesh_of(layers_of(ball(0.7), n), n)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.7**3, rel=2e-3)
    assert mesh.area == pytest.approx(4 * np.pi * 0.7**2, rel=2e-3)
    assert np.linalg.norm(mesh.vertices, axis=1) == pytest.approx(0.7, abs=1e-3)
    assert ((mesh.triangles_center * mesh.face_normals).sum(1) > 0.6).all()


def test_a_torus_has_one_hole():
    n = 100
    mesh = mesh_of(layers_of(torus, n), n)
    assert mesh.is_watertight
    assert mesh.euler_number == 0
    assert mesh.volume == pytest.approx(2 * np.pi**2 * 0.6 * 0.25**2, rel=2e-3)


def test_axes_keep_their_order():
    n = 40
    mesh = mesh_of(layers_of(lambda x, y, z: ball(0.2)(x - 0.6, y + 0.1, z + 0.5), n), n)
    assert mesh.center_mass == pytest.approx([0.6, -0.1, -0.5], abs=1e-3)


def test_a_surface_that_reaches_the_box_ends_at_the_box():
    n = 70
    cube = mesh_of(layers_of(lambda x, y, z: 1 + 0 * (x + y + z), n), n)
    assert cube.is_watertight
    assert cube.bounds.tolist() == [[-1, -1, -1], [1, 1, 1]]
    assert cube.volume == pytest.approx(8, rel=1e-3)
    cut = mesh_of(layers_of(ball(1.2), n), n)
    assert cut.is_watertight
    assert np.abs(cut.vertices).max() == pytest.approx(1)


def test_a_surface_through_lattice_points_stays_whole():
    """Zeros of the field lie on corners of cells, where careless blocks tear or touch."""
    n = 129
    planes = mesh_of(layers_of(lambda x, y, z: 0.5 - np.maximum(abs(x), abs(y + z * 0)), n), n)
    assert planes.is_watertight
    values = np.zeros((n, n, n))
    values[30:100, 30:100, 30:100] = 1
    zeros = mesh_of(lambda a, b: values[a:b], n)
    assert zeros.is_watertight
    assert zeros.euler_number == 2


def test_every_value_is_asked_for_once_and_memory_grows_with_the_surface():
    n, asked = 512, []
    layers = layers_of(ball(0.3), n)

    def counted(start, stop):
        asked.extend(range(start, stop))
        return layers(start, stop)

    tracemalloc.start()
    vertices, _ = surface(counted, n)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert asked == list(range(n))
    assert len(vertices) > 50_000
    assert peak < 4 * n**3 / 4


def test_a_field_without_a_surface_says_so():
    with pytest.raises(FirstlightError, match="outside everywhere"):
        surface(lambda a, b: np.full((b - a, 8, 8), -0.5), 8)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(wrong):
    with pytest.raises(FirstlightError, match="no numbers"):
        surface(lambda a, b: np.full((b - a, 8, 8), wrong), 8)
