import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import firstlight
from firstlight.errors import FirstlightError, OptionError
from firstlight.report import write_audit

NAMES = ["profiles.png", "audit.md", "audit.json", "report.html"]


def test_writes_a_picture_two_texts_and_a_page(made, tmp_path):
    out = tmp_path / "new" / "results"
    files = write_audit(made.side_by_side(), out, command="firstlight audit --model net")
    assert [file.name for file in files] == NAMES
    assert sorted(out.iterdir()) == sorted(files)  # no temporary file stays
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert files[-1].read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "firstlight audit --model net" in files[1].read_text(encoding="utf-8")


def test_json_holds_each_scheme_as_it_is(made, tmp_path):
    audits = made.side_by_side()
    found = json.loads(write_audit(audits, tmp_path)[2].read_text(encoding="utf-8"))
    assert found == {scheme: audit.to_dict() for scheme, audit in audits.items()}


def test_shows_what_was_really_measured(tmp_path):
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 3))
    batch = (torch.randn(24, 8), torch.randint(3, (24,)))
    found = {}
    for scheme in ("he_normal", "sinusoidal"):
        firstlight.initialize(net, scheme)
        found[scheme] = firstlight.audit(net, batch, ntk=True, jacobian=True)
    text = write_audit(found, tmp_path)[1].read_text(encoding="utf-8")
    assert "twin rows" in text
    rms = f"{float(net[2].weight.detach().square().mean().sqrt()):.3g}"
    assert f"| `2.weight` | sinusoidal | 32\N{MULTIPLICATION SIGN}32 | {rms} |" in text


def test_one_audit_needs_no_name(made, tmp_path):
    found = json.loads(write_audit(made.rich(), tmp_path)[2].read_text(encoding="utf-8"))
    assert list(found) == ["this model"]


def test_the_same_audits_give_the_same_bytes(made, tmp_path):
    first, second = (write_audit(made.side_by_side(), tmp_path / name) for name in "ab")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


@pytest.mark.parametrize("audits", [{}, None, [], "net", {"default": None}])
def test_refuses_what_is_no_audit_in_one_line(audits, tmp_path):
    with pytest.raises(OptionError, match=r"^audits must .*") as caught:
        write_audit(audits, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_refuses_different_networks_and_names_the_difference(made, tmp_path):
    for other, said in (
        (made.audit(model="Other"), "b has Other where a has Net"),
        (made.audit(layers=4), r"b has another layers\.3\.weight where a has the same weights"),
    ):
        with pytest.raises(OptionError, match=said):
            write_audit({"a": made.audit(), "b": other}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refuses_names_that_are_empty_or_no_text_and_a_command_that_is_none(made, tmp_path):
    for name in ("", 3, None):
        with pytest.raises(OptionError, match="audits must map names"):
            write_audit({name: made.audit()}, tmp_path / "out")
    with pytest.raises(OptionError, match="command must be text"):
        write_audit(made.audit(), tmp_path / "out", command=["firstlight"])
    assert not (tmp_path / "out").exists()


def test_refuses_a_file_in_the_way(made, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OptionError, match="must be a directory"):
        write_audit(made.audit(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_directory_that_cannot_be_written_to_is_one_line(made, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FirstlightError, match="cannot write") as caught:
        write_audit(made.audit(), tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file_whole(made, tmp_path, monkeypatch):
    page = write_audit(made.audit(), tmp_path)[-1]
    before = page.read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FirstlightError, match="No space left"):
        write_audit(made.rich(), tmp_path)
    assert page.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.skipif(os.name != "posix", reason="paths are bytes on POSIX")
def test_names_of_any_bytes_can_be_written(made, tmp_path):
    scheme = os.fsdecode(b"caf\xe9")
    page = write_audit({scheme: made.audit(), "b": made.audit()}, tmp_path, command=scheme)[-1]
    assert b"caf\\udce9" in page.read_bytes()


def test_what_draws_pages_waits_until_it_is_used():
    code = "import sys, firstlight.report; print('plotly' in sys.modules)"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found.strip() == "False"
