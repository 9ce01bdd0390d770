"""What somebody saves becomes the rule of a relay, or he is told why not; nothing that somebody else has made is lost."""

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pimains.core.errors import PimainsError
from pimains.core.instance import Instance
from pimains.rules.blocks.making import Making
from pimains.rules.rule_files import RuleFiles
from pimains.shared.blocks import saving, table
from pimains.shared.blocks.saving import Conflict
from pimains.shared.blocks.workspace import BYTES_MAX, Wrong, digest
from tests.rules.built import Json, saved, turn

ON, OFF = saved(turn("on", "why")), saved(turn("off", "night"))
READY = {"format": 1, "ready": {"KIND": "schedule", "TIMES": "6:30-8:00"}}
REMOVE: Json = {"format": 1, "remove": True}


class House:
    """The directories of the service, and its end of saving."""

    def __init__(self, top: Path) -> None:
        self.me = Instance("rules", top)
        self.lib, self.run, self.rules = self.me.lib, self.me.run, top / "etc"
        for directory in (self.lib, self.run, self.rules):
            directory.mkdir(parents=True)
        self.start()

    def start(self) -> None:
        self.making = Making(self.me, self.rules)
        self.making.look()

    def restart(self) -> None:
        self.making.close()
        self.start()

    def save(self, content: Json, made_from: str | None = "", number: int = 3, **more: Any) -> str:
        """As an editor does; the line that it hears."""
        about = {} if made_from is None else {"made_from": made_from}
        saving.save(self.lib, number, {**content, **about, **more})
        self.making.look()
        return self.said(number)

    def said(self, number: int = 3) -> str:
        result = saving.result(self.run, number)
        return "" if result is None else f"{result.word} {result.words}".strip()

    def put(self, data: bytes, number: int = 3) -> str:
        """As somebody does with cp."""
        saving.waiting_path(self.lib, number).write_bytes(data)
        self.making.look()
        return self.said(number)

    def text(self, number: int = 3) -> str:
        return (self.lib / f"{number}.py").read_text()

    def digest(self, number: int = 3) -> str:
        current = saving.current(self.lib, number)
        return current.digest if current else ""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    made = House(tmp_path)
    yield made
    made.making.close()


def test_what_is_saved_is_the_rule_and_its_digest_is_told(house: House) -> None:
    assert house.making.changed() is False
    assert house.save(ON) == "accepted"
    assert house.making.changed()
    assert saving.result(house.run, 3) == saving.Result("accepted", digest(ON), "")
    assert house.digest() == digest(ON)
    files = RuleFiles(house.rules, house.lib)
    assert "return (ON, 'why')" in files.look()[3].text
    files.close()
    assert house.save(OFF, digest(ON)) == "accepted"
    assert "OFF" in house.text()
    assert house.save(OFF, digest(OFF)) == "accepted"  # nothing new
    assert [each.digest for each in saving.versions(house.lib, 3)] == [digest(ON), digest(OFF)]


def test_the_directory_is_of_the_group_and_is_made_again_and_what_is_in_its_place_is_kept(house: House) -> None:
    directory = house.lib / "workspaces"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o2775
    directory.rmdir()
    assert house.making.changed()
    house.making.look()
    assert house.save(ON) == "accepted"
    saving.waiting_path(house.lib, 3).unlink()
    directory.rmdir()
    directory.write_text("mine")
    house.restart()
    assert house.save(OFF, digest(ON)) == "accepted"
    assert (house.lib / ".workspaces.set-aside-1").read_text() == "mine"


def test_the_second_of_two_editors_is_told_and_may_write_over_it_when_he_says_so(house: House) -> None:
    house.save(ON)
    house.save(OFF, digest(ON))
    third = saved(turn("on", "another"))
    assert house.save(third, digest(ON)) == "conflict somebody else has saved another one since"
    assert "OFF" in house.text()
    assert house.digest() == digest(OFF)
    assert house.save(third, digest(OFF)) == "accepted"
    assert house.save(ON, digest(OFF), overwrite=True) == "accepted"
    house.save(REMOVE, digest(ON))
    assert house.save(OFF, digest(ON)) == "conflict somebody else has removed the rule since"
    assert house.save(OFF, "") == "accepted"
    assert house.save(ON, None).startswith("conflict it does not say what it was made from")


def test_while_the_service_is_down_the_second_is_told_at_once_and_his_own_go_on(house: House) -> None:
    house.save(ON)
    saving.save(house.lib, 3, {**OFF, "made_from": digest(ON)})
    third = saved(turn("on", "another"))
    with pytest.raises(Conflict, match="somebody else has just saved blocks for relay 3"):
        saving.save(house.lib, 3, {**third, "made_from": digest(ON)})
    saving.save(house.lib, 3, {**third, "made_from": digest(OFF)})
    house.restart()
    assert house.said() == "accepted"
    assert house.digest() == digest(third)


def test_what_was_saved_while_the_service_was_down_is_made_when_it_starts(house: House) -> None:
    saving.save(house.lib, 7, {**ON, "made_from": ""})
    saving.save(house.lib, 8, {**READY, "made_from": ""})
    house.restart()
    assert (house.said(7), house.said(8)) == ("accepted", "accepted")
    assert "return (ON, 'why')" in house.text(7)
    assert (house.lib / "8.rule/TIMES").read_text().splitlines()[0] == "6:30-8:00"


def test_what_is_edited_by_hand_is_left_and_told_until_somebody_says_that_it_may_go(house: House) -> None:
    house.save(ON)
    path = house.lib / "3.py"
    path.write_text(house.text().replace("why", "mine"))
    house.making.look()
    edited = f"changed {path} was edited by hand: it is not written over unless that is asked for"
    assert house.said() == edited
    assert house.save(OFF, digest(ON)) == edited
    house.restart()
    assert house.said() == edited
    assert "mine" in house.text()
    assert house.save(OFF, digest(ON), overwrite=True) == "accepted"
    assert "OFF" in house.text()
    path.write_text("def rule(*_): return ON, 'all mine'\n")
    assert house.save(REMOVE, digest(OFF)) == edited
    assert "all mine" in house.text()
    path.unlink()
    house.making.look()
    assert house.said() == "removed"


def test_a_rule_that_was_taken_away_by_hand_comes_back_when_it_is_saved_and_not_by_itself(house: House) -> None:
    house.save(ON)
    path = house.lib / "3.py"
    path.unlink()
    house.making.look()
    assert house.said() == "changed its rule was taken away by hand"
    house.restart()
    assert not path.exists()
    assert house.save(ON, digest(ON)) == "accepted"
    assert "ON" in house.text()


def test_a_file_that_was_never_made_here_is_not_written_over(house: House) -> None:
    (house.lib / "3.py").write_text("def rule(*_): return ON, 'mine'\n")
    assert house.save(ON).startswith("changed ")
    assert "mine" in house.text()


def test_a_form_is_the_directory_of_a_ready_made_rule_and_one_goes_for_the_other(house: House) -> None:
    assert house.save(READY) == "accepted"
    directory = house.lib / "3.rule"
    files = RuleFiles(house.rules, house.lib)
    assert files.look()[3].fault == ""
    files.close()
    assert house.save(ON, digest(READY)) == "accepted"
    assert not directory.exists()
    assert house.save(READY, digest(ON)) == "accepted"
    assert not (house.lib / "3.py").exists()
    other = {"format": 1, "ready": {**READY["ready"], "DAYS": "mon-fri"}}  # type: ignore[dict-item]
    assert house.save(other, digest(READY)) == "accepted"
    assert (directory / "DAYS").read_text().startswith("mon-fri\n")
    (directory / "TIMES").write_text("9:00-10:00\n")
    assert house.save(READY, digest(other)) == f"changed {directory} was edited by hand: it is not written over unless that is asked for"


@pytest.mark.parametrize(
    ("ready", "why"),
    [
        ({}, "KIND: '' is no kind of rule (surplus, float, daily, after, schedule, file)"),
        ({"KIND": "surplus", "VALUE": "a/b", "START_WATTS": "much"}, "START_WATTS: 'much' is no power in W (-999999-999999)"),
        ({"KIND": "schedule", "VALUE": "a/b"}, "VALUE: is no setting of KIND schedule (KIND, TIMES, DAYS, MONTHS)"),
    ],
)
def test_a_form_with_a_wrong_setting_is_refused_and_what_was_there_stays(house: House, ready: dict[str, str], why: str) -> None:
    house.save(ON)
    assert house.save({"format": 1, "ready": ready}, digest(ON)) == f"refused {why}"
    assert house.digest() == digest(ON)
    assert "ON" in house.text()


def test_blocks_that_cannot_be_compiled_are_refused_and_stay_to_be_looked_at(house: House) -> None:
    wrong = saved(turn("on", " "))
    assert house.save(wrong) == "refused turn: its reason is empty"
    assert not (house.lib / "3.py").exists()
    assert saving.waiting(house.lib, 3) == {**wrong, "made_from": ""}
    with pytest.raises(Wrong, match="it has none of"):
        saving.save(house.lib, 3, {"format": 1})
    with pytest.raises(Wrong, match="it is longer than 64 KiB"):
        saving.save(house.lib, 3, {**ON, "made_from": "", "workspace": {"x": "y" * BYTES_MAX}})
    assert house.save(ON) == "accepted"  # of another editor: what was refused is his who was told so


def test_blocks_of_a_set_to_come_are_kept_and_not_compiled(house: House) -> None:
    house.save(ON)
    newer = {**OFF, "set": table.SET + 1}
    assert house.save(newer, digest(ON)).startswith("newer it is made of blocks that came after set")
    house.restart()
    assert saving.waiting(house.lib, 3) == {**newer, "made_from": digest(ON)}
    assert house.digest() == digest(ON)
    assert "ON" in house.text()


def test_a_rule_is_removed_and_its_versions_are_kept(house: House) -> None:
    house.save(ON)
    assert house.save(REMOVE, digest(ON)) == "removed"
    assert not (house.lib / "3.py").exists()
    assert not saving.waiting_path(house.lib, 3).exists()
    assert saving.current(house.lib, 3) is None
    assert [each.is_removal for each in saving.versions(house.lib, 3)] == [False, True]
    house.restart()
    assert house.said() == ""
    assert house.save(REMOVE, "") == "removed"  # there was none


def test_the_last_ten_versions_are_kept_with_their_time(house: House) -> None:
    before = ""
    for number in range(13):
        content = saved(turn("on", f"{number}"))
        assert house.save(content, before) == "accepted"
        before = digest(content)
    found = saving.versions(house.lib, 3)
    assert [each.number for each in found] == list(range(4, 14))
    assert all(each.saved for each in found)
    assert found[-1].digest == before
    assert "made_from" not in found[-1].content


def test_roots_own_file_counts_more_and_that_is_told(house: House) -> None:
    (house.rules / "3.py").write_text("def rule(*_): return OFF, 'root'\n")
    assert house.save(ON) == f"accepted {house.rules / '3.py'} is root's, and counts more"
    (house.rules / "3.py").unlink()
    house.making.look()
    assert house.said() == "accepted"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no JSON (line 1, column 1)"),
        (b"\0" * 100, "it is no JSON (line 1, column 1)"),
        (json.dumps(ON).encode()[:-20], "it is no JSON"),
        (json.dumps(ON).encode() * 2, "it is no JSON (line 1"),
        (b'{"format": 1, "format": 1}', "it says 'format' twice"),
        (b" " * 200_000, "it is longer than 64 KiB"),
        (b"[" * 50_000, "it is nested too deep"),
    ],
)
def test_a_damaged_file_is_told_in_a_line_and_what_was_there_stays(
    house: House, data: bytes, why: str, capsys: pytest.CaptureFixture
) -> None:  # type: ignore[type-arg]
    house.save(ON)
    assert house.put(data).startswith(f"refused {why}")
    house.making.look()
    assert "ON" in house.text()
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert house.save(OFF, digest(ON)) == "accepted"


def test_links_and_fifos_are_not_followed_and_nobody_waits_for_them(house: House, tmp_path: Path) -> None:
    house.save(ON)
    path = saving.waiting_path(house.lib, 3)
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(OFF))
    for make in (lambda: path.symlink_to(secret), lambda: os.mkfifo(path), lambda: path.hardlink_to(secret), path.mkdir):
        path.unlink() if not path.is_dir() else path.rmdir()
        make()
        house.making.look()
        assert house.said() == "refused it is no plain file"
        assert "ON" in house.text()
    path.rmdir()
    (house.lib / "workspaces/0.json").write_text("{}")
    (house.lib / "workspaces/3.json.bak").write_text("{}")
    house.making.look()
    assert house.said() == "accepted"


def test_who_keeps_the_directory_locked_holds_up_nobody_for_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any member of the group may: a page would have a thread less for each one who saves."""
    monkeypatch.setattr(saving, "_OTHERS_SECONDS", 0.1)
    lock = os.open(house.lib / saving.WORKSPACES, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(PimainsError, match="workspaces: another program of the group pimains keeps it locked, so nothing was saved"):
        house.save(ON)
    assert not saving.waiting_path(house.lib, 3).exists()
    os.close(lock)
    assert house.save(ON) == "accepted"


def test_a_disk_that_is_full_takes_nothing_away_and_it_is_tried_again(house: House, tmp_path: Path) -> None:
    house.save(ON)
    versions = house.lib / "versions/3"
    aside = tmp_path / "aside"
    versions.rename(aside)
    versions.write_text("in the way")
    saving.waiting_path(house.lib, 3).write_text(json.dumps({**OFF, "made_from": digest(ON)}))
    house.making.look()
    assert house.said().startswith("failed ")
    versions.unlink()
    aside.rename(versions)
    house.making.look()
    assert house.said() == "accepted"


def test_what_was_under_way_when_the_service_was_killed_is_cleared(house: House) -> None:
    house.save(READY)
    for name in (".3.rule+old.77", ".3.rule+new.77"):
        (house.lib / name).mkdir()
    os.mkfifo(house.lib / ".4.rule+new.77")
    (house.lib / "versions/3/9.json").write_text("half of i")
    house.restart()
    assert house.said() == "accepted"
    assert sorted(name for name in os.listdir(house.lib) if "+" in name) == []
    assert [each.number for each in saving.versions(house.lib, 3)] == [1]


def test_a_form_that_cannot_be_written_leaves_the_one_before(house: House) -> None:
    house.save(READY)
    other = {"format": 1, "ready": {"KIND": "file", "FILE": "guests"}}
    in_the_way = house.lib / f".3.rule+new.{os.getpid()}"
    in_the_way.write_text("")
    assert house.save(other, digest(READY)).startswith("failed ")
    assert (house.lib / "3.rule/KIND").read_text().startswith("schedule\n")
    in_the_way.unlink()
    house.making.look()
    assert house.said() == "accepted"
    assert (house.lib / "3.rule/KIND").read_text().startswith("file\n")
    assert sorted(name for name in os.listdir(house.lib) if name.startswith(".")) == []


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        "[]",
        "null",
        "0",
        '{"saved": null, "content": []}',
        '{"saved": [], "content": {}}',
        '{"saved": NaN, "content": {}}',
        "[" * 30_000,
    ],
)
def test_a_version_that_is_no_version_is_left_out_and_ends_no_service(house: House, data: str) -> None:
    house.save(ON)
    (house.lib / "versions/3/2.json").write_text(data)
    house.restart()
    assert house.said() == "accepted"
    assert [each.number for each in saving.versions(house.lib, 3)] == [1]
    assert house.save(OFF, digest(ON)) == "accepted"


@pytest.mark.parametrize("make", [os.mkfifo, Path.touch, lambda path: path.symlink_to("/nowhere")])
def test_what_is_in_the_place_of_all_versions_is_kept_beside_it(house: House, make: Callable[[Path], object]) -> None:
    (house.lib / "versions").rmdir()
    make(house.lib / "versions")
    house.restart()
    assert house.save(ON) == "accepted"
    assert house.digest() == digest(ON)
    assert os.path.lexists(house.lib / ".versions.set-aside-1")


def test_a_removal_amid_which_the_service_was_killed_is_a_removal(house: House) -> None:
    house.save(ON)
    saving.save(house.lib, 3, {**REMOVE, "made_from": digest(ON)})
    (house.lib / "3.py").unlink()
    house.restart()
    assert house.said() == "removed"
    house.making.look()
    assert house.said() == "removed"
    assert house.digest() == ""
    assert [each.is_removal for each in saving.versions(house.lib, 3)] == [False, True]


def test_a_form_that_was_to_make_room_when_the_service_was_killed_stays_until_the_other_is_there(house: House) -> None:
    house.save(READY)
    (house.lib / "3.rule").rename(house.lib / ".3.rule+old.77")
    other = {"format": 1, "ready": {"KIND": "file", "FILE": "guests"}}
    saving.save(house.lib, 3, {**other, "made_from": digest(READY)})
    in_the_way = house.lib / f".3.rule+new.{os.getpid()}"
    house.making.close()
    house.making = Making(house.me, house.rules)
    in_the_way.write_text("")
    house.making.look()
    assert house.said().startswith("failed ")
    assert (house.lib / "3.rule/KIND").read_text().startswith("schedule\n")
    in_the_way.unlink()
    house.making.look()
    assert house.said() == "accepted"
    assert (house.lib / "3.rule/KIND").read_text().startswith("file\n")
    assert not [name for name in os.listdir(house.lib) if "+" in name]


@pytest.mark.parametrize(("first", "second"), [(ON, OFF), (READY, OFF), (OFF, READY)])
def test_what_was_not_taken_is_not_taken_either_when_the_versions_are_lost(house: House, first: Json, second: Json) -> None:
    house.save(first)
    house.save(second, digest(first))
    house.save(saved(turn("on", "another")), digest(first))
    shutil.rmtree(house.lib / "versions")
    house.restart()
    assert house.said() == "conflict the versions are lost, and another one is in use"
    saving.save(house.lib, 3, {**second, "made_from": digest(first)})
    house.making.look()
    assert house.said() == "accepted"
    assert house.digest() == digest(second)
