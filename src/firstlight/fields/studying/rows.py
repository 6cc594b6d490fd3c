"""Which networks a study compares: every name at every weight scale, and at the automatic one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from firstlight.errors import OptionError, positive
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.fields.signals.signal import Signal
from firstlight.fields.studying.result import StudyChoice

#: A network whose alpha is open, and its name, to what is chosen.
Choose = Callable[[str, Sine], StudyChoice]


@dataclass(frozen=True)
class Planned:
    """A row before it is run; the attributes are those of ``StudyRow``."""

    label: str
    name: str
    alpha: float | None
    auto: bool
    network: Network
    expected: float | None


def named(networks: object) -> dict[str, Network]:
    """Networks by name; a single one has the name of its family.

    Raises:
        OptionError: they are neither a network nor networks by name.
    """
    if isinstance(networks, Network):
        return {networks.family: networks}
    if not isinstance(networks, Mapping) or not networks:
        raise OptionError(
            f"networks must be a network or a mapping of names to networks, got {networks!r:.60}"
        )
    for name, network in networks.items():
        if not isinstance(name, str) or not name.strip() or not isinstance(network, Network):
            raise OptionError(f"networks must map names to networks, got {name!r}: {network!r:.60}")
    return dict(networks)


def checked_alphas(alphas: object) -> tuple[float, ...] | None:
    """Weight scales, each once; None for the networks' own."""
    if alphas is None:
        return None
    if isinstance(alphas, str) or not isinstance(alphas, Sequence) or not alphas:
        raise OptionError(f"alphas must be a list of numbers, got {alphas!r:.60}")
    found = tuple(positive(each, "a number of alphas") for each in alphas)
    if len(set(found)) < len(found):
        raise OptionError(f"alphas must differ from each other, got {alphas!r:.60}")
    return found


def planned_rows(
    signal: Signal,
    networks: Mapping[str, Network],
    alphas: Sequence[float] | None,
    choose: Choose,
) -> tuple[list[Planned], list[StudyChoice]]:
    """All rows, and what was chosen on the way.

    With weight scales, every network is there at each of them, and once more at the one that
    ``choose_alpha`` takes where it knows the network. Without, each is there as it is.
    """
    rows: list[Planned] = []
    choices: list[StudyChoice] = []
    for name, network in networks.items():
        network = network.resolved(signal)
        prefix = f"{name}, " if len(networks) > 1 else ""
        choice = _choice(signal, name, network, alphas, choose)
        if choice is not None:
            choices.append(choice)
        if alphas is None and choice is None:
            rows.append(Planned(name, name, _single(network), False, network, None))
            continue
        for alpha in alphas or ():
            scaled = network.with_alpha(alpha)
            expected = None if choice is None else _expected(choice, scaled)
            rows.append(Planned(f"{prefix}alpha {alpha:g}", name, alpha, False, scaled, expected))
        if choice is not None:
            label = f"{prefix}alpha auto" if alphas else name
            rows.append(_automatic(label, choice, network))
    return rows, choices


def _choice(
    signal: Signal,
    name: str,
    network: Network,
    alphas: Sequence[float] | None,
    choose: Choose,
) -> StudyChoice | None:
    """What ``choose_alpha`` takes, where that is asked for and known."""
    if not isinstance(network, Sine):
        return None
    if alphas is None:
        return choose(name, network) if network.alpha == "auto" else None
    known = sine_kernel(network.with_alpha(1.0), signal.inputs) is not None
    return choose(name, replace(network, alpha="auto")) if known else None


def _automatic(label: str, choice: StudyChoice, network: Network) -> Planned:
    assert isinstance(network, Sine)
    chosen = replace(network, alpha=choice.alpha, omega_0=choice.omega_0)
    return Planned(label, choice.name, choice.alpha, True, chosen, _expected(choice, chosen))


def _expected(choice: StudyChoice, network: Network) -> float | None:
    """The computed PSNR at a network's alpha; None where it was not computed for it."""
    assert isinstance(network, Sine)
    if not choice.expected or network.factors()[0] != choice.omega_0:
        return None
    alphas, levels = zip(*choice.expected, strict=True)
    alpha = network.alphas()[0]
    if not alphas[0] <= alpha <= alphas[-1]:
        return None
    return float(np.interp(alpha, alphas, levels))


def _single(network: Network) -> float | None:
    """The weight scale, where it is one number."""
    return float(network.alpha) if isinstance(network.alpha, int | float) else None
