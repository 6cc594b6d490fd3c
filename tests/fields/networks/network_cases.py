"""Every family as small as it can be tested, and where its weight matrices are."""

from dataclasses import dataclass

import torch

from firstlight.fields.networks.finer import Finer
from firstlight.fields.networks.fourier_features import FourierFeatures
from firstlight.fields.networks.gauss import Gauss
from firstlight.fields.networks.hash_grid import HashGrid
from firstlight.fields.networks.multiplicative_filter import MultiplicativeFilter
from firstlight.fields.networks.sinc import Sinc
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.tuner import Tuner
from firstlight.fields.networks.wire import Wire

SMALL = {"width": 24, "depth": 4}

CASES = {
    "siren": Sine(**SMALL, alpha=1.0),
    "gradient_control": Sine(**SMALL, alpha=1.0, start="gradient_control", omega_0=50.0),
    "winner": Sine(**SMALL, alpha=1.0, start="winner", noise=(20.0, 0.3)),
    "vi3nr": Sine(**SMALL, alpha=1.0, start="vi3nr"),
    "xavier_uniform": Sine(**SMALL, alpha=1.0, start="xavier_uniform"),
    "gauss": Gauss(**SMALL),
    "wire": Wire(**SMALL),
    "sinc": Sinc(**SMALL),
    "finer": Finer(**SMALL),
    "finer_k": Finer(**SMALL, k=4.0, through_period=True),
    "fourier_features": FourierFeatures(**SMALL, features=16),
    "fourier_filter": MultiplicativeFilter(**SMALL),
    "gabor_filter": MultiplicativeFilter(**SMALL, filter="gabor"),
    "hash_grid": HashGrid(**SMALL, levels=4, log2_table=8, finest=64),
    "tuner": Tuner(**SMALL, band=40),
}


def weights(network, module):
    """Weight matrices by name, the last layer's last."""
    found = {
        name: value
        for name, value in module.state_dict().items()
        if name.endswith("weight") or (name == "frequencies" and network.family == "tuner")
    }
    last = list(found)[-1]
    return found, last


@dataclass(frozen=True)
class Known:
    """A signal that says what networks ask for."""

    inputs: int = 2
    outputs: int = 1
    spacing: tuple[float, ...] = (2 / 64, 2 / 64)

    def rows(self):
        torch_rows = torch.rand(1, 16, 64, generator=torch.Generator().manual_seed(0))
        return torch_rows.numpy()
