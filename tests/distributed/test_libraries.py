"""Models of other libraries start sharded as they do whole."""

import ranks


def test_models_of_libraries_start_the_same_when_sharded(tmp_path):
    ranks.run("bodies_libraries:everything", 2, tmp_path)


def test_a_tied_model_of_a_library_starts_the_same_when_it_comes_from_the_meta_device(tmp_path):
    ranks.run("bodies_libraries:untied", 2, tmp_path)
