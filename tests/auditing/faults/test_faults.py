"""Every fault is found, in its place and by its name; its healthy twin raises no alarm."""

import copy
import re
from functools import cache

import pytest
import torch

import firstlight
from firstlight.auditing.judge import CHECKS

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


def audited(at: Planted) -> firstlight.Audit:
    """Audit, and see that the model is bit for bit as it was."""
    before = copy.deepcopy(at.model.state_dict())
    found = firstlight.audit(at.model, at.batch)
    for key, value in at.model.state_dict().items():
        assert torch.equal(value.nan_to_num(7.0), before[key].nan_to_num(7.0)), key
    return found


@cache
def audit_of(fault, name: str) -> firstlight.Audit:
    return audited(faulty(fault, name))


@cache
def audit_after(call: str, fault, name: str) -> firstlight.Audit:
    at = faulty(fault, name)
    exec(call, {"firstlight": firstlight, "torch": torch, "model": at.model, "batch": at.batch})
    return firstlight.audit(at.model, at.batch)


def verdict(audit, finding, names):
    """The verdict that a finding asks for; fails where there is none, or not of that layer."""
    found = [v for v in audit.verdicts if (v.check, v.level) == (finding.check, finding.level)]
    assert found, f"no {finding.level} of {finding.check}:\n{audit}"
    if finding.where:
        where = finding.where.removeprefix("=")
        where = where if finding.where.startswith("=") else names[where]
        # without the mark [q], and without which of a module's calls it is
        places = [re.split(r"\[| behind | at depth ", place)[0] for place in found[0].where]
        assert where in (places if finding.among else places[:1]), found[0]
    return found[0]


def test_there_are_enough():
    assert sum(len(fault.on) >= 3 for fault in FAULTS) >= 15
    assert len(CASES) >= 45
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_every_check_has_a_fault():
    planted = {finding.check for fault in FAULTS for finding in fault.finds}
    assert planted == {check.name for check in CHECKS} | {"float range"}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_healthy_twin_raises_no_alarm(name):
    audited(healthy(name)).assert_healthy(warnings=True)


@pytest.mark.parametrize(("fault", "name"), CASES)
def test_the_fault_is_found_and_named(fault, name):
    found = audit_of(fault, name)
    for finding in fault.finds:
        said = verdict(found, finding, ARCHITECTURES[name].names)
        assert said.advice
        assert said.source
    with pytest.raises(firstlight.UnhealthyError):
        found.assert_healthy(warnings=True)


@pytest.mark.parametrize(("fault", "name"), [case for case in CASES if case.values[0].mends])
def test_the_advice_mends_it(fault, name):
    for finding in fault.finds[: fault.mends]:
        said = verdict(audit_of(fault, name), finding, ARCHITECTURES[name].names)
        call = said.advice.split("; ")[0]
        again = audit_after(call, fault, name)
        left = [v for v in again.verdicts if v.check == finding.check and v.level != "ok"]
        assert not left, f"after {call}: {left}"
