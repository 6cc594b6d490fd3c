import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from firstlight.report.band import band

curves = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 6), st.integers(1, 8)),
    elements=st.floats(-100, 100, allow_subnormal=False),
)


@given(curves)
def test_is_the_t_interval_of_every_epoch(values):
    found = band(values.tolist())
    for epoch, column in enumerate(values.T):
        middle = sum(column) / len(column)
        spread = (sum((value - middle) ** 2 for value in column) / (len(column) - 1)) ** 0.5
        half = stats.t(len(column) - 1).ppf(0.975) * spread / len(column) ** 0.5
        assert found.mean[epoch] == pytest.approx(middle, abs=1e-9)
        assert found.low[epoch] == pytest.approx(middle - half, abs=1e-9)
        assert found.high[epoch] == pytest.approx(middle + half, abs=1e-9)


def test_one_seed_has_no_band():
    found = band([[0.1, 0.2]])
    assert found.mean.tolist() == [0.1, 0.2]
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()
