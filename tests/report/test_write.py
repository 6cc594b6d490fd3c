import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.comparison import Comparison
from firstlight.errors import FirstlightError, OptionError
from firstlight.report import write
from firstlight.report.write import file_names


def test_writes_one_picture_for_each_setting_and_one_page(make, tmp_path):
    out = tmp_path / "new" / "results"
    files = write(make.two_settings(), out)
    assert [file.name for file in files] == [
        "curves-mlp-digits-adamw.png",
        "curves-mlp-digits-sgd.png",
        "report.html",
    ]
    assert sorted(out.iterdir()) == sorted(files)  # no temporary file stays
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert files[-1].read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_write_that_fails_leaves_the_old_file_whole(make, tmp_path, monkeypatch):
    (page,) = [file for file in write(make.sweep(), tmp_path) if file.suffix == ".html"]
    before = page.read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FirstlightError, match="No space left"):
        write(make.with_failures(), tmp_path)
    assert page.read_bytes() == before
    assert {file.suffix for file in tmp_path.iterdir()} == {".png", ".html"}


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")
def test_others_may_read_a_report_as_far_as_the_umask_allows(make, tmp_path):
    before = os.umask(0o022)
    try:
        files = write(make.sweep(seeds=1, epochs=1), tmp_path)
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o644}


def test_names_cannot_leave_the_directory(make, tmp_path):
    out = tmp_path / "out"
    runs = make.sweep(("default",), model="../../etc/x:y", data="parquet:/a/b-*.parquet").results
    files = write(make.of(runs), out)
    assert {file.parent for file in files} == {out}
    assert files[0].name == "curves-.._.._etc_x_y-parquet_a_b-_.parquet-adamw.png"


@pytest.mark.skipif(os.name != "posix", reason="paths are bytes on POSIX")
def test_a_path_of_any_bytes_can_be_written_to(make, tmp_path):
    out = tmp_path / os.fsdecode(b"caf\xe9")
    page = write(make.sweep(seeds=1, epochs=1), out)[-1]
    assert f"--out {tmp_path}".encode() in page.read_bytes().replace(b"&#39;", b"")


@given(st.lists(st.text(min_size=1, max_size=200), max_size=8))
def test_file_names_are_safe_and_all_different(names):
    found = file_names(f"curves-{name}" for name in names)
    assert len({name.lower() for name in found}) == len(names)
    for name in found:
        assert name.isascii()
        assert not set(name) & set('/\\:*?"<>| \0\n')
        assert name.startswith("curves-")
        assert len(name) <= 130


def test_refuses_an_empty_comparison_and_a_file_in_the_way(make, tmp_path):
    with pytest.raises(OptionError, match="at least one run"):
        write(Comparison(make.sweep().sweep, ()), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OptionError, match="must be a directory"):
        write(make.sweep(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
