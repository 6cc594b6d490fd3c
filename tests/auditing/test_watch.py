"""``firstlight.watch`` sees training as it is, and changes nothing of it."""

import copy
import gc
import io
import random
import warnings
import weakref
from unittest import mock

import numpy as np
import pytest
import torch
import torch._dynamo
from torch import nn
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks
from torch.overrides import _get_current_function_mode_stack
from watched_models import (
    Checkpointed,
    Choosing,
    Dropping,
    Functional,
    Log,
    Plain,
    sequential,
    train,
    watched,
)

import firstlight
from firstlight.auditing import Watched, Watcher


@pytest.fixture(autouse=True)
def _nothing_stays():
    """After every test there is no mode, no optimizer hook, and the compiler as before."""
    torch.manual_seed(0)
    yield
    assert not _get_current_function_mode_stack()
    assert not _global_optimizer_pre_hooks
    assert not _global_optimizer_post_hooks
    assert torch._dynamo.eval_frame._stance.stance == "default"


def hooks(model):
    return [
        hook
        for module in model.modules()
        for kind in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        for hook in kind.values()
    ]


def state(model):
    return torch.cat([value.double().flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize("options", [{}, {"weights": "all"}], ids=["cheap", "all"])
@pytest.mark.parametrize("every", [1, 3])
def test_training_is_the_same_to_the_last_bit(every, options):
    model = Functional(dropout=0.3)
    twin = copy.deepcopy(model)
    draws = []
    for each, look in ((model, True), (twin, False)):
        torch.manual_seed(1), random.seed(1), np.random.seed(1)
        with firstlight.watch(each, every=every, **options) if look else mock.MagicMock():
            losses = train(each, 8)
        draws.append([*losses, *torch.rand(4).tolist(), random.random(), np.random.rand()])
    assert draws[0] == draws[1]
    assert torch.equal(state(model), state(twin))
    assert model.norm.num_batches_tracked == 8


def test_every_nth_step_is_watched():
    log = Log()
    history = watched(sequential(), 8, every=3, to=log)
    assert log.steps == [0, 3, 6] == [one.step for one in history]
    assert all(isinstance(one, Watched) for one in history)


def test_a_resumed_run_goes_on_counting():
    assert [one.step for one in watched(sequential(), 5, every=4, start=6)] == [6, 8]


def test_names_and_values_are_what_trackers_take():
    log = Log()
    watched(sequential(), 1, to=log, prefix="net/")
    (values,) = log.values
    for name in ("activations/1/skewed_10", "activations/1/chi_predicted", "weights/0.weight/rms"):
        assert f"net/{name}" in values
    assert all(isinstance(value, float) for value in values.values())


def test_names_of_split_weights_have_no_brackets():
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    log = Log()
    call = lambda x: model(x[:, None])  # noqa: E731
    (seen,) = watched(model, 1, call=call, to=log)
    assert "weights/self_attn.in_proj_weight.q/rms" in log.values[0]
    assert seen.weights[0].gradient_norm is not None


@pytest.mark.parametrize("make", [sequential, Functional, Plain])
def test_the_first_step_is_what_an_audit_sees(make):
    model, x = make(), torch.randn(16, 8)
    found = firstlight.audit(model, x, loss=lambda output: output.square().mean())
    with firstlight.watch(model, weights="all") as watcher:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model(x).square().mean().backward()
        optimizer.step()
    (seen,) = watcher.history
    assert len(seen.activations) == 2
    for ours, theirs in zip(seen.activations, found.activations, strict=True):
        for name in ours.__dataclass_fields__:
            if name != "sketch":
                expected = getattr(theirs, name)
                near = expected if isinstance(expected, str | tuple) else pytest.approx(expected)
                assert getattr(ours, name) == near, name
    for ours, theirs in zip(seen.weights, found.weights, strict=True):
        for name in set(ours.__dataclass_fields__) & set(theirs.__dataclass_fields__):
            expected = getattr(theirs, name)
            assert getattr(ours, name) == (
                expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-5)
            ), name


def test_weights_tell_gradient_and_update():
    model = sequential()
    before = model[0].weight.detach().clone()
    (seen,) = watched(model, 1, optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
    change = (model[0].weight.detach() - before).norm()
    assert seen.weights[0].update_ratio == pytest.approx(float(change / before.norm()), rel=1e-5)
    assert seen.weights[0].gradient_norm == pytest.approx(float(change) / 0.5, rel=1e-5)
    assert seen.weights[0].rms == pytest.approx(float(before.square().mean().sqrt()))
    assert seen.weights[0].rank is None


def test_the_update_of_a_large_weight_is_told_from_a_part():
    model = nn.Linear(512, 1024)
    before = model.weight.detach().clone()
    with firstlight.watch(model) as watcher, warnings.catch_warnings():
        warnings.simplefilter("ignore", firstlight.WatchWarning)
        x = torch.randn(4, 512) * torch.logspace(-1, 1, 512)
        model(x).square().mean().backward()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
    exact = float((model.weight.detach() - before).norm() / before.norm())
    assert watcher.history[0].weights[0].update_ratio == pytest.approx(exact, rel=0.05)


def test_a_step_is_known_as_soon_as_its_update_is_over():
    log = Log()
    model = sequential()
    with firstlight.watch(model, every=2, to=log):
        counts = []
        train(model, 4, on_step=lambda _: counts.append(len(log.steps)))
    assert counts == [1, 1, 2, 2]


def test_accumulated_passes_are_one_step():
    model = Plain()
    twin = copy.deepcopy(model)
    log = Log()
    x = torch.randn(4, 16, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with firstlight.watch(model, every=2, to=log) as watcher:
        for _ in range(3):
            for part in x:
                (model(part).square().mean() / 4).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert log.steps == [0, 2]
    # the gradient is the whole step's, the activations are the first pass's
    twin(x.flatten(0, 1)).square().mean().backward()
    first = watcher.history[0]
    whole = float(twin.second.weight.grad.norm())
    assert first.weights[1].gradient_norm == pytest.approx(whole, rel=1e-5)
    assert first.activations[0].observations == 16


def test_evaluation_between_is_no_step():
    model = Functional()
    log = Log()

    def evaluate(step):
        model.eval()
        with torch.no_grad():
            model(torch.randn(3, 8))
        model(torch.randn(3, 8))
        model.train()
        with torch.no_grad():
            model(torch.randn(3, 8))

    with firstlight.watch(model, every=2, to=log) as watcher:
        evaluate(-1)
        train(model, 5, on_step=evaluate)
    assert log.steps == [0, 2, 4]
    assert {one.activations[0].observations for one in watcher.history} == {16}


def test_of_several_passes_the_first_counts():
    model, log = sequential(), Log()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with firstlight.watch(model, every=1, to=log) as watcher:
        for _ in range(2):
            optimizer.zero_grad()
            (model(torch.randn(5, 8)).mean() - model(torch.randn(7, 8)).mean()).backward()
            optimizer.step()
    assert [one.activations[0].observations for one in watcher.history] == [5, 5]


def test_two_optimizers_make_one_step_together():
    model, log = sequential(), Log()
    first = torch.optim.SGD(model[:2].parameters(), lr=0.1)
    second = torch.optim.Adam(model[2:].parameters(), lr=0.1)
    other = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    with firstlight.watch(model, every=2, to=log) as watcher:
        for _ in range(5):
            model(torch.randn(5, 8)).square().mean().backward()
            for optimizer in (first, other, second):
                optimizer.step()
                optimizer.zero_grad()
    assert log.steps == [0, 2, 4]
    for one in watcher.history:
        assert all(w.update_ratio > 0 and w.gradient_norm > 0 for w in one.weights)


def test_two_networks_that_train_against_each_other():
    maker, judge = sequential(), nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    makes = torch.optim.Adam(maker.parameters(), lr=1e-3)
    judges = torch.optim.Adam(judge.parameters(), lr=1e-3)
    log = Log()
    with (
        firstlight.watch(maker, every=2, to=log, prefix="maker/"),
        firstlight.watch(judge, every=2, to=log, prefix="judge/"),
    ):
        for _ in range(4):
            fake = maker(torch.randn(6, 8))
            judges.zero_grad()
            (judge(fake.detach()).mean() - judge(torch.randn(6, 4)).mean()).backward()
            judges.step()
            makes.zero_grad()
            judge(fake).mean().backward()
            makes.step()
    assert log.steps == [0, 0, 2, 2]
    names = {name.partition("/")[0] for values in log.values for name in values}
    assert names == {"maker", "judge"}
    assert all(
        value["maker/activations/1/gradient_norm"] > 0
        for value in log.values
        if "maker/activations/1/mean" in value
    )


def test_two_watchers_of_one_model_see_the_same():
    model = Plain()
    with firstlight.watch(model) as one, firstlight.watch(model) as other:
        train(model, 1)
    assert one.history == other.history
    assert one.history[0].activations


def test_an_optimizer_that_calls_the_model_itself():
    model = Plain()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    x = torch.randn(16, 8)

    def closure():
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss

    with firstlight.watch(model, every=1) as watcher:
        for _ in range(2):
            optimizer.step(closure)
    assert [one.step for one in watcher.history] == [0, 1]
    assert watcher.history[0].weights[0].update_ratio > 0
    assert watcher.history[0].activations[0].gradient_norm > 0


def test_steps_by_hand():
    model, log = sequential(), Log()
    with firstlight.watch(model, every=2, to=log) as watcher:
        for _ in range(5):
            model.zero_grad()
            model(torch.randn(5, 8)).square().mean().backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
            watcher.step()
    assert log.steps == [0, 2, 4]
    assert watcher.history[0].weights[0].update_ratio > 0
    assert watcher.history[0].weights[0].gradient_norm > 0


def test_steps_by_hand_beside_an_optimizer_are_not_counted_twice():
    model, log = sequential(), Log()
    with firstlight.watch(model, every=2, to=log) as watcher:
        train(model, 5, on_step=lambda _: watcher.step())
    assert log.steps == [0, 2, 4]


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_checkpointing_computes_again_is_not_measured_again(reentrant):
    plain, again = Plain(), Checkpointed(reentrant)
    again.load_state_dict(plain.state_dict())
    (expected,), (seen,) = watched(plain, 1), watched(again, 1)
    assert torch.equal(state(plain), state(again))
    assert [one.activation for one in seen.activations] == ["relu", "sin"]
    assert [one.second_moment for one in seen.activations] == [
        one.second_moment for one in expected.activations
    ]
    assert seen.activations[0].gradient_norm == expected.activations[0].gradient_norm
    if not reentrant:  # where it is, the first pass has no gradients
        assert seen.activations[1].gradient_norm == expected.activations[1].gradient_norm


def test_autocast_is_measured_in_full_precision():
    model = Plain()
    twin = copy.deepcopy(model)

    def cast(x):
        with torch.autocast("cpu", torch.bfloat16):
            return twin(x).float()

    (expected,), (seen,) = watched(model, 1), watched(twin, 1, call=cast)
    for ours, theirs in zip(seen.activations, expected.activations, strict=True):
        assert ours.second_moment == pytest.approx(theirs.second_moment, rel=0.02)
        assert ours.oui == pytest.approx(theirs.oui, abs=0.02)
        assert ours.effective_rank == pytest.approx(theirs.effective_rank, rel=0.02)


@pytest.mark.parametrize("fused", [False, True])
def test_scaled_gradients_are_unscaled(fused):
    model = Plain()
    twin = copy.deepcopy(model)
    (expected,) = watched(model, 1, optimizer=torch.optim.AdamW(model.parameters(), lr=1e-3))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-3, fused=fused)
    generator = torch.Generator().manual_seed(0)
    with firstlight.watch(twin, scaler=scaler) as watcher:
        scaler.scale(twin(torch.randn(16, 8, generator=generator)).square().mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    (seen,) = watcher.history
    for ours, theirs in zip(
        (*seen.activations, *seen.weights), (*expected.activations, *expected.weights), strict=True
    ):
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)


def test_float16_without_a_scaler_is_said():
    model = Plain()

    def cast(x):
        with torch.autocast("cpu", torch.float16):
            return model(x).float()

    with pytest.warns(firstlight.WatchWarning, match="scaler="):
        watched(model, 2, call=cast)


def test_a_step_that_the_scaler_skips_is_none():
    model, log = Plain(), Log()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with firstlight.watch(model, every=1, scaler=scaler, to=log):
        for factor in (1.0, torch.inf, 1.0):
            optimizer.zero_grad()
            scaler.scale(model(torch.randn(16, 8)).square().mean() * factor).backward()
            scaler.step(optimizer)
            scaler.update()
    assert log.steps == [0, 1]


def test_a_way_that_depends_on_values_is_learnt_from_the_first_pass():
    model = nn.Sequential(nn.Linear(8, 8), Choosing(), nn.Linear(8, 4))
    history = watched(model, 4, every=2)
    assert [one.step for one in history] == [1, 2]
    assert [one.names for one in history] == [("1",)] * 2


def test_blocks_that_are_left_out_by_chance_do_not_mix_up_the_others():
    random.seed(3)
    names = [one.names for one in watched(Dropping(), 12)]
    assert len(set(names)) > 2
    kinds = {"blocks.0.1": "relu", "blocks.1.1": "tanh", "blocks.2.1": "silu"}
    random.seed(3)
    for one in watched(Dropping(), 12):
        assert [a.activation for a in one.activations] == [kinds[name] for name in one.names]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_exception_in_a_pass_leaves_nothing_behind(kind):
    class Failing(Plain):
        fails = False

        def forward(self, x):
            hidden = self.first(x)
            if self.fails and not x.is_meta:
                raise kind("now")
            return self.third(torch.sin(self.second(hidden.relu())))

    model = Failing()
    watcher = firstlight.watch(model)
    model.fails = True
    with pytest.raises(kind):
        model(torch.randn(2, 8))
    nodes = watcher._entrance._probe and len(watcher._entrance._probe.graph.nodes)
    assert bool(nodes) == (kind is KeyboardInterrupt)
    torch.ones(2) + 1  # an interruption skips hooks: nothing that follows counts as the pass
    if nodes:
        assert len(watcher._entrance._probe.graph.nodes) == nodes
    model.fails = False
    train(model, 2)
    watcher.close()
    assert [one.step for one in watcher.history] == [0]
    assert len(watcher.history[0].activations) == 2
    assert not hooks(model)


def test_an_exception_in_training_is_not_hidden_and_sends_no_half_step():
    model, log = sequential(), Log()

    def fail():
        with firstlight.watch(model, to=log):
            model(torch.randn(2, 8))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not log.steps
    assert not hooks(model)


def test_close_removes_every_hook_and_can_come_twice():
    model = Functional()
    watcher = firstlight.watch(model)
    train(model, 1)
    watcher.close()
    watcher.close()
    assert watcher.closed
    assert not hooks(model)
    watcher.step()
    train(model, 1)
    assert len(watcher.history) == 1


def test_a_model_that_is_forgotten_is_freed_with_its_watcher():
    model = sequential()
    firstlight.watch(model)
    train(model, 1)
    known = weakref.ref(model)
    del model
    gc.collect()
    assert known() is None
    assert not _global_optimizer_post_hooks


def test_the_history_is_bounded():
    history = watched(sequential(), 7, keep=3)
    assert [one.step for one in history] == [4, 5, 6]


def test_data_frames():
    model = sequential()
    with firstlight.watch(model, every=1) as watcher:
        train(model, 2)
    frame = watcher.to_frame()
    assert frame[["step", "name", "activation"]].to_numpy().tolist() == [
        [0, "1", "relu"],
        [0, "3", "tanh"],
        [1, "1", "relu"],
        [1, "3", "tanh"],
    ]
    assert "sketch" not in frame
    assert len(watcher.to_frame("weights")) == 6
    with pytest.raises(firstlight.OptionError, match="of must be one of"):
        watcher.to_frame("biases")


def test_copies_and_files_of_the_model_are_not_watched():
    model = Functional()
    with firstlight.watch(model) as watcher:
        twin = copy.deepcopy(model)
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
        for other in (twin, loaded):
            train(other, 2)
        assert not watcher.history
        train(model, 1)
    assert len(watcher.history) == 1


def test_a_wrapped_model_is_the_model():
    model = sequential()
    (seen,) = watched(nn.DataParallel(model), 1, call=model)
    assert seen.weights[0].name == "0.weight"


def test_a_model_in_a_process_group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        model = Functional(dropout=0.1)
        twin = copy.deepcopy(model)
        wrapped = nn.parallel.DistributedDataParallel(model)
        torch.manual_seed(2)
        seen = watched(wrapped, 3, every=2)
        torch.manual_seed(2)
        train(nn.parallel.DistributedDataParallel(twin), 3)
    finally:
        torch.distributed.destroy_process_group()
    assert torch.equal(state(model), state(twin))
    assert [one.step for one in seen] == [0, 2]
    assert all(a.gradient_norm > 0 for one in seen for a in one.activations)


def test_a_tensor_mode_of_the_user_changes_nothing():
    with torch.device("cpu"):
        model = Plain()
        (seen,) = watched(model, 1)
    assert len(seen.activations) == 2


def test_a_measure_that_fails_costs_no_training(monkeypatch):
    model, twin = Plain(), Plain()
    twin.load_state_dict(model.state_dict())

    def fail(*_, **__):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr("firstlight.auditing.probe.signal", fail)
    watcher = firstlight.watch(model)
    with pytest.warns(firstlight.WatchWarning, match="training goes on: .*no such kernel"):
        train(model, 2)
    train(twin, 2)
    assert torch.equal(state(model), state(twin))
    assert watcher.closed
    assert not hooks(model)


class Unseen(Plain):
    def encode(self, x):
        return Plain.forward(self, x)


@pytest.mark.parametrize("method", ["forward", "encode"])
def test_a_model_that_is_never_called_is_said_once(method):
    model = Unseen()
    with (
        pytest.warns(firstlight.WatchWarning, match=r"call model\(...\) itself") as said,
        firstlight.watch(model, every=1) as watcher,
    ):
        train(model, 6, call=getattr(model, method))
    assert len(said) == 1
    assert not watcher.history


def test_training_in_evaluation_mode_is_said():
    model = sequential().eval()
    with pytest.warns(firstlight.WatchWarning, match=r"model.train\(\)"):
        watched(model, 3)


def passes(model, count):
    for _ in range(count):
        model(torch.randn(1, 8)).sum().backward()


def test_passes_without_steps_are_said():
    model = sequential()
    watcher = firstlight.watch(model)
    with pytest.warns(firstlight.WatchWarning, match=r"watcher.step\(\)"):
        passes(model, 300)
    watcher.close()
    assert watcher.history[0].weights[0].update_ratio is None


def test_a_loop_without_steps_is_said_at_its_end():
    model = sequential()
    watcher = firstlight.watch(model)
    passes(model, 3)
    with pytest.warns(firstlight.WatchWarning, match=r"watcher.step\(\)"):
        watcher.close()


def test_a_model_without_activations_is_said():
    with pytest.warns(firstlight.WatchWarning, match="only weights"):
        (seen,) = watched(nn.Linear(8, 4), 1)
    assert len(seen.weights) == 1


def test_activations_that_cannot_be_measured_are_said():
    class Imaginary(nn.Module):
        def forward(self, x):
            return torch.exp(1j * x)

    model = nn.Sequential(nn.Linear(8, 8, dtype=torch.complex64), Imaginary())
    call = lambda x: model(x.cfloat()).abs()  # noqa: E731
    with pytest.warns(firstlight.WatchWarning, match="only weights"):
        watched(model, 8, call=call)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_scripted_part_is_said():
    model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), torch.jit.script(sequential()))
    with pytest.warns(firstlight.WatchWarning, match="torch.jit") as said:
        (seen,) = watched(model, 2, every=2)
    assert len(said) == 1
    assert seen.step == 1
    assert seen.names == ("1",)
    assert "0.weight" in {one.name for one in seen.weights}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_scripted_model_is_refused():
    with pytest.raises(firstlight.OptionError, match="unscripted"):
        firstlight.watch(torch.jit.script(sequential()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be a whole number of at least 1, got 0"),
        ({"every": 2.5}, "every must be"),
        ({"keep": True}, "keep must be"),
        ({"start": -1}, "start must be"),
        ({"weights": "some"}, "weights must be one of cheap, all"),
        ({"to": 3}, "to must be an Accelerator"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(firstlight.OptionError, match=message):
        firstlight.watch(sequential(), **options)


def test_something_else_than_a_model():
    with pytest.raises(firstlight.OptionError, match=r"torch.nn.Module, got function"):
        firstlight.watch(lambda x: x)


def test_it_is_a_watcher():
    with firstlight.watch(sequential()) as watcher:
        assert isinstance(watcher, Watcher)
        assert watcher.history == []
