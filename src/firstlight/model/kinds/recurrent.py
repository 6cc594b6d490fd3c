"""LSTM, GRU and RNN: one matrix per gate, from the inputs and from the layer's own past."""

from functools import partial
from typing import Any

from torch import nn

from firstlight.model.kinds.fused import split_rows
from firstlight.model.kinds.treatment import Matrix, Split, Treatment, Value, whole

LAYERS = (nn.RNNBase, nn.RNNCellBase)
_GATES = {"LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}


def recurrent(module: Any, *_: object) -> dict[str, Treatment]:
    """Describe every weight and bias of the layers, in both directions."""
    gates = next((g for name, g in _GATES.items() if _is(module, name)), ("",))
    width = module.hidden_size
    found: dict[str, Treatment] = {}
    for local in [*module._parameters, *getattr(module, "parametrizations", ())]:
        if local.startswith("weight_hr"):
            found[local] = Matrix("recurrent projection")
        elif local.startswith("weight"):
            past = local.startswith("weight_hh")
            kind = "recurrent" if past else "recurrent input"
            found[local] = Matrix(kind, _gate_rows(gates, width), "recurrent" if past else "weight")
        elif local.startswith("bias"):
            forget = slice(width, 2 * width)
            # the two biases are added: the forget gate's value stands in one of them
            has_forget = gates[1:2] == ("f",) and local.startswith("bias_ih")
            found[local] = Value("recurrent bias", 0.0, forget if has_forget else None)
    return found


def _is(module: Any, name: str) -> bool:
    return isinstance(module, (getattr(nn, name), getattr(nn, name + "Cell")))


def _gate_rows(gates: tuple[str, ...], width: int) -> Split:
    if len(gates) == 1:
        return whole
    return partial(split_rows, labels=gates, sizes=(width,) * len(gates))
