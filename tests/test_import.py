"""``import firstlight`` costs torch, NumPy and SciPy; everything else waits until it is used."""

import subprocess
import sys

import pytest

COUNT = """
import sys, torch, numpy, scipy, scipy.special
before = set(sys.modules)
{statement}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new - set(sys.stdlib_module_names) - {{"firstlight", "scipy", "torch", "numpy"}}))
"""


def loaded(statement):
    code = COUNT.format(statement=statement)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_import_loads_nothing_optional():
    names = "firstlight.init, firstlight.theory, firstlight.initialize"
    assert loaded(f"import firstlight; {names}") == []


def test_the_command_shows_its_help_without_optional_packages():
    code = "import sys, firstlight.cli; print('pandas' in sys.modules, 'pydantic' in sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("package", ["pandas", "accelerate"])
def test_the_check_can_fail(package):
    assert package in loaded("import firstlight.comparison")


def run(code):
    """Run ``code`` in a fresh Python; return what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_torch_is_loaded_on_first_use_only():
    names = "FirstlightError, OptionError, __version__"
    code = f"import sys, firstlight.cli.app; from firstlight import {names}"
    assert run(f"{code}; print('torch' in sys.modules)") == ["False"]
    assert run(f"{code}, init; print('torch' in sys.modules)") == ["True"]


def test_the_help_does_not_load_torch():
    code = """
import sys
from firstlight.cli import main
sys.argv = ["firstlight", "compare", "--help"]
try:
    main()
except SystemExit as exit_:
    print(exit_.code, "torch" in sys.modules)
"""
    assert run(code)[-2:] == ["0", "False"]


@pytest.mark.parametrize(
    "statement",
    [
        "import firstlight; firstlight.init.harmonic_; firstlight.theory.gain",
        "from firstlight import init, initialize; init.harmonic_; initialize.__call__",
        "from firstlight import *; init.harmonic_; theory.gain; initialize.__call__",
        "import firstlight.init, firstlight.model; firstlight.initialize.__call__",
        "import firstlight as f; assert f.theory is f.theory; assert set(f.__all__) < set(dir(f))",
    ],
)
def test_every_way_to_a_public_name_works(statement):
    assert run(f"{statement}; print('done')") == ["done"]


def test_compare_without_its_packages_names_the_extra(monkeypatch):
    import firstlight

    for name in [name for name in sys.modules if name.startswith("firstlight.comparison")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(firstlight), "compare", raising=False)
    monkeypatch.delitem(vars(firstlight), "comparison", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(firstlight.FirstlightError, match=r"pip install 'firstlight\[compare\]'"):
        firstlight.compare  # noqa: B018


def test_compare_is_found_lazily():
    import firstlight

    assert callable(firstlight.compare)
    with pytest.raises(AttributeError, match="no attribute 'compair'"):
        firstlight.compair  # noqa: B018
