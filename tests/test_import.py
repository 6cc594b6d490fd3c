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
    assert loaded("import firstlight") == []


def test_the_command_shows_its_help_without_optional_packages():
    code = "import sys, firstlight.cli; print('pandas' in sys.modules, 'pydantic' in sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("package", ["pandas", "accelerate"])
def test_the_check_can_fail(package):
    assert package in loaded("import firstlight.comparison")


def test_compare_is_found_lazily():
    import firstlight

    assert callable(firstlight.compare)
    with pytest.raises(AttributeError, match="no attribute 'compair'"):
        firstlight.compair  # noqa: B018
