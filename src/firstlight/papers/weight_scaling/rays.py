"""Posed photographs and how a field is seen through them: rays, and colours along them.

A scene is photographs with cameras: either a folder of the Blender scenes that radiance fields are
usually measured on (transforms_train.json), or a photograph hung up as a plane in front of made
cameras, whose views are then exact.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rays:
    """Rays with the colour that each sees.

    Attributes:
        origins: (n, 3), in units in which the scene lies in [-1, 1]^3.
        directions: (n, 3), of length 1.
        colours: (n, channels), in [0, 1].
    """

    origins: Tensor
    directions: Tensor
    colours: Tensor


def render(
    network: nn.Module,
    origins: Tensor,
    directions: Tensor,
    near: float,
    far: float,
    samples: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Colours that rays see in a field of colours and densities.

        C = sum_i T_i (1 - exp(-sigma_i delta)) c_i,  T_i = exp(-sum_{j<i} sigma_j delta)

    Args:
        network: places (n, 3) in [-1, 1]^3 to channels and a density.
        origins: (n, 3).
        directions: (n, 3).
        near: distance of the first sample.
        far: distance of the last.
        samples: along a ray.
        generator: draws a place within each piece; None takes the middles.

    Example:
        >>> class Fog(nn.Module):
        ...     def forward(self, x):
        ...         return torch.full((len(x), 2), 100.0)
        >>> forward = torch.tensor([[0.0, 0.0, 1.0]])
        >>> float(render(Fog(), -forward, forward, 0.0, 2.0, 8))
        1.0

    Reference: arXiv 2003.08934.
    """
    count, step = len(origins), (far - near) / samples
    within = torch.full((count, samples), 0.5)
    if generator is not None:
        within = torch.rand(count, samples, generator=generator)
    depths = near + step * (torch.arange(samples) + within)
    places = origins[:, None] + depths[..., None] * directions[:, None]
    values = network(places.reshape(-1, 3)).view(count, samples, -1)
    density = nn.functional.softplus(values[..., -1])
    density = density * (places.abs().amax(-1) <= 1)  # nothing is outside of the scene
    seen = 1 - torch.exp(-density * step)
    left = torch.cumprod(torch.cat([torch.ones(count, 1), 1 - seen[:, :-1]], 1), 1)
    colours = torch.sigmoid(values[..., :-1])
    return ((left * seen)[..., None] * colours).sum(1)


def plane_views(picture: np.ndarray, views: int, side: int, *, turned: float) -> list[Rays]:
    """Views of a photograph that hangs at z = 0, from cameras on an arc in front of it.

    Args:
        picture: grey, (height, width), in [0, 1]; it covers [-0.7, 0.7]^2.
        views: number of cameras.
        side: pixels of a view.
        turned: share of the distance between cameras that all are moved by.

    Example:
        >>> (view,) = plane_views(np.ones((4, 4)), 1, 5, turned=0.0)
        >>> view.colours.view(5, 5)[:, 2].tolist()
        [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    found, texture = [], torch.as_tensor(picture, dtype=torch.float32)[None, None]
    for number in range(views):
        share = (number + turned) / max(views - 1, 1) - (0.5 if views > 1 else 0.0)
        angle, height = 1.4 * share, 0.3 * math.sin(7.0 * share)
        origin = 3 * torch.tensor([math.sin(angle), height, -math.cos(angle)])
        directions = _directions(origin, side, focal=1.4)
        at = origin + directions * (-origin[2] / directions[:, 2:])
        places = at[:, :2] / 0.7
        # bilinear, and black where the photograph is not
        sampled = nn.functional.grid_sample(texture, places[None, None], align_corners=False)
        inside = (places.abs() <= 1).all(1)
        colours = (sampled.flatten() * inside)[:, None]
        found.append(Rays(origin.expand_as(directions), directions, colours))
    return found


def _directions(origin: Tensor, side: int, focal: float) -> Tensor:
    """Through the pixels of a camera that looks at the middle; the image is 2 wide at ``focal``."""
    ahead = nn.functional.normalize(-origin, dim=0)
    right = nn.functional.normalize(torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]), ahead), dim=0)
    up = torch.linalg.cross(ahead, right)
    ticks = (2 * torch.arange(side) + 1) / side - 1
    v, u = torch.meshgrid(ticks, ticks, indexing="ij")
    along = focal * 2 * ahead + u.reshape(-1, 1) * right + v.reshape(-1, 1) * up
    return nn.functional.normalize(along, dim=1)


def blender_views(folder: Path, part: str, side: int) -> list[Rays]:
    """Views of a Blender scene, made smaller, on black.

    Args:
        folder: with transforms_train.json, transforms_test.json and the photographs.
        part: train or test.
        side: pixels of a view.
    """
    from PIL import Image

    said = json.loads((folder / f"transforms_{part}.json").read_bytes())
    focal = 1 / math.tan(said["camera_angle_x"] / 2)
    found = []
    for frame in said["frames"]:
        with Image.open(folder / f"{frame['file_path']}.png") as image:
            small = image.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
        values: Any = torch.from_numpy(np.asarray(small, dtype=np.float32)) / 255
        colours = (values[..., :3] * values[..., 3:]).reshape(-1, 3)
        pose = torch.tensor(frame["transform_matrix"], dtype=torch.float32)
        ticks = (2 * torch.arange(side) + 1) / side - 1
        v, u = torch.meshgrid(-ticks, ticks, indexing="ij")
        camera = torch.stack([u, v, torch.full_like(u, -focal)], -1).reshape(-1, 3)
        directions = nn.functional.normalize(camera @ pose[:3, :3].T, dim=1)
        origin = pose[:3, 3] / 1.5  # the objects lie within 1.5 of the middle
        found.append(Rays(origin.expand_as(directions), directions, colours))
    return found
