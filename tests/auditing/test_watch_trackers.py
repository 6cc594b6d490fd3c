"""What is watched arrives: through Accelerate in TensorBoard's files, in writers and functions."""

import copy
import sys
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.tracking import GeneralTracker
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from watched_models import Functional, Log, Plain, sequential, train, watched

import firstlight


@pytest.fixture(autouse=True)
def _fresh_state():
    """Accelerate's state is global."""
    torch.manual_seed(0)
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


def scalars(folder):
    """Read every scalar of a folder of TensorBoard's: its steps and values, by tag."""
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(one.step, one.value) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def as_scalars(history):
    """Return a history as TensorBoard keeps it, in float32."""
    found = {}
    for one in history:
        for name, value in one.values().items():
            found.setdefault(name, []).append((one.step, float(torch.tensor(value))))
    return found


def batches():
    generator = torch.Generator().manual_seed(1)
    return torch.utils.data.DataLoader(torch.randn(96, 8, generator=generator), batch_size=8)


def loop(accelerator, model, optimizer, loader):
    for x in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(x).square().mean())
            optimizer.step()
            optimizer.zero_grad()


@pytest.mark.parametrize("prepared", [False, True], ids=["watch_first", "prepare_first"])
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_accelerate_and_tensorboard(tmp_path, precision, prepared):
    accelerator = Accelerator(
        cpu=True,
        mixed_precision=precision,
        log_with="tensorboard",
        project_dir=tmp_path,
        gradient_accumulation_steps=2,
    )
    accelerator.init_trackers("run")
    model = Functional()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if prepared:
        model, optimizer, loader = accelerator.prepare(model, optimizer, batches())
        watcher = firstlight.watch(model, every=2, to=accelerator)
    else:
        watcher = firstlight.watch(model, every=2, to=accelerator)
        model, optimizer, loader = accelerator.prepare(model, optimizer, batches())
    with watcher:
        loop(accelerator, model, optimizer, loader)
    accelerator.end_training()
    found = scalars(tmp_path / "run")
    assert [step for step, _ in found["activations/relu/skewed_10"]] == [0, 2, 4]
    assert found == as_scalars(watcher.history)
    assert {name.split("/")[1] for name in found} == {
        "relu",
        "sin",
        "first.weight",
        "second.weight",
        "third.weight",
    }


def test_accelerate_trains_to_the_same_bits():
    results = []
    for look in (False, True):
        torch.manual_seed(0)
        accelerator = Accelerator(cpu=True, mixed_precision="bf16")
        model = Functional(dropout=0.2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        model, optimizer, loader = accelerator.prepare(model, optimizer, batches())
        watcher = firstlight.watch(model, every=2) if look else None
        loop(accelerator, model, optimizer, loader)
        results.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
        if watcher is not None:
            watcher.close()
            assert len(watcher.history) == 6
    assert torch.equal(*results)


def test_an_accelerator_without_trackers_is_said():
    with pytest.warns(firstlight.WatchWarning, match="init_trackers") as said:
        watched(sequential(), 3, to=Accelerator(cpu=True))
    assert len(said) == 1


def test_an_accelerators_scaler_is_its_own():
    scaler = SimpleNamespace(get_scale=lambda: 8.0)
    log = Log()
    accelerator = SimpleNamespace(
        trackers=[1], is_main_process=True, scaler=scaler, log=lambda v, step: log(v, step)
    )
    model = Plain()
    twin = copy.deepcopy(model)
    (plain,), (scaled,) = watched(model, 1), watched(twin, 1, to=accelerator)
    assert log.steps == [0]
    for ours, theirs in zip(scaled.activations, plain.activations, strict=True):
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm / 8)
        assert ours.chi == theirs.chi


def test_only_the_main_process_watches():
    model = sequential()
    other = SimpleNamespace(trackers=[], is_main_process=False, log=None)
    with firstlight.watch(model, every=1, to=other) as watcher:
        assert not model._forward_pre_hooks
        train(model, 2)
        watcher.step()
    assert watcher.history == []


@pytest.mark.parametrize("folder", ["runs", "runs/first"])
def test_a_tracker_by_name(tmp_path, folder):
    history = watched(sequential(), 3, every=2, to=f"tensorboard:{tmp_path / folder}")
    assert scalars(tmp_path / folder) == as_scalars(history)


def test_a_summary_writer(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        history = watched(sequential(), 3, every=2, to=writer)
    assert scalars(tmp_path) == as_scalars(history)


def test_a_tracker_of_ones_own():
    class Own(GeneralTracker):
        name, requires_logging_directory, tracker = "own", False, None

        def __init__(self):
            super().__init__()
            self.found = []

        def log(self, values, step=None, **_):
            self.found.append((step, len(values)))

    tracker = Own()
    watched(sequential(), 3, every=2, to=tracker)
    assert [step for step, _ in tracker.found] == [0, 2]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("tensorbord:runs", "the tracker must be one of .*tensorboard"),
        ("tensorboard", "tensorboard needs a directory: to='tensorboard:runs'"),
    ],
)
def test_names_are_checked(to, message):
    with pytest.raises(firstlight.OptionError, match=message):
        firstlight.watch(sequential(), to=to)


def test_a_tracker_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(firstlight.FirstlightError, match="wandb cannot be started"):
        firstlight.watch(sequential(), to="wandb:project")


def test_without_accelerate_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate.tracking", None)
    with pytest.raises(firstlight.FirstlightError, match=r"firstlight\[compare\]"):
        firstlight.watch(sequential(), to="tensorboard:runs")


def test_a_tracker_that_fails_stops_at_the_end_of_a_step():
    def full(values, step):
        if step == 2:
            raise OSError("no space left on device")

    model, twin = Plain(), Plain()
    twin.load_state_dict(model.state_dict())
    watcher = firstlight.watch(model, every=1, to=full)
    with pytest.raises(firstlight.FirstlightError, match=r"at step 2, .*no space left") as raised:
        train(model, 5)
    assert isinstance(raised.value.__cause__, OSError)
    train(twin, 3)  # the third update was made, and whole
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert watcher.closed
    assert not model._forward_pre_hooks
    train(model, 1)
