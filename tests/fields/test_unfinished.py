"""The checkpoint of an unfinished fit: whose it is, and where it can be."""

import json
import os

import pytest
import torch
from safetensors import safe_open
from small_fits import SINE, image

from firstlight import fields
from firstlight.errors import FirstlightError
from firstlight.fields.specification import FitSpec
from firstlight.fields.unfinished import Unfinished


def test_no_path_keeps_nothing(tmp_path):
    keeps = Unfinished(None, image(), SINE, FitSpec())
    assert keeps.read() is None
    keeps.write(None, None, 0.0, ())
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_read_before_it_is_written(tmp_path):
    assert Unfinished(tmp_path / "sub/a", image(), SINE, FitSpec()).read() is None
    assert list((tmp_path / "sub").iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FirstlightError, match=r"cannot write .* Permission denied"):
        Unfinished(tmp_path / "a", image(), SINE, FitSpec())
    tmp_path.chmod(0o700)


def test_what_is_in_the_file(tmp_path):
    path = tmp_path / "a.safetensors"
    fit = fields.fit(image(), SINE, steps=4, checkpoint=path, batch=50)
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["firstlight_field"])
        names = set(file.keys())
    assert facts["measured"] == {"psnr": fit.psnr}
    assert facts["progress"]["step"] == 4
    assert [tuple(each) for each in facts["progress"]["curve"]] == list(fit.curve)
    assert len(facts["progress"]["recent"]) == 4
    assert facts["progress"]["asked"]["network"] == json.loads(json.dumps(SINE.as_dict()))
    assert "steps" not in facts["progress"]["asked"]["options"]
    own = {"field." + name for name in fit.field.network.state_dict()}
    assert own < names
    assert {name.split(".")[0] for name in names} == {"field", "now", "optimizer", "generator"}


def test_a_batch_state_is_that_of_the_step_to_come(tmp_path):
    path = tmp_path / "a.safetensors"
    fields.fit(image(), SINE, steps=3, checkpoint=path, batch=50, seed=9)
    generator = torch.Generator().manual_seed(9)
    for _ in range(3):
        torch.randint(144, (50,), generator=generator)
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("generator"), generator.get_state())
