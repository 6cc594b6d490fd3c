"""Shapes: what is inside a mesh, or how far its surface is."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from firstlight.errors import FirstlightError, OptionError, check_choice, positive, whole_number
from firstlight.fields.signals.mesh import Solid, load, solid
from firstlight.fields.signals.places import Lattice, Places
from firstlight.fields.signals.samples import Samples, Span
from firstlight.fields.signals.shape_form import OccupancyForm, ShapeForm, SignedDistanceForm
from firstlight.fields.signals.shape_points import distances, insides, points_around
from firstlight.fields.signals.signal import PredictSamples, Signal

#: Rows of the box across each axis whose spectrum stands for the shape's, and their most samples.
_ROWS, _LONGEST = 8, 256
#: Samples that are compared at once, which bounds the memory.
_AT_ONCE = 2**18
KINDS = ("occupancy", "signed_distance")
#: Most points of a draw, and along a side of a lattice.
_MOST_POINTS, _MOST_LATTICE = 2**28, 1024


@dataclass(frozen=True)
class Shape(Signal):
    """A mesh in the box [-1, 1]^3.

    Attributes:
        form: its place in the file's units.
        solid: the mesh in the box.
        uniform: samples all over the box that "iou" is measured on.
    """

    form: ShapeForm
    solid: Solid
    uniform: Samples

    @abstractmethod
    def values(self, points: np.ndarray) -> np.ndarray:
        """Scaled values at points of the box: (n, 3) to (n,), float32."""

    def rows(self) -> np.ndarray:
        """8 x 8 rows along each axis, as finely sampled as a lattice of as many samples."""
        length = min(_LONGEST, max(16, round(len(self.train) ** (1 / 3))))
        across = Lattice.cells((_ROWS, _ROWS, length))
        points = across.at(torch.arange(len(across))).numpy()
        turned = [points[:, [(axis + turn) % 3 for axis in range(3)]] for turn in range(3)]
        return self.values(np.concatenate(turned)).reshape(-1, length)

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """Also "iou", intersection over union of the insides, all over the box.

        IoU = |inside both| / |inside either|,  1 where nothing is inside either
        """
        measured = super().measure(predict)
        sign, level = self.form.sign_inside, self.form.level
        predicted, both, either = predict(self.uniform), 0, 0
        for start in range(0, len(self.uniform), _AT_ONCE):
            truth = sign * self.uniform.between(start, start + _AT_ONCE).y > 0
            guess = sign * (predicted[start : start + _AT_ONCE].to(truth.device) - level) > 0
            both += int((truth & guess).sum())
            either += int((truth | guess).sum())
        measured["iou"] = both / either if either else 1.0
        return measured


@dataclass(frozen=True)
class Occupancy(Shape):
    """1 inside and -1 outside."""

    def values(self, points: np.ndarray) -> np.ndarray:
        """1 or -1 at points of the box: (n, 3) to (n,), float32."""
        return np.where(self.solid.inside(points), np.float32(1), np.float32(-1))


@dataclass(frozen=True)
class SignedDistance(Shape):
    """Distance to the surface, below 0 inside, in units of the form's reach and cut there.

    Reference: arXiv 1901.05103.
    """

    form: SignedDistanceForm

    def values(self, points: np.ndarray) -> np.ndarray:
        """Distances at points of the box, (n, 3) to (n,), float32, between -1 and 1."""
        distance = self.solid.signed_distance(points) * self.form.unit / self.form.reach
        return distance.clip(-1, 1).astype(np.float32)

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """Also "mae", the mean absolute error in the file's units, of what was held out if any."""
        measured = super().measure(predict)
        samples = self.train if self.held_out is None else self.held_out
        predicted, total = predict(samples), 0.0
        for start in range(0, len(samples), _AT_ONCE):
            part = samples.between(start, start + _AT_ONCE).y
            error = predicted[start : start + _AT_ONCE].to(part) - part
            total += float(error.double().abs().sum())
        measured["mae"] = self.form.reach * total / len(samples)
        return measured


def read_shape(
    source: Any,
    *,
    kind: str = "occupancy",
    points: int = 2**18,
    near: float = 0.02,
    lattice: int | None = None,
    clamp: float | None = None,
    held_out: int | None = None,
    seed: int = 0,
) -> Shape:
    """A mesh file or ``trimesh.Trimesh`` as occupancy or signed distance, moved into [-1, 1]^3.

    Half of the points are drawn evenly from the box, the others from the surface, each moved by
    near N(0, 1) along every axis. The longest side of the mesh is 1.8 of the box's 2.

    Args:
        source: a .obj, .ply, .stl, .off or .glb file, or a mesh.
        kind: "occupancy", or "signed_distance" (arXiv 1901.05103).
        points: how many are trained on, 2 or more.
        near: standard deviation of the distance to the surface, in the box.
        lattice: train on the middles of so many cells along each side of the box instead; points
            then only sets how many are held out.
        clamp: largest distance that is told apart, in the box; None tells all apart.
        held_out: points of another such draw to judge by; None is a quarter of points, 0 none.
        seed: of the draws.

    Raises:
        FirstlightError: the file is absent, no mesh, or has no inside.
        OptionError: an option is out of range, or not used by the kind.

    Example:
        >>> import trimesh
        >>> shape = read_shape(trimesh.creation.box(), points=1000)
        >>> len(shape.train), len(shape.held_out), shape.notes
        (1000, 250, ('watertight: inside is exact',))
    """
    others = points // 4 if held_out is None else held_out
    _check_options(kind, points, near, lattice, clamp, others, seed)
    name, body = _opened(source)
    places: list[Places] = [
        Lattice.cells((lattice,) * 3) if lattice else points_around(body, points, near, seed)
    ]
    if others:
        places.append(points_around(body, others, near, seed, draw=1))
    if kind == "occupancy":
        return _occupancy(name, body, places)
    return _signed_distance(name, body, places, clamp)


def _occupancy(name: str, body: Solid, places: list[Places]) -> Occupancy:
    """The signal of what is inside, trained on the first places."""
    samples = [Samples(each, insides(body, each), Span(-1, 1)) for each in places]
    _check_inside(name, samples[0].values > 0)
    form = OccupancyForm(body.centre, body.unit)
    return Occupancy(name, *_roles(samples), form, body, _even(samples[-1]), notes=body.notes)


def _signed_distance(
    name: str, body: Solid, places: list[Places], clamp: float | None
) -> SignedDistance:
    """The signal of distances, trained on the first places."""
    values = [distances(body, each) for each in places]
    _check_inside(name, values[0] < 0)
    farthest = max(float(each.abs().max()) for each in values)
    reach = farthest if clamp is None else clamp * body.unit
    form = SignedDistanceForm(body.centre, body.unit, reach=reach)
    samples = [
        Samples(where, each.clamp_(-reach, reach), form.span)
        for where, each in zip(places, values, strict=True)
    ]
    return SignedDistance(name, *_roles(samples), form, body, _even(samples[-1]), notes=body.notes)


def _roles(samples: list[Samples]) -> tuple[Samples, Samples | None]:
    """Those to train on, and those that are held out."""
    return samples[0], samples[1] if len(samples) > 1 else None


def _even(samples: Samples) -> Samples:
    """Those that are all over the box."""
    if isinstance(samples.places, Lattice):
        return samples
    return samples.subset(torch.arange(len(samples) - len(samples) // 2))


def _check_inside(name: str, inside: torch.Tensor) -> None:
    if not inside.any():
        raise FirstlightError(
            f"{name} has no inside at any of {len(inside)} points; give a mesh around a volume, "
            "or take more points"
        )


def _check_options(
    kind: object,
    points: object,
    near: object,
    lattice: object,
    clamp: object,
    held_out: object,
    seed: object,
) -> None:
    check_choice(kind, KINDS, "kind")
    whole_number(points, "points", 2, _MOST_POINTS)
    positive(near, "near")
    if lattice is not None:
        whole_number(lattice, "lattice", 2, _MOST_LATTICE)
    if clamp is not None:
        positive(clamp, "clamp")
        if kind != "signed_distance":
            raise OptionError(f"clamp is of signed_distance; {kind} does not use it")
    whole_number(held_out, "held_out", 0, _MOST_POINTS)
    whole_number(seed, "seed", 0, 2**63 - 1)


def _opened(source: Any) -> tuple[str, Solid]:
    """Where a mesh comes from, and the mesh in the box."""
    import trimesh

    if isinstance(source, str | Path):
        return str(source), solid(load(Path(source)), str(source))
    if isinstance(source, trimesh.Trimesh):
        return "the mesh", solid(source, "the mesh")
    raise OptionError(
        f"a shape must be a file or a trimesh.Trimesh, got {type(source).__name__}; a scene "
        "becomes one by to_mesh()"
    )
