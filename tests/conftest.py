"""Shared by all tests: doctests see ``firstlight``, Hypothesis examples have no time limit."""

import pytest
from hypothesis import settings

import firstlight

settings.register_profile("firstlight", deadline=None, derandomize=True)
settings.load_profile("firstlight")


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["firstlight"] = firstlight


#: They hold no tests, and all bear one name, which a run of several folders would mix up.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]
