"""pimains halt, as it is typed."""

import json
import os
import subprocess

from pimains.core.ledger import Ledger
from pimains.shared import kept_file
from tests.halt.halting import add_step, let_go, new_halt, pause_at, ran
from tests.kit import TOP, House


def pimains(house: House, *words: str, wait: bool = True) -> subprocess.Popen[str]:
    """`pimains halt ...`, as it is typed."""
    process = subprocess.Popen(
        ["/usr/bin/python3", "-m", "pimains.cli", "halt", "--servicedir", str(house.scan), *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if wait:
        process.wait(60)
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.read().strip()


def test_the_command_asks_and_tells_how_it_goes_on_until_the_machine_goes_down(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    asked = pimains(house, "new", "SD", "card", "--wait", wait=False)
    house.until(lambda: ran(house))
    let_go(go)
    assert asked.wait(60) == 0
    lines = said(asked).splitlines()
    assert lines[0].startswith("shutting down: new SD card (asked by ")
    assert lines[-1] == f"shut down: {lines[0][len('shutting down: ') :].split(')')[0]})"
    assert len(house.halts()) == 1
    assert halt.status == lines[-1]


def test_the_command_cancels_and_says_what_had_been_done(house: House) -> None:
    go = pause_at(house, "20-clients")
    new_halt(house)
    assert pimains(house).returncode == 0
    house.until(lambda: ran(house))
    cancelling = pimains(house, "--cancel", wait=False)
    assert cancelling.stdout
    assert cancelling.stdout.readline().startswith("cancelled; first the step that runs now has to end: ")
    let_go(go)
    assert cancelling.wait(60) == 0
    assert said(cancelling).endswith("; done before that: 05-update, 10-relays, 20-clients; 10-relays undone")
    assert house.halts() == []


def test_the_command_says_when_it_is_too_late_to_cancel_and_when_there_is_nothing_to_cancel(house: House) -> None:
    go = pause_at(house, "80-plug")
    new_halt(house)
    nothing = pimains(house, "--cancel")
    assert (nothing.returncode, said(nothing)) == (1, "pimains: there is no shutdown to cancel")
    pimains(house)
    house.until(lambda: ran(house))
    late = pimains(house, "--cancel")
    assert late.returncode == 1
    assert said(late).startswith("pimains: too late to cancel: shutting down: asked for by hand")
    let_go(go)
    house.until(house.halts)


def test_the_command_leaves_no_request_behind_that_nobody_takes(house: House) -> None:
    halt = new_halt(house)
    halt.svc("-d")
    house.until(lambda: halt.pid == 0)
    asked = pimains(house)
    assert asked.returncode == 1
    assert said(asked).startswith("pimains: the halt service does not take the request: svstat ")
    halt.svc("-u")
    house.until(lambda: halt.status == "ready")
    assert house.halts() == []


def test_a_forgotten_hyphen_shuts_nothing_down(house: House) -> None:
    new_halt(house)
    mistyped = pimains(house, "cancel")
    assert (mistyped.returncode, said(mistyped)) == (2, "pimains halt: nothing is done: did you mean --cancel?")
    assert kept_file.asked(house.root / "run/pimains/halt/request") is None
    assert not (house.root / "run/pimains/halt/accepted").exists()


def test_the_command_needs_a_service_and_rights(house: House) -> None:
    asked = pimains(house)
    assert asked.returncode == 1
    assert said(asked).startswith("pimains: no halt service was started since boot: ")


def test_a_dry_run_shows_order_budgets_and_what_would_not_be_run_and_does_nothing(house: House) -> None:
    add_step(house, "50-drives", "echo drives >>$RAN").chmod(0o644)
    add_step(house, "20-clients", "echo clients >>$RAN")
    new_halt(house, STEP_SECONDS_MAX="65")
    Ledger(house.root / "var/lib/pimains/ledger.sqlite").took("halt step 20-clients", 5.0)
    shown = pimains(house, "--dry-run", "--json")
    assert shown.returncode == 1
    whole = json.loads(said(shown))
    assert whole["command"][-2:] == ["-P", "now"]
    assert [
        (step["name"], step["budget_seconds"], step["fault"]) for step in whole["steps"] if step["name"] in ("20-clients", "50-drives")
    ] == [
        ("20-clients", 40.0, None),
        ("50-drives", 65.0, "not executable"),
    ]
    table = said(pimains(house, "--dry-run"))
    assert "20-clients     40 s  1 times, p95 5.0 s" in table
    assert "would not be run: not executable" in table
    assert ran(house) == []
    assert house.halts() == []


def test_a_dry_run_of_somebody_who_may_not_see_all_says_so_and_calls_nothing_wrong(house: House) -> None:
    """What root alone may read has no fault for it; a setting that is not readable is no empty one."""
    add_step(house, "20-clients", "echo clients >>$RAN").chmod(0o700)
    halt = new_halt(house)
    shown = as_nobody(house, "--json")
    [step] = [each for each in json.loads(shown.stdout)["steps"] if each["name"] == "20-clients"]
    assert (shown.returncode, step["fault"], step["unseen"]) == (0, None, "only root may look at it")
    steps = house.root / "etc/pimains/halt.d"
    steps.chmod(0o700)
    assert json.loads(as_nobody(house, "--json").stdout)["unseen"] == [f"{steps}: only root may look at it"]
    assert f"{steps}: only root may look at it" in as_nobody(house).stdout
    command = halt.directory / "variables/HALT_COMMAND"
    command.chmod(0o600)
    assert as_nobody(house).stdout == f"pimains: {command}: only root may read it\n"


def as_nobody(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    """A dry run of somebody who is neither root nor in the group."""
    return subprocess.run(
        ["/usr/bin/python3", "-m", "pimains.cli", "halt", "--servicedir", str(house.scan), "--dry-run", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        user="nobody",
        group="nogroup",
        extra_groups=[],
    )
