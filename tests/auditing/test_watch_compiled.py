"""``torch.compile`` drops hooks in silence; a watcher sees all the same, or says why not."""

import copy
import shutil

import pytest
import torch
from torch import nn
from watched_models import Log, Plain, sequential, train

import firstlight

BACKENDS = ["eager", "aot_eager"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.skipif(
        not hasattr(torch.compiler, "set_stance"), reason="before torch 2.6 there are no stances"
    ),
]


@pytest.fixture(autouse=True)
def _compiler_as_before():
    torch._dynamo.reset()
    torch.manual_seed(0)
    yield
    assert torch._dynamo.eval_frame._stance.stance == "default"
    torch._dynamo.reset()


class Counting:
    """A compiler that counts what it compiles, and how often that runs."""

    def __init__(self):
        self.compiled = self.runs = 0

    def __call__(self, graph, _example):
        self.compiled += 1

        def run(*args):
            self.runs += 1
            return graph.forward(*args)

        return run


def before(model, log, **options):
    """Compile, then watch what came of it."""
    call = torch.compile(model, **options)
    return call, firstlight.watch(call, every=3, to=log)


def before_inner(model, log, **options):
    """Compile, then watch what went in."""
    return torch.compile(model, **options), firstlight.watch(model, every=3, to=log)


def after(model, log, **options):
    """Watch, then compile."""
    watcher = firstlight.watch(model, every=3, to=log)
    return torch.compile(model, **options), watcher


def method_before(model, log, **options):
    """Compile in place, then watch."""
    model.compile(**options)
    return model, firstlight.watch(model, every=3, to=log)


def method_after(model, log, **options):
    """Watch, then compile in place."""
    watcher = firstlight.watch(model, every=3, to=log)
    model.compile(**options)
    return model, watcher


def parts(model, log, **options):
    """Compile the parts of a model."""
    for part in model.children():
        part.compile(**options)
    return model, firstlight.watch(model, every=3, to=log)


def function(model, log, **options):
    """Compile a function that calls the model."""
    watcher = firstlight.watch(model, every=3, to=log)
    return torch.compile(lambda x: model(x) * 1.0, **options), watcher


KNOWN = [before, method_before, parts]
HIDDEN = [before_inner, after, method_after, function]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [Plain, sequential])
@pytest.mark.parametrize("way", KNOWN + HIDDEN)
def test_every_way_to_compile_is_seen_through(way, make, backend):
    model = make()
    twin = copy.deepcopy(model)
    log = Log()
    call, watcher = way(model, log, backend=backend)
    with watcher:
        losses = train(model, 7, call=call)
    assert log.steps == ([0, 3, 6] if way in KNOWN else [1, 3, 6])
    assert losses == pytest.approx(train(twin, 7), rel=1e-4)
    plain = firstlight.watch(twin, every=1)
    train(twin, 1)
    plain.close()
    assert {*log.values[0]} == {*plain.history[0].values()}


@pytest.mark.parametrize("way", [before, after, function])
def test_a_full_graph_stays_one(way):
    model, log = Plain(), Log()
    call, watcher = way(model, log, backend="eager", fullgraph=True)
    with watcher:
        train(model, 5, call=call)
    assert len(log.steps) == 2


@pytest.mark.parametrize(("way", "seen"), [(before, 2), (method_before, 2), (after, 2)])
def test_only_the_watched_steps_run_uncompiled(way, seen):
    backend, model = Counting(), Plain()
    call, watcher = way(model, None, backend=backend)
    train(model, 6, call=call)
    assert len(watcher.history) == seen
    assert backend.runs == 6 - seen
    assert backend.compiled <= 2  # for other strides of inputs, say, but not for each look
    watcher.close()


def test_a_model_that_was_compiled_and_run_before():
    model, log = sequential(), Log()
    call = torch.compile(model, backend="eager")
    call(torch.randn(16, 8))
    with firstlight.watch(model, every=3, to=log):
        train(model, 5, call=call)
    assert log.steps == [1, 3]


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # Dynamo's own
def test_a_graph_break_inside():
    class Breaking(Plain):
        def forward(self, x):
            hidden = self.first(x).relu()
            torch._dynamo.graph_break()
            return self.third(torch.sin(self.second(hidden)))

    model, log = Breaking(), Log()
    call, watcher = after(model, log, backend="eager")
    with watcher:
        train(model, 5, call=call)
    assert log.steps == [1, 3]


def test_evaluation_between_is_compiled_again():
    backend, model = Counting(), Plain()
    call, watcher = after(model, None, backend=backend)
    train(model, 3, call=call)  # the next step is due, and the compiler stands aside for it
    model.eval()
    with torch.no_grad():
        call(torch.randn(16, 8))
        runs = backend.runs
        call(torch.randn(16, 8))
    assert backend.runs == runs + 1
    model.train()
    train(model, 3, call=call)
    watcher.close()
    assert [one.step for one in watcher.history] == [1, 4]


def test_a_compiled_step_is_said_and_counted_by_hand():
    model, log = Plain(), Log()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @torch.compile(backend="eager")
    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    with firstlight.watch(model, every=3, to=log) as watcher:
        with pytest.warns(firstlight.WatchWarning, match=r"call watcher.step\(\)"):
            step(torch.randn(16, 8))
        watcher.step()
        for _ in range(6):  # it is said once: a warning would be an error
            step(torch.randn(16, 8))
            watcher.step()
    assert log.steps == [1, 3, 6]
    assert "weights/first.weight/update_ratio" in log.values[0]


def test_without_stances_it_is_said(monkeypatch):
    monkeypatch.delattr(torch.compiler, "set_stance")
    model = Plain()
    call, watcher = after(model, None, backend="eager")
    with pytest.warns(firstlight.WatchWarning, match="torch.compile"):
        train(model, 4, call=call)
    watcher.close()
    assert not watcher.history


def test_two_optimizers_and_a_model_compiled_afterwards():
    model, log = sequential(), Log()
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (model[:2], model[2:])]
    with firstlight.watch(model, every=2, to=log):
        call = torch.compile(model, backend="eager", fullgraph=True)
        for _ in range(5):
            call(torch.randn(5, 8)).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    assert log.steps == [1, 2, 4]
    assert "weights/4.weight/update_ratio" in log.values[0]


def test_two_watchers_stand_aside_together():
    model = Plain()
    call, first = before(model, None, backend="eager")
    second = firstlight.watch(call, every=2)
    train(model, 5, call=call)
    first.close()
    assert torch._dynamo.eval_frame._stance.stance == "default"
    second.close()
    assert [len(one.history) for one in (first, second)] == [2, 3]


def test_what_was_compiled_comes_back():
    model = Plain()
    model.compile(backend="eager")
    compiled = model._compiled_call_impl
    firstlight.watch(model).close()
    assert model._compiled_call_impl is compiled
    call = torch.compile(nn.Linear(2, 2), backend="eager")
    firstlight.watch(call).close()
    assert not call._forward_pre_hooks
    assert not call._forward_hooks


@pytest.mark.skipif(not shutil.which("c++"), reason="inductor needs a C++ compiler")
@pytest.mark.parametrize("way", [before, after])
def test_inductor(way):
    model, log = Plain(), Log()
    twin = copy.deepcopy(model)
    call, watcher = way(model, log, backend="inductor")
    with watcher:
        losses = train(model, 5, call=call)
    assert log.steps == [int(way is after), 3]
    assert losses == pytest.approx(train(twin, 5), rel=1e-4)
