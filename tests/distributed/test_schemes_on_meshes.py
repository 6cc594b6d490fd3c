"""Each scheme, on each layout of a weight: the ranks hold parts of what one process writes."""

import bodies_schemes
import pytest
import ranks


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    bodies_schemes.alone(folder)
    return folder


@pytest.mark.parametrize("world", [4, 3, 2, 1])
def test_every_scheme_writes_parts_of_what_one_process_writes(alone, world):
    ranks.run("bodies_schemes:every_scheme", world, alone, timeout=280)
