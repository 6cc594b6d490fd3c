"""A vision transformer for small images (Dosovitskiy et al., arXiv 2010.11929)."""

import math

import torch
from torch import Tensor, nn


class EncoderBlock(nn.Module):
    """Self-attention and a GELU network, each behind a layer norm and beside a skip."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, tokens, width) to the same shape."""
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches with learned positions, pre-norm encoder blocks, the mean token, the classes."""

    def __init__(
        self, in_channels: int, tokens: int, patch: int, classes: int, width: int, depth: int
    ) -> None:
        super().__init__()
        self.embed = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.blocks = nn.Sequential(*[EncoderBlock(width, width // 32) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, classes)."""
        x = self.embed(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(x)).mean(1))


def patch_size(image_size: tuple[int, int]) -> int:
    """Side of a patch: the largest that divides the image, up to the root of its shorter side.

    Example:
        >>> [patch_size((side, side)) for side in (8, 28, 32, 64, 224)]
        [2, 4, 4, 8, 14]
    """
    side = math.gcd(*image_size)
    return max(p for p in range(1, math.isqrt(min(image_size)) + 1) if side % p == 0)


def small_vit(
    in_channels: int, image_size: tuple[int, int], classes: int, *, width: int = 96, depth: int = 4
) -> nn.Module:
    """A vision transformer of ``depth`` blocks whose patches adapt to the image.

    Args:
        in_channels: channels of an image.
        image_size: (height, width) of an image in pixels.
        classes: number of outputs.
        width: features of a token, a multiple of 32 (the features of one attention head).
        depth: number of encoder blocks.

    Example:
        >>> small_vit(3, (32, 32), 10).embed
        Conv2d(3, 96, kernel_size=(4, 4), stride=(4, 4))
    """
    patch = patch_size(image_size)
    tokens = math.prod(side // patch for side in image_size)
    return VisionTransformer(in_channels, tokens, patch, classes, width, depth)
