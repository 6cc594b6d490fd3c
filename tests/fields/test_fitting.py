"""Fits from end to end: limits, determinism, Ctrl-C, going on, faults, and every kind of signal."""

import math
import os
import signal as signals
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, SIGNALS, SINE, Stops, image, sphere, waves, weights_of

import firstlight
from firstlight import fields
from firstlight.errors import FirstlightError, OptionError
from firstlight.fields import batch_size, memory, session
from firstlight.fields.checkpoint import load_field, read_checkpoint

FAST = {"learning_rate": 3e-3}


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def points(fit):
    return [(each.step, each.psnr) for each in fit.curve]


# what a fit returns


@pytest.mark.parametrize("kind", SIGNALS)
def test_every_kind_of_signal_is_fitted(kind):
    signal = SIGNALS[kind]()
    fit = fields.fit(signal, SINE, steps=30, **FAST)
    assert fit.stopped == "steps"
    assert fit.psnr > fit.curve[0].psnr + 0.5
    assert fit.psnr == pytest.approx(fit.measured["psnr"], abs=1e-3)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_family_learns(network, optimizer):
    rate = 3e-3 if optimizer == "adam" else 1e-2
    fit = fields.fit(image(), network, steps=40, optimizer=optimizer, learning_rate=rate)
    assert fit.psnr > fit.curve[0].psnr
    assert fit.psnr == pytest.approx(fit.measured["psnr"], abs=1e-3)
    assert all(bool(each.isfinite().all()) for each in weights_of(fit.field).values())


def test_the_field_is_the_one_of_the_best_step():
    # a rate so large that the loss goes up and down
    fit = fields.fit(image(), SINE, steps=60, learning_rate=0.03)
    best = max(fit.curve, key=lambda each: each.psnr)
    assert fit.curve[-1].psnr < best.psnr - 0.1
    assert (fit.psnr, fit.steps) == (best.psnr, best.step)
    assert fit.measured["psnr"] == pytest.approx(best.psnr, abs=1e-3)


def test_it_is_the_best_of_batches_too():
    fit = fields.fit(image(), SINE, steps=60, learning_rate=0.03, batch=50)
    best = max(fit.curve, key=lambda each: each.psnr)
    assert (fit.psnr, fit.steps) == (best.psnr, best.step)
    assert fit.measured["psnr"] == pytest.approx(best.psnr, abs=1e-3)


def test_steps_count_updates():
    fit = fields.fit(image(), SINE, steps=7)
    assert [each.step for each in fit.curve] == list(range(8))
    none = fields.fit(image(), SINE, steps=0)
    assert (none.steps, none.stopped, len(none.curve)) == (0, "steps", 1)
    same(weights_of(none.field), SINE.build(2, 1, seed=0).state_dict())


def test_steps_and_seconds_to_a_psnr():
    fit = fields.fit(image(), SINE, steps=20, **FAST)
    middle = fit.curve[10].psnr
    first = next(each for each in fit.curve if each.psnr >= middle)
    assert fit.steps_to(middle) == first.step
    assert fit.seconds_to(middle) == first.seconds
    assert fit.steps_to(200.0) is fit.seconds_to(200.0) is None


def test_held_out_samples_are_measured_and_not_fitted():
    pixels = waves()
    poisoned = np.full_like(pixels, 255)
    poisoned[::2, ::2] = pixels[::2, ::2]
    one, other = (
        fields.fit(fields.load(each, kind="image", every=2), SINE, steps=10, **FAST)
        for each in (pixels, poisoned)
    )
    same(weights_of(one.field), weights_of(other.field))
    assert one.psnr == other.psnr
    assert one.held_out_psnr != other.held_out_psnr
    assert fields.fit(image(), SINE, steps=1).held_out_psnr is None


# determinism


@pytest.mark.parametrize("options", [{}, {"batch": 40}, {"optimizer": "sgd"}])
def test_the_same_seed_gives_the_same_field_bit_for_bit(options):
    one, again, other = (
        fields.fit(image(), SINE, steps=25, seed=seed, **options, **FAST) for seed in (3, 3, 4)
    )
    same(weights_of(one.field), weights_of(again.field))
    assert points(one) == points(again)
    assert points(one)[1:] != points(other)[1:]


def test_batches_depend_on_the_seed_alone():
    network = replace(SINE, width=8)
    torch.manual_seed(1)
    one = fields.fit(image(), network, steps=5, batch=10)
    torch.manual_seed(2)
    same(
        weights_of(one.field),
        weights_of(fields.fit(image(), network, steps=5, batch=10).field),
    )


def test_torchs_own_random_numbers_are_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    fields.fit(image(), SINE, steps=2, batch=10)
    assert torch.equal(torch.get_rng_state(), before)


# limits


def test_a_target_ends_it_at_the_first_look_that_reaches_it():
    fit = fields.fit(image(), SINE, target_psnr=20.0, steps=2000, **FAST)
    assert fit.stopped == "target"
    assert fit.psnr >= 20.0
    assert all(each.psnr < 20.0 for each in fit.curve[:-1])


def test_a_target_ends_batches_too():
    fit = fields.fit(image(), SINE, target_psnr=20.0, steps=2000, batch=70, **FAST)
    assert fit.stopped == "target"
    assert fit.measured["psnr"] == pytest.approx(fit.psnr, abs=1e-3)
    assert fit.psnr >= 20.0


def test_seconds_end_it(monkeypatch):
    ticks = iter(np.arange(0, 1e6, 0.25))
    monkeypatch.setattr(session.time, "perf_counter", lambda: float(next(ticks)))
    fit = fields.fit(image(), SINE, seconds=5.0)
    assert fit.stopped == "seconds"
    assert 1 <= fit.curve[-1].step <= 20
    assert fit.seconds >= 5.0


class Clock:
    """Seconds that pass when they are told to, and a few for every look."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(session.time, "perf_counter", self.look)

    def look(self):
        self.now += 0.01
        return self.now


def test_seconds_do_not_count_what_comes_before_the_first_step(monkeypatch):
    clock, choose = Clock(monkeypatch), session.choose_alpha

    def slow(*args, **kwargs):
        clock.now += 1000.0
        return choose(*args, **kwargs)

    monkeypatch.setattr(session, "choose_alpha", slow)
    told = Stops()
    network = fields.Sine(width=16, depth=3)
    fit = fields.fit(image(), network, seconds=1.0, progress=told)
    assert fit.stopped == "seconds"
    assert fit.curve[-1].step > 5
    assert fit.seconds > 1001.0
    assert fit.curve[0].seconds > 1000.0
    assert 0.9 < told.moments[0].left < 1.0


def test_a_fit_that_goes_on_counts_the_seconds_trained_before(tmp_path, monkeypatch):
    path, clock = tmp_path / "a.safetensors", Clock(monkeypatch)
    begin = session.batch_size

    def slow(*args):
        clock.now += 1000.0
        return begin(*args)

    monkeypatch.setattr(session, "batch_size", slow)
    whole = fields.fit(image(), SINE, seconds=1.0)
    first = fields.fit(image(), SINE, seconds=0.7, checkpoint=path)
    rest = fields.fit(image(), SINE, seconds=1.0, checkpoint=path)
    assert 0 < first.curve[-1].step < rest.curve[-1].step
    assert abs(rest.curve[-1].step - whole.curve[-1].step) <= 3
    assert rest.seconds > 2001.0
    done = fields.fit(image(), SINE, seconds=1.0, checkpoint=path)
    assert done.curve[-1].step == rest.curve[-1].step


def test_seconds_end_batches_with_a_last_look(monkeypatch):
    ticks = iter(np.arange(0, 1e6, 0.25))
    monkeypatch.setattr(session.time, "perf_counter", lambda: float(next(ticks)))
    fit = fields.fit(image(), SINE, seconds=6.0, batch=2)  # looks are 144 steps apart
    assert fit.stopped == "seconds"
    assert fit.curve[0].step == 0
    assert 0 < fit.curve[-1].step < 144


def test_a_target_that_is_never_reached_ends_when_nothing_moves():
    signal = fields.load(np.array([[0, 255], [255, 0]] * 2, np.uint8), kind="image")
    network = fields.Gauss(width=1, depth=2)  # too small for it
    fit = fields.fit(signal, network, target_psnr=100.0, learning_rate=0.01)
    assert fit.stopped == "stalled"
    assert len(fit.curve) > 1000


# signals at the edge


def test_a_constant_signal_is_no_fault():
    flat = fields.load(np.full((6, 6), 90, np.uint8), kind="image")
    fit = fields.fit(flat, SINE, steps=250, learning_rate=1e-3)
    assert fit.psnr > 30
    assert fit.notes == ()


def test_a_perfect_fit_has_an_infinite_psnr_and_its_checkpoint_is_read(tmp_path):
    flat = fields.load(np.full((6, 6), 5.0, np.float32), kind="image")
    network = fields.Sine(width=4, depth=2, alpha=1.0)

    class Zero(fields.Sine):
        def fill(self, module, seed):
            super().fill(module, seed)
            for each in module.parameters():
                each.detach().zero_()

    silent = Zero(width=4, depth=2, alpha=1.0)
    path = tmp_path / "a.safetensors"
    fit = fields.fit(flat, silent, steps=3, checkpoint=path)
    assert (fit.psnr, fit.measured["psnr"]) == (math.inf, math.inf)
    read = fields.fit(flat, silent, steps=4, checkpoint=path)
    assert read.psnr == math.inf
    assert len(read.curve) == 5
    fit.save(tmp_path / "b.safetensors")
    assert load_field(tmp_path / "b.safetensors").spec == network


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2)])
@pytest.mark.parametrize("alpha", ["auto", 1.5])
def test_tiny_images(shape, alpha):
    tiny = fields.load(np.arange(math.prod(shape), dtype=np.uint8).reshape(shape), kind="image")
    fit = fields.fit(tiny, fields.Sine(width=16, depth=3, alpha=alpha), steps=20, **FAST)
    assert fit.psnr > fit.curve[0].psnr
    assert fit.field.render(scale=3).shape == (3 * shape[0], 3 * shape[1], 1)


def test_several_outputs_and_weights():
    fit = fields.fit(image(channels=3), SINE, steps=20, **FAST)
    assert fit.field.render().shape == (12, 12, 3)
    signal = sphere(held_out=0.3)
    fit = fields.fit(signal, SINE, steps=20, **FAST)
    batch = signal.train.all()
    error = (fit.field(batch.x) - batch.y).detach().double().square()
    weighted = float((error * batch.weight).sum() / batch.weight.sum())
    assert fit.psnr == pytest.approx(-10 * math.log10(weighted / 4), abs=1e-3)


# faults


def test_a_loss_that_is_no_number_ends_it_with_advice():
    told = Stops()
    fit = fields.fit(image(), SINE, steps=50, learning_rate=1e30, progress=told)
    assert fit.stopped == "collapsed"
    assert "take a smaller learning_rate" in fit.notes[-1]
    assert told.lines == list(fit.notes)
    assert (fit.steps, len(fit.curve)) == (0, 2)
    same(weights_of(fit.field), SINE.build(2, 1, seed=0).state_dict())
    assert math.isfinite(fit.measured["psnr"])


def test_a_start_that_is_no_number():
    fit = fields.fit(image(), fields.Sine(width=8, depth=3, alpha=1e25, omega=1e25), steps=5)
    assert (fit.stopped, fit.psnr, fit.measured["psnr"]) == ("collapsed", -math.inf, -math.inf)
    assert "take a smaller alpha" in fit.notes[-1]


def test_a_fit_that_is_stuck_says_so():
    noise = np.random.default_rng(0).integers(0, 255, (24, 24)).astype(np.uint8)
    slow = fields.Sine(width=8, depth=2, alpha=1.0, omega=0.01)
    fit = fields.fit(fields.load(noise, kind="image"), slow, steps=250, learning_rate=3e-2)
    assert any("no better than the signal's mean" in note for note in fit.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "steps must be a whole number of 0 or more, got -1"),
        ({"stps": 1}, "fit has no option 'stps'"),
        ({"layer_rates": (1.0, 2.0)}, "one factor for each of the network's 3 layers, got 2"),
        ({"device": "cuda:99"}, "device must be one that torch can compute on here"),
        ({"device": "gpu"}, "device must be one that torch can compute on here"),
        ({"device": "meta"}, "device must be one .* it holds no numbers"),
        ({"device": 1.5}, "device must be one"),
    ],
)
def test_a_wrong_option_is_one_line(options, message):
    with pytest.raises(OptionError, match=message) as raised:
        fields.fit(image(), SINE, **options)
    assert "\n" not in str(raised.value)


def test_what_is_no_signal_or_network_is_refused():
    with pytest.raises(OptionError, match=r"signal must be what firstlight\.fields\.load returns"):
        fields.fit(waves(), SINE)
    with pytest.raises(OptionError, match="network must be a specification"):
        fields.fit(image(), torch.nn.Linear(2, 1))


@pytest.mark.parametrize("family", [fields.Gauss, fields.HashGrid, fields.Wire])
def test_an_automatic_alpha_is_the_sines(family):
    with pytest.raises(OptionError, match="alpha must be a finite number, got 'auto'"):
        family(alpha="auto")


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (fields.Sine(width=8, depth=3), {"layer_rates": (1.0,)}, "network's 3 layers, got 1"),
        (fields.Sine(width=8, depth=3), {"layer_rates": ()}, "network's 3 layers, got 0"),
        (fields.Sine(width=16384, depth=200), {}, r"too little memory: 53,\d+,\d+,\d+ weights"),
    ],
)
def test_what_is_refused_is_refused_before_alpha_is_chosen(
    tmp_path, monkeypatch, network, options, message
):
    def chosen(*_, **__):
        raise AssertionError

    monkeypatch.setattr(session, "choose_alpha", chosen)
    monkeypatch.setattr(memory, "free_memory", lambda _: 2**37)
    with pytest.raises(FirstlightError, match=message) as raised:
        fields.fit(image(), network, steps=1, checkpoint=tmp_path / "a.safetensors", **options)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_layer_rates_scale_the_steps():
    start = SINE.build(2, 1, seed=0).state_dict()
    fit = fields.fit(image(), SINE, steps=1, layer_rates=(1e-30, 2.0, 1.0), learning_rate=1e-3)
    assert fit.steps == 1
    moved = [
        float((fit.field.network.state_dict()[name] - start[name]).abs().max())
        for name in (f"layers.{number}.weight" for number in range(3))
    ]
    assert moved == [0, pytest.approx(2e-3, rel=1e-2), pytest.approx(1e-3, rel=1e-2)]


# progress


def test_what_is_told_and_when():
    told = Stops()
    fit = fields.fit(image(every=2), fields.Sine(width=16, depth=3), steps=5, progress=told)
    assert told.lines == list(fit.notes)
    assert fit.notes[0].startswith("alpha ")
    assert [each.step for each in told.moments] == [1, 2, 3, 4, 5, 5]
    assert [each.psnr for each in told.moments] == [each.psnr for each in fit.curve]
    assert all(one.seconds <= other.seconds for one, other in pairwise(told.moments))
    assert told.moments[-1].left == 0
    assert told.moments[-1].best == fit.psnr


def test_batches_are_said_aloud(monkeypatch):
    monkeypatch.setattr(batch_size, "MOST_FULL", 100)
    told = Stops()
    fit = fields.fit(image(), SINE, steps=2, progress=told)
    assert fit.notes == (
        "144 samples: every step takes 100 of them at random, 144 at a time; batch='full' takes "
        "all",
    )
    assert fields.fit(image(), SINE, steps=2, batch="full").notes == ()
    assert fields.fit(image(), SINE, steps=2, batch=10**6).notes == ()


# Ctrl-C


@pytest.mark.parametrize("batch", ["full", 60])
@pytest.mark.parametrize("at", [1, 9])
def test_ctrl_c_keeps_the_best_so_far(tmp_path, batch, at):
    path = tmp_path / "a.safetensors"
    options = {"batch": batch, **FAST}
    fit = fields.fit(image(), SINE, steps=99, checkpoint=path, progress=Stops(at), **options)
    assert fit.stopped == "interrupted"
    assert fit.curve[-1].step == (at if batch == 60 else at - 1)  # batches have a last look
    assert fit.psnr == max(each.psnr for each in fit.curve)
    assert fit.psnr == pytest.approx(fit.measured["psnr"], abs=1e-3)
    same(weights_of(load_field(path)), weights_of(fit.field))


class Breaks:
    """Raises KeyboardInterrupt in the n-th call of a method."""

    def __init__(self, monkeypatch, owner, name, at):
        self.calls, self.method = 0, getattr(owner, name)

        def wrapped(*args, **kwargs):
            self.calls += 1
            if self.calls == at:
                raise KeyboardInterrupt
            return self.method(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapped)


@pytest.mark.parametrize("at", [1, 2, 5, 8, 12, 17, 18])
@pytest.mark.parametrize("batch", ["full", 30])
def test_ctrl_c_amid_a_step_loses_nothing(tmp_path, monkeypatch, at, batch):
    """Inside the computation of an error, wherever that is: the fit goes on bit for bit."""
    options = {"steps": 14, "batch": batch, **FAST}
    whole = fields.fit(image(), SINE, **options)
    path = tmp_path / "a.safetensors"
    with monkeypatch.context() as patched:
        Breaks(patched, session.Objective, "_squares", 2 * at)
        first = fields.fit(image(), SINE, checkpoint=path, **options)
    assert first.stopped in ("interrupted", "steps")
    assert all(bool(each.isfinite().all()) for each in weights_of(first.field).values())
    rest = fields.fit(image(), SINE, checkpoint=path, **options)
    same(weights_of(rest.field), weights_of(whole.field))


def test_ctrl_c_between_an_optimisers_layers_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    fields.fit(image(), SINE, steps=4, checkpoint=path, **FAST)
    before = path.read_bytes()
    Breaks(monkeypatch, torch.optim.Adam, "step", 3)
    fit = fields.fit(image(), SINE, steps=14, checkpoint=path, **FAST)
    assert fit.stopped == "interrupted"
    assert "cut a step short" in fit.notes[-1]
    assert path.read_bytes() == before
    assert fit.psnr == pytest.approx(fit.measured["psnr"], abs=1e-3)


def test_ctrl_c_while_measuring_leaves_measures_out(monkeypatch):
    signal = image()

    def stopped(self, predict):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(signal), "measure", stopped)
    fit = fields.fit(signal, SINE, steps=2)
    assert fit.measured == {"psnr": fit.psnr}
    assert fit.stopped == "steps"


def test_a_real_signal_is_a_ctrl_c():
    class Presses(Stops):
        def show(self, moment):
            super().show(moment)
            if moment.step == 3:
                os.kill(os.getpid(), signals.SIGINT)

    fit = fields.fit(image(), SINE, steps=99, progress=Presses())
    assert fit.stopped == "interrupted"
    assert 2 <= fit.curve[-1].step <= 4
    assert signals.getsignal(signals.SIGINT) is signals.default_int_handler


# going on


CASES = [
    (network, optimizer, batch)
    for network in ("sine", "tuner", "hash_grid", "wire")
    for optimizer in ("adam", "sgd")
    for batch in ("full", 30)
]


@pytest.mark.parametrize(("network", "optimizer", "batch"), CASES)
def test_a_fit_that_goes_on_is_the_one_that_was_never_left(tmp_path, network, optimizer, batch):
    options = {"optimizer": optimizer, "batch": batch, "steps": 30, "learning_rate": 2e-3}
    signal, network = image(), NETWORKS[network]
    path, straight = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    whole = fields.fit(signal, network, checkpoint=straight, **options)
    for at in (1, 7, 20):
        part = fields.fit(signal, network, checkpoint=path, progress=Stops(at), **options)
        assert part.stopped == "interrupted"
    last = fields.fit(signal, network, checkpoint=path, **options)
    assert last.notes[-1] == "going on from step 20"
    assert last.stopped == "steps"
    if batch == "full":
        assert points(last) == points(whole)
    else:  # with a look more where it was left
        assert set(points(whole)) <= set(points(last))
        assert last.psnr >= whole.psnr
    if last.steps == whole.steps:
        same(weights_of(last.field), weights_of(whole.field))
    end = [read_checkpoint(each).tensors for each in (path, straight)]
    for name in end[0]:
        if not name.startswith("field."):
            assert torch.equal(end[0][name], end[1][name]), name
    assert all(one.seconds <= other.seconds for one, other in pairwise(last.curve))


@pytest.mark.parametrize("batch", ["full", 50])
def test_limits_may_change_between(tmp_path, batch):
    path = tmp_path / "a.safetensors"
    options = {"batch": batch, **FAST}
    short = fields.fit(image(), SINE, steps=10, checkpoint=path, **options)
    longer = fields.fit(image(), SINE, steps=25, checkpoint=path, **options)
    whole = fields.fit(image(), SINE, steps=25, **options)
    assert (short.curve[-1].step, longer.curve[-1].step) == (10, 25)
    assert set(points(whole)) <= set(points(longer))
    assert len({each.step for each in longer.curve}) == len(longer.curve)
    there = fields.fit(image(), SINE, target_psnr=1.0, checkpoint=path, **options)
    assert there.stopped == "target"
    done = fields.fit(image(), SINE, steps=5, checkpoint=path, **options)
    assert done.stopped == "steps"
    assert done.psnr == longer.psnr


def test_a_finished_checkpoint_says_how_it_was_made(tmp_path):
    path, going = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    options = {"steps": 4, "seed": 3, "layer_rates": (1.0, 1.0, 0.5), "target_psnr": 90.0}
    fit = fields.fit(image(), SINE, checkpoint=going, **options)
    found = read_checkpoint(fit.save(path))
    assert not found.progress
    spec = found.fit.pop("spec")
    assert fields.FitSpec.of(spec) == fit.spec
    assert found.fit == {
        "steps": fit.steps,
        "seconds": fit.seconds,
        "psnr": fit.psnr,
        "stopped": "steps",
        "firstlight": firstlight.__version__,
        "torch": torch.__version__,
    }
    unfinished = read_checkpoint(going)
    assert unfinished.progress["step"] == 4
    assert unfinished.fit == {}


def test_an_exact_fit_says_so_in_its_checkpoint(tmp_path):
    fit = replace(fields.fit(image(), SINE, steps=1), psnr=math.inf)
    assert read_checkpoint(fit.save(tmp_path / "a.safetensors")).fit["psnr"] == math.inf


def test_notes_and_choices_are_kept(tmp_path):
    path = tmp_path / "a.safetensors"
    network = fields.Sine(width=16, depth=3)
    first = fields.fit(image(), network, steps=3, checkpoint=path)
    again = fields.fit(image(), network, steps=6, checkpoint=path)
    assert again.network == first.network
    assert again.notes == (*first.notes, "going on from step 3")


@pytest.mark.parametrize(
    ("signal", "network", "options", "what"),
    [
        (lambda: image(12, 11), SINE, {}, "signal"),
        (lambda: image(every=2), SINE, {}, "signal"),
        (image, replace(SINE, width=17), {}, "network"),
        (image, NETWORKS["gauss"], {}, "network"),
        (image, SINE, {"seed": 1}, "options"),
        (image, SINE, {"optimizer": "sgd"}, "options"),
        (image, SINE, {"learning_rate": 1e-2}, "options"),
        (image, SINE, {"batch": 10}, "options"),
        (image, replace(SINE, alpha=2.0), {"seed": 1}, "network and options"),
    ],
)
def test_another_fit_is_refused_and_the_file_left(tmp_path, signal, network, options, what):
    path = tmp_path / "a.safetensors"
    fields.fit(image(), SINE, steps=2, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(FirstlightError, match=rf"belongs to another fit \(its {what} differ"):
        fields.fit(signal(), network, steps=4, checkpoint=path, **options)
    assert path.read_bytes() == before
    fit = fields.fit(signal(), network, steps=4, checkpoint=path, overwrite=True, **options)
    assert fit.curve[0].step == 0


def test_an_equal_number_of_another_type_is_the_same_fit(tmp_path):
    path = tmp_path / "a.safetensors"
    fields.fit(image(), replace(SINE, alpha=2), steps=2, checkpoint=path)
    fit = fields.fit(image(), replace(SINE, alpha=np.float32(2.0)), steps=4, checkpoint=path)
    assert fit.notes == ("going on from step 2",)


def test_a_finished_field_is_not_gone_on_with(tmp_path):
    path = fields.fit(image(), SINE, steps=2).save(tmp_path / "a.safetensors")
    with pytest.raises(FirstlightError, match="holds a finished field"):
        fields.fit(image(), SINE, steps=4, checkpoint=path)


# writing


def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    told = Stops()
    for path in (tmp_path / "file/a.safetensors", tmp_path):
        with pytest.raises(FirstlightError, match="cannot write"):
            fields.fit(image(), SINE, steps=2, checkpoint=path, progress=told)
    assert told.moments == []


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of files' size is Unix's")
def test_a_full_disk_does_not_lose_the_fit(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    monkeypatch.setattr(session, "_WRITE_EVERY", 0.0)
    path = tmp_path / "a.safetensors"
    fit = fields.fit(image(), SINE, steps=3, checkpoint=path)
    assert fit.stopped == "steps"
    assert f"cannot write {path}: No space left on device" in fit.notes[-1]
    assert len(fit.notes) == 1
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
import safetensors.torch
from small_fits import SINE, image
from firstlight import fields
from firstlight.fields import session
write = safetensors.torch.save_file
def half(tensors, path, metadata):
    write(tensors, path, metadata)
    os.truncate(path, os.path.getsize(path) // 2)
    os.kill(os.getpid(), signal.SIGKILL)
safetensors.torch.save_file = half
fields.fit(image(), SINE, steps=20, checkpoint=sys.argv[1], learning_rate=3e-3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is Unix's")
def test_being_killed_while_writing_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.safetensors"
    fields.fit(image(), SINE, steps=5, checkpoint=path, **FAST)
    before = path.read_bytes()
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), here], check=False)
    assert done.returncode == -signals.SIGKILL
    assert path.read_bytes() == before
    rest = fields.fit(image(), SINE, steps=20, checkpoint=path, **FAST)
    same(weights_of(rest.field), weights_of(fields.fit(image(), SINE, steps=20, **FAST).field))


def test_it_is_written_along_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "_WRITE_EVERY", 0.0)
    path, seen = tmp_path / "a.safetensors", []

    class Looks(Stops):
        def show(self, _):
            seen.append(path.exists() and read_checkpoint(path).progress["step"])

    fields.fit(image(), SINE, steps=4, checkpoint=path, progress=Looks())
    assert seen == [False, 1, 2, 3, 4]


# memory


LIMITED = """
import resource, sys
import numpy as np, torch
torch.set_num_threads(1)
from firstlight import fields
def peak():  # ru_maxrss also holds what the process that started this one had
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
resource.setrlimit(resource.RLIMIT_DATA, (2 * 2**30, 2 * 2**30))
rows = np.arange(4000, dtype=np.uint8)[:, None] ^ np.arange(5000, dtype=np.uint8)
class Tells:
    def note(self, line):
        print(line)
    def show(self, moment):
        pass
image = fields.load(rows, kind="image")
fit = fields.fit(
    image, fields.Sine(width=4, depth=2), steps=1, progress=Tells(), checkpoint=sys.argv[1]
)
print(fit.stopped, len(fit.curve), peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_20_megapixels_in_2_gib(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "a.safetensors")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    choice, batches, end = done.stdout.splitlines()
    assert choice.startswith("alpha ")
    assert batches.startswith("20,000,000 samples: every step takes 262,144 of them at random")
    stopped, looks, peak = end.split()
    assert (stopped, looks) == ("steps", "2")
    assert int(peak) < 2048
    assert load_field(tmp_path / "a.safetensors").form.width == 5000


def test_a_network_beyond_memory_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 2**30)
    with pytest.raises(FirstlightError, match=r"too little memory: .* weights and their gradients"):
        fields.fit(image(), fields.Sine(width=8192, depth=5, alpha=1.0), steps=1)
