import pytest
import torch

from firstlight.comparison.threads import useful_threads


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("parameters", "threads"), [(1, 1), (2**18 - 1, 1), (2**18, 4)])
def test_small_work_is_not_shared_and_the_number_comes_back(four_threads, parameters, threads):
    # 2^18 weights, 64 pixels, 64 images: 2^30
    seen = []

    def interrupted():
        with useful_threads(64, parameters, 64):
            seen.append(torch.get_num_threads())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [threads]
    assert torch.get_num_threads() == 4
