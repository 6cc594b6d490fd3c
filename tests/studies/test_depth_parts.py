"""What is done at once: the same numbers as all at once, and a refusal where one does not fit."""

import numpy as np
import pytest
import torch

from firstlight.comparison.data import load
from firstlight.errors import FirstlightError
from firstlight.studies import DeepNetwork, DepthStart, depth_parts, depth_study
from firstlight.studies.deep_network import parameters
from firstlight.studies.depth_parts import check_memory, parts
from firstlight.studies.depth_progress import Silent
from firstlight.studies.depth_signal import measure_signal
from firstlight.studies.depth_training import Samples

STUDY = {
    "widths": [16],
    "depths": [6],
    "schemes": ["diagonal_plus_noise", "layer_norm", "residual"],
    "seeds": 2,
    "learning_rates": [1e-3, 1e-2, 3e-2],
    "steps": 12,
    "judged": 3,
}


class Steps(Silent):
    def __init__(self):
        self.steps = []

    def step(self, step):
        self.steps.append(step)


def limit(monkeypatch, bytes_at_once):
    monkeypatch.setattr(depth_parts, "_AT_ONCE", bytes_at_once)


@pytest.mark.parametrize(("at_once", "split"), [(1, (1, 1)), (400_000, (1, 2))])
def test_trained_in_parts_they_are_bit_for_bit_those_of_one_part(monkeypatch, at_once, split):
    network = DeepNetwork(64, 10, (16,), 6)
    assert parts(network, 2, 3, 64, 256)[:2] == (2, 3)
    whole = depth_study(**STUDY)
    limit(monkeypatch, at_once)
    assert parts(network, 2, 3, 64, 256)[:2] == split
    told = Steps()
    apart = depth_study(**STUDY, progress=told)
    for one, other in zip(whole.rows, apart.rows, strict=True):
        assert repr(one.found.runs) == repr(other.found.runs)  # losses before training are NaN
        for mine, theirs in zip(one.found.signals, other.found.signals, strict=True):
            assert mine.spread == pytest.approx(theirs.spread, rel=1e-12)
            assert mine.gradient == pytest.approx(theirs.gradient, rel=1e-12)
    assert max(told.steps) == 12
    assert told.steps[: len(told.steps) // 3] == sorted(told.steps[: len(told.steps) // 3])


def test_seeds_are_apart_before_rates_are(monkeypatch):
    network = DeepNetwork(64, 10, (16,), 6)
    seen = []
    for at_once in range(1, 6_000_000, 20_000):
        limit(monkeypatch, at_once)
        seen.append(parts(network, 3, 4, 64, 256)[:2])
    assert seen == sorted(seen)
    assert {seeds for seeds, rates in seen if rates < 4} == {1}
    assert (seen[0], seen[-1]) == ((1, 1), (3, 4))
    assert parts(network, 3, 0, 64, 256)[:2] == (3, 0)


def test_free_memory_decides_nothing_but_whether_it_can_be(monkeypatch):
    network = DeepNetwork(64, 10, (512,), 1000)
    needed = parts(network, 3, 4, 64, 256)
    assert needed[:2] == (1, 1)
    assert 6 * 4 * parameters(network) < needed.needed < 8 * 4 * parameters(network)
    monkeypatch.setattr(depth_parts, "free_memory", lambda _: needed.needed)
    check_memory(network, needed, 64, 400)
    monkeypatch.setattr(depth_parts, "free_memory", lambda _: 2**30)
    with pytest.raises(FirstlightError) as error:
        check_memory(network, needed, 64, 400)
    said = str(error.value)
    assert said.startswith("too little memory: 512 x 1000 with 262,")
    assert "1.0 GiB are free; take a smaller width, depth or batch_size (now 64)" in said


def test_what_does_not_fit_is_refused_before_anything_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(depth_parts, "free_memory", lambda _: 10_000)
    with pytest.raises(FirstlightError, match="too little memory: 16 x 6 with"):
        depth_study(**STUDY, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    found = depth_study(**STUDY, out=tmp_path / "out")
    monkeypatch.setattr(depth_parts, "free_memory", lambda _: 10_000)
    assert (
        depth_study(**STUDY, out=tmp_path / "out").rows[0].found.seconds
        == found.rows[0].found.seconds
    )


@pytest.mark.parametrize("structure", ["plain", "residual"])
def test_gradients_of_a_signal_are_those_of_all_layers_at_once(structure):
    batch = Samples.of(load("digits"), None).first(32)
    start = DepthStart("residual" if structure == "residual" else "glorot_normal")
    module = start.fill(DeepNetwork(64, 10, (6, 4), 7, "erf", structure), 0, batch).double()
    (found,) = measure_signal([module], [0], batch)
    outputs = []
    h = batch.double()
    for number, layer in enumerate(module.layers):
        h = torch.erf(layer(h))
        skipped = module.network.skips(number)
        h = h if skipped is None else h + outputs[skipped]
        outputs.append(h)
    random = torch.from_numpy(np.random.default_rng(0).standard_normal(h.shape))
    gradients = torch.autograd.grad((h * random).sum(), outputs)
    norms = [float(gradient.norm()) for gradient in gradients]
    assert list(found.gradient) == pytest.approx(norms, rel=1e-9)
