"""The watcher: when it looks, what it keeps, when it sends."""

import warnings
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer

from firstlight.auditing.watching import texts
from firstlight.auditing.watching.entrance import Calls, Entrance
from firstlight.auditing.watching.frame import frame
from firstlight.auditing.watching.look import Look, Looker
from firstlight.auditing.watching.pass_probe import PassProbe
from firstlight.auditing.watching.steps import Steps, held
from firstlight.auditing.watching.targets import Target
from firstlight.auditing.watching.watched import Watched, WatchWarning
from firstlight.errors import FirstlightError
from firstlight.model.names import unwrapped
from firstlight.model.reason import reason

if TYPE_CHECKING:
    import pandas as pd

#: Passes without a step after which something is said.
_PATIENCE = 256
#: Passes that are waited for where each goes another way.
_TRIES = 4


@dataclass(frozen=True)
class Options:
    """How to watch; see ``firstlight.watch``."""

    every: int
    everything: bool
    scaler: Any
    prefix: str
    start: int
    keep: int


class Watcher:
    """Measures a model every few steps of its training; ``firstlight.watch`` makes it.

    A context manager: at its end, or by ``close()``, every hook is removed.
    """

    def __init__(self, model: nn.Module, target: Target, options: Options) -> None:
        self._root, self._target, self._options = unwrapped(model), target, options
        self._history: deque[Watched] = deque(maxlen=options.keep)
        self._look: Look | None = None  # from the watched pass until its step is over
        self._due, self._missed, self._tries = True, 0, 0
        self._passes, self._evaluations = 0, 0  # since the last step
        self._said: set[str] = set()
        self.closed = not target.here
        if target.here:
            self._attach(model)

    def _attach(self, model: nn.Module) -> None:
        compiled = lambda: self._say(texts.STEP_COMPILED)  # noqa: E731
        self._looker = Looker(self._root, everything=self._options.everything)
        self._steps = Steps(
            self._root, self._options.start, self._before_step, self._after_step, compiled
        )
        calls = Calls(self._wanted, self._pass_begins, self._pass_seen, self._fail)
        self._entrance = Entrance(model, self._looker, calls)
        if self._looker.scripted:
            self._say(texts.SCRIPTED)

    @property
    def history(self) -> list[Watched]:
        """What the last watched steps showed, oldest first."""
        return list(self._history)

    def to_frame(self, of: str = "activations") -> "pd.DataFrame":
        """Return the history as a pandas data frame, a row for each step and thing measured.

        Args:
            of: activations, weights or attentions.
        """
        return frame(self._history, of)

    def step(self) -> None:
        """Say that the weights were updated, where no ``torch.optim`` optimizer does it.

        From the first call on, only these calls are counted.
        """
        if self.closed:
            return
        if self._look is not None:
            self._look.weights.gradients(self._root.parameters())
        self._steps.by_hand()
        self._stepped()
        self._send()

    def close(self) -> None:
        """Send what is known of the last watched step if it is over, and remove every hook."""
        if self.closed:
            return
        try:
            never = self._steps.count == self._options.start
            if never and self._passes > 1:
                self._say(texts.NO_STEPS)
            if never or (self._look is not None and self._look.stepped):
                self._send()
        finally:
            self._detach()

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # half a step says little, and an error of a tracker would hide what went wrong
            self._look, self._passes = None, 0
        self.close()

    def _detach(self) -> None:
        if not self.closed:
            self.closed, self._look = True, None
            self._entrance.close()
            self._steps.close()
            self._target.finish()

    def _wanted(self) -> bool:
        return self._due and self._look is None

    def _pass_begins(self, training: bool) -> bool:
        if not training:
            self._evaluations += 1
            return False
        self._passes += 1
        if self._passes == _PATIENCE:
            self._say(texts.NO_STEPS)
        if self._look is not None and self._look.stepped:
            self._send()
        return self._due and self._look is None

    def _pass_seen(self, probe: PassProbe) -> None:
        try:
            look = self._looker.close(probe, self._steps.count, self._scale())
        except Exception as error:  # no measure is worth a training run
            self._fail(error)
            return
        self._steps.refresh()
        self._missed = 0
        if not look.names and self._looker.expects and self._tries < _TRIES:
            self._tries += 1  # now that the way is known, the next pass can be measured
            return
        self._look, self._due, self._tries = look, False, 0
        self._say_of(look)

    def _say_of(self, look: Look) -> None:
        if not look.names and not self._looker.scripted:
            self._say(texts.UNMEASURED if self._looker.expects else texts.NO_ACTIVATIONS)
        if look.half and self._scaler() is None:
            self._say(texts.SCALED)
        if look.weights.sharded:
            self._say(texts.SHARDED)

    def _before_step(self, optimizer: Optimizer) -> None:
        if self._look is not None:
            if not self._look.stepped:
                self._entrance.release()  # a compiled function around the pass has ended
            scale = getattr(optimizer, "grad_scale", None)  # fused ones unscale by themselves
            factor = 1.0 if scale is None else float(scale)
            self._look.weights.gradients(held(optimizer), factor)

    def _after_step(self, optimizer: Optimizer, counted: bool) -> None:
        if self._look is not None:
            self._look.weights.gradients(held(optimizer))  # of a closure's passes
            self._look.weights.updated(held(optimizer))
            self._look.stepped = True
        if counted:
            self._stepped()
        if self._look is not None and self._look.weights.changed:
            self._send()

    def _stepped(self) -> None:
        """Note that a step is over; see whether the next pass is to be watched, and can be."""
        unseen = self._due and self._look is None and not self._tries
        evaluated = self._evaluations > 0
        if self._look is not None:
            self._look.stepped = True
        self._passes = self._evaluations = 0
        self._due = self._due or self._steps.count % self._options.every == 0
        self._steps.alert = self._due or self._look is not None
        if not self._steps.alert and not unseen:
            return
        self._entrance.release()
        if unseen:
            self._missed += 1
            if self._missed == 2:
                self._say(texts.EVALUATION if evaluated else texts.UNSEEN)
        if self._due and (self._missed == 1 or self._entrance.hidden):
            self._entrance.arm()

    def _send(self) -> None:
        look, self._look = self._look, None
        if look is None:
            return
        found = look.result()
        self._history.append(found)
        missing = self._target.missing()
        if missing:
            self._say(missing)
        try:
            self._target.log(found.values(self._options.prefix), found.step)
        except Exception as error:  # the tracker's
            self._detach()
            raise FirstlightError(
                f"the tracker failed at step {found.step}, and the model is no longer watched: "
                f"{reason(error)}"
            ) from error

    def _scaler(self) -> Any:
        return self._options.scaler or getattr(self._target.owner, "scaler", None)

    def _scale(self) -> float:
        scaler = self._scaler()
        return 1.0 if scaler is None else float(scaler.get_scale())

    def _fail(self, error: Exception) -> None:
        self._detach()
        self._say(texts.FAILED + reason(error))

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            warnings.warn(text, WatchWarning, stacklevel=2)
