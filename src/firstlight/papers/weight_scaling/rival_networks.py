"""The networks that weight scaling is compared with, as many numbers in each."""

from dataclasses import replace
from typing import Any

from firstlight import fields
from firstlight.papers.weight_scaling.scaling_law import ScalingLawSine


def networks(known: fields.Signal, omega_0: float, width: int = 256) -> dict[str, fields.Network]:
    """Return networks by name; all but the starts of the same network are sized like it."""
    sine = fields.Sine(width=width, depth=5, alpha=1.0, omega_0=omega_0)

    def start(**options: Any) -> fields.Network:
        return replace(sine, **options)

    others: dict[str, fields.Network] = {
        "TUNER": fields.Tuner(depth=5),
        "Gauss": fields.Gauss(depth=5),
        "sinc": fields.Sinc(depth=5),
        "WIRE": fields.Wire(depth=5),
        "FINER": fields.Finer(depth=5),
        "Fourier features": fields.FourierFeatures(depth=5),
        "multiplicative filter": fields.MultiplicativeFilter(depth=5),
        "hash grid": fields.HashGrid(),
    }
    return {
        "weight scaling, auto": start(alpha="auto"),
        "weight scaling, 2": start(alpha=2.0),
        "SIREN": sine,
        "Xavier-uniform": start(start="xavier_uniform"),
        "frequency tuning": start(omega_0="nyquist"),
        "gradient control": start(start="gradient_control", omega_0="nyquist"),
        "WINNER": start(start="winner"),
        "VI3NR": start(start="vi3nr"),
        "scaling law": ScalingLawSine(width=width, depth=5, alpha=1.0, omega_0=omega_0),
        **{name: _sized(known, each, sine) for name, each in others.items()},
    }


def _sized(known: fields.Signal, network: fields.Network, sine: fields.Sine) -> fields.Network:
    return fields.sized_like(network.resolved(known), sine, known.inputs, known.outputs)


#: Which of ``networks`` were compared; the scaling law's start has an entry of its own.
COMPARED = (
    "weight scaling, auto",
    "weight scaling, 2",
    *("SIREN", "Xavier-uniform", "frequency tuning", "gradient control", "WINNER", "VI3NR"),
    *("TUNER", "Gauss", "sinc", "WIRE", "FINER"),
    *("Fourier features", "multiplicative filter", "hash grid"),
)
