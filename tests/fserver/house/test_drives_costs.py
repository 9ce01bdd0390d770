"""Short version of the benchmark of the drive's halt steps: tests/fserver/bench measures the same more often."""

import os

import pytest

from tests.fserver.bench import drive_steps
from tests.fserver.drives import file_server


@pytest.mark.alone
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_steps_take_a_second_at_most_and_almost_nothing_where_there_is_no_file_server() -> None:
    with file_server() as server:
        took = drive_steps.measure(server, 2)
    assert min(took.pop("without fserver")) <= 0.05
    assert max(min(each) for each in took.values()) <= 1
