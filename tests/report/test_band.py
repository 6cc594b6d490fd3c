import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from firstlight.comparison.statistics import band

curves = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 6), st.integers(1, 8)),
    elements=st.floats(-100, 100, allow_subnormal=False),
)


@given(curves)
def test_is_the_t_interval_of_every_epoch(values):
    mean, low, high = band(values)
    for epoch, column in enumerate(values.T):
        middle = sum(column) / len(column)
        spread = (sum((value - middle) ** 2 for value in column) / (len(column) - 1)) ** 0.5
        half = stats.t(len(column) - 1).ppf(0.975) * spread / len(column) ** 0.5
        assert mean[epoch] == pytest.approx(middle, abs=1e-9)
        assert low[epoch] == pytest.approx(middle - half, abs=1e-9)
        assert high[epoch] == pytest.approx(middle + half, abs=1e-9)


def test_one_seed_has_no_band():
    mean, low, high = band(np.array([[0.1, 0.2]]))
    assert mean.tolist() == [0.1, 0.2]
    assert np.isnan(low).all()
    assert np.isnan(high).all()
