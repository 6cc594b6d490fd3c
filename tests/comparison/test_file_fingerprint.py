import pytest

from firstlight.comparison.data import file_fingerprint
from firstlight.errors import FirstlightError, OptionError


def images(folder, names=("cat/a.png", "dog/b.png")):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    return f"folder:{folder}"


@pytest.mark.parametrize("name", ["digits", "cifar10", "fashion_mnist"])
def test_data_that_never_change_have_no_hash(name):
    assert file_fingerprint(name) == ""


def test_it_is_of_the_bytes_of_every_file_that_a_pattern_matches(tmp_path):
    for part in ("train", "test"):
        (tmp_path / f"{part}.parquet").write_bytes(part.encode())
    name = f"parquet:{tmp_path}/*.parquet"
    before = file_fingerprint(name)
    assert before == file_fingerprint(name)
    (tmp_path / "test.parquet").write_bytes(b"tesT")
    assert file_fingerprint(name) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "cat/a.png").write_bytes(b"123456"),
        lambda folder: (folder / "cat/a.png").rename(folder / "cat/c.png"),
        lambda folder: (folder / "cat/a.png").rename(folder / "dog/a.png"),
        lambda folder: (folder / "cat/new.JPEG").write_bytes(b""),
        lambda folder: (folder / "dog/b.png").unlink(),
    ],
)
def test_it_is_of_names_classes_and_sizes_of_a_folder(tmp_path, change):
    name = images(tmp_path)
    before = file_fingerprint(name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "cat/._a.png").write_text("no image either")
    assert file_fingerprint(name) == before
    change(tmp_path)
    assert file_fingerprint(name) != before


def test_it_is_the_same_wherever_the_folder_lies(tmp_path):
    assert file_fingerprint(images(tmp_path / "a")) == file_fingerprint(images(tmp_path / "b"))
    assert file_fingerprint(images(tmp_path / "a")) != file_fingerprint(
        images(tmp_path / "a") + ":size=8"
    )


@pytest.mark.parametrize("kind", ["parquet", "folder"])
def test_missing_files_are_one_line(tmp_path, kind):
    with pytest.raises(FirstlightError, match=rf"^{kind}: .*missing") as caught:
        file_fingerprint(f"{kind}:{tmp_path}/missing")
    assert "\n" not in str(caught.value)


def test_an_unknown_data_set_has_none():
    with pytest.raises(OptionError, match="data must be one of"):
        file_fingerprint("digit")
