"""Every fault is found, in its place and by its name; its healthy twin raises no alarm."""

import copy
from functools import lru_cache

import pytest
import torch

import firstlight

from . import ARCHITECTURES, CASES, FAULTS, Planted


def healthy(name: str) -> Planted:
    architecture = ARCHITECTURES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Planted(architecture.build(), architecture.batch(), architecture.names)


def faulty(fault, name: str) -> Planted:
    at = healthy(name)
    fault.plant(at)
    return at


@lru_cache(maxsize=None)
def audited(fault, name: str) -> firstlight.Audit:
    at = faulty(fault, name)
    return firstlight.audit(at.model, at.batch)


def verdict(audit, finding, names):
    """The verdict that a finding asks for; fails where there is none."""
    found = [v for v in audit.verdicts if (v.check, v.level) == (finding.check, finding.level)]
    assert found, f"no {finding.level} of {finding.check}:\n{audit}"
    if finding.where:
        where = finding.where.removeprefix("=")
        where = where if finding.where.startswith("=") else names[where]
        assert any(_within(place, where) for place in found[0].where), found[0]
    return found[0]


def _within(place: str, where: str) -> bool:
    return place.split("[")[0] == where


def code(advice: str) -> str:
    """The call that an advice begins with."""
    return advice.split("; ")[0]


def test_there_are_enough():
    assert sum(len(fault.on) >= 3 for fault in FAULTS) >= 15
    assert len(CASES) >= 45
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_healthy_twin_raises_no_alarm(name):
    at = healthy(name)
    before = copy.deepcopy(at.model.state_dict())
    found = firstlight.audit(at.model, at.batch)
    found.assert_healthy(warnings=True)
    assert same(before, at.model.state_dict())


@pytest.mark.parametrize(("fault", "name"), CASES)
def test_the_fault_is_found_and_named(fault, name):
    found = audited(fault, name)
    for finding in fault.finds:
        said = verdict(found, finding, ARCHITECTURES[name].names)
        assert said.advice
        assert said.source
    with pytest.raises(firstlight.UnhealthyError):
        found.assert_healthy(warnings=True)


@pytest.mark.parametrize(("fault", "name"), [case for case in CASES if case.values[0].mends])
def test_the_advice_mends_it(fault, name):
    names = ARCHITECTURES[name].names
    for finding in fault.finds[: fault.mends]:
        at = faulty(fault, name)
        call = code(verdict(audited(fault, name), finding, names).advice)
        exec(call, {"firstlight": firstlight, "torch": torch, "model": at.model, "batch": at.batch})
        again = firstlight.audit(at.model, at.batch)
        left = [v for v in again.verdicts if v.check == finding.check and v.level != "ok"]
        assert not left, f"after {call}: {left}"


def same(before, after) -> bool:
    return all(torch.equal(before[key].nan_to_num(), after[key].nan_to_num()) for key in before)


@pytest.mark.parametrize(("fault", "name"), CASES)
def test_the_model_is_as_it_was(fault, name):
    at = faulty(fault, name)
    before = copy.deepcopy(at.model.state_dict())
    firstlight.audit(at.model, at.batch)
    assert same(before, at.model.state_dict())
