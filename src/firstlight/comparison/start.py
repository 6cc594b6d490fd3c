"""Where a run starts: the network with the weights that its scheme gives it."""

from collections.abc import Sequence

from torch import nn

from firstlight.comparison.data import Data
from firstlight.comparison.seeded import seeded
from firstlight.comparison.spec import RunSpec
from firstlight.comparison.task import Task, task
from firstlight.comparison.text import Text
from firstlight.init import SCHEMES, parse_scheme
from firstlight.model import initialize, match_variance, set_usual_values
from firstlight.model.planning import DEFAULT


def check(scheme: str) -> None:
    """Raise ``OptionError`` unless ``scheme`` names a scheme and only options that it uses."""
    parse_scheme(scheme, DEFAULT)


def baseline(schemes: Sequence[str]) -> str:
    """Return the scheme that the others are measured against: default, else the first.

    Example:
        >>> from firstlight.comparison.start import baseline
        >>> baseline(["zero", "default"]), baseline(["zero", "lsuv"])
        ('default', 'zero')
    """
    return DEFAULT if DEFAULT in schemes else schemes[0]


def start(spec: RunSpec, data: Data | Text) -> nn.Module:
    """Build the network of ``spec`` with the weights that it trains from.

    Args:
        spec: the run.
        data: what it trains on; a data-driven scheme sees the first batch.

    Raises:
        FirstlightError: the network does not fit the data, or the scheme the network.

    Example:
        >>> from firstlight.comparison.data import load
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="harmonic", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> start(spec, load("digits"))[1]
        Linear(in_features=64, out_features=256, bias=True)
    """
    learned = task(data)
    with seeded(spec.seed):
        network = learned.build(spec.model)
        _assign(network, spec, learned)
    return network


def _assign(network: nn.Module, spec: RunSpec, learned: Task) -> None:
    """Give ``network`` the weights of the scheme, at one mean square for all if asked."""
    if spec.scheme != DEFAULT:
        name, options = parse_scheme(spec.scheme)
        looks = SCHEMES[name].data_driven
        example = learned.example(spec.seed, spec.batch_size) if looks else None
        initialize(network, name, seed=spec.seed, example=example, **options)
    elif spec.match_variance:  # as every other scheme does
        set_usual_values(network)
    if spec.match_variance:
        match_variance(network)
