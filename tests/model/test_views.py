import pytest
import torch
from torch import nn

from firstlight.model import match_variance, views


def shapes(model):
    return {view.name: tuple(view.weight.shape) for view in views(model)}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Linear(3, 5), {"weight": (5, 3)}),
        (nn.Conv1d(4, 6, 3, groups=2), {"weight[0]": (3, 2, 3), "weight[1]": (3, 2, 3)}),
        (nn.Conv2d(4, 6, (3, 5)), {"weight": (6, 4, 3, 5)}),
        (nn.Conv3d(4, 6, 3), {"weight": (6, 4, 3, 3, 3)}),
        (nn.ConvTranspose1d(4, 6, 3), {"weight": (6, 4, 3)}),
        (nn.ConvTranspose2d(4, 6, 3), {"weight": (6, 4, 3, 3)}),
        (
            nn.ConvTranspose3d(4, 6, 2, groups=2),
            {"weight[0]": (3, 2, 2, 2, 2), "weight[1]": (3, 2, 2, 2, 2)},
        ),
        (
            nn.MultiheadAttention(8, 2, kdim=4, vdim=6),
            {
                "q_proj_weight": (8, 8),
                "k_proj_weight": (8, 4),
                "v_proj_weight": (8, 6),
                "out_proj.weight": (8, 8),
            },
        ),
    ],
)
def test_every_kind_is_seen_in_out_in_layout(module, expected):
    assert shapes(module) == expected


def test_views_share_the_parameters_memory():
    model = nn.ModuleDict({"a": nn.MultiheadAttention(4, 1), "t": nn.ConvTranspose2d(2, 3, 2)})
    for number, view in enumerate(views(model)):
        view.weight.fill_(float(number))
    packed = model["a"].in_proj_weight
    assert [packed[i * 4 : i * 4 + 4].unique().tolist() for i in range(3)] == [[0.0], [1.0], [2.0]]
    assert model["t"].weight.unique().tolist() == [4.0]


def test_transposed_group_is_the_matrix_that_the_group_applies():
    """Group g maps its own inputs to its own outputs; at kernel size 1 it is a plain matrix."""
    layer = nn.ConvTranspose1d(6, 4, 1, groups=2, bias=False)
    x = torch.randn(5, 6, 1)
    groups = [
        x[:, i * 3 : i * 3 + 3, 0] @ view.weight[:, :, 0].T for i, view in enumerate(views(layer))
    ]
    torch.testing.assert_close(layer(x)[:, :, 0], torch.cat(groups, 1))


def test_tied_once_frozen_and_depthwise_marked():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    model[2].weight.requires_grad_(False)
    assert [(v.name, v.parameter, v.frozen, v.index) for v in views(model)] == [
        ("0.weight", ("0.weight", "1.weight"), False, 0),
        ("2.weight", ("2.weight",), True, 1),
    ]
    marks = [view.depthwise for view in views(nn.Sequential(nn.Conv2d(4, 8, 3, groups=4)))]
    assert marks == [True]
    assert [view.depthwise for view in views(nn.Conv2d(1, 8, 3))] == [False]


def test_what_cannot_be_written_says_why():
    one_way = nn.Linear(3, 3)
    nn.utils.parametrize.register_parametrization(one_way, "weight", nn.Softplus())
    blocked = {
        "has no shape yet": nn.LazyLinear(3),
        "is complex": nn.Linear(3, 3, dtype=torch.complex64),
        "is computed by Softplus, which has no right_inverse": one_way,
    }
    for reason, module in blocked.items():
        (view,) = views(module)
        assert view.blocked.startswith(reason)


def test_a_weight_that_an_embedding_owns_is_no_view():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))
    model[1].weight = model[0].weight
    assert views(model) == []


def test_match_variance_equals_he_in_every_layer_and_keeps_zeros():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(50, 20), nn.Linear(20, 5))
    nn.init.zeros_(model[2].weight)
    direction = model[1].weight / model[1].weight.norm()
    match_variance(model)
    for layer, fan_in in ((model[0], 27), (model[1], 50)):
        assert float(layer.weight.detach().pow(2).mean()) == pytest.approx(2 / fan_in, rel=1e-5)
    torch.testing.assert_close(model[1].weight / model[1].weight.norm(), direction)
    assert not model[2].weight.any()
