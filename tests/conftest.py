"""Shared by all tests: doctests see ``firstlight``, Hypothesis examples have no time limit."""

import pytest
from hypothesis import settings

import firstlight

settings.register_profile("firstlight", deadline=None, derandomize=True)
settings.load_profile("firstlight")


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    doctest_namespace["firstlight"] = firstlight
