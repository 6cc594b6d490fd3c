"""Neural fields: images, audio, shapes, spheres and volumes as networks of their coordinates."""

from firstlight.fields.alpha.choose_alpha import choose_alpha
from firstlight.fields.checkpoint import load_field
from firstlight.fields.field import Field
from firstlight.fields.fitting import fit
from firstlight.fields.networks.equal_size import sized_like
from firstlight.fields.networks.families import FAMILIES, find_network
from firstlight.fields.networks.finer import Finer
from firstlight.fields.networks.fourier_features import FourierFeatures
from firstlight.fields.networks.gauss import Gauss
from firstlight.fields.networks.hash_grid import HashGrid
from firstlight.fields.networks.multiplicative_filter import MultiplicativeFilter
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sinc import Sinc
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.tuner import Tuner
from firstlight.fields.networks.wire import Wire
from firstlight.fields.result import Fit
from firstlight.fields.signals.load import load
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec
from firstlight.fields.study import study
from firstlight.fields.studying.result import Study

__all__ = [
    "FAMILIES",
    "Field",
    "Finer",
    "Fit",
    "FitSpec",
    "FourierFeatures",
    "Gauss",
    "HashGrid",
    "MultiplicativeFilter",
    "Network",
    "Signal",
    "Sinc",
    "Sine",
    "Study",
    "Tuner",
    "Wire",
    "choose_alpha",
    "find_network",
    "fit",
    "load",
    "load_field",
    "sized_like",
    "study",
]
