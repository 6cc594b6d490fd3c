"""Checkpoints: back bit for bit, and every forged or damaged file is one clear line."""

import copy
import json
import math
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from small_fits import NETWORKS, SIGNALS, SINE, image, weights_of

from firstlight import fields
from firstlight.errors import FirstlightError
from firstlight.fields.checkpoint import load_field, read_checkpoint, write_field
from firstlight.fields.field import Field


def field_of(signal, network=SINE):
    return Field(network, signal.form, inputs=signal.inputs, outputs=signal.outputs, seed=5)


def facts_of(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["firstlight_field"])


def tensors_of(path):
    return read_checkpoint(path).tensors


def forge(path, facts=None, tensors=None, text=None):
    """Write what is like a checkpoint but for some of it."""
    facts = facts_of(path) if facts is None else facts
    tensors = tensors_of(path) if tensors is None else tensors
    save_file(tensors, path, {"firstlight_field": json.dumps(facts) if text is None else text})


@pytest.fixture
def path(tmp_path):
    return write_field(field_of(image()), tmp_path / "a.safetensors")


@pytest.fixture
def unfinished(tmp_path):
    path = tmp_path / "b.safetensors"
    fields.fit(image(), SINE, steps=3, checkpoint=path)
    return path


def refused(path, match, read=load_field):
    with pytest.raises(FirstlightError, match=match) as raised:
        read(path)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


def one_line_or(read, path):
    """What is read, or None where it was refused in one line."""
    try:
        return read(path)
    except FirstlightError as error:
        line = str(error)
    assert "\n" not in line
    assert len(line) < 600
    return None


# what is written comes back


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
@pytest.mark.parametrize("kind", SIGNALS)
def test_every_family_and_form_comes_back_bit_for_bit(tmp_path, network, kind):
    signal = SIGNALS[kind]()
    field = field_of(signal, network.resolved(signal))
    path = write_field(field, tmp_path / "a.safetensors", measured={"psnr": 31.5}, notes=("so",))
    found = read_checkpoint(path)
    assert (found.measured, found.notes, found.progress) == ({"psnr": 31.5}, ("so",), {})
    again = found.field()
    assert (again.spec, again.form) == (field.spec, field.form)
    assert torch.equal(again.predict_samples(signal.train), field.predict_samples(signal.train))


def test_a_per_layer_alpha_and_numpys_numbers_come_back(tmp_path):
    import numpy as np

    network = replace(SINE, alpha=(1.5, 2.0), omega=np.float32(20.0))
    path = write_field(field_of(image(), network), tmp_path / "a.safetensors")
    assert load_field(path).spec == network


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 0.1, 3])
def test_every_number_comes_back_and_the_json_is_valid(tmp_path, value):
    path = write_field(field_of(image()), tmp_path / "a.safetensors", measured={"psnr": value})
    with safe_open(path, "pt") as file:
        text = file.metadata()["firstlight_field"]

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    json.loads(text, parse_constant=refuse)
    found = read_checkpoint(path).measured["psnr"]
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_a_folder_is_made_and_nothing_lies_beside(tmp_path):
    path = write_field(field_of(image()), tmp_path / "deep/er/a.safetensors")
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(FirstlightError, match="cannot write"):
        write_field(field_of(image()), tmp_path / "a/b.safetensors")


def test_safetensors_own_errors_are_ours(tmp_path, monkeypatch):
    from safetensors import SafetensorError

    def full(*args, **kwargs):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(FirstlightError, match=r"cannot write .*: I/O error: No space left"):
        write_field(field_of(image()), tmp_path / "b.safetensors")
    assert list(tmp_path.iterdir()) == []


# other files


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x00" * 100,
        b"\xff" * 100,
        struct.pack("<Q", 2**60),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 9) + b"[" * 9,
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
    ],
)
def test_a_file_of_another_kind(tmp_path, content):
    other = tmp_path / "a.safetensors"
    other.write_bytes(content)
    refused(other, "is not a field's checkpoint: expected a safetensors file that")


def test_no_file_or_a_folder(tmp_path):
    refused(tmp_path / "none", "there is no checkpoint")
    refused(tmp_path, "there is no checkpoint")


def test_a_file_that_may_not_be_read_is_said_to_be_that(tmp_path, monkeypatch):
    (tmp_path / "a.safetensors").write_bytes(b"secret")

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(tmp_path / "a.safetensors", "Permission denied")


def test_another_programs_safetensors(tmp_path):
    other = tmp_path / "a.safetensors"
    for metadata in (None, {"format": "pt"}, {"firstlight": "{}"}):
        save_file({"w": torch.zeros(2)}, other, metadata)
        refused(other, r"is not a field's checkpoint: .*\(it holds other tensors\)")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, "is not a field's checkpoint")


# forged facts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nothing",
        "[" * 200_000,
        '{"a":' * 200_000,
        "1" * 10_000,
        "[]",
        "null",
        "1",
        '"text"',
        "{}",
        '{"version": 1}',
    ],
)
def test_metadata_that_is_no_description(path, text):
    forge(path, text=text)
    refused(path, "is not a field's checkpoint|is damaged")


@pytest.mark.parametrize("key", ["version", "network", "form", "inputs", "outputs", "measured"])
@pytest.mark.parametrize(
    "value", [None, -1, 2**70, 1.5, "x", [], {}, [[[]]], {"family": "sine", "width": None}, True]
)
def test_each_fact_is_checked(path, key, value):
    facts = facts_of(path)
    if (key, value) in [("measured", {}), ("version", True)]:  # which are right
        return
    forge(path, {**facts, key: value})
    refused(path, "damaged|another version|family must|has no|must be|described by|lacks")


@pytest.mark.parametrize("key", ["version", "network", "form", "inputs", "notes", "progress"])
def test_each_fact_must_be_there(path, key):
    facts = facts_of(path)
    del facts[key]
    forge(path, facts)
    refused(path, "is damaged")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("notes", "text"),
        ("notes", [1]),
        ("notes", {"a": 1}),
        ("measured", {"psnr": "40"}),
        ("measured", {"psnr": [1]}),
        ("measured", [1]),
        ("measured", {"psnr": 10**400}),
        ("progress", [1]),
        ("progress", "ab"),
        ("fit", [1]),
        ("fit", "psnr"),
        ("fit", None),
        ("fit", {"psnr": "40"}),
        ("fit", {"seconds": [1]}),
    ],
)
def test_what_is_only_told_is_checked_too(path, key, value):
    facts = {**facts_of(path), key: value}
    forge(path, facts)
    refused(path, "is damaged")


def test_an_older_file_does_not_say_how_it_was_made(path):
    facts = facts_of(path)
    del facts["fit"]
    forge(path, facts)
    assert read_checkpoint(path).fit == {}
    assert load_field(path).spec == SINE


def test_another_version_is_named(path):
    forge(path, {**facts_of(path), "version": 2})
    refused(path, "written by another version of firstlight")


@pytest.mark.parametrize("field", ["width", "depth"])
def test_a_network_that_the_file_does_not_hold_takes_no_memory(path, field, monkeypatch):
    facts = facts_of(path)
    facts["network"][field] = {"width": 2**14, "depth": 2**8}[field]
    forge(path, facts)
    monkeypatch.setattr(fields.Sine, "build", lambda *_: pytest.fail("it was built"))
    refused(path, "does not fit its own specification")


def test_an_open_number_is_told(path):
    facts = facts_of(path)
    facts["network"]["alpha"] = "auto"
    forge(path, facts)
    refused(path, "alpha='auto' needs a signal")


# forged tensors


def other_tensors(tensors):
    name = "field.layers.1.weight"
    yield "missing", {key: each for key, each in tensors.items() if key != name}
    yield "none", {"a": torch.zeros(1)}
    yield "more", {**tensors, "field.layers.9.weight": torch.zeros(3)}
    yield "shape", {**tensors, name: tensors[name][:, :3].contiguous()}
    yield "flat", {**tensors, name: tensors[name].flatten()}
    yield "type", {**tensors, name: tensors[name].double()}
    yield "whole numbers", {**tensors, name: tensors[name].long()}
    yield "16 bits", {**tensors, name: tensors[name].bfloat16()}


NAMES = ["missing", "none", "more", "shape", "flat", "type", "whole numbers", "16 bits"]


@pytest.mark.parametrize("which", NAMES)
def test_tensors_of_another_network(path, which):
    forge(path, tensors=dict(other_tensors(tensors_of(path)))[which])
    refused(path, "tensor .* does not fit its own specification of the network")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_tensors_that_are_no_numbers(path, value):
    tensors = tensors_of(path)
    tensors["field.layers.1.weight"][3, 3] = value
    forge(path, tensors=tensors)
    refused(path, r"tensor layers\.1\.weight has numbers that are not finite")


def test_a_long_name_is_cut_in_the_message(path):
    forge(path, tensors={**tensors_of(path), "field." + "a" * 10_000: torch.zeros(1)})
    refused(path, "does not fit")


# unfinished fits


def go_on(path):
    return fields.fit(image(), SINE, steps=5, checkpoint=path)


def progress_with(path, **changed):
    facts = facts_of(path)
    forge(path, {**facts, "progress": {**facts["progress"], **changed}})


def test_an_older_unfinished_fit_counts_all_its_seconds(unfinished):
    facts = facts_of(unfinished)
    del facts["progress"]["uncounted"]
    forge(unfinished, facts)
    assert go_on(unfinished).stopped == "steps"


@pytest.mark.parametrize(
    "changed",
    [
        {"step": -1},
        {"step": 1.0},
        {"step": "3"},
        {"step": 2},  # the curve is longer
        {"step": None},
        {"curve": []},
        {"curve": 5},
        {"curve": [[0, 0.0]]},
        {"curve": [[0, 0.0, None]]},
        {"curve": [[0, 0.0, "-inf"]]},
        {"curve": [[0.5, 0.0, 1.0]]},
        {"curve": [[1, 0.0, 1.0], [0, 0.0, 1.0]]},
        {"curve": [[1, 0.0, 1.0], [1, 0.0, 1.0]]},
        {"curve": {"a": 1}},
        {"recent": "x"},
        {"recent": None},
        {"recent": [[]]},
        {"seconds": -1},
        {"seconds": "nan"},
        {"seconds": "inf"},
        {"seconds": []},
        {"uncounted": -1},
        {"uncounted": 1e9},  # more than all seconds
        {"uncounted": "nan"},
        {"uncounted": None},
    ],
)
def test_forged_progress(unfinished, changed):
    progress_with(unfinished, **changed)
    refused(unfinished, "unfinished fit is damaged", go_on)
    assert load_field(unfinished).spec == SINE  # the field is whole


@pytest.mark.parametrize(
    "name", ["now.0", "optimizer.1.exp_avg", "optimizer.0.step", "generator", "field.layers.0.bias"]
)
@pytest.mark.parametrize("how", ["missing", "type", "shape"])
def test_forged_state(unfinished, name, how):
    tensors = tensors_of(unfinished)
    if how == "missing":
        del tensors[name]
    elif how == "type":
        tensors[name] = tensors[name].to(torch.float64)
    else:
        tensors[name] = tensors[name].flatten().repeat(2)
    forge(unfinished, tensors=tensors)
    refused(unfinished, "damaged", go_on)


@pytest.mark.parametrize("name", ["now.x", "optimizer.a.b.c", "optimizer", "optimizer.99.exp_avg"])
def test_more_state_than_there_is(unfinished, name):
    forge(unfinished, tensors={**tensors_of(unfinished), name: torch.zeros(1)})
    refused(unfinished, f"tensor {name} is too much", go_on)


def test_a_state_of_random_numbers_that_is_none(unfinished):
    tensors = tensors_of(unfinished)
    tensors["generator"] = torch.full_like(tensors["generator"], 255)
    forge(unfinished, tensors=tensors)
    refused(unfinished, "random numbers have no valid state", go_on)


@pytest.mark.parametrize("asked", [None, 1, "x", [], {}, {"signal": 1}])
def test_whose_it_is_must_be_said(unfinished, asked):
    progress_with(unfinished, asked=asked)
    refused(unfinished, "finished field|belongs to another fit", go_on)


def test_a_damaged_one_can_be_replaced(unfinished):
    unfinished.write_bytes(b"nothing")
    refused(unfinished, "is not a field's checkpoint", go_on)
    fit = fields.fit(image(), SINE, steps=5, checkpoint=unfinished, overwrite=True)
    assert len(fit.curve) == 6


# anything at all

WORDS = st.sampled_from(["sine", "tuner", "inf", "nan", "auto", "image", "sphere", "", "\0", "é"])
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | WORDS
    | st.text(max_size=5)
)
ANYTHING = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4)
)


def places_in(value, here=()):
    """Every way into nested data."""
    yield here
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places_in(each, (*here, key))
    elif isinstance(value, list):
        for number, each in enumerate(value[:3]):
            yield from places_in(each, (*here, number))


def changed_at(facts, place, value):
    facts = copy.deepcopy(facts)
    if not place:
        return value
    inside = facts
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return facts


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_forged_anywhere_it_is_one_line_or_a_field(tmp_path, name, data):
    kinds = list(SIGNALS)
    signal = SIGNALS[kinds[list(NETWORKS).index(name) % len(kinds)]]()
    path = tmp_path / "a.safetensors"
    field = field_of(signal, NETWORKS[name].resolved(signal))
    if not path.exists():
        write_field(field, path, measured={"psnr": 1.0}, notes=("a",), progress={"step": 1})
    facts = facts_of(path)
    place = data.draw(st.sampled_from(list(places_in(facts))))
    forged = changed_at(facts, place, data.draw(ANYTHING))
    other = tmp_path / "b.safetensors"
    save_file(tensors_of(path), other, {"firstlight_field": json.dumps(forged)})
    found = one_line_or(load_field, other)
    assert found is None or weights_of(found).keys() == weights_of(field).keys()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_forged_progress_is_one_line_or_goes_on(unfinished, data):
    facts = facts_of(unfinished)
    place = data.draw(st.sampled_from(list(places_in(facts["progress"]))))
    forged = {**facts, "progress": changed_at(facts["progress"], place, data.draw(ANYTHING))}
    other = unfinished.with_name("c.safetensors")
    save_file(tensors_of(unfinished), other, {"firstlight_field": json.dumps(forged)})
    fit = one_line_or(go_on, other)
    assert fit is None or fit.curve


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.999), byte=st.integers(0, 255))
def test_a_byte_that_is_wrong_is_one_line_or_a_field(path, where, byte):
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] = byte
    other = path.with_name("c.safetensors")
    other.write_bytes(content)
    one_line_or(load_field, other)
