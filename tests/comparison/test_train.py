import random
import sys

import numpy as np
import pytest
import torch

from firstlight.comparison.batches import order
from firstlight.comparison.data import Data, Split
from firstlight.comparison.spec import RunResult
from firstlight.comparison.start import start
from firstlight.comparison.train import train
from firstlight.model import views

WATCHER = """
import torch
from torch import nn

class Watcher(nn.Module):
    '''Keeps every training batch that passes, and what dropout left of it.'''

    def __init__(self, in_channels, image_size, classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
        self.head = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, classes))

    def forward(self, x):
        y = self.layers(x)
        (seen if self.training else judged).append((x.detach().clone(), y.detach().clone()))
        return self.head(y)

build, seen, judged = Watcher, [], []
"""


@pytest.fixture
def watcher(user_module):
    """Return a function that trains and returns the training batches, then the test batches."""
    user_module("watcher", WATCHER)

    def watch(spec, data):
        result = train(spec, data)
        assert result.status == "ok", result.reason
        module = sys.modules["watcher"]
        found = module.seen[:], module.judged[:]
        module.seen.clear()
        module.judged.clear()
        return found

    return watch


def same(batches, others) -> bool:
    return all(
        torch.equal(x, u) and torch.equal(y, v)
        for (x, y), (u, v) in zip(batches, others, strict=True)
    )


@pytest.mark.parametrize("scheme", ["default", "orthogonal", "harmonic"])
def test_schemes_of_one_seed_see_the_same_images_and_the_same_dropout(
    spec, digits, watcher, scheme
):
    first, _ = watcher(spec(model="watcher:build", scheme="he_normal", epochs=2), digits)
    other, _ = watcher(spec(model="watcher:build", scheme=scheme, epochs=2), digits)
    assert len(first) == 8  # 200 images in batches of 64, twice
    assert same(first, other)


def test_seeds_and_epochs_differ_in_order_but_not_in_images(spec, digits, watcher):
    epochs = []
    for seed in (0, 1):
        batches, _ = watcher(spec(model="watcher:build", seed=seed, epochs=2), digits)
        images = torch.cat([x for x, _ in batches]).flatten(1).round(decimals=4)
        epochs += [images[:200], images[200:]]
    reference = {tuple(image) for image in epochs[0].tolist()}
    for i, epoch in enumerate(epochs):
        assert {tuple(image) for image in epoch.tolist()} == reference
        assert all(not torch.equal(epoch, other) for other in epochs[:i])


def test_order_is_a_permutation_that_depends_on_seed_and_epoch_alone():
    torch.manual_seed(1)
    one = order(3, 5, 100)
    torch.manual_seed(2)
    assert torch.equal(one, order(3, 5, 100))
    assert sorted(one.tolist()) == list(range(100))
    assert not torch.equal(one, order(5, 3, 100))


def test_a_tuning_run_never_sees_the_test_set(spec, digits, watcher):
    white = Split(torch.full((5, 1, 8, 8), 255, dtype=torch.uint8), torch.arange(5))
    data = Data("digits", digits.train, white, 10)

    def whites(batches):
        return sum(int((x.flatten(1).std(1) == 0).sum()) for x, _ in batches)

    def images(batches):
        return sum(len(x) for x, _ in batches)

    tuned, judged = watcher(spec(model="watcher:build", held_out=True, train_size=None), data)
    assert whites(tuned) + whites(judged) == 0
    assert images(tuned) + images(judged) == len(digits.train)
    final, judged = watcher(spec(model="watcher:build", train_size=None), data)
    assert (whites(final), whites(judged)) == (0, 5)
    assert images(final) == len(digits.train)


def test_training_is_the_plain_loop(spec, digits):
    asked = spec(scheme="he_normal", optimizer="adamw", epochs=3, batch_size=50, train_size=None)
    result = train(asked, digits)
    network = start(asked, digits)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-3)
    mean, std = digits.normalisation
    train_x, test_x = ((s.images.float() - mean) / std for s in (digits.train, digits.test))
    for epoch in range(3):
        steps = []
        for rows in order(0, epoch, len(train_x)).split(50):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(
                network(train_x[rows]), digits.train.labels[rows]
            )
            loss.backward()
            optimizer.step()
            steps.append(loss.item())
        logits = network(test_x)
        right = (logits.argmax(1) == digits.test.labels).sum().item()
        loss = torch.nn.functional.cross_entropy(logits, digits.test.labels).item()
        assert result.accuracy[epoch] == right / len(test_x)
        assert result.loss[epoch] == pytest.approx(loss, rel=1e-3)
        assert result.train_loss[epoch] == pytest.approx(sum(steps) / len(steps), rel=1e-3)


def test_the_same_run_gives_the_same_numbers(spec, digits):
    asked = spec(model="small_vit", scheme="lsuv", epochs=2, train_size=100)
    one, two = train(asked, digits), train(asked, digits)
    assert (one.accuracy, one.loss, one.train_loss) == (two.accuracy, two.loss, two.train_loss)
    assert one.parameters == sum(p.numel() for p in start(asked, digits).parameters())
    assert one.device == "cpu"
    assert one.versions["torch"] == torch.__version__
    assert len(one.seconds) == 2


def test_matched_variances_are_equal_and_keep_the_structure(spec, digits):
    for scheme in ("default", "orthogonal"):
        plain = start(spec(scheme=scheme), digits)
        matched = start(spec(scheme=scheme, match_variance=True), digits)
        for one, two in zip(views(plain), views(matched), strict=True):
            assert two.weight.square().mean() * two.fan_in == pytest.approx(2, rel=1e-5)
            torch.testing.assert_close(
                one.weight / one.weight.norm(), two.weight / two.weight.norm()
            )


def test_matched_networks_differ_in_nothing_but_weights(spec, digits):
    for model in ("mlp", "small_resnet", "small_vit"):
        default, other = (
            dict(start(spec(model=model, scheme=s, match_variance=True), digits).named_parameters())
            for s in ("default", "he_normal")
        )
        biases = [name for name in default if name.endswith("bias")]
        assert biases
        for name in biases:
            assert torch.equal(default[name], other[name])
        plain = start(spec(model=model, match_variance=False), digits)
    assert any(p.any() for name, p in plain.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(1, [1] * 20), (2, [2] * 10), (3, [3] * 6 + [2]), (19, [19]), (20, [20]), (21, [20])],
)
def test_every_image_is_trained_on_but_a_last_one_alone(spec, digits, watcher, batch_size, sizes):
    batches, _ = watcher(
        spec(model="watcher:build", train_size=20, batch_size=batch_size, epochs=2), digits
    )
    assert [len(images) for images, _ in batches] == sizes * 2


def test_a_last_batch_of_one_image_does_not_stop_batch_norm(spec, digits):
    assert train(spec(model="small_resnet", train_size=65), digits).status == "ok"


@pytest.mark.parametrize("check_every", [1, 32])
def test_a_diverging_run_names_the_step(spec, digits, monkeypatch, check_every):
    monkeypatch.setattr("firstlight.comparison.train._CHECK_EVERY", check_every)
    result = train(spec(optimizer="sgd", learning_rate=1e6, epochs=3), digits)
    assert (result.status, result.accuracy) == ("diverged", ())
    assert result.reason == "loss became nan at epoch 1, step 3"


FAILING = """
from torch import nn

class Fails(nn.Module):
    def __init__(self, *_):
        super().__init__()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        self.steps = 0

    def forward(self, x):
        self.steps += 1
        if self.steps > {steps}:
            raise {error}
        return self.head(x)
"""


def test_a_crash_is_a_result_with_its_reason_and_what_was_measured(spec, digits, user_module):
    user_module("fails", FAILING.format(steps=6, error="RuntimeError('out of wit\\nand more')"))
    result = train(spec(model="fails:Fails", epochs=9), digits)
    assert result.status == "crashed"
    assert result.reason == "RuntimeError: out of wit (fails.py:13)"
    assert len(result.accuracy) == len(result.loss) == len(result.seconds) == 1


def test_a_network_that_asks_python_to_exit_is_a_crash(spec, digits, user_module):
    user_module("fails", FAILING.format(steps=1, error="SystemExit(7)"))
    result = train(spec(model="fails:Fails"), digits)
    assert (result.status, result.reason) == ("crashed", "SystemExit: 7 (fails.py:13)")


def test_half_a_character_in_a_reason_can_be_stored(spec, digits, user_module):
    user_module("fails", FAILING.format(steps=0, error=r"OSError('no \udcff')"))
    result = train(spec(model="fails:Fails"), digits)
    assert result.reason == r"OSError: no \udcff (fails.py:13)"
    assert RunResult.model_validate_json(result.model_dump_json()) == result


HUGE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, *_):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        scale = 3e38 if self.training else 0
        return 0 * self.head(x.flatten(1)) + torch.tensor([scale] + 9 * [0.0])
"""


def test_losses_whose_sum_has_no_float_have_a_mean(spec, digits, user_module):
    user_module("huge", HUGE)
    result = train(spec(model="huge:Net", batch_size=1), digits)
    assert result.status == "ok"
    share = (digits.select(200, False).train.labels != 0).double().mean().item()
    assert result.train_loss == (pytest.approx(3e38 * share),)


RANDOM = """
import random
import numpy as np
import torch
from torch import nn

drawn = []

class Net(nn.Module):
    def __init__(self, *_):
        super().__init__()
        self.head = nn.Linear(64, 10)
        drawn.append(("built", random.random(), np.random.rand()))

    def forward(self, x):
        drawn.append((random.random(), np.random.rand()))
        return self.head(x.flatten(1))
"""


def test_a_users_random_numbers_depend_on_the_seed_alone(spec, digits, user_module):
    user_module("chance", RANDOM)
    drawn = []
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()
    for scheme, seed in (("default", 0), ("lsuv", 0), ("default", 1)):
        train(spec(model="chance:Net", scheme=scheme, seed=seed), digits)
        numbers = sys.modules["chance"].drawn
        # a data-driven scheme asks the network too; training starts anew after it
        drawn.append((numbers[0], numbers[-5:]))  # 4 batches, 1 of the test set
        numbers.clear()
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[2][0]
    assert drawn[0][1] != drawn[2][1]
    assert before == (random.getstate(), np.random.get_state()[1].tolist())


def test_an_interrupt_passes(spec, digits, user_module):
    user_module("fails", FAILING.format(steps=1, error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        train(spec(model="fails:Fails"), digits)


def test_mixed_precision_trains_and_changes_the_numbers(spec, digits):
    whole, half = (train(spec(epochs=2, precision=p), digits) for p in ("no", "bf16"))
    assert half.status == "ok", half.reason
    assert half.loss != whole.loss
    assert half.loss[-1] == pytest.approx(whole.loss[-1], rel=0.1)
