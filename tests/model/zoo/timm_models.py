"""timm's architectures, shallow and narrow; what each one is here for stands beside it."""

from .entry import Entry, load, normal


def _entry(name, size=32, **options):
    """A registered name, or ``module.Class`` where the name fixes depth and width."""

    def build():
        if "." not in name:
            return load("timm").create_model(name, pretrained=False, num_classes=5, **options)
        module, kind = name.split(".")
        return getattr(load(f"timm.models.{module}"), kind)(num_classes=5, **options)

    return Entry(build, normal(4, 3, size, size), needs="timm")


def _transformer(name, size=32, **options):
    return _entry(name, size, img_size=size, depth=2, embed_dim=64, num_heads=4, **options)


def _mixer(ratio=(0.5, 4.0), **layers):
    """Blocks, MLPs and norms by their names in timm's mixer module."""

    def build():
        mlp_mixer = load("timm.models.mlp_mixer")
        options = {role: getattr(mlp_mixer, name) for role, name in layers.items()}
        return mlp_mixer.MlpMixer(5, 64, num_blocks=2, embed_dim=64, mlp_ratio=ratio, **options)

    return Entry(build, normal(4, 3, 64, 64), needs="timm")


def _nfnet():
    nfnet = load("timm.models.nfnet")
    config = nfnet.NfCfg(
        depths=(1, 1, 1, 1), channels=(32, 64, 64, 64), stem_type="deep_quad", stem_chs=32,
        group_size=8, attn_layer="se", attn_kwargs={}, num_features=128, extra_conv=True,
        gamma_in_act=True, same_padding=True, skipinit=True, act_layer="gelu",
    )  # fmt: skip
    return nfnet.NormFreeNet(config, num_classes=5)


ENTRIES = {
    "timm_vit": _transformer("vit_small_patch16_224"),
    "timm_deit_distilled": _transformer("deit_small_distilled_patch16_224"),
    "timm_beit": _transformer("beit_base_patch16_224"),  # q_bias, v_bias, relative positions
    "timm_eva02": _transformer("eva02_tiny_patch14_224", 28),  # SwiGLU, rotary positions
    "timm_xcit": _transformer("xcit_nano_12_p16_224"),  # layer scale
    "timm_cait": _transformer("cait_xxs24_224"),  # layer scale, talking heads
    "timm_swin": _entry(
        "swin_tiny_patch4_window7_224",
        56,
        img_size=56,
        depths=(2, 2),
        embed_dim=32,
        num_heads=(2, 4),
    ),
    "timm_swinv2": _entry(  # cosine attention, positions from a small MLP
        "swinv2_tiny_window8_256", 64, img_size=64, depths=(2, 2), embed_dim=32, num_heads=(2, 4)
    ),
    "timm_convnext": _entry("convnext_atto", depths=(1, 1, 2, 1), dims=(16, 32, 48, 64)),
    "timm_mixer": _mixer(),
    "timm_gmlp": _mixer(6.0, block_layer="SpatialGatingBlock", mlp_layer="GatedMlp"),
    "timm_resmlp": _mixer(4.0, block_layer="ResBlock", norm_layer="Affine"),  # layer scale
    "timm_resnetv2": _entry(  # activations first, standardized weights, GroupNorm
        "resnetv2.ResNetV2", layers=(1, 1, 1, 1), channels=(128, 128, 128, 256)
    ),
    "timm_efficientnet_b0": _entry("efficientnet_b0"),
    "timm_nf_resnet": _entry("nf_resnet26"),
    "timm_nfnet": Entry(_nfnet, normal(4, 3, 32, 32), needs="timm"),  # gain per filter, skip gain
    "timm_coatnet": _entry("coatnet_nano_rw_224", 64, img_size=64, depths=(1, 1, 1, 1)),
    "timm_maxvit": _entry("maxvit_pico_rw_256", 64, img_size=64, depths=(1, 1, 1, 1)),
    "timm_mobileone": _entry("mobileone_s0"),  # parallel branches
    "timm_repvgg": _entry("repvgg_a0"),
    "timm_ghostnet": _entry("ghostnet_100"),
    "timm_levit": _entry("levit_128s", 64, img_size=64),
    "timm_mobilevit": _entry("mobilevit_xxs", 64),
    "timm_metaformer": _entry(  # scales and shifts in the activation, scaled residuals
        "metaformer.MetaFormer", depths=(1, 1, 1, 1), dims=(16, 32, 48, 64)
    ),
}
