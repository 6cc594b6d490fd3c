import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
import torch

from firstlight.errors import FirstlightError, OptionError
from firstlight.physics import deepxde as door

CHECK = """
import json, os, sys, torch
torch.set_default_dtype(torch.float64)
state = torch.random.get_rng_state()
from firstlight import physics
import deepxde
from firstlight.physics.deepxde import deepxde as door
module = door()
assert module is deepxde and physics.PROBLEMS
print(json.dumps({
    "backend": module.backend.backend_name,
    "dtype": str(torch.get_default_dtype()),
    "device": str(torch.get_default_device()),
    "rng": bool(torch.equal(state, torch.random.get_rng_state())),
    "env": os.environ.get("DDE_BACKEND"),
    "config": os.path.exists(os.path.expanduser("~/.deepxde")),
}))
"""


def in_a_fresh_process(code, tmp_path, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DDE")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **clean,
            "HOME": str(tmp_path),
            "MPLCONFIGDIR": matplotlib.get_cachedir(),  # its list of fonts takes seconds to make
            "OMP_NUM_THREADS": "1",
            **environment,
        },
        check=False,
    )


def test_the_import_is_quiet_and_leaves_no_trace(tmp_path):
    ended = in_a_fresh_process(CHECK, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert ended.stdout == (
        '{"backend": "pytorch", "dtype": "torch.float64", "device": "cpu", "rng": true, '
        '"env": null, "config": false}\n'
    )


@pytest.mark.parametrize("name", ["DDE_BACKEND", "DDEBACKEND"])
def test_a_wish_for_another_backend_is_one_clear_line(tmp_path, monkeypatch, name):
    monkeypatch.delitem(sys.modules, "deepxde", raising=False)
    for each in ("DDE_BACKEND", "DDEBACKEND"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "jax")
    with pytest.raises(FirstlightError, match=f"backend pytorch, {name} is jax: set {name}=pyt"):
        door.deepxde()


def test_another_backend_that_is_loaded_is_one_clear_line(monkeypatch):
    class Loaded:
        class backend:  # noqa: N801
            backend_name = "jax"

    monkeypatch.setitem(sys.modules, "deepxde", Loaded)
    with pytest.raises(FirstlightError, match="imported it with jax: set DDE_BACKEND=pytorch"):
        door.deepxde()


def test_without_deepxde_the_extra_is_named(monkeypatch):
    # None in sys.modules is how Python says that a module cannot be found
    monkeypatch.setitem(sys.modules, "deepxde", None)
    monkeypatch.delenv("DDE_BACKEND", raising=False)
    with pytest.raises(
        FirstlightError, match=r"needs deepxde: pip install 'firstlight\[physics\]'"
    ):
        door.deepxde()
    assert "DDE_BACKEND" not in os.environ


def test_physics_can_be_imported_where_deepxde_cannot_be_used(monkeypatch):
    for each in ("DDE_BACKEND", "DDEBACKEND"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setitem(sys.modules, "deepxde", None)
    door.preload()
    monkeypatch.delitem(sys.modules, "deepxde")
    monkeypatch.setenv("DDE_BACKEND", "jax")
    door.preload()
    assert "deepxde" not in sys.modules


def test_the_programs_in_the_documentation_run_in_the_order_that_is_quiet():
    text = (Path(__file__).parents[2] / "docs" / "physics.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert program.startswith("from firstlight import physics\nimport deepxde as dde\n")
    names = {}
    exec(program, names)
    assert names["net"].linears[1].weight.shape == (16, 16)


def test_nothing_else_imports_deepxde(tmp_path):
    code = "import sys, firstlight, firstlight.cli.app"
    check = f"{code}; sys.exit(bool({{'deepxde', 'torch'}} & set(sys.modules)))"
    assert in_a_fresh_process(check, tmp_path).returncode == 0


def test_arithmetic_is_for_a_while():
    dde = door.deepxde()
    with door.arithmetic("float64"):
        assert dde.config.default_float() == "float64"
        assert torch.get_default_dtype() == torch.float64
    assert dde.config.default_float() == "float32"
    with pytest.raises(ZeroDivisionError), door.arithmetic("float64"):
        1 / 0  # noqa: B018
    assert dde.config.default_float() == "float32"
    assert torch.get_default_dtype() == torch.float32
    with pytest.raises(OptionError, match="precision must be one of float32, float64; got 'half'"):
        door.arithmetic("half").__enter__()
