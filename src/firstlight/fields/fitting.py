"""Fit a field to a signal."""

import time
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from firstlight.fields.choose_alpha import choose_alpha, with_choice
from firstlight.fields.compiling import pays, works
from firstlight.fields.field import Field
from firstlight.fields.memory import bytes_per_sample, chunk_size
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import Sine
from firstlight.fields.objective import Objective
from firstlight.fields.result import Fit
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec
from firstlight.fields.training import Moment, Training
from firstlight.fields.unfinished import Unfinished

#: The most samples that "auto" takes in every step.
_MOST_FULL = 2**18
#: Seconds between two writes of the checkpoint.
_WRITE_EVERY = 30.0


class Progress(Protocol):
    """What is told how far a fit is."""

    def note(self, line: str) -> None:
        """Say a line."""

    def show(self, moment: Moment) -> None:
        """Show where the fit is."""


class _Silent:
    def note(self, line: str) -> None:
        pass

    def show(self, moment: Moment) -> None:
        pass


def fit(
    signal: Signal,
    network: Network,
    *,
    device: torch.device | str = "cpu",
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Fit:
    """Fit a network to a signal and return the field at its best step.

        minimise mean w_i |f(x_i) - y_i|^2,   PSNR = 10 log10(4 / mean squared error)

    The same signal, network and seed give the same field bit for bit on the same machine, unless a
    limit of time ends it. Ctrl-C ends a fit as a limit does: the best step so far is returned.

    Args:
        signal: what ``firstlight.fields.load`` returned.
        network: its specification; ``alpha="auto"`` is chosen here.
        device: where to train.
        checkpoint: file that the fit is written to every half minute; where it is there already,
            the fit goes on from it.
        progress: what is told how far the fit is.
        **options: of ``FitSpec``: ``target_psnr``, ``steps``, ``seconds``, ``seed``, ``optimizer``,
            ``learning_rate``, ``layer_rates``, ``batch``, ``precision``, ``compile``.

    Returns:
        The field, its PSNR, the curve, why it stopped, and what was chosen.

    Raises:
        OptionError: an option is out of range.
        FirstlightError: the checkpoint belongs to another fit, or cannot be written.

    Example:
        >>> import numpy as np
        >>> from firstlight import fields
        >>> ramp = fields.load(np.linspace(0, 255, 64).astype("uint8").reshape(8, 8), kind="image")
        >>> network = fields.Sine(width=32, depth=3, alpha=1.5)
        >>> fields.fit(ramp, network, target_psnr=20, steps=300, learning_rate=1e-3).stopped
        'target'

    Reference: arXiv 2410.04779.
    """
    return _Fitting(
        signal,
        network,
        FitSpec.of(options),
        torch.device(device),
        None if checkpoint is None else Path(checkpoint),
        progress or _Silent(),
    ).run()


class _Fitting:
    """One call of ``fit``."""

    def __init__(
        self,
        signal: Signal,
        network: Network,
        spec: FitSpec,
        device: torch.device,
        checkpoint: Path | None,
        progress: Progress,
    ) -> None:
        self._start, self._before = time.perf_counter(), 0.0
        self._signal, self._spec, self._progress = signal, spec, progress
        self._notes: list[str] = []
        for note in signal.notes:
            self._say(note)
        self._unfinished = Unfinished(checkpoint, signal, network, spec)
        found = self._unfinished.read()
        self._network = found.network if found else self._chosen(network)
        self._field = Field(
            self._network,
            signal.form,
            inputs=signal.inputs,
            outputs=signal.outputs,
            seed=spec.seed,
        ).to(device)
        built, samples = self._field.network, signal.train.to(device)
        chunk = chunk_size(bytes_per_sample(built, signal.inputs), len(samples), device)
        self._objective = Objective(built, samples, chunk, spec.precision)
        batch = self._batch(chunk)
        self._compile(built, batch or len(samples))
        self._training = Training(built, self._objective, spec, batch)
        if found:
            self._training.load_state(found.tensors, found.progress)
            self._before = float(found.progress["seconds"])
            self._say(f"going on from step {self._training.step}")

    def run(self) -> Fit:
        """Train until a limit is reached, or Ctrl-C."""
        training = self._training
        try:
            self._loop()
        except KeyboardInterrupt:
            training.stopped = "interrupted"
        if training.curve and training.stopped != "collapsed":
            self._write(self._clock())
        seconds = self._clock()
        training.restore_best()
        measured = self._signal.measure(self._field.predict_samples)
        return Fit(
            field=self._field,
            psnr=training.best.psnr,
            measured=measured,
            steps=training.best.step,
            seconds=seconds,
            curve=tuple(training.curve),
            stopped=training.stopped,
            network=self._network,
            spec=self._spec,
            notes=tuple(self._notes),
        )

    def _loop(self) -> None:
        training, told, written = self._training, 0, self._clock()
        going = True
        while going:
            going = training.advance(self._clock)
            for line in training.collapse.notes[told:]:
                self._say(line)
            told = len(training.collapse.notes)
            now = self._clock()
            self._progress.show(training.moment(now))
            if going and now - written > _WRITE_EVERY:
                self._write(now)
                written = now

    def _write(self, now: float) -> None:
        self._unfinished.write(self._field, self._training, now, tuple(self._notes))

    def _clock(self) -> float:
        return self._before + time.perf_counter() - self._start

    def _say(self, line: str) -> None:
        self._notes.append(line)
        self._progress.note(line)

    def _chosen(self, network: Network) -> Network:
        """The network with every number filled in, alpha among them."""
        network = network.resolved(self._signal)
        if not isinstance(network, Sine) or network.alpha != "auto":
            return network
        choice = choose_alpha(self._signal, network, target_psnr=self._spec.target_psnr)
        self._say(choice.line)
        return with_choice(network, choice)

    def _batch(self, chunk: int) -> int | None:
        """Samples of a step; None for all."""
        count, batch = len(self._signal.train), self._spec.batch
        if batch == "full" or (batch == "auto" and count <= _MOST_FULL):
            return None
        if batch == "auto":
            self._say(
                f"{count:,} samples: every step takes {_MOST_FULL:,} of them at random, "
                f"{chunk:,} at a time; batch='full' takes all"
            )
            return _MOST_FULL
        return None if int(batch) >= count else int(batch)

    def _compile(self, built: nn.Module, step: int) -> None:
        """Compile where it was asked for, or where it is expected to pay."""
        wanted, asked = self._spec.compile, self._spec.compile is True
        if wanted == "auto":
            wanted = pays(built, step, self._spec)
        if wanted and works():
            self._objective.compile()
            self._say("torch.compile makes the steps faster; the first one takes longer")
        elif asked:
            self._say("torch.compile does not work here: going on without it")
