"""One fit from its specification to its result: everything around the loop of steps."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from firstlight.errors import FirstlightError
from firstlight.fields.alpha.choose_alpha import choose_alpha, with_choice
from firstlight.fields.batch_size import batch_size
from firstlight.fields.compiling import compile_steps
from firstlight.fields.field import Field
from firstlight.fields.memory import bytes_per_sample, check_chunk, check_weights, chunk_size
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sine import Sine
from firstlight.fields.objective import Objective
from firstlight.fields.progress import Progress
from firstlight.fields.result import Fit
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec
from firstlight.fields.training import Training
from firstlight.fields.unfinished import Unfinished
from firstlight.runs.interruption import Interruption

#: Seconds between two writes of the checkpoint.
_WRITE_EVERY = 30.0


class Session:
    """One call of ``fit``: ready to run once it is made."""

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
        network = found.network if found else network.resolved(signal)
        # before alpha is chosen, which may take long, and before there is memory for it
        check_weights(network.parameters(signal.inputs, signal.outputs), device)
        self._network = self._chosen(network)
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
        batch = self._batch(len(samples), chunk)
        # what is compiled is of one size: a small batch is one chunk
        chunk = min(chunk, batch or chunk)
        self._objective = Objective(built, samples, chunk, spec.precision)
        compile_steps(self._objective, built, batch or len(samples), spec, self._say)
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
        training.uncounted += written - self._before
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
        """The network with alpha as a number."""
        if not isinstance(network, Sine) or network.alpha != "auto":
            return network
        choice = choose_alpha(self._signal, network, target_psnr=self._spec.target_psnr)
        self._say(choice.line)
        return with_choice(network, choice)

    def _batch(self, samples: int, chunk: int) -> int | None:
        """Samples of a step; None for all."""
        batch = batch_size(self._spec.batch, samples)
        if batch is not None and self._spec.batch == "auto":
            self._say(
                f"{samples:,} samples: every step takes {batch:,} of them at random, {chunk:,} at "
                "a time; batch='full' takes all"
            )
        return batch
