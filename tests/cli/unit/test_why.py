"""pimains why: the ledger told as sentences."""

import json
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.core.clock import FakeClock
from pimains.core.ledger import Entry, Ledger, Reading
from pimains.core.ledger_told import when


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["why", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_newest_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    ledger.record("plug", "power on", "pimains plug on", {"power": Reading("0.4 W", 1.0)})
    ledger.record("halt", "shut down", "plug: delay switch switched off", may_change_in_seconds=300)
    code, out, _ = told(capsys)
    assert code == 0
    first, second = out.splitlines()
    assert "ago): halt: shut down, because plug: delay switch switched off. May change again at" in first.replace("just now", "0 s ago")
    assert second.endswith("plug: power on, because pimains plug on. Based on: power 0.4 W (1 s old).")
    assert len(told(capsys, "--limit", "1")[1].splitlines()) == 1
    (only,) = told(capsys, "plug")[1].splitlines()
    assert only.endswith("plug: power on, because pimains plug on. Based on: power 0.4 W (1 s old).")


def test_an_unknown_subject_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    for subject in ("plug", "halt"):
        Ledger().record(subject, "power on", "a test")
    assert told(capsys, "pump") == (2, "", "pimains: nothing in the ledger about 'pump'; there is: halt, plug\n")


def test_an_empty_ledger_is_no_error_and_is_not_made_by_asking(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    assert told(capsys, "plug") == (0, "The ledger is empty: nothing was switched yet.\n", "")
    assert json.loads(told(capsys, "--json")[1]) == []
    assert list(root.iterdir()) == []


def test_of_a_broken_ledger_it_is_told_where_it_is_kept(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    (root / "var/lib/pimains").mkdir(parents=True)
    (root / "var/lib/pimains/ledger.sqlite").write_text("no database" * 100)
    code, out, err = told(capsys)
    path = root / "var/lib/pimains/ledger.sqlite"
    aside = f"(file is not a database) and is kept as {path}.corrupt-1"
    assert (code, err) == (
        0,
        f"pimains: the ledger was broken (file is not a database): it is kept as {path}.corrupt-1, a new one is begun\n",
    )
    assert out.endswith(f"ledger: begin anew, because the one before was broken {aside}.\n")
    assert told(capsys)[2] == ""


def test_a_cause_with_control_characters_does_no_harm_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Ledger().record("plug", "power on", "text from a plug\x1b[2J\nsecond line")
    assert told(capsys)[1].count("\n") == 1
    assert "\x1b" not in told(capsys)[1]


def test_programs_get_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    Ledger().record("plug", "power on", "a test", {"power": Reading("0.4 W", None)}, may_change_in_seconds=60)
    (entry,) = json.loads(told(capsys, "--json")[1])
    assert entry["inputs"] == {"power": {"value": "0.4 W", "age_seconds": None}}
    assert entry["this_boot"] is True
    assert 0 <= entry["age_seconds"] < 60
    assert entry["may_change_again"] - entry["time"] == pytest.approx(60)


def test_after_the_clock_was_set_an_entry_of_this_boot_has_its_true_time() -> None:
    clock = FakeClock(monotonic=1000, wall=40)
    Ledger(clock=clock).record("plug", "power on", "a test")
    (entry,) = Ledger().entries()
    clock.advance(3600)
    clock.jump(1_790_000_000)
    assert when(entry, clock) == (1_790_000_000 + 40, 3600)


def test_an_entry_of_another_boot_is_dated_by_its_wall_clock_as_far_as_that_was_set() -> None:
    clock = FakeClock(monotonic=10, wall=1_790_000_000)
    entry = Entry("another", 500.0, 1_789_990_000.0, "plug", "power on", "a test", {}, None)
    assert when(entry, clock) == (1_789_990_000.0, 10_000)
    assert when(entry._replace(wall=40), clock) == (40, None)
    assert when(entry._replace(wall=1_800_000_000.0), clock) == (1_800_000_000.0, None)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "99999999"])
def test_a_wrong_limit_names_what_is_allowed(capsys: pytest.CaptureFixture[str], limit: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["why", "--limit", limit])
    assert end.value.code == 2
    assert "1-10000" in capsys.readouterr().err
