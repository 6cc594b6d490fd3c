"""Modules: the odd-sigmoid activations, scaled or not."""

from firstlight.nn.odd_sigmoid import (
    Algebraic,
    Arctan,
    Erf,
    Gudermannian,
    OddSigmoid,
    Softsign,
    Tanh,
)

__all__ = ["Algebraic", "Arctan", "Erf", "Gudermannian", "OddSigmoid", "Softsign", "Tanh"]
