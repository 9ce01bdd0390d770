"""A client machine that is itself halted leaves its server first: halt's step 20-shares."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.ledger import Ledger
from tests.fclient.one_client import OneHouse, one_house
from tests.halt.halting import ask
from tests.kit import TOP, TestInstance


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


def up(house: OneHouse, **variables: str) -> tuple[TestInstance, TestInstance]:
    """A client whose server is another machine: the step finds nothing of it."""
    fserver, fclient = house.add_fserver(svscan=False), house.add_fclient(**variables)
    house.until(lambda: "is mounted" in fclient.status)
    house.until(lambda: fserver.status == "1 client: kitchen")
    (fserver.run / "orders/words").unlink()
    return fserver, fclient


def run_step(house: OneHouse, budget: int) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIMAINS_ROOT": str(house.root), "PIMAINS_BUDGET_SECONDS": str(budget), "PIMAINS_REASON": "bedtime"}
    return subprocess.run([TOP / "services/fserver/halt.d/20-shares"], env=environment, capture_output=True, text=True, check=False)


def test_a_client_that_halts_stops_its_units_unmounts_and_says_goodbye_before_the_power_goes(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    hooks = house.root / "hooks"
    hooks.mkdir()
    (hooks / "pre_unmount").write_text(f"#!/bin/sh\necho pre_unmount >>{house.root}/systemctl.log\n")
    (hooks / "pre_unmount").chmod(0o755)
    fserver, fclient = up(house, POWER_OFF="1", HOOKS=str(hooks))
    house.until(lambda: halt.status == "ready")
    ask(halt, "UPS battery low\nups\n")
    house.until(house.halts)
    assert not house.is_mounted()
    assert house.units()[2:] == ["stop mpd", "pre_unmount", "stop autofs"]
    fserver.until_logged(f"kitchen has left: {house.share} is unmounted")
    halt.until_logged("20-shares: fclient: nothing is mounted")
    assert Ledger(house.root / "var/lib/pimains/ledger.sqlite").entries("share")[0].cause == "UPS battery low"
    assert "also asked for" not in halt.log, "POWER_OFF asks for no second halt"
    house.until(lambda: fclient.status == "this machine is about to halt")
    (halt.run / "accepted").unlink()
    house.until(house.is_mounted, what="the client to come again when there is no halt any more")


def test_what_keeps_a_share_from_being_left_is_named_at_the_end_of_the_budget_and_left_when_it_lets_go(house: OneHouse) -> None:
    up(house)
    with subprocess.Popen(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "sh", "-c", f"cd {house.share}/Music && exec sleep 60"]) as busy:
        house.until(lambda: "Music" in str(Path(f"/proc/{busy.pid}/cwd").readlink()))
        step = run_step(house, 6)
        busy.terminate()
    assert step.returncode == 124, "halt gives it more the next time"
    assert f"fclient: not done in time, waiting to unmount {house.share}" in step.stdout
    assert f"kept by sleep ({busy.pid})" in step.stdout
    house.until(lambda: not house.is_mounted())


def test_a_client_without_its_server_or_on_its_way_down_has_nothing_to_leave(house: OneHouse) -> None:
    fserver, fclient = up(house)
    fserver.svc("-d")
    house.until(lambda: fclient.status.startswith("waiting for"))
    step = run_step(house, 10)
    assert (step.returncode, step.stdout) == (0, "fclient: nothing is mounted\n")
    fclient.svc("-d")
    house.until(lambda: fclient.status == "stopped")
    step = run_step(house, 10)
    assert (step.returncode, step.stdout) == (0, "")


def test_a_client_that_does_not_answer_is_named(house: OneHouse) -> None:
    _, fclient = up(house)
    fclient.kill(19)
    step = run_step(house, 4)
    assert (step.returncode, step.stdout) == (124, "fclient did not answer within 2 s\n")
    fclient.kill(18)
    house.until(lambda: not house.is_mounted(), what="it heard the order after all")
