"""What happens to the file of decoded images when a process is killed, or there are two."""

import subprocess
import sys
import textwrap

import pytest
import torch

from comparison.image_folders import by_class
from firstlight.comparison import _decoded
from firstlight.comparison.data import load
from firstlight.errors import FirstlightError

#: Loads a folder; tells each note, and waits for a line where it has decoded 50 images.
SCRIPT = textwrap.dedent("""
    import hashlib, sys
    from firstlight.comparison import _decoded
    from firstlight.comparison.data import load

    def note(text):
        print(text, flush=True)
        if text.startswith("decoded 50 ") and "wait" in sys.argv:
            sys.stdin.readline()

    _decoded._TOLD_EVERY = -1.0
    print("begin", flush=True)
    data = load("folder:" + sys.argv[1], sys.argv[2], note)
    print(hashlib.sha256(data.train.images[:].numpy()).hexdigest(), flush=True)
""")


@pytest.fixture
def folders(tmp_path):
    by_class(tmp_path / "images", range(200))
    return tmp_path / "images", tmp_path / "cache"


@pytest.fixture
def begin(folders):
    """Return a function that starts a process; none is left."""
    begun = []

    def start(*options):
        command = [sys.executable, "-c", SCRIPT, *map(str, folders), *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        begun.append(subprocess.Popen(command, **pipes))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def until(process, word):
    for line in process.stdout:
        if line.startswith(word):
            return
    raise AssertionError(f"the process ended before it said {word!r}")


def written(cache):
    return sorted(path.suffixes[-2:] for path in (cache / "decoded").glob("[!.]*.npy"))


def test_a_process_that_is_killed_leaves_nothing_broken(folders, begin):
    images, cache = folders
    process = begin("wait")
    until(process, "decoded 50 ")
    process.kill()
    process.wait()
    left = list((cache / "decoded").glob(".*"))
    assert len(left) == 1  # what it had begun, under another name
    assert written(cache) == []
    notes = []
    data = load(f"folder:{images}", cache, notes.append)
    assert len(notes) == 1  # decoded anew
    assert list((cache / "decoded").glob(".*")) == []
    reference = load(f"folder:{images}", cache.with_name("other"))
    assert torch.equal(data.train.images[:], reference.train.images[:])
    assert torch.equal(data.normalisation[1], reference.normalisation[1])


def test_of_two_processes_one_decodes(folders, begin):
    one = begin("wait")
    until(one, "decoded 50 ")
    other = begin()
    until(other, "begin")
    answers = [one.communicate("go on\n")[0], other.communicate()[0]]
    assert answers[0].splitlines()[-1] == answers[1].splitlines()[-1]
    assert len(answers[1].splitlines()) == 1
    assert (one.returncode, other.returncode) == (0, 0)
    assert written(folders[1]) == [[".npy"], [".sums", ".npy"]]


def test_it_is_decoded_once_and_again_after_a_change(folders):
    images, cache = folders
    notes = []
    name = f"folder:{images}"
    before = load(name, cache, notes.append)
    assert load(name, cache, notes.append).fingerprint == before.fingerprint
    assert len(notes) == 1
    assert notes[0].startswith(f"decoding 200 images of {images} to {cache}")
    assert load(name + ":size=4", cache, notes.append).image_size == (4, 4)
    assert len(notes) == 2
    path = next((images / "digit4").iterdir())
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)  # as large as before, and newer
    assert load(name, cache, notes.append).fingerprint == before.fingerprint
    assert len(notes) == 3


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY no header"])
@pytest.mark.parametrize("part", ["*[!s].npy", "*.sums.npy"])
def test_a_damaged_file_is_written_anew(folders, damage, part):
    images, cache = folders
    before = load(f"folder:{images}", cache).train.images[:]
    path = next((cache / "decoded").glob(part))
    path.unlink()  # the old one is mapped
    path.write_bytes(damage)
    assert torch.equal(load(f"folder:{images}", cache).train.images[:], before)


def test_too_little_space_is_said_before_anything_is_decoded(folders, monkeypatch):
    images, cache = folders
    usage = _decoded.shutil._ntuple_diskusage(10**6, 10**6 - 100, 100)
    monkeypatch.setattr(_decoded.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FirstlightError, match=r"need 0.0 GB, .*decoded has 0.0 GB left; free some"):
        load(f"folder:{images}", cache)
    assert written(cache) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(folders):
    images, cache = folders
    script = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n" + SCRIPT
    command = [sys.executable, "-c", script, str(images), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("firstlight.errors.FirstlightError: cannot write ")
    assert last.endswith(".npy: File too large")
    assert written(cache) == []
    assert list((cache / "decoded").glob(".*")) == []


def test_a_cache_that_cannot_be_written_is_one_line(folders):
    images, cache = folders
    cache.write_text("a file")
    with pytest.raises(FirstlightError, match=r"cannot write to .*cache/decoded: ") as caught:
        load(f"folder:{images}", cache)
    assert "\n" not in str(caught.value)
