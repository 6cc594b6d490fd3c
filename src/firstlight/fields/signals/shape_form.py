"""From a field of what is inside, or of distances, back to a mesh of any fineness."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from firstlight.errors import OptionError, number, positive
from firstlight.fields.signals.marching_cubes import surface
from firstlight.fields.signals.mesh import SUFFIXES
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Span
from firstlight.fields.signals.signal import Form, Predict, options_of
from firstlight.files import write_atomically

#: Cells along a side of the box where a resolution is not named, and at most.
USUAL_RESOLUTION, MOST_RESOLUTION = 128, 2048


@dataclass(frozen=True)
class ShapeForm(Form):
    """Where the box [-1, 1]^3 lies in the units of a mesh file, and where in it the surface is.

        file's coordinates = centre + unit x

    Attributes:
        centre: of the box.
        unit: half of the box's side.
        level: the field's value at the surface, scaled, between -1 and 1.

    Raises:
        OptionError: a number is out of its range.
    """

    suffix = ".obj"
    #: Sign of the field's values inside.
    sign_inside: ClassVar[int]

    centre: tuple[float, float, float]
    unit: float
    level: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.centre, tuple | list) or len(self.centre) != 3:
            raise OptionError(f"centre must be three numbers, got {self.centre!r}")
        centre = tuple(number(each, "a number of centre") for each in self.centre)
        object.__setattr__(self, "centre", centre)
        positive(self.unit, "unit")
        if not -1 < number(self.level, "level") < 1:
            raise OptionError(f"level must be between -1 and 1, got {self.level!r}")

    def render(self, predict: Predict, **options: Any) -> Any:
        """The surface as a closed ``trimesh.Trimesh`` in the file's units, normals outwards.

        Args:
            predict: values of the field at places.
            options: ``resolution``, cells along a side of the box (128), and ``scale``, a factor
                of it (1).

        Raises:
            OptionError: an option is unknown or out of range.
            FirstlightError: the field is outside everywhere, or not finite somewhere.
        """
        import trimesh

        n = self._resolution(options)
        ticks = Lattice.cells((n,) * 3).ticks

        def layers(start: int, stop: int) -> np.ndarray:
            values = predict(Lattice((ticks[0][start:stop], *ticks[1:]))).numpy()
            return self.sign_inside * (values.reshape(-1, n, n) - np.float32(self.level))

        vertices, faces = surface(layers, n)
        return trimesh.Trimesh(np.array(self.centre) + self.unit * vertices, faces, process=False)

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write a .obj, .ply, .stl, .off or .glb file; options as in ``render``.

        Raises:
            OptionError: as in ``render``, or the name has another ending.
            FirstlightError: as in ``render``, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES:
            raise OptionError(f"a mesh is saved as {', '.join(SUFFIXES)}, not as {path.name!r}")
        mesh = self.render(predict, **options)
        # these two have so many decimals: enough to tell cells apart in a mesh of any size
        decimals = {"digits": max(8, 8 - math.floor(math.log10(self.unit)))}
        named = decimals if path.suffix.lower() in (".obj", ".off") else {}
        write_atomically(path, lambda temporary: mesh.export(temporary, **named))
        return path

    def _resolution(self, options: dict[str, Any]) -> int:
        """Cells along a side that are asked for."""
        options_of(self, options, ("scale", "resolution"))
        resolution = options.get("resolution", USUAL_RESOLUTION)
        if isinstance(resolution, bool) or not isinstance(resolution, int):
            raise OptionError(f"resolution must be a whole number, got {resolution!r}")
        n = round(resolution * positive(options.get("scale", 1.0), "scale"))
        if not 2 <= n <= MOST_RESOLUTION:
            raise OptionError(f"a resolution must be 2 to {MOST_RESOLUTION} cells, got {n}")
        return n


@dataclass(frozen=True)
class OccupancyForm(ShapeForm):
    """A field that is 1 inside and -1 outside.

    Example:
        >>> import torch
        >>> form = OccupancyForm(centre=(0.0, 0.0, 5.0), unit=2.0)
        >>> ball = lambda places: 0.5 - places.at(torch.arange(len(places))).norm(dim=1)
        >>> mesh = form.render(ball, resolution=16)
        >>> mesh.is_watertight, mesh.bounds.round(1).tolist()
        (True, [[-1.0, -1.0, 4.0], [1.0, 1.0, 6.0]])
    """

    kind = "occupancy"
    sign_inside = 1


@dataclass(frozen=True)
class SignedDistanceForm(ShapeForm):
    """A field that is the distance to the surface, below 0 inside.

    Attributes:
        reach: the distance that is 1, in the file's units.
    """

    kind = "signed_distance"
    sign_inside = -1

    reach: float = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.reach, "reach")

    @property
    def span(self) -> Span:
        """Symmetric, so that the surface is 0."""
        return Span(-self.reach, self.reach)
