"""Fills in the manner of ``torch.nn.init``: in place, no grad, one scheme to a file."""

from firstlight.init.block import Block
from firstlight.init.blumenfeld import blumenfeld_
from firstlight.init.diagonal_plus_noise import diagonal_plus_noise_
from firstlight.init.edge_of_chaos import edge_of_chaos_
from firstlight.init.gradient_control import gradient_control_
from firstlight.init.harmonic import harmonic_
from firstlight.init.harmonic_depthwise import harmonic_depthwise_
from firstlight.init.isometric_diagonal import isometric_diagonal_
from firstlight.init.looks_linear import looks_linear_
from firstlight.init.lsuv import lsuv
from firstlight.init.orthogonal import orthogonal_
from firstlight.init.schemes import SCHEMES, Scheme, find_scheme, parse_scheme
from firstlight.init.sinusoidal import sinusoidal_
from firstlight.init.siren import siren_
from firstlight.init.stream import Stream
from firstlight.init.variance_scaling import variance_scaling_
from firstlight.init.vi3nr import vi3nr_
from firstlight.init.winner import winner_
from firstlight.init.zero import zero_

__all__ = [
    "SCHEMES",
    "Block",
    "Scheme",
    "Stream",
    "blumenfeld_",
    "diagonal_plus_noise_",
    "edge_of_chaos_",
    "find_scheme",
    "gradient_control_",
    "harmonic_",
    "harmonic_depthwise_",
    "isometric_diagonal_",
    "looks_linear_",
    "lsuv",
    "orthogonal_",
    "parse_scheme",
    "sinusoidal_",
    "siren_",
    "variance_scaling_",
    "vi3nr_",
    "winner_",
    "zero_",
]
