"""``firstlight fit``: a file becomes a checkpoint, and nothing is lost on the way."""

import inspect
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from firstlight import fields
from firstlight.cli.fit import fit as command
from firstlight.cli.fit_progress import FitProgress
from firstlight.errors import FirstlightError
from firstlight.fields import session, unfinished
from firstlight.fields.checkpoint import read_checkpoint

DATA = Path(__file__).parents[3] / "shared" / "data"
#: What makes a fit take milliseconds.
SMALL = ["--width=16", "--depth=3", "--alpha=1.5", "--no-compile", "--device=cpu"]
BACH = ["held-out SNR", "firstlight render gt_bach.safetensors\n"]
PROGRAM = """
from firstlight.cli import main
from firstlight.fields import session
session._WRITE_EVERY = 0.0
main()
"""

real_data = pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")


@pytest.fixture
def crop(tmp_path):
    """Return the name of 12 x 16 pixels of a photograph, in the folder of the call."""
    photo = DATA / "kodak" / "kodim05.png"
    if not photo.exists():
        pytest.skip("the shared data are not here")
    with Image.open(photo) as image:
        image.crop((300, 100, 316, 112)).save(tmp_path / "crop.png")
    return "crop.png"


def weights(path):
    return read_checkpoint(path).field().state_dict()


def test_a_photograph_becomes_a_checkpoint_and_a_table(call, crop, tmp_path):
    code, out, err = call("fit", crop, *SMALL, "--steps=30", "--every=2", "--learning-rate=1e-3")
    assert code == 0
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in out.splitlines()[:-1])
    assert list(rows) == [
        *("PSNR", "held-out PSNR", "SSIM", "steps", "time", "network", "alpha", "omega"),
        *("stopped", "file"),
    ]
    assert re.fullmatch(r"\d+\.\d\d dB", rows["PSNR"])
    assert re.fullmatch(r"0\.\d{4}", rows["SSIM"])
    assert rows["network"] == "sine, 3 layers of width 16, 371 parameters"
    assert (rows["alpha"], rows["omega"]) == ("1.5", "30")
    assert rows["stopped"] == "all steps are done"
    assert rows["file"].startswith("crop.safetensors (")
    assert out.splitlines()[-1] == "Try: firstlight render crop.safetensors --scale 2"
    assert err.startswith("step 1, ")
    found = read_checkpoint(tmp_path / "crop.safetensors")
    assert not found.progress
    assert f"{found.measured['psnr']:.2f} dB" == rows["PSNR"]
    assert {path.name for path in tmp_path.iterdir()} == {"crop.png", "crop.safetensors"}


def test_the_same_as_the_function(call, crop, tmp_path):
    assert call("fit", crop, *SMALL, "--steps=5", "--seed=3", "--out=a/b.safetensors")[0] == 0
    network = fields.Sine(width=16, depth=3, alpha=1.5)
    other = fields.fit(fields.load(tmp_path / crop), network, steps=5, seed=3).field.state_dict()
    found = weights(tmp_path / "a" / "b.safetensors")
    assert all(torch.equal(found[name], other[name]) for name in other)


@real_data
@pytest.mark.parametrize(
    ("file", "options", "said"),
    [
        ("audio/gt_bach.wav", ["--start=1", "--length=0.02", "--held-out=0.1"], BACH),
        (
            "sphere/eraint_uvz.nc",
            ["--variable=z", "--select=level=500,month=1", "--every=24"],
            ["m**2 s**-2", "held-out RMSE"],
        ),
        ("shapes/stanford-bunny.obj", ["--points=200", "--held-out=100"], ["IoU", "--resolution"]),
        (
            "shapes/stanford-bunny.obj",
            ["--kind=signed_distance", "--points=200", "--clamp=0.1"],
            ["mean absolute error"],
        ),
    ],
)
def test_every_kind_is_fitted_and_told_with_its_units(call, tmp_path, file, options, said):
    code, out, _ = call("fit", str(DATA / file), *SMALL, "--steps=3", *options)
    assert code == 0
    for text in said:
        assert text in out
    assert (tmp_path / f"{Path(file).stem}.safetensors").exists()


def test_an_array_is_fitted_at_an_automatic_alpha_that_is_told(call, tmp_path):
    waves = np.sin(np.arange(40) / 3)[:, None] * np.cos(np.arange(30) / 2)
    np.save(tmp_path / "waves.npy", waves)
    options = ["--width=16", "--depth=3", "--no-compile", "--steps=3", "--device=cpu"]
    code, out, err = call("fit", "waves.npy", *options)
    assert code == 0
    assert re.search(r"^alpha \d\.\d\d", err)
    assert re.search(r"^alpha +\d\.\d+$", out, re.MULTILINE)


EMPTY = ["mp3", "nc", "npy", "obj", "off", "glb"]
BAD = [
    (["none.png"], "cannot read 'none.png': there is no such file"),
    (["bad.png"], "cannot read bad.png"),
    *((["empty." + end], f"cannot read empty.{end} as") for end in EMPTY),
    (["empty.wav"], "cannot read empty.wav as audio: the file is empty"),
    (
        ["words.glb"],
        "cannot read words.glb as a mesh: it is cut off, or not what its ending says (",
    ),
    (["flat.xyz"], "cannot be told from its ending"),
    (["flat.npy", "--kind=foo"], "kind must be one of image, audio"),
    (["flat.npy", "--network=sinus"], "network must be one of sine"),
    (["flat.npy", "--network=gauss:omega=3"], "gauss has width, depth"),
    (["flat.npy", "--network=sine:omega=fast"], "sine's omega must be a number, got 'fast'"),
    (["flat.npy", "--network=sine:width=9"], "width is given twice, in 'sine:width=9' and as '16'"),
    (["flat.npy", "--network=gauss:alpha=1"], "alpha is given twice"),
    (["flat.npy", "--steps=-1"], "steps must be a whole number of 0 or more, got -1"),
    (["flat.npy", "--steps=x"], "'--steps': expected a whole number, got 'x'"),
    (["flat.npy", "--seconds=0"], "seconds must be"),
    (["flat.npy", "--target-psnr=nan"], "target_psnr must be a finite number"),
    (["flat.npy", "--batch=ful"], "must be one of auto, full; got 'ful'"),
    (["flat.npy", "--batch=0"], "batch must be a whole number of 1 or more, got 0"),
    (["flat.npy", "--precision=fp8"], "precision must be one of float32, bfloat16; got 'fp8'"),
    (["flat.npy", "--optimizer=lion"], "optimizer must be one of adam, sgd; got 'lion'"),
    (["flat.npy", "--layer-rates=1,x"], "'--layer-rates': expected a number, got 'x'"),
    (["flat.npy", "--layer-rates=1,1"], "must have one factor for each of the network's 3 layers"),
    (["none.png", "--layer-rates=1,1"], "must have one factor for each of the network's 3 layers"),
    (["flat.npy", "--device=gpu"], "got 'gpu'"),
    (["flat.npy", "--length=3"], "volume is read with --every, --held-out; it has no --length"),
    (["flat.npy", "--every=0"], "every must be a whole number of 1 or more"),
    (["flat.npy", "--every=2", "--held-out=0.5"], "give one of them"),
    (["flat.npy", "--held-out=2"], "held_out must be a share"),
    (["flat.npy", "--select=level"], "'--select': expected each dimension once"),
    (["flat.npy", "--select=a=1,a=2"], "'--select': expected each dimension once"),
    (["nan.npy"], "1 of 16 values are NaN"),
    (["flat.npy", "--out=field.png"], "--out must end in .safetensors, got 'field.png'"),
    (["flat.npy", "--out="], "expected the name of a file, got ''"),
    (["flat.npy", "--out=folder.safetensors"], "--out must be a file, got the folder"),
    (["flat.npy", "--out=flat.npy/a.safetensors"], "cannot write into --out flat.npy"),
    (["flat.npy", f"--out={'x' * 300}.safetensors"], "cannot"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_what_is_wrong_is_one_line_and_code_2_and_nothing_written(
    call, tmp_path, arguments, message
):
    np.save(tmp_path / "flat.npy", np.arange(16.0).reshape(4, 4))
    np.save(tmp_path / "nan.npy", np.where(np.arange(16) == 3, np.nan, 1.0).reshape(4, 4))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    for ending in ["wav", *EMPTY]:
        (tmp_path / f"empty.{ending}").touch()
    (tmp_path / "words.glb").write_text("hello")
    (tmp_path / "flat.xyz").touch()
    (tmp_path / "folder.safetensors").mkdir()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("fit", *SMALL, "--steps=1", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["a.png", "a.wav", "a.obj", "a.nc", "a.npy"])
def test_a_file_that_may_not_be_read_is_one_line_and_code_2(call, tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("secret")

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    monkeypatch.setattr("builtins.open", forbidden)
    code, out, err = call("fit", name, *SMALL, "--steps=1")
    monkeypatch.undo()
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"firstlight: cannot read {name} as .*Permission denied\n", err)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_finished_field_is_not_replaced_unasked(call, crop, tmp_path):
    assert call("fit", crop, *SMALL, "--steps=3")[0] == 0
    target = tmp_path / "crop.safetensors"
    before = target.read_bytes()
    assert call("fit", crop, *SMALL, "--steps=3") == (
        2,
        "",
        "firstlight: crop.safetensors holds a finished field: --overwrite replaces it, --out names "
        "another file\n",
    )
    assert target.read_bytes() == before
    code, _, err = call("fit", crop, *SMALL, "--steps=3", "--seed=1", "--overwrite")
    assert code == 0
    assert "going on" not in err
    assert target.read_bytes() != before


def test_another_file_of_that_name_is_not_replaced_unasked(call, crop, tmp_path):
    target = tmp_path / "crop.safetensors"
    target.write_text("the work of years")
    code, _, err = call("fit", crop, *SMALL, "--steps=3")
    assert code == 2
    assert "is not a field's checkpoint" in err
    assert err.endswith("; --overwrite replaces it, --out names another file\n")
    assert target.read_text() == "the work of years"
    assert call("fit", crop, *SMALL, "--steps=3", "--overwrite")[0] == 0
    assert weights(target)


@pytest.fixture
def stops(monkeypatch):
    """Return a function that lets Ctrl-C be pressed in the steps that it is given."""

    real = FitProgress.show

    def press(*at: int) -> None:
        def show(self, moment):
            real(self, moment)
            if moment.step in at:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(FitProgress, "show", show)

    return press


SAID = re.compile(
    r"^Stopped after step 7\. The best so far, \d+\.\d\d dB, is kept in crop\.safetensors; the "
    r"same command goes on from there\.$",
    re.MULTILINE,
)


def test_ctrl_c_keeps_the_best_and_the_same_command_goes_on(call, crop, stops, tmp_path):
    stops(7)
    code, out, err = call("fit", crop, *SMALL, "--steps=20")
    assert (code, out) == (130, "")
    assert SAID.search(err)
    target = tmp_path / "crop.safetensors"
    assert weights(target)  # what render shows
    stops()
    code, out, err = call("fit", crop, *SMALL, "--steps=20")
    assert code == 0
    assert "going on from step 7" in err
    found = weights(target)
    assert call("fit", crop, *SMALL, "--steps=20", "--out=other.safetensors")[0] == 0
    other = weights(tmp_path / "other.safetensors")
    assert all(torch.equal(found[name], other[name]) for name in other)


def test_an_unfinished_fit_is_gone_on_with_even_where_it_may_be_overwritten(call, crop, stops):
    stops(7)
    assert call("fit", crop, *SMALL, "--steps=20")[0] == 130
    code, _, err = call("fit", crop, *SMALL, "--steps=20", "--overwrite")
    assert code == 0
    assert "going on from step 7" in err


def test_an_unfinished_fit_of_another_kind_is_not_replaced_unasked(call, crop, stops, tmp_path):
    stops(7)
    assert call("fit", crop, *SMALL, "--steps=20")[0] == 130
    before = (tmp_path / "crop.safetensors").read_bytes()
    code, _, err = call("fit", crop, *SMALL, "--steps=20", "--seed=5")
    assert code == 2
    assert "belongs to another fit (its options differ)" in err
    assert (tmp_path / "crop.safetensors").read_bytes() == before
    code, _, err = call("fit", crop, *SMALL, "--steps=5", "--seed=5", "--overwrite")
    assert code == 0
    assert "going on" not in err


def test_a_second_ctrl_c_while_it_writes_does_not_lose_the_file(
    call, crop, stops, monkeypatch, tmp_path
):
    stops(7)
    real, pressed = unfinished.write_field, []

    def write(*args, **options):
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        pressed.append(1)
        return real(*args, **options)

    monkeypatch.setattr(unfinished, "write_field", write)
    code, _, err = call("fit", crop, *SMALL, "--steps=20")
    assert code == 130
    assert pressed == [1]
    assert SAID.search(err)
    assert read_checkpoint(tmp_path / "crop.safetensors").progress["step"] == 7
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_the_first_step_writes_nothing(call, crop, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fields, "load", stopped)
    code, out, err = call("fit", crop, *SMALL)
    assert (code, out) == (130, "")
    assert err == "Stopped before the first step was done; nothing is written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["crop.png"]


def test_a_loss_that_is_no_number_is_code_1_and_the_best_is_kept(call, crop, tmp_path):
    code, out, err = call("fit", crop, *SMALL, "--steps=50", "--learning-rate=1e30")
    assert code == 1
    assert "the loss is not a number at step" in err
    assert "take a smaller learning_rate" in err
    assert "the loss is not a number any more" in out
    assert all(each.isfinite().all() for each in weights(tmp_path / "crop.safetensors").values())


def test_a_full_disk_is_one_line_and_code_2(call, crop, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    code, _, err = call("fit", crop, *SMALL, "--steps=3")
    assert code == 2
    assert err.splitlines()[-1].startswith("firstlight: cannot write crop.safetensors: No space")
    assert [path.name for path in tmp_path.iterdir()] == ["crop.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_real_process_that_is_stopped_leaves_what_the_next_goes_on_from(
    start, call, crop, tmp_path, sent
):
    target = tmp_path / "crop.safetensors"
    process = start("fit", crop, *SMALL, "--steps=100000000", program=PROGRAM)
    deadline = time.monotonic() + 120
    while not target.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    assert target.exists()
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (130 if sent is signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in err
    step = read_checkpoint(target).progress["step"]
    assert step > 0
    if sent is signal.SIGINT:
        assert f"Stopped after step {step}. " in err
    code, _, err = call("fit", crop, *SMALL, f"--steps={step + 5}")
    assert code == 0
    assert f"going on from step {step}\n" in err


def test_every_option_of_a_fit_is_offered_with_its_default_and_arrives(call, tmp_path, monkeypatch):
    offered = inspect.signature(command).parameters
    for name, field in fields.FitSpec.__dataclass_fields__.items():
        if name == "compile":
            assert offered["compile_"].default is None
        else:
            assert offered[name].default == field.default, name
    np.save(tmp_path / "flat.npy", np.arange(16.0).reshape(4, 4))
    told = {}

    def fit(signal, network, **options):
        told.update(options, network=network, every=signal.every)
        raise FirstlightError("enough")

    monkeypatch.setattr(fields, "fit", fit)
    given = "--target-psnr=30 --steps=7 --seconds=9 --seed=4 --optimizer=sgd --learning-rate=0.01 "
    given += "--layer-rates=1,0.5,2 --batch=5 --precision=bfloat16 --compile --every=2 "
    given += "--network=gauss:sigma=7 --width=8 --depth=3 --device=cpu --out=b.safetensors"
    assert call("fit", "flat.npy", *given.split()) == (2, "", "firstlight: enough\n")
    del told["progress"]
    assert told == {
        "target_psnr": 30.0,
        "steps": 7,
        "seconds": 9.0,
        "seed": 4,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "layer_rates": (1.0, 0.5, 2.0),
        "batch": 5,
        "precision": "bfloat16",
        "compile": True,
        "every": 2,
        "network": fields.Gauss(sigma=7.0, width=8, depth=3),
        "device": torch.device("cpu"),
        "checkpoint": Path("b.safetensors"),
        "overwrite": False,
    }


def test_the_time_between_two_writes_is_half_a_minute():
    assert session._WRITE_EVERY == 30.0


def test_the_help_names_every_option(call):
    code, out, _ = call("fit", "--help")
    assert code == 0
    for name in inspect.signature(command).parameters:
        if name != "file":
            assert f"--{name.strip('_').replace('_', '-')}" in out, name


def test_a_missing_package_is_one_line_that_names_the_extra(call, crop, monkeypatch):
    monkeypatch.setitem(sys.modules, "igl", None)
    assert call("fit", crop) == (
        2,
        "",
        "firstlight: fit needs libigl: pip install 'firstlight[fields]'\n",
    )


BLOCKED = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from firstlight import fields
from firstlight.errors import FirstlightError
calls = {
    "PIL": lambda: fields.load(sys.argv[2]),
    "safetensors": lambda: fields.load_field("a.safetensors"),
    "soundfile": lambda: fields.load("a.wav"),
    "trimesh": lambda: fields.load("a.obj"),
    "xarray": lambda: fields.load("a.nc"),
}
for name in sys.argv[1].split(","):
    try:
        calls[name]()
    except FirstlightError as error:
        print(error)
"""


def test_without_its_packages_the_library_says_what_to_install(crop, tmp_path):
    for name in ("a.wav", "a.obj", "a.nc"):
        (tmp_path / name).write_bytes(b"CDF\x01")
    names = ["PIL", "safetensors", "soundfile", "trimesh", "xarray"]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, ",".join(names), crop],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "reading crop.png needs pillow: pip install 'firstlight[fields]'",
        "reading a checkpoint needs safetensors: pip install 'firstlight[fields]'",
        "reading a.wav needs soundfile: pip install 'firstlight[fields]'",
        "reading a.obj needs trimesh: pip install 'firstlight[fields]'",
        "reading a.nc needs xarray: pip install 'firstlight[fields]'",
    ]


def test_without_torchmetrics_an_image_is_fitted_and_ssim_left_out(crop, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    network = fields.Sine(width=8, depth=3, alpha=1.5)
    result = fields.fit(fields.load(tmp_path / crop), network, steps=1)
    assert list(result.measured) == ["psnr"]
    assert result.notes == (
        "SSIM is left out, as it needs torchmetrics: pip install 'firstlight[fields]'",
    )
