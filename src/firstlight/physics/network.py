"""The network of a training, at its start."""

from typing import Any

import torch
from torch import nn

from firstlight.errors import FirstlightError
from firstlight.init import SCHEMES, parse_scheme
from firstlight.physics.activations import DEEPXDE_ACTIVATIONS, activation
from firstlight.physics.deepxde import deepxde
from firstlight.physics.initialize import initialize
from firstlight.physics.initializers import DEEPXDE_INITIALIZERS
from firstlight.physics.problem import Problem
from firstlight.physics.specification import PinnSpec

#: Points that a data-driven start looks at.
_LOOKED_AT = 1024


def check_scheme(text: str) -> None:
    """Raise ``OptionError`` unless ``text`` is a scheme with options that it uses."""
    _parsed(text)


def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """Split a scheme from its options; the activation may be left out: the network has it."""
    name = text.partition(":")[0]
    if _needs_activation(name) and "activation=" not in text:
        name, options = parse_scheme(f"{text}:activation=tanh", "auto", *DEEPXDE_INITIALIZERS)
        del options["activation"]
        return name, options
    return parse_scheme(text, "auto", *DEEPXDE_INITIALIZERS)


def _needs_activation(name: str) -> bool:
    return name in SCHEMES and "activation" in SCHEMES[name].required


def build_network(problem: Problem, spec: PinnSpec, points: Any) -> nn.Module:
    """Build DeepXDE's fully connected network for a problem, with its start.

    Args:
        problem: what it solves.
        spec: its size and scheme.
        points: training points (n, d), which data-driven schemes look at.

    Raises:
        OptionError: the scheme cannot fill it.
    """
    dde = deepxde()
    sizes = [problem.network_inputs] + [spec.width] * spec.depth + [1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)  # a start that keeps what it finds is one of the seed's too
        # not "zeros": starts that keep what they find would keep those
        net = dde.nn.FNN(sizes, activation(spec.activation), "Glorot normal")
    name, options = _parsed(spec.scheme)
    if _needs_activation(name) and spec.activation not in DEEPXDE_ACTIVATIONS:
        options.setdefault("activation", spec.activation)  # its name, for no function has one
    inputs = torch.as_tensor(points[:: max(1, len(points) // _LOOKED_AT)])
    features = inputs if problem.features is None else problem.features(inputs)
    try:
        initialize(net, name, seed=spec.seed, example=features, **options)
    except FirstlightError as error:
        raise type(error)(f"{spec.scheme}: {error}") from error
    # after it: what stands before and after the layers is no part of the start
    if problem.features is not None:
        net.apply_feature_transform(problem.features)
    if problem.transform is not None:
        net.apply_output_transform(problem.transform)
    return net
