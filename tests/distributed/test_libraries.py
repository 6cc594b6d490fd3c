"""Models of other libraries start sharded as they do whole."""

import ranks


def test_models_of_libraries_start_the_same_when_sharded(tmp_path):
    ranks.run("bodies_libraries:everything", 2, tmp_path)
