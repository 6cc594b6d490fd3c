"""One run of a sweep, with the key under which its result is kept."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from firstlight.comparison.spec import RunSpec

#: What decides the outcome of a run, of all that firstlight is.
_DECIDING = ("comparison", "model", "init", "nn", "theory")
#: What among it only keeps, counts or shows.
_TELLING = (
    "compare",
    "comparison",
    "effect",
    "estimate",
    "flips",
    "holm",
    "power",
    "progress",
    "ranks",
    "session",
    "statistics",
    "track",
)


@dataclass(frozen=True)
class Job:
    """A run, and what besides its spec decides what comes of it.

    Attributes:
        spec: what is trained, and how.
        fingerprints: of files of data and of a user's own code.
        code: of firstlight, see ``code_version``.

    Example:
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> Job(spec).key == Job(spec, {"data": "other"}).key
        False
    """

    spec: RunSpec
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    @property
    def label(self) -> str:
        """What a reader calls the run."""
        spec = self.spec
        purpose = f"tuning at {spec.learning_rate:g}" if spec.held_out else f"seed {spec.seed}"
        matched = ", matched" if spec.match_variance else ""
        return f"{spec.model}, {spec.data}, {spec.optimizer}, {spec.scheme}{matched}, {purpose}"

    @functools.cached_property
    def key(self) -> str:
        """Name of the result: the same for the same spec, data and code."""
        text = json.dumps(
            [self.spec.model_dump(), dict(self.fingerprints), self.code], sort_keys=True
        )
        return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


@functools.cache
def code_version() -> str:
    """Return a hash of firstlight's code that decides what a run comes to.

    Commands, reports and studies of other kinds may change without making a result another one.

    Example:
        >>> len(code_version())
        12
    """
    root = Path(__file__).parent.parent
    found = hashlib.blake2b(digest_size=6)
    for package in _DECIDING:
        for path in sorted((root / package).rglob("*.py")):
            if path.stem in _TELLING:
                continue
            found.update(path.relative_to(root).as_posix().encode())
            found.update(path.read_bytes())
    return found.hexdigest()
