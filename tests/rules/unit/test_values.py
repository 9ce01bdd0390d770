"""The state files that rules ask for."""

from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.rules.values import Values


@pytest.fixture
def values(tmp_path: Path) -> Values:
    (tmp_path / "bmv").mkdir()
    for name, text in (("SOC", "50"), ("P", "-20"), ("V", "13"), ("V2", "14")):
        (tmp_path / "bmv" / name).write_text(f"{text}\n")
    return Values(SystemClock(), 600, (), {}, tmp_path)


def test_what_no_rule_asks_for_any_more_is_forgotten_and_known_when_it_is_asked_for_again(values: Values) -> None:
    for count in range(1000):
        values.want({"bmv/V", f"none/{count}"})
    values.want({"*/P", "bmv/P"})
    values.keep_only([{"bmv/SOC"}, {"*/P"}])
    assert set(values.known) == {"bmv/P"}
    values.look_again()
    assert set(values.known) == {"bmv/P"}
    assert values.want({"bmv/V"})
    assert values.known["bmv/V"][0] == 13.0
    values.close()
