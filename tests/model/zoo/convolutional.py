"""Convolutions of every kind."""

import torch
from torch import nn

from .entry import Entry, normal

_IMAGES = normal(4, 3, 32, 32)


def _block(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class UNet(nn.Module):
    """Two levels, skips joined by concatenation, upsampling by transposed convolution."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = _block(3, 8), _block(8, 16), _block(16, 32)
        self.pool = nn.MaxPool2d(2)
        self.rise2 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.up2 = _block(32, 16)
        self.rise1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.up1 = _block(16, 8)
        self.head = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(self.pool(first))
        x = self.rise2(self.middle(self.pool(second)))
        x = self.rise1(self.up2(torch.cat([second, x], 1)))
        return self.head(self.up1(torch.cat([first, x], 1)))


class Residual(nn.Module):
    """x + branch(x), with no norm: the branch's last convolution starts at zero."""

    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.last.weight)

    def forward(self, x):
        return x + self.last(torch.relu(self.first(x)))


class Separable(nn.Module):
    """Depthwise, then pointwise; a squeeze-and-excitation gate between them."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, 2 * inputs, 3, padding=1, groups=inputs, bias=False)
        self.norm = nn.GroupNorm(4, 2 * inputs)
        self.squeeze, self.excite = nn.Conv2d(2 * inputs, 4, 1), nn.Conv2d(4, 2 * inputs, 1)
        self.pointwise = nn.Conv2d(2 * inputs, outputs, 1)

    def forward(self, x):
        x = self.norm(self.depthwise(x)).relu()
        gate = self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu())
        return self.pointwise(x * gate.sigmoid())


def _generator(kernel, **options):
    """DCGAN's: a latent vector, then each transposed convolution doubles the picture."""

    def up(inputs, outputs):
        return nn.ConvTranspose2d(
            inputs, outputs, kernel, stride=2, padding=1, bias=False, **options
        )

    return nn.Sequential(
        nn.ConvTranspose2d(16, 32, 4, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
        up(32, 16), nn.BatchNorm2d(16), nn.ReLU(True), up(16, 8), nn.BatchNorm2d(8), nn.ReLU(True),
        up(8, 3), nn.Tanh(),
    )  # fmt: skip


def _plain(*middle):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), *middle, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(16, 5),
    )  # fmt: skip


def _circular():
    return _plain(
        nn.Conv2d(16, 16, 3, padding=1, padding_mode="circular"), nn.ELU(),
        nn.Conv2d(16, 16, 3, padding="same", dilation=2, padding_mode="reflect"), nn.ELU(),
    )  # fmt: skip


def _grouped():
    return _plain(
        nn.Conv2d(16, 32, 3, groups=4), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(32, 16, 3, stride=2, groups=4), nn.PReLU(16),
    )  # fmt: skip


def _channels_last():
    return _plain(nn.Conv2d(16, 16, 3), nn.SiLU()).to(memory_format=torch.channels_last)


def _lazy():
    model = nn.Sequential(
        nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5)
    )
    model(_IMAGES())
    return model


def _waves():
    return nn.Sequential(
        nn.Conv1d(2, 16, 9, stride=2), nn.SELU(), nn.Conv1d(16, 16, 3, dilation=4), nn.SELU(),
        nn.ConvTranspose1d(16, 2, 4, stride=2),
    )  # fmt: skip


def _volumes():
    return nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1), nn.InstanceNorm3d(8, affine=True), nn.LeakyReLU(),
        nn.Conv3d(8, 16, (1, 3, 3), stride=2), nn.Softplus(), nn.ConvTranspose3d(16, 1, 2, 2),
    )  # fmt: skip


ENTRIES = {
    "unet": Entry(UNet, _IMAGES),
    "dcgan_kernel_4": Entry(lambda: _generator(4), normal(4, 16, 1, 1)),
    "dcgan_kernel_3": Entry(lambda: _generator(3, output_padding=1), normal(4, 16, 1, 1)),
    "depthwise_separable": Entry(lambda: _plain(Separable(16, 16), nn.ReLU6()), _IMAGES),
    "residual_no_norm": Entry(lambda: _plain(Residual(16), Residual(16)), _IMAGES),
    "grouped_convolutions": Entry(_grouped, _IMAGES),
    "circular_padding": Entry(_circular, _IMAGES),
    "channels_last": Entry(_channels_last, _IMAGES),
    "lazy_materialized": Entry(_lazy, _IMAGES),
    "convolutions_1d": Entry(_waves, normal(4, 2, 64)),
    "convolutions_3d": Entry(_volumes, normal(2, 1, 8, 12, 12)),
}
