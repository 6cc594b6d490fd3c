"""A finished run as one row of plain columns, and back."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from firstlight.comparison.spec import RunResult, RunSpec
from firstlight.comparison.statistics import CURVES, METRICS
from firstlight.sweeps.job import Job

_SPEC = {
    "model": pa.string(),
    "data": pa.string(),
    "optimizer": pa.string(),
    "scheme": pa.string(),
    "seed": pa.int64(),
    "epochs": pa.int64(),
    "batch_size": pa.int64(),
    "learning_rate": pa.float64(),
    "weight_decay": pa.float64(),
    "match_variance": pa.bool_(),
    "train_size": pa.int64(),
    "held_out": pa.bool_(),
    "precision": pa.string(),
}

#: Columns of a result's file: who it is, what was asked, what was measured, where it was made.
SCHEMA = pa.schema(
    {
        "key": pa.string(),
        **_SPEC,
        "status": pa.string(),
        "reason": pa.string(),
        **dict.fromkeys((*METRICS, "accuracy_final", "loss_final"), pa.float64()),
        "seconds_total": pa.float64(),
        "parameters": pa.int64(),
        **dict.fromkeys(CURVES, pa.list_(pa.float64())),
        "device": pa.string(),
        "host": pa.string(),
        "code": pa.string(),
        "versions": pa.string(),
        "fingerprints": pa.string(),
    }
)


def to_row(job: Job, result: RunResult, host: str) -> dict[str, Any]:
    """Return the result of a job as one row of ``SCHEMA``.

    Example:
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> result = RunResult(spec=spec, status="crashed", reason="out of memory")
        >>> from_row(to_row(Job(spec), result, "node-1")) == result
        True
    """
    curves = {name: list(getattr(result, name)) for name in CURVES}
    return {
        "key": job.key,
        **job.spec.model_dump(),
        "status": result.status,
        "reason": result.reason,
        **{name: getattr(result, name) for name in METRICS},
        "accuracy_final": result.accuracy[-1] if result.accuracy else None,
        "loss_final": result.loss[-1] if result.loss else None,
        "seconds_total": math.fsum(result.seconds),
        "parameters": result.parameters,
        **curves,
        "device": result.device,
        "host": host,
        "code": job.code,
        "versions": json.dumps(result.versions),
        "fingerprints": json.dumps(dict(job.fingerprints)),
    }


def from_row(row: Mapping[str, Any]) -> RunResult:
    """Return the result that a row holds.

    Raises:
        ValueError: it holds none.
    """
    spec = {name: _plain(row[name]) for name in _SPEC}
    return RunResult(
        spec=RunSpec(**spec),
        status=row["status"],
        reason=row["reason"],
        **{name: tuple(row[name]) for name in CURVES},
        parameters=int(row["parameters"]),
        device=row["device"],
        versions=json.loads(row["versions"]),
        fingerprints=json.loads(row["fingerprints"]),
    )


def _plain(value: Any) -> Any:
    """What pandas made of a missing number is None."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return None if missing else value


def lost_row(job: Job, reason: str) -> dict[str, Any]:
    """Return the row of a run whose worker or node is gone.

    Example:
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="zero", seed=0,
        ...                epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=0)
        >>> lost_row(Job(spec), "its worker ended by signal 9")["status"]
        'lost'
    """
    result = RunResult(spec=job.spec, status="crashed", reason=reason)
    return to_row(job, result, "") | {"status": "lost"}
