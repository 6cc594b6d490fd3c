"""Each scheme, on each layout of a weight: the ranks hold parts of what one process writes."""

import bodies_schemes
import pytest
import ranks


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_every_scheme_writes_parts_of_what_one_process_writes(tmp_path, world):
    bodies_schemes.alone(tmp_path)
    ranks.run("bodies_schemes:every_scheme", world, tmp_path)
