"""Whether torch.compile pays for a fit, decided from numbers alone, so that it is repeatable."""

import warnings
from collections.abc import Callable

import torch
from torch import nn

from firstlight.fields.objective import Objective
from firstlight.fields.specification import FitSpec

#: Floating-point operations a second, for each thread of a CPU and for other devices.
_SPEED, _DEVICE_SPEED = 7e10, 1e13
#: A fit of so many seconds wins back what compiling costs (about 10 s here, saving a third).
_LONG = 60.0
#: Steps that a fit with a target alone is taken to have.
_USUAL = 60


def compile_steps(
    objective: Objective,
    network: nn.Module,
    samples: int,
    spec: FitSpec,
    say: Callable[[str], None],
) -> None:
    """Compile the steps of a fit where that was asked for, or where it is expected to pay.

    Args:
        objective: what is compiled.
        network: its network.
        samples: of each step.
        spec: options of the fit.
        say: what is told what was done.
    """
    asked = spec.compile is True
    wanted = asked or (spec.compile == "auto" and pays(network, samples, spec))
    if wanted and works(objective.samples.device):
        say("torch.compile makes the steps faster; it takes a while before the first one")
        objective.compile()
    elif asked:
        say("torch.compile does not work here: going on without it")


def pays(network: nn.Module, samples: int, spec: FitSpec) -> bool:
    """Whether a fit is expected to take long enough for compiling to pay.

    Six operations a parameter, sample and step: a multiplication and an addition forward, and
    twice as many backward.

    Example:
        >>> pays(nn.Linear(2, 1), 100, FitSpec(steps=10))
        False
    """
    if spec.seconds is not None and spec.seconds < _LONG:
        return False
    numbers = sum(each.numel() for each in network.parameters() if each.requires_grad)
    steps = _USUAL if spec.steps is None else spec.steps
    if spec.target_psnr is not None:
        steps = min(steps, _USUAL)
    on_cpu = next(network.parameters()).device.type == "cpu"
    speed = _SPEED * torch.get_num_threads() if on_cpu else _DEVICE_SPEED
    return 6.0 * numbers * samples * steps / speed > _LONG


def works(device: torch.device) -> bool:
    """Whether torch.compile works here: on a CPU it needs a C++ compiler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.compile(torch.sin)(torch.zeros(8, device=device))
        except Exception:  # the compilers' own errors are of many types
            return False
    return True
