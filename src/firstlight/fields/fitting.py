"""Fit a field to a signal."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.choose_alpha import choose_alpha, with_choice
from firstlight.fields.compiling import pays, works
from firstlight.fields.device import usable_device
from firstlight.fields.field import Field
from firstlight.fields.interruption import Interruption
from firstlight.fields.memory import (
    bytes_per_sample,
    check_chunk,
    check_weights,
    chunk_size,
    memory_told,
)
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import Sine
from firstlight.fields.objective import Objective
from firstlight.fields.packages import needed_for
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
    overwrite: bool = False,
    progress: Progress | None = None,
    watch: Callable[[int, nn.Module], None] | None = None,
    **options: Any,
) -> Fit:
    """Fit a network to a signal and return the field at its best step.

        minimise mean w_i |f(x_i) - y_i|^2,   PSNR = 10 log10(4 / mean squared error)

    The same signal, network and seed give the same field bit for bit on the same machine, unless a
    limit of time ends it. Ctrl-C ends a fit as a limit does, behind the step that is being taken:
    the best so far is returned. A second one does not wait for the step's end.

    Args:
        signal: what ``firstlight.fields.load`` returned.
        network: its specification; ``alpha="auto"`` is chosen here.
        device: where to train.
        checkpoint: file that the fit is written to every half minute; where it is there already,
            the fit goes on from it.
        overwrite: whether a checkpoint that is not this fit's own is replaced.
        progress: what is told how far the fit is.
        watch: called with the steps so far and the network, before the first step and after each;
            it may look at the weights, not change them. Its time does not count.
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
    if not isinstance(signal, Signal):
        raise OptionError(
            f"signal must be what firstlight.fields.load returns, got {type(signal).__name__}"
        )
    if not isinstance(network, Network):
        raise OptionError(
            "network must be a specification such as firstlight.fields.Sine(), got "
            f"{type(network).__name__}"
        )
    with needed_for("fitting a field"), memory_told("fitting"):
        return _Fitting(
            signal,
            network,
            FitSpec.of(options),
            usable_device(device),
            None if checkpoint is None else Path(checkpoint),
            overwrite,
            progress or _Silent(),
            watch,
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
        overwrite: bool,
        progress: Progress,
        watch: Callable[[int, nn.Module], None] | None,
    ) -> None:
        self._start, self._before = time.perf_counter(), 0.0
        self._signal, self._spec, self._progress = signal, spec, progress
        self._watch = watch
        self._notes: list[str] = []
        for note in signal.notes:
            self._say(note)
        self._unfinished = Unfinished(checkpoint, signal, network, spec)
        found = self._unfinished.read(overwrite=overwrite)
        self._notes += [] if found is None else found.notes
        self._network = found.network if found else self._chosen(network)
        check_weights(self._network.parameters(signal.inputs, signal.outputs), device)
        self._field = Field(
            self._network,
            signal.form,
            inputs=signal.inputs,
            outputs=signal.outputs,
            seed=spec.seed,
        ).to(device)
        built, samples = self._field.network, signal.train.to(device)
        per_sample = bytes_per_sample(built, signal.inputs)
        chunk = chunk_size(per_sample, len(samples), device)
        check_chunk(per_sample, chunk, device)
        self._objective = Objective(built, samples, chunk, spec.precision)
        batch = self._batch(chunk)
        self._compile(built, batch or len(samples))
        self._training = Training(built, self._objective, spec, batch)
        if found:
            found.weights(built)
            self._before = self._training.load_state(found.tensors, found.progress)
            self._say(f"going on from step {self._training.step}")

    def run(self) -> Fit:
        """Train until a limit is reached, or Ctrl-C."""
        training = self._training
        with Interruption() as interruption:
            try:
                self._loop(interruption)
                interruption.hold()
            except KeyboardInterrupt:  # a second Ctrl-C, or a caller's own way to stop
                if not training.stopped:
                    training.interrupt(self._clock(), look=not interruption.asked)
            if training.curve and training.stopped != "collapsed":
                self._write(self._clock())
        seconds = self._clock()
        training.restore_best()
        return Fit(
            field=self._field,
            psnr=training.best.psnr,
            measured=self._measured(),
            steps=training.best.step,
            seconds=seconds,
            curve=tuple(training.curve),
            stopped=training.stopped,
            network=self._network,
            spec=self._spec,
            notes=tuple(self._notes),
        )

    def _loop(self, interruption: Interruption) -> None:
        training, written = self._training, self._clock()
        told, going = len(training.collapse.notes), True
        self._look()
        while going:
            if interruption.asked:
                training.interrupt(self._clock())
                return
            going = training.advance(self._clock)
            if going:
                self._look()
            for line in training.collapse.notes[told:]:
                self._say(line)
            told = len(training.collapse.notes)
            now = self._clock()
            self._progress.show(training.moment(now))
            if going and now - written > _WRITE_EVERY:
                self._write(now)
                written = now

    def _look(self) -> None:
        if self._watch is not None:
            began = time.perf_counter()
            self._watch(self._training.step, self._field.network)
            self._start += time.perf_counter() - began

    def _write(self, now: float) -> None:
        if self._training.torn:
            self._say("Ctrl-C cut a step short: the checkpoint, if any, is of an earlier step")
            return
        try:
            self._unfinished.write(self._field, self._training, now, tuple(self._notes))
        except FirstlightError as error:  # a full disk is no reason to lose the fit
            self._say(f"{error}; the fit goes on without it")

    def _measured(self) -> dict[str, float]:
        try:
            return self._signal.measure(self._field.predict_samples)
        except KeyboardInterrupt:
            self._say("Ctrl-C: the other measures are left out")
            return {"psnr": self._training.best.psnr}

    def _clock(self) -> float:
        return self._before + time.perf_counter() - self._start

    def _say(self, line: str) -> None:
        if line not in self._notes:
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
        if wanted and works(self._objective.samples.device):
            self._objective.compile()
            self._say("torch.compile makes the steps faster; the first one takes longer")
        elif asked:
            self._say("torch.compile does not work here: going on without it")
