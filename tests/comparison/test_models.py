import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.comparison.models import factory, fitting
from firstlight.errors import OptionError
from firstlight.model.zoo.small_vit import patch_size


@pytest.mark.parametrize("name", ["mlp", "small_resnet", "small_vit", "timm:resnet10t"])
@pytest.mark.parametrize(("channels", "size"), [(1, (8, 8)), (3, (32, 32)), (3, (12, 20))])
def test_images_become_logits_and_every_weight_learns(name, channels, size):
    network = factory(name)(channels, size, 7)
    logits = network(torch.randn(4, channels, *size))
    assert logits.shape == (4, 7)
    logits.logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize(
    "name", ["torchvision:squeezenet1_1", "torchvision:vit_b_32", "timm:vit_tiny_patch16_224"]
)
def test_image_size_and_classes_reach_other_libraries(name):
    network = factory(name)(3, (64, 64), 7)
    assert network.eval()(torch.randn(2, 3, 64, 64)).shape == (2, 7)


def test_networks_with_extra_outputs_give_one(recwarn):
    network = factory("torchvision:googlenet")(3, (64, 64), 5)
    assert network.train()(torch.randn(2, 3, 64, 64)).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("foo", "model must be one of mlp, small_resnet, small_vit, torchvision:NAME"),
        ("mlp:", "got 'mlp:'"),
        (":x", "got ':x'"),
        ("torchvision:resnet19", "did you mean .*resnet1"),
        ("torchvision:fasterrcnn_resnet50_fpn", "has no model"),
        ("timm:resnet19", "timm has no model"),
        ("no_such_module:build", "cannot import no_such_module"),
        ("math:no_such_name", "no_such_name"),
        ("math:pi", "must be callable, got 3.14"),
        (".:y", "model .:y: cannot import .: TypeError"),
        ("..nets:y", "cannot import ..nets"),
    ],
)
def test_an_unknown_network_is_one_clear_line(name, message):
    with pytest.raises(OptionError, match=message) as caught:
        factory(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(:\n", r"cannot import bad_nets: SyntaxError: .*\(bad_nets.py, line 1\)"),
        ("x = 1\nx / 0\n", r"cannot import bad_nets: ZeroDivisionError: .* \(bad_nets.py:2\)"),
        ("raise SystemExit(7)\n", "cannot import bad_nets: SystemExit: 7"),
        ("raise AttributeError('own')\n", "cannot import bad_nets: AttributeError: own"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_clear_line(user_module, text, message):
    user_module("bad_nets", text)
    with pytest.raises(OptionError, match=f"model bad_nets:build: {message}") as caught:
        factory("bad_nets:build")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "channels", "size", "message"),
    [
        ("torchvision:resnet18", 1, (32, 32), "3 channels, the data has 1"),
        ("torchvision:vit_b_16", 3, (8, 8), "multiple of 16, the data has 8 x 8"),
        ("torchvision:vit_b_16", 3, (32, 16), "square"),
    ],
)
def test_images_that_a_network_cannot_take_are_refused(name, channels, size, message):
    with pytest.raises(OptionError, match=message):
        factory(name)(channels, size, 10)


def test_a_users_factory_is_called_with_the_data(user_module):
    user_module("my_nets", "def build(*args):\n    return args\n")
    assert factory("my_nets:build")(1, (8, 9), 10) == (1, (8, 9), 10)


@given(st.integers(1, 300), st.integers(1, 300))
def test_patch_is_the_largest_divisor_up_to_the_root(height, width):
    shorter = min(height, width)
    fitting = [p for p in range(1, 301) if height % p == 0 == width % p and p * p <= shorter]
    assert patch_size((height, width)) == max(fitting)


class Facts:
    """What data say to a network."""

    in_channels, image_size, classes = 3, (64, 64), 7


@pytest.mark.parametrize(
    "text",
    [
        "mlp:width=32",
        "torchvision:vit_b_32:dropout=0.1",
        "timm:vit_tiny_patch16_224:depth=1",
        "timm:resnet10t",
    ],
)
def test_arguments_may_follow_the_name_of_a_network_that_fits_its_data(text):
    network = fitting(text)(Facts)
    assert network.eval()(torch.randn(2, 3, 64, 64)).shape == (2, 7)


def test_arguments_win_over_what_the_data_say():
    assert fitting("mlp:classes=3")(Facts)[-1].out_features == 3
    assert fitting("timm:resnet10t:num_classes=3")(Facts).num_classes == 3


def test_a_transformers_model_fits_the_data_where_it_has_the_settings():
    tiny = "num_hidden_layers=1:hidden_size=32:intermediate_size=32:num_attention_heads=2"
    config = fitting(f"hf:ViTForImageClassification:{tiny}")(Facts).config
    assert (config.num_channels, config.image_size, config.num_labels) == (3, 64, 7)
    assert (
        fitting(f"hf:ViTForImageClassification:{tiny}:num_labels=2")(Facts).config.num_labels == 2
    )


def test_a_users_factory_may_take_the_data_or_nothing(user_module):
    user_module(
        "nets_that_fit",
        "from torch import nn\n"
        "def three(c, size, k, depth=1): return nn.Linear(c * size[0], k * depth)\n"
        "def none(depth=1): return nn.Linear(1, depth)\n",
    )
    assert fitting("nets_that_fit:three:depth=2")(Facts).weight.shape == (14, 192)
    assert fitting("nets_that_fit:none:depth=2")(Facts).weight.shape == (2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "model must be one of mlp"),
        ("hf:bertt", "transformers has no model 'bertt'"),
        ("torchvision:resnet18:weights=DEFAULT", "only untrained models are built"),
        ("timm:resnet18:pretrained=True", "only untrained models are built"),
        ("mlp:depth=1:depth=2", "given twice"),
    ],
)
def test_a_wrong_name_needs_no_data_to_be_refused(text, message):
    with pytest.raises(OptionError, match=message):
        fitting(text)


@pytest.mark.parametrize("text", ["mlp:foo=1", "timm:resnet18:foo=1", "torchvision:resnet18:foo=1"])
def test_a_wrong_argument_is_one_clear_line(text):
    with pytest.raises(OptionError, match=r"cannot be built: TypeError: .*'foo'") as caught:
        fitting(text)(Facts)
    assert "\n" not in str(caught.value)
