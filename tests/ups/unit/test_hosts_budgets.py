"""How long a host is given to go down."""

from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.core.plan.budget import budget
from pimains.ups.hosts import directories
from pimains.ups.hosts.budgets import Budgets
from pimains.ups.hosts.settings import HostSettings


def host(name: str) -> HostSettings:
    return directories.of(Path("hosts") / name, {"SSH": f"root@{name}", "DOWN_SECONDS_MAX": "120"})


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    return Instance("ups", tmp_path)


def test_a_host_is_given_its_longest_time_until_it_was_measured(me: Instance) -> None:
    assert Budgets(me).down_seconds(host("nas")) == 120


def test_what_a_host_took_counts_from_then_on_also_after_a_restart(me: Instance) -> None:
    budgets = Budgets(me)
    assert budgets.down_seconds(host("nas")) == 120
    for seconds in (30.0, 20.0, 24.0):
        budgets.went_down(host("nas"), seconds)
    assert budgets.down_seconds(host("nas")) == budget((30.0, 20.0, 24.0), 120) < 120
    assert Budgets(me).down_seconds(host("nas")) == budgets.down_seconds(host("nas"))
    assert budgets.down_seconds(host("pc")) == 120
