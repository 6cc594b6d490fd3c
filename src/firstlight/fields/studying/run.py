"""One fit of a study, and what is looked at on its way."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from firstlight.fields.analysis.gradient_share import gradient_shares
from firstlight.fields.analysis.spectrum import initial_spectra
from firstlight.fields.analysis.tangent import Kernel, closed_form, measured_kernel, sample_points
from firstlight.fields.fitting import fit
from firstlight.fields.memory import bytes_per_sample, chunk_size
from firstlight.fields.networks.network import Network
from firstlight.fields.objective import Objective
from firstlight.fields.progress import Progress
from firstlight.fields.result import Fit, Point
from firstlight.fields.signals.samples import Samples
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec
from firstlight.fields.studying.result import Snapshot, Start, StudyRun

#: Samples whose gradients are looked at, which bounds the time.
_MOST = 2**16


class Probe:
    """Looks at a network at given steps of its training.

    Attributes:
        snapshots: what was seen.
    """

    def __init__(
        self,
        signal: Signal,
        steps: Sequence[int],
        points: int,
        going_on: Callable[[], None],
    ) -> None:
        self.snapshots: list[Snapshot] = []
        self._steps, self._going_on = frozenset(steps), going_on
        self._inputs, self._samples = signal.inputs, signal.train
        if steps:
            self._points = sample_points(signal.train, points)
            self._samples = _some(signal.train)

    def __call__(self, step: int, network: nn.Module) -> None:
        """Take a snapshot where this is one of the steps."""
        self._going_on()
        if step not in self._steps:
            return
        device = next(network.parameters()).device
        samples = self._samples = self._samples.to(device)
        chunk = chunk_size(bytes_per_sample(network, self._inputs), len(samples), device)
        shares = gradient_shares(network, Objective(network, samples, chunk))
        kernel = measured_kernel(network, self._points)
        shown = tuple((name, _short(share)) for name, share in shares)
        self.snapshots.append(Snapshot(step, _shortened(kernel), shown))


def run_once(
    signal: Signal,
    network: Network,
    spec: FitSpec,
    *,
    device: torch.device,
    progress: Progress,
    probe: Probe,
) -> StudyRun:
    """Fit once and keep what a study needs; a fit that was interrupted says so in ``stopped``."""
    options = spec.as_dict()
    found = fit(signal, network, device=device, progress=progress, watch=probe, **options)
    target = spec.target_psnr
    return StudyRun(
        seed=spec.seed,
        learning_rate=spec.learning_rate,
        psnr=found.psnr,
        measured=dict(found.measured),
        steps=found.steps,
        reached=None if target is None else found.steps_to(target),
        seconds=round(found.seconds, 3),
        seconds_reached=None if target is None else found.seconds_to(target),
        stopped=found.stopped,
        curve=_rounded(found),
        notes=found.notes,
        snapshots=tuple(probe.snapshots),
    )


def start_of(signal: Signal, network: Network, seed: int, points: int) -> Start:
    """What the network is before training."""
    spectra = tuple(
        replace(
            each,
            measured=tuple(map(_short, each.measured)),
            predicted=None if each.predicted is None else tuple(map(_short, each.predicted)),
            beyond=None if each.beyond is None else _short(each.beyond),
        )
        for each in initial_spectra(network, signal, seed=seed)
    )
    form = closed_form(network, sample_points(signal.train, points))
    return Start(spectra, _shortened(form))


def _some(samples: Samples) -> Samples:
    """At most 2^16 samples, drawn once."""
    if len(samples) <= _MOST:
        return samples
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(samples), generator=generator)[:_MOST].sort().values
    rows = rows.to(samples.device)
    return samples.subset(rows if samples.chosen is None else samples.chosen[rows])


def _rounded(found: Fit) -> tuple[Point, ...]:
    """The curve to a tenth of a millisecond and of a thousandth of a decibel."""
    return tuple(Point(p.step, round(p.seconds, 4), round(p.psnr, 4)) for p in found.curve)


def _shortened(kernel: Kernel | None) -> Kernel | None:
    if kernel is None:
        return None
    return Kernel(tuple(map(_short, kernel.eigenvalues)), _short(kernel.condition))


def _short(value: float) -> float:
    """Six digits: more say nothing, and take room on disk."""
    return float(f"{value:.6g}")
