"""Audits made by hand: whatever a network may be like, without one being run."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from firstlight.auditing.measures import (
    ActivationMeasures,
    ActivationSketch,
    AttentionMeasures,
    GradientMeasures,
    InputMeasures,
    NormMeasures,
    OutputMeasures,
    WeightMeasures,
    WeightSketch,
)
from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Verdict
from firstlight.report import write_audit

SCHEMES = ("default", "he_normal", "sinusoidal", "harmonic")


def numbers(*key):
    """A stream of its own for every name."""
    return np.random.default_rng([len(key), *"/".join(map(str, key)).encode()])


def weight(name, *, draw=None, **measures):
    """A weight of 32 x 24 with a picture."""
    draw = draw or numbers(name)
    matrix = draw.normal(0, 0.1, (32, 24))
    counts, _ = np.histogram(matrix, 41, (-0.4, 0.4))
    heat = tuple(tuple(round(float(x), 5) for x in row) for row in matrix)
    known = {
        "name": name,
        "parameter": name,
        "kind": "linear",
        "role": "weight",
        "shape": (32, 24),
        "depth": 1,
        "frozen": False,
        "finite": True,
        "mean": float(matrix.mean()),
        "rms": float(np.sqrt((matrix**2).mean())),
        "row_norm_smallest": 0.31,
        "row_norm_largest": 0.72,
        "row_sum_rms": 0.5,
        "row_sum_ratio": 1.02,
        "rank": 24,
        "full_rank": 24,
        "stable_rank": 9.5,
        "condition": 8.1,
        "edge": 0.97,
        "gradient_norm": 0.02,
        "sketch": WeightSketch(heat, tuple(int(x) for x in counts), 0.4),
    }
    return WeightMeasures(**(known | measures))


def sketch(draw, *, samples=20, units=48, spread=1.0, thresholds=(0.25, 0.83)):
    """Units whose share of samples follows the sum of their weights."""
    sums = draw.normal(0, spread, units)
    share = 1 / (1 + np.exp(-3 * sums))
    on = draw.random((samples, units)) < share
    return ActivationSketch(
        tuple("".join("01"[int(x)] for x in row) for row in on),
        tuple(round(float(x), 5) for x in sums),
        tuple(round(float(x), 5) for x in share),
        *thresholds,
    )


def activation(path, *, weight="", depth=1, draw=None, **measures):
    """A ReLU that is measured in every way."""
    draw = draw or numbers(path)
    known = {
        "path": path,
        "activation": "relu",
        "weight": weight,
        "depth": depth,
        "units": 48,
        "observations": 20,
        "finite": True,
        "mean": 0.01,
        "second_moment": float(2.0 * 0.9**depth),
        "output_second_moment": float(0.9**depth),
        "skewed_10": 0.7,
        "skewed_30": 0.4,
        "dead": 0.02,
        "saturated": None,
        "oui": 0.62,
        "effective_rank": 11.5,
        "samples": 20,
        "correlation": 0.4,
        "skewed_10_predicted": 0.68,
        "skewed_30_predicted": 0.35,
        "gradient_norm": float(1e-3 * 1.2**depth),
        "chi": 0.9,
        "chi_predicted": 1.0,
        "sketch": sketch(draw),
    }
    return ActivationMeasures(**(known | measures))


def verdicts(names):
    """One of every level."""
    rank = "arXiv 2505.12909"
    remedy = "firstlight.initialize(model, 'harmonic')"
    return (
        Verdict("rank", "failure", "half is missing", names[:1], 0.5, 0.25, rank, remedy),
        Verdict("twin rows", "warning", "rows agree", names, 0.3, 0.1, rank, remedy),
        Verdict("dead units", "ok", "every unit lives", (), 0.0, 0.5, rank),
    )


def audit(*, layers=3, scheme="", judged=(), **measures):
    """A network of some layers, each with an activation behind it, but for the last."""
    names = [f"layers.{index}.weight" for index in range(layers)]
    known = {
        "model": "Net",
        "samples": 20,
        "device": "cpu",
        "dtype": "float32",
        "how": "a run on the meta device",
        "weights": tuple(weight(name, draw=numbers(name, scheme)) for name in names),
        "activations": tuple(
            activation(f"act.{i}", weight=name, depth=i + 1, draw=numbers("z", i, scheme))
            for i, name in enumerate(names[:-1])
        ),
        "gradients": tuple(GradientMeasures(name, 0.02, 1.0) for name in names),
        "inputs": (InputMeasures("input", (20, 24), True, 0.1, 1.0),),
        "output": OutputMeasures(
            (20, 10), True, 0.0, 1.1, 1.0, 2.5, math.log(10), "cross_entropy", 10
        ),
        "verdicts": judged,
        "versions": (("python", "3.11.7"), ("torch", "2.13.0")),
    }
    return Audit(**(known | measures))


def side_by_side(schemes=SCHEMES, **options):
    """The same network under several schemes, of which one is not healthy."""
    found = {}
    for scheme in schemes:
        made = audit(scheme=scheme, **options)
        bad = verdicts(tuple(one.name for one in made.weights))
        fine = tuple(Verdict(one.check, "ok", "fine") for one in bad)
        found[scheme] = audit(
            scheme=scheme, judged=bad if scheme == schemes[-1] else fine, **options
        )
    return found


def rich():
    """One audit with all that is optional."""
    norm = NormMeasures("norm", "BatchNorm2d", 0.4, 1.7)
    attention = tuple(AttentionMeasures(f"block.{i}", 0.9 - 0.1 * i, 16.0) for i in range(4))
    judged = verdicts(("layers.0.weight", "layers.1.weight"))
    return audit(norms=(norm,), attentions=attention, judged=judged, **spectra())


def spectra(count=300):
    """A tangent kernel and a Jacobian."""
    from firstlight.auditing.derivatives.jacobian import InputJacobian
    from firstlight.auditing.derivatives.kernel import TangentKernel

    values = tuple(float(100.0 / k**2) for k in range(1, count + 1))
    shares = (("layers.0.weight", 0.7), ("layers.1.weight", 0.3))
    few = values[:10]
    return {
        "kernel": TangentKernel(
            30, 10, sum(values), math.inf, 1.9, values[0], 0.0, values, shares, "exact", "rounding"
        ),
        "jacobian": InputJacobian(
            8, 24, 10, few, few[0], few[-1], 100.0, 3.0, "the input", "exact", "rounding"
        ),
    }


@pytest.fixture
def made():
    """Builds the audits that the tests look at."""
    return SimpleNamespace(
        weight=weight,
        activation=activation,
        sketch=sketch,
        numbers=numbers,
        verdicts=verdicts,
        audit=audit,
        side_by_side=side_by_side,
        rich=rich,
        spectra=spectra,
    )


@pytest.fixture
def show(visit, tmp_path):
    """Open the report of audits; the browser must have nothing to complain about."""

    def open_page(audits, **look):
        return visit(write_audit(audits, tmp_path)[-1], **look)

    return open_page
