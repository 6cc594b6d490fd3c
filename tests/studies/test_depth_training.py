import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from firstlight.comparison import batches
from firstlight.comparison.data import load
from firstlight.errors import OptionError
from firstlight.studies import DeepNetwork, DepthStart
from firstlight.studies.depth_training import Samples, judged_steps, train_replicas

DATA = load("digits")


@pytest.fixture(scope="module")
def samples():
    return Samples.of(DATA, 200)


def train(samples, modules, seeds, rates, steps=6, judged=(3, 6), optimizer="adam", **options):
    return train_replicas(
        modules,
        seeds,
        rates,
        samples,
        optimizer=optimizer,
        batch_size=32,
        judged_at=[step for step in judged if step <= steps],
        **options,
    )


def trained_alone(module, samples, seed, rate, steps):
    """Loss of every step and accuracies at the end, by torch's own optimizer."""
    optimizer = torch.optim.Adam(module.parameters(), rate)
    order = torch.cat([batches.order(seed, epoch, 200) for epoch in range(9)])
    losses = []
    for step in range(steps):
        chosen = order[32 * step : 32 * (step + 1)]
        x = batches.normalise(samples.train.images[chosen], samples.normalisation)
        loss = cross_entropy(module(x), samples.train.labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    module.eval()
    right = []
    with torch.no_grad():
        for split in (samples.test, samples.validation):
            x = batches.normalise(split.images, samples.normalisation)
            right.append(float((module(x).argmax(1) == split.labels).float().mean()))
    return losses, right


@pytest.mark.parametrize("name", ["diagonal_plus_noise", "batch_norm", "residual"])
def test_runs_are_what_each_would_be_alone(samples, name):
    start, seeds, rates = DepthStart(name), (3, 8), (1e-3, 1e-2)
    network = DeepNetwork(64, 10, (8,), 4, structure=start.structure)
    modules = [start.fill(network, seed, samples.first(64)) for seed in seeds]
    runs = train(samples, modules, seeds, rates, steps=20, judged=(7, 20))
    assert [(run.seed, run.learning_rate) for run in runs] == [
        (seed, rate) for seed in seeds for rate in rates
    ]
    for run in runs:
        module = start.fill(network, run.seed, samples.first(64))
        losses, right = trained_alone(module, samples, run.seed, run.learning_rate, 20)
        assert run.steps == (0, 7, 20)
        assert run.loss[1:] == pytest.approx([np.mean(losses[:7]), np.mean(losses[7:])], abs=1e-4)
        # rounding alone turns a few samples
        assert run.accuracy[-1] == pytest.approx(right[0], abs=0.03)
        assert run.validation[-1] == pytest.approx(right[1], abs=0.03)
        assert run.diverged is None
    assert runs[1].accuracy[-1] > runs[1].accuracy[0]


def test_the_modules_stay_as_they_are(samples):
    network = DeepNetwork(64, 10, (8,), 4)
    module = network.build()
    before = [each.clone() for each in module.parameters()]
    train(samples, [module], [0], [1e-2])
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_a_run_that_diverges_is_said_and_the_others_go_on(samples):
    network = DeepNetwork(64, 10, (8,), 4, "linear")
    module = DepthStart("glorot_normal").fill(network, 0, samples.first(32))
    tame, wild = train(
        samples, [module], [0], [1e-3, 1e30], steps=40, judged=(2, 40), optimizer="sgd"
    )
    assert tame.diverged is None
    assert tame.steps == (0, 2, 40)
    assert 1 < wild.diverged <= 5
    assert max(wild.steps) < wild.diverged
    assert np.isfinite(wild.loss[1:]).all()


def test_training_ends_where_all_have_diverged(samples):
    network = DeepNetwork(64, 10, (8,), 4, "linear")
    steps = []
    module = DepthStart("glorot_normal").fill(network, 0, samples.first(32))
    train(samples, [module], [0], [1e30], 40, (40,), optimizer="sgd", after_step=steps.append)
    assert len(steps) < 10


def test_what_is_told_after_a_step_can_end_it(samples):
    def stop(step):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(samples, [DeepNetwork(64, 10, (8,), 4).build()], [0], [1e-3], after_step=stop)
    tiny = torch.tensor(1e-39) * torch.ones(1)
    assert tiny != 0  # denormals are as they were


def test_validation_samples_are_never_trained_on():
    for size in (None, 100):
        samples = Samples.of(DATA, size)
        train_images = {bytes(image.numpy()) for image in samples.train.images}
        judged = {bytes(image.numpy()) for image in samples.validation.images}
        assert len(samples.train) == (size or 1294)
        assert not train_images & judged
        assert len(samples.test) == 360


def test_every_sample_of_an_epoch_is_seen_once():
    samples = Samples.of(DATA, 100)
    stream = samples.batches([0, 1], 30)
    seen = [next(stream) for _ in range(10)]  # three epochs
    labels = torch.cat([y for _, y in seen], 1)
    for row in labels:
        assert torch.equal(row.bincount(), 3 * samples.train.labels.bincount())
    assert not torch.equal(labels[0], labels[1])
    assert seen[0][0].shape == (2, 30, 64)


def test_more_samples_than_there_are():
    with pytest.raises(OptionError, match="train_size must lie between 10"):
        Samples.of(DATA, 5000)


@pytest.mark.parametrize(("steps", "count"), [(1, 1), (5, 10), (1000, 10), (7, 3)])
def test_the_last_step_is_judged(steps, count):
    found = judged_steps(steps, count)
    assert found[-1] == steps
    assert found[0] >= 1
    assert list(found) == sorted(set(found))
