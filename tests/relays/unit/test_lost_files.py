"""Where people and rules say what they want there is always a file to say it in: relays/lost_files.py."""

from pathlib import Path

import pytest

from tests.relays.stepped import SteppedRelays


@pytest.fixture
def relays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SteppedRelays:
    return SteppedRelays(tmp_path, monkeypatch, {})


@pytest.fixture
def mode(tmp_path: Path) -> Path:
    return tmp_path / "var/lib/pimains/relays/1.mode"


def test_a_mode_file_that_is_removed_is_made_again_and_the_mode_goes_on(relays: SteppedRelays, mode: Path) -> None:
    relays.mode(1, "on for 2h")
    relays.pass_seconds(3600)
    mode.unlink()
    relays.step()
    relays.pass_seconds(1.1)
    assert mode.read_text() == "on for 2h\n"
    assert mode.stat().st_mode & 0o777 == 0o664
    relays.stop()
    relays.start()
    relays.pass_seconds(3590)
    assert relays.of(1, "mode") == "on for 2h"
    relays.pass_seconds(20)
    assert relays.of(1, "mode") == "auto"


def test_an_editor_that_renames_is_heard_and_nothing_is_made_in_between(relays: SteppedRelays, mode: Path) -> None:
    mode.rename(mode.with_name("1.mode~"))
    relays.step()
    relays.pass_seconds(0.5)
    assert not mode.exists()
    mode.with_name("4913").write_bytes(b"on for 2h\r\n")
    mode.with_name("4913").rename(mode)
    relays.step()
    relays.pass_seconds(2)
    assert (relays.of(1, "mode"), mode.read_bytes()) == ("on for 2h", b"on for 2h\r\n")


def test_a_wish_file_that_is_removed_is_made_again(relays: SteppedRelays, tmp_path: Path) -> None:
    wish = tmp_path / "run/pimains/relays/1.wish"
    relays.wish(1, "on sun")
    wish.unlink()
    relays.step()
    relays.pass_seconds(1.1)
    assert wish.read_text().strip() == ""
    assert relays.level(1) == "high"


def test_what_stands_in_the_place_of_a_file_is_said_until_it_is_one_again(relays: SteppedRelays, mode: Path) -> None:
    mode.unlink()
    mode.mkdir()
    relays.step()
    assert relays.status.endswith(f"{mode}: is no plain file")
    mode.rmdir()
    relays.step()
    relays.pass_seconds(1.1)
    assert "plain" not in relays.status
    relays.mode(1, "on")
    assert relays.level(1) == "high"


def test_that_of_a_relay_that_is_removed_stays_away(relays: SteppedRelays, mode: Path) -> None:
    for path in (relays.directory / "1").iterdir():
        path.unlink()
    (relays.directory / "1").rmdir()
    relays.step()
    relays.pass_seconds(5)
    assert not mode.exists()
