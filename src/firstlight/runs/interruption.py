"""Ctrl-C during long work: what is begun is finished first."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """Ctrl-C as a wish that a loop looks at between two steps.

    A step that is cut short would leave weights, moments and counts that do not belong together.
    So the first Ctrl-C is only noted. The second one cuts a step short, for it may be a long one,
    unless ``hold`` was called; all others are ignored, so that a file is written in peace. Where
    Ctrl-C has another handler than Python's own, or in another thread, nothing is changed.

    Attributes:
        asked: whether there was one.

    Example:
        >>> with Interruption() as interruption:
        ...     signal.raise_signal(signal.SIGINT)
        ...     interruption.asked
        True
    """

    def __init__(self) -> None:
        self.asked = False
        self._held = False
        self._previous: Any = None

    def hold(self) -> None:
        """Ignore every further Ctrl-C: the loop has ended, and its result is being written."""
        self._held = True

    def __enter__(self) -> "Interruption":
        own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if own and threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked and not self._held:
            self._held = True
            raise KeyboardInterrupt
        self.asked = True
