"""Experiment trackers, through Accelerate: they follow the curves of runs while they train."""

import importlib.util
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstlight.comparison.spec import RunSpec
from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.model.reason import reason

#: What can follow a run; each is a package of the same name.
TRACKERS = ("tensorboard", "wandb", "mlflow", "trackio")

#: Is told the number of finished epochs, and what was measured after the last of them.
Log = Callable[[int, Mapping[str, float]], None]

_PROJECT = "firstlight"
_log = logging.getLogger("firstlight")


@dataclass(frozen=True)
class Track:
    """Which trackers follow runs, and the folder for what they write; it can be pickled.

    A tracker's own settings win: WANDB_MODE, MLFLOW_TRACKING_URI, TRACKIO_DIR and the like.
    """

    names: tuple[str, ...]
    folder: Path

    @classmethod
    def of(cls, names: str | Iterable[str], out: str | Path | None) -> "Track | None":
        """Check the names of trackers; none at all is None.

        Args:
            names: one or several of ``TRACKERS``.
            out: the folder of the comparison; they write below its ``trackers``.

        Raises:
            OptionError: no such tracker, or no folder.
            FirstlightError: a tracker that is not installed.

        Example:
            >>> from firstlight.comparison.track import Track
            >>> Track.of((), None) is None
            True
        """
        several = dict.fromkeys((names,) if isinstance(names, str) else names)
        if not several:
            return None
        for name in several:
            check_choice(name, TRACKERS, "track")
        for name in several:
            if importlib.util.find_spec(name) is None:
                raise FirstlightError(f"track={name} needs {name}: pip install {name}")
        if out is None:
            raise OptionError("track needs a folder to write to: give out")
        return cls(tuple(several), Path(out).expanduser().resolve() / "trackers")

    @contextmanager
    def run(self, spec: RunSpec) -> Iterator[Log]:
        """Let every tracker follow one run inside; a tracker that fails later is left out.

        Raises:
            FirstlightError: a tracker cannot start.
        """
        live: dict[str, Any] = {}
        try:
            for name in self.names:
                live[name] = self._started(name, spec)
            following = set(live)
            yield lambda epoch, values: self._log(live, following, epoch, values)
        finally:
            for name, tracker in live.items():
                try:
                    tracker.finish()
                except Exception as error:  # of any kind; the run is over
                    _log.warning("tracker %s: %s", name, reason(error))

    def _started(self, name: str, spec: RunSpec) -> Any:
        # a tracker knows no None
        config = {key: "" if value is None else value for key, value in spec.model_dump().items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tracker = _MAKERS[name](self.folder, run_name(spec))
            tracker.start()
            tracker.store_init_configuration(config)
        except (Exception, SystemExit) as error:  # of any kind, in any of four packages
            raise FirstlightError(f"tracker {name} cannot start: {reason(error)}") from error
        return tracker

    def _log(
        self,
        live: Mapping[str, Any],
        following: set[str],
        epoch: int,
        values: Mapping[str, float],
    ) -> None:
        for name in sorted(following):
            try:
                live[name].log(dict(values), step=epoch)
            except Exception as error:  # a run of hours shall not end with a server
                _log.warning("tracker %s follows no longer: %s", name, reason(error))
                following.discard(name)


@contextmanager
def followed(track: Track | None, spec: RunSpec) -> Iterator[Log]:
    """Follow one run, or do nothing where nobody asked.

    Example:
        >>> from firstlight.comparison.spec import RunSpec
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> with followed(None, spec) as log:
        ...     log(1, {"loss": 2.3})
    """
    if track is None:
        yield lambda _epoch, _values: None
        return
    with track.run(spec) as log:
        yield log


def run_name(spec: RunSpec) -> str:
    """Return what a run is called in a tracker: readable, and its own.

    Example:
        >>> from firstlight.comparison.spec import RunSpec
        >>> run_name(RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero", seed=0,
        ...                  epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0))
        'mlp-digits-sgd-zero-seed0-413b8760'
    """
    words = f"{spec.model}-{spec.data}-{spec.optimizer}-{spec.scheme}"
    return f"{re.sub(r'[^A-Za-z0-9._=-]+', '_', words)[:100]}-seed{spec.seed}-{spec.key[:8]}"


def _class(name: str) -> Any:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    if name not in LOGGER_TYPE_TO_CLASS:
        raise FirstlightError(f"this accelerate knows no {name}: pip install -U accelerate")
    return LOGGER_TYPE_TO_CLASS[name]


def _tensorboard(folder: Path, run: str) -> Any:
    return _class("tensorboard")(run, folder / "tensorboard")


def _wandb(folder: Path, run: str) -> Any:
    return _class("wandb")(_PROJECT, name=run, dir=str(folder))


def _mlflow(folder: Path, run: str) -> Any:
    import mlflow

    if "MLFLOW_TRACKING_URI" not in os.environ:
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")  # files are given up
    return _class("mlflow")(_PROJECT, logging_dir=str(folder / "mlflow"), run_name=run)


def _trackio(folder: Path, run: str) -> Any:
    os.environ.setdefault("TRACKIO_DIR", str(folder / "trackio"))  # read when it is imported
    return _class("trackio")(_PROJECT, name=run)


_MAKERS: dict[str, Callable[[Path, str], Any]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
    "trackio": _trackio,
}
