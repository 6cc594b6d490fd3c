"""Small networks for images, with the framework's own initialization, that train on a laptop.

Each is called as ``factory(in_channels, image_size, classes)``.
"""

from firstlight.model.zoo.mlp import mlp
from firstlight.model.zoo.small_resnet import small_resnet
from firstlight.model.zoo.small_vit import small_vit

__all__ = ["mlp", "small_resnet", "small_vit"]
