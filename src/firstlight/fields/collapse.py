"""Signs that a fit goes nowhere, and what to change."""

import math

#: Steps after which a fit that is no better than a constant is told.
_PATIENCE = 200
#: Within this part of the error of the best constant a fit has found the mean and no more.
_STUCK = 0.02
#: A fall of so many dB below the best is a jump.
_JUMP = 6.0
#: Jumps before they are told.
_JUMPS = 3
#: Steps, and looks, without 0.1 dB more, after which a fit without other limits ends.
_STALLED, _STALLED_LOOKS = 1000, 10


class Collapse:
    """What has been seen of a fit's error so far.

    Attributes:
        notes: one line for each fault found.
        fatal: whether going on is senseless: the error is no number.

    Example:
        >>> watch = Collapse(variance=1.0)
        >>> watch.look(7, math.nan)
        'the loss is not a number at step 7: take a smaller learning_rate'
        >>> watch.fatal
        True
    """

    def __init__(self, variance: float) -> None:
        self.notes: list[str] = []
        self.fatal = False
        self._variance = variance
        self._judged = self._fallen = False
        self._jumps = 0
        self._best = self._marked = -math.inf
        self._marked_at, self._since = 0, 0
        self._step = 0

    @property
    def stalled(self) -> bool:
        """Whether there has been no progress for 1000 steps and 10 looks."""
        return self._since >= _STALLED_LOOKS and self._step - self._marked_at >= _STALLED

    def look(self, step: int, error: float) -> str | None:
        """Judge the mean squared error at a step; returns a line where something is wrong."""
        self._step = step
        if not math.isfinite(error):
            self.fatal = True
            return self._note(_no_number(step))
        level = -10 * math.log10(error) if error > 0 else math.inf
        self._since += 1
        if level > self._marked + 0.1:
            self._marked, self._marked_at, self._since = level, step, 0
        self._best = max(self._best, level)
        return self._stuck(step) or self._jumped(step, level)

    def _stuck(self, step: int) -> str | None:
        if self._judged or step < _PATIENCE:
            return None
        self._judged = True
        least = 10 ** (-self._best / 10)
        if not self._variance or least < (1 - _STUCK) * self._variance:
            return None
        if least > (1 + _STUCK) * self._variance:
            return self._note(
                f"after {step} steps the field is still worse than the signal's mean: take another "
                "learning_rate (1e-4 is usual for Adam; SGD needs a larger one)"
            )
        return self._note(
            f"after {step} steps the field is still no better than the signal's mean: its "
            "frequencies do not reach the signal's; take a larger alpha, or a larger omega_0 "
            "('nyquist') where the network has one"
        )

    def _jumped(self, step: int, level: float) -> str | None:
        fallen = level < self._best - _JUMP
        new, self._fallen = fallen and not self._fallen, fallen
        self._jumps += new
        if not new or self._jumps != _JUMPS:
            return None
        return self._note(
            f"the loss has jumped up {_JUMPS} times, last at step {step}: take a smaller "
            "learning_rate or a smaller alpha"
        )

    def _note(self, line: str) -> str:
        self.notes.append(line)
        return line


def _no_number(step: int) -> str:
    if step == 0:
        return (
            "the loss is not a number before the first step: the network's numbers are too large; "
            "take a smaller alpha, omega or omega_0"
        )
    return f"the loss is not a number at step {step}: take a smaller learning_rate"
