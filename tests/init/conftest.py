"""Shared by tests of fills."""

import pytest
import torch


@pytest.fixture(scope="module")
def one_thread():
    """Small fills, and sums where two test processes share the cores, are fastest in one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
