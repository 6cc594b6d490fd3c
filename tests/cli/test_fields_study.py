import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import trimesh
from PIL import Image

from firstlight import fields
from firstlight.cli.study_networks import parse_networks, with_equal_sizes
from firstlight.errors import OptionError

PROGRAM = "from firstlight.cli import main; main()"
SMALL = ["--width=16", "--depth=3", "--steps=6", "--seeds=2", "--all-steps", "--device=cpu"]
FIGURES = {
    "trade-off.png",
    "psnr-curves.png",
    "spectra.png",
    "tangent-kernel.png",
    "gradient-shares.png",
}


@pytest.fixture
def photo(tmp_path):
    waves = 127 + 100 * np.sin(np.arange(24) / 2)[:, None] * np.cos(np.arange(24) / 3)
    Image.fromarray(waves.astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def study(call, photo):
    """Return a function that runs ``firstlight fields study`` on a small photo."""
    return lambda *options: call("fields", "study", f"--signal={photo}", *SMALL, *options)


def test_a_study_is_a_table_and_figures(study, tmp_path):
    code, out, err = study("--alphas=1,2", "--out=here")
    assert code == 0
    lines = out.splitlines()
    assert "144 samples fitted, 432 held out; 2 seeds, at most 6 steps" in lines
    rows = [line for line in lines if line.startswith("alpha ")]
    assert [re.split(r"  +", row)[0] for row in rows][:2] == ["alpha 1", "alpha 2"]
    assert rows[2].startswith("alpha auto (")
    assert {path.name for path in (tmp_path / "here").glob("*.png")} == FIGURES
    assert all(f"here/{name}" in out for name in FIGURES)
    found = fields.Study.from_dict(json.loads((tmp_path / "here/study.json").read_text()))
    assert [row.network.width for row in found.rows] == [16, 16, 16]
    told = err.splitlines()
    assert told[0].startswith("sine: alpha ")
    assert re.fullmatch(
        r"1/6 alpha 1, seed 0: [\d.]+ dB after \d steps, [\d.]+ dB held out", told[1]
    )
    assert len(told) == 7


def test_the_same_again_trains_nothing_and_shows_the_same(study, tmp_path):
    first = study("--alphas=1,2", "--out=here")
    before = {path: path.read_bytes() for path in (tmp_path / "here").rglob("*.*")}
    again = study("--alphas=1,2", "--out=here")
    assert again[:2] == first[:2]
    assert " dB after " not in again[2]
    assert {path: path.read_bytes() for path in (tmp_path / "here").rglob("*.*")} == before


def test_a_mesh_is_read_as_it_is_for_a_fit(call, tmp_path, monkeypatch):
    trimesh.creation.box().export(tmp_path / "box.stl")
    read, load = [], fields.load

    def noted(path, **options):
        read.append(options)
        return load(path, **options)

    monkeypatch.setattr(fields, "load", noted)
    options = ["--kind=signed_distance", "--lattice=6", "--clamp=0.2", "--out=here"]
    networks = "--networks=sine:alpha=1"
    code, _, err = call("fields", "study", "--signal=box.stl", networks, *SMALL, *options)
    assert code == 0, err
    assert (read[0]["lattice"], read[0]["clamp"]) == (6, 0.2)
    code, _, err = call("fields", "study", "--signal=box.stl", "--missing=drop", *SMALL)
    assert code == 2
    assert "missing" in err


def test_one_network_has_the_usual_alphas(study, tmp_path):
    assert study("--seeds=1", "--out=here")[0] == 0
    found = fields.Study.from_dict(json.loads((tmp_path / "here/study.json").read_text()))
    alphas = [row.alpha for row in found.rows if not row.auto]
    assert alphas == [1, 1.25, 1.5, 1.75, 2, 2.5, 3]


def test_networks_have_equal_parameters_and_their_own_rates(study, tmp_path):
    code, out, _ = study(
        "--networks=sine:alpha=1.5,gauss:sigma=5,wire",
        "--learning-rates=1e-4,1e-3",
        "--optimizer=adam",
        "--out=here",
    )
    assert code == 0
    found = fields.Study.from_dict(json.loads((tmp_path / "here/study.json").read_text()))
    assert [row.label for row in found.rows] == ["sine:alpha=1.5", "gauss:sigma=5", "wire"]
    first, *others = [row.parameters for row in found.rows]
    assert all(abs(count - first) < 0.1 * first for count in others)
    assert found.rows[1].network.sigma == 5
    assert found.learning_rates == (1e-4, 1e-3)
    assert all(len(row.tuning) == 2 for row in found.rows)
    assert "the best of the same list for each row" in out


def test_every_can_be_told_and_a_share_held_out_instead(study):
    assert "64 samples fitted, 512 held out" in study("--alphas=1", "--every=3", "--out=a")[1]
    assert (
        "432 samples fitted, 144 held out" in study("--alphas=1", "--held-out=0.25", "--out=b")[1]
    )


def test_all_collapsed_is_code_1(study):
    code, out, _ = study("--networks=gauss", "--alphas=1", "--learning-rates=1e25", "--out=here")
    assert code == 1
    assert "the loss was not a number any more" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--networks=sines"], "network must be one of sine, tuner"),
        (["--networks=sine,sine"], "--networks names 'sine' twice"),
        (["--networks=sine:alpha=2", "--alphas=1"], "alpha is given twice, in 'sine:alpha=2'"),
        (["--networks=sine:width=8"], "width is given twice"),
        (["--alphas=1,x"], "expected a number, got 'x'"),
        (["--alphas=0"], "a number of alphas must be a number above 0"),
        (["--alphas=1,1"], "alphas must differ from each other"),
        (["--seeds=0"], "seeds must be a whole number from 1"),
        (["--steps=0"], "steps must be a whole number from 1"),
        (["--learning-rates=-1"], "a learning rate must be a number above 0"),
        (["--optimizer=lion"], "optimizer must be one of adam, sgd"),
        (["--every=0"], "every must be a whole number of 1 or more"),
        (["--rate=8000"], "image is read with every, held_out, seed; it has no rate"),
        (["--every=2", "--held-out=0.5"], "every and held_out both hold samples out"),
        (["--device=abacus"], "device must be one"),
        (["--signal=none.png"], "there is no such file"),
        (["--out="], "expected the name of a folder"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(study, options, said):
    code, out, err = study(*options)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


def test_a_broken_picture_is_one_line(call, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    code, out, err = call("fields", "study", "--signal=broken.png", *SMALL)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "broken.png" in err


def test_a_file_is_no_folder(study, tmp_path):
    (tmp_path / "here").write_text("")
    code, _, err = study("--out=here")
    assert code == 2
    assert len(err.splitlines()) == 1


def test_the_signal_must_be_named(call):
    code, _, err = call("fields", "study")
    assert code == 2
    assert "--signal" in err


def test_the_help_loads_no_torch():
    code = (
        "import sys\nfrom firstlight.cli import main\n"
        "sys.argv = ['firstlight', 'fields', 'study', '--help']\n"
        "try:\n    main()\nexcept SystemExit as e:\n    print(e.code, 'torch' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split()[-2:] == ["0", "False"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_keeps_finished_runs(start, photo, tmp_path):
    options = [f"--signal={photo}", *SMALL, "--seeds=900", "--alphas=1", "--out=here"]
    process = start("fields", "study", *options)
    lines = [process.stderr.readline() for _ in range(4)]
    assert lines[3].startswith("3/1800 alpha 1, seed 2: ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    said = re.search(r"Stopped. (\d+) of 1800 runs are finished and kept in here/runs", err)
    files = list((tmp_path / "here/runs").glob("[!.]*.json"))
    # and the choice of alpha; the signal may fall between the file of a run and its count
    assert int(said[1]) in (len(files) - 1, len(files) - 2)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sine", ["sine"]),
        ("sine,gauss", ["sine", "gauss"]),
        ("sine:alpha=2,1.5,1,gauss", ["sine:alpha=2,1.5,1", "gauss"]),
        ("sine:alpha=2:start=siren,gauss:sigma=3", ["sine:alpha=2:start=siren", "gauss:sigma=3"]),
        ("sine:alpha=2,start=siren,gauss", ["sine:alpha=2,start=siren", "gauss"]),
        (" sine , multiplicative_filter ", ["sine", "multiplicative_filter"]),
    ],
)
def test_lists_of_networks(text, names):
    found = parse_networks(text, None, 4)
    assert list(found) == names
    assert {each.depth for each in found.values()} == {4}


@pytest.mark.parametrize("text", ["", "sine,,gauss", "sine,", ",sine", "sine;gauss", "sine gauss"])
def test_what_is_no_list_of_networks(text):
    with pytest.raises(OptionError):
        parse_networks(text, None, None)


def test_a_network_that_cannot_be_as_small_is_told(photo):
    signal_ = fields.load(photo, every=2)
    notes = []
    made = parse_networks("sine,hash_grid,gauss:width=64", 2, 3)
    found = with_equal_sizes(made, signal_, notes.append)
    assert found["sine"].width == 2
    assert found["gauss:width=64"].width == 64
    assert re.match(r"hash_grid has [\d,]+ parameters, sine 15$", notes[0])
    assert notes[1].startswith("gauss:width=64 has ")
