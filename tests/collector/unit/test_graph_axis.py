"""The numbers at a graph's axis."""

import pytest

from pimains.collector.graphs.pictures import decimals


@pytest.mark.parametrize(("height", "enough"), [(0, 0), (3000, 0), (12, 0), (1.2, 1), (0.9, 2), (0.06, 3), (0.0004, 5), (1e-30, 6)])
def test_the_lines_of_a_low_axis_have_numbers_that_differ(height: float, enough: int) -> None:
    assert decimals(height) == enough
    lines = [f"{height * tenth / 5:.{enough}f}" for tenth in range(6)]
    assert len(set(lines)) == 6 or height < 1e-5
