"""Files that are written whole: who may read them."""

import os
import tempfile
from pathlib import Path

import pytest

from firstlight.files import write_atomically

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def privately(path):
    """Write as safetensors does: a file of its own, for its owner alone, takes the place."""
    number, name = tempfile.mkstemp(dir=path.parent)
    os.write(number, b"new")
    os.close(number)
    Path(name).replace(path)


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("write", [privately, lambda path: path.write_bytes(b"new")])
def test_a_new_file_has_what_the_umask_leaves(tmp_path, umask, write):
    write_atomically(tmp_path / "a.txt", write)
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o666 & ~umask
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, umask, mode):
    path: Path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, privately)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)
