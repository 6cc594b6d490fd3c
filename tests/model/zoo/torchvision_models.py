"""torchvision's own classes, shallow and narrow where a constructor allows it."""

from functools import partial

import torch
from torch import nn

from .entry import Entry, load, normal, quiet


def _models():
    return load("torchvision.models")


def _named(name, **options):
    return lambda: getattr(_models(), name)(weights=None, num_classes=5, **options)


def _resnet50():
    resnet = _models().resnet
    return resnet.ResNet(resnet.Bottleneck, [1, 2, 1, 1], num_classes=5, width_per_group=32)


def _densenet():
    return _models().DenseNet(8, (2, 2, 2, 2), num_init_features=16, num_classes=5)


def _vgg11_bn():
    with torch.device("meta"):  # its classifier alone would be half a gigabyte
        model = _models().vgg11_bn(num_classes=5)
    model.avgpool = nn.AdaptiveAvgPool2d(1)
    model.classifier = nn.Sequential(nn.Linear(512, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 5))
    model.features.to_empty(device="cpu")
    for layer in model.features:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return model


def _efficientnet_v2():
    net = _models().efficientnet
    blocks = [
        net.FusedMBConvConfig(1, 3, 1, 16, 16, 1),
        net.FusedMBConvConfig(4, 3, 2, 16, 24, 2),
        net.MBConvConfig(4, 3, 2, 24, 32, 2),
    ]
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    return net.EfficientNet(blocks, 0.2, num_classes=5, last_channel=64, norm_layer=norm)


def _convnext():
    net = _models().convnext
    blocks = [net.CNBlockConfig(16, 32, 2), net.CNBlockConfig(32, None, 2)]
    return net.ConvNeXt(blocks, num_classes=5)


def _swin():
    return _models().SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], num_classes=5)


def _vit():
    return _models().VisionTransformer(32, 16, 2, 4, 64, 128, num_classes=5)


def _googlenet():
    with quiet(r"The default weight initialization of GoogleNet"):
        return _models().GoogLeNet(num_classes=5, aux_logits=False, init_weights=False)


def _deeplab():
    return _models().segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=True
    )


def _fcn():
    models = _models()
    fcn = models.segmentation.fcn
    body = models._utils.IntermediateLayerGetter(models.resnet18(weights=None), {"layer2": "out"})
    return fcn.FCN(body, fcn.FCNHead(128, 5))


def _r3d():
    net = _models().video.resnet
    simple = [net.Conv3DSimple] * 4
    return net.VideoResNet(net.BasicBlock, simple, [1, 1, 1, 1], net.BasicStem, num_classes=5)


def _entry(build, *shape):
    return Entry(build, normal(*(shape or (4, 3, 32, 32))), needs="torchvision")


ENTRIES = {
    "torchvision_resnet18": _entry(_named("resnet18")),
    "torchvision_resnet18_zero_init": _entry(_named("resnet18", zero_init_residual=True)),
    "torchvision_resnet50": _entry(_resnet50),
    "torchvision_densenet": _entry(_densenet),
    "torchvision_mobilenet_v3_small": _entry(_named("mobilenet_v3_small")),
    "torchvision_efficientnet_v2": _entry(_efficientnet_v2),
    "torchvision_vgg11_bn": _entry(_vgg11_bn),
    "torchvision_convnext": _entry(_convnext),
    "torchvision_swin": _entry(_swin),
    "torchvision_vit": _entry(_vit),
    "torchvision_googlenet": _entry(_googlenet),
    "torchvision_regnet_y_400mf": _entry(_named("regnet_y_400mf")),
    "torchvision_shufflenet_v2": _entry(_named("shufflenet_v2_x0_5")),
    "torchvision_squeezenet": _entry(_named("squeezenet1_1")),
    "torchvision_deeplabv3": _entry(_deeplab),
    "torchvision_fcn": _entry(_fcn),
    "torchvision_r3d": _entry(_r3d, 2, 3, 8, 32, 32),
}
