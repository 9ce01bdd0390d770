"""The panel's service from the wires to the files, hours in moments: panel/service.py on simulated boards."""

import itertools
from pathlib import Path

import pytest

from pimains.panel.plan import segments
from pimains.panel.plan.segments import BOTTOM, DARK, MIDDLE, TOP
from tests.panel.panels import SteppedPanel


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SteppedPanel:
    return SteppedPanel(tmp_path, monkeypatch, {"1": "on", "2": "off", "3": "auto", "4": "on for 2h"})


def test_it_shows_modes_and_states(panel: SteppedPanel) -> None:
    panel.tell("3", "auto", "on")
    panel.pass_seconds(0.1)
    assert panel.digits() == [TOP, BOTTOM, DARK, TOP, DARK, DARK, DARK, DARK]
    assert panel.leds() == "00100000"
    assert panel.status == "relays 1, 2, 3, 4 on a board"


def test_what_is_told_is_shown_at_once(panel: SteppedPanel) -> None:
    for mode, bar in (("off", BOTTOM), ("auto", DARK), ("on until 18:00", TOP)):
        panel.tell("3", mode)
        panel.pass_seconds(0)
        assert panel.digits()[2] == bar


def test_a_key_steps_its_relay_and_is_heard_two_seconds_later(panel: SteppedPanel) -> None:
    panel.press(3)
    assert panel.digits()[2] == TOP
    panel.pass_seconds(1.7)
    assert panel.said("3") == "auto"
    panel.pass_seconds(0.3)
    assert panel.said("3") == "on"


def test_until_then_the_last_point_blinks(panel: SteppedPanel) -> None:
    assert not panel.point()
    panel.board().chip.down = {3}
    seen = []
    for _ in range(20):
        panel.pass_seconds(0.1)
        seen.append(panel.point())
    panel.pass_seconds(0.5)
    assert 4 <= sum(before != after for before, after in itertools.pairwise(seen)) <= 10
    assert not panel.point()


def test_a_key_that_is_held_is_one_step(panel: SteppedPanel) -> None:
    panel.press(3, seconds=30)
    panel.pass_seconds(3)
    assert panel.said("3") == "on"


def test_two_presses_are_two_steps(panel: SteppedPanel) -> None:
    panel.press(1)
    panel.press(1)
    panel.pass_seconds(2.1)
    assert panel.said("1") == "auto"


@pytest.mark.parametrize("phase", range(14))
def test_no_press_of_80_ms_is_missed(panel: SteppedPanel, phase: int) -> None:
    panel.pass_seconds(0.005 * phase)
    panel.press(3, seconds=0.075)  # it takes the chip 5 ms to see it
    panel.pass_seconds(2.1)
    assert panel.said("3") == "on"


def test_all_keys_at_once_step_all_relays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {str(number): "auto" for number in range(1, 17)}, STBS="26 6")
    panel.board(2).chip.down = {*range(1, 9)}
    panel.press(*range(1, 9))
    panel.board(2).chip.down = set()
    assert panel.digits(1) == panel.digits(2) == [TOP] * 8
    panel.pass_seconds(2.1)
    assert {panel.said(str(number)) for number in range(1, 17)} == {"on"}
    assert panel.house.clashes == 0


def test_only_modes_that_were_changed_are_written(panel: SteppedPanel) -> None:
    before = {path: path.stat().st_mtime_ns for path in panel.lib.iterdir()}
    panel.press(1)
    for _ in range(3):
        panel.press(2)
    panel.press(8)  # there is no relay
    panel.pass_seconds(2.1)
    assert [path.name for path, at in before.items() if path.stat().st_mtime_ns != at] == ["1.mode"]
    assert sorted(path.name for path in panel.lib.iterdir()) == ["1.mode", "2.mode", "3.mode", "4.mode"]


def test_a_mode_that_somebody_else_says_meanwhile_is_not_overwritten(panel: SteppedPanel) -> None:
    panel.press(3)
    panel.press(1)
    (panel.lib / "3.mode").write_text("off for 2h\n")
    panel.tell("3", "off for 2h")
    panel.pass_seconds(0.1)
    assert panel.digits()[2] == BOTTOM
    panel.pass_seconds(3)
    assert (panel.said("3"), panel.said("1")) == ("off for 2h", "off")


def test_nor_is_one_that_is_said_in_the_last_moment(panel: SteppedPanel) -> None:
    panel.press(3)
    panel.pass_seconds(1.7)
    (panel.lib / "3.mode").write_text("off\n")
    panel.pass_unheard(1)
    assert panel.said("3") == "off"


def test_names_take_turns_with_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {}, TEXT="name")
    panel.add("3", "on", "Boiler")
    panel.pass_seconds(6.1)
    assert panel.digits() == [*segments.written("3", 1), TOP, *segments.written("boiler", 6)]
    panel.pass_seconds(2)
    assert panel.digits() == [DARK, DARK, TOP, *[DARK] * 5]
    (panel.settings / "3/NAME").write_text("pump\n")
    panel.pass_seconds(6)
    assert panel.digits()[2:] == segments.written("pump", 6)


def test_a_relay_without_a_name_has_none_and_not_what_its_file_says_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"3": "on"}, TEXT="name")
    (panel.settings / "3/NAME").write_text("\nWhat it switches.\n")
    panel.pass_seconds(6.1)
    assert panel.digits() == [*segments.written("3", 1), TOP, *[DARK] * 6]


def test_watts_take_turns_with_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"1": "auto"}, TEXT="value")
    panel.tell("1", "auto", "on", "1500")
    panel.pass_seconds(6.1)
    assert panel.digits() == [*segments.written("1", 1), DARK, *segments.written("  1500", 6)]


def test_who_presses_a_key_sees_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"1": "auto"}, TEXT="value")
    panel.pass_seconds(7)
    panel.press(1)
    assert panel.digits() == [TOP, *[DARK] * 7]


def test_it_is_as_bright_as_the_hour_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"1": "auto"}, BRIGHTNESS="2 22:00=0 07:00=5")
    seen = []
    for _ in range(3):
        panel.clock.jump(6 * 3600)
        panel.pass_seconds(1.1)
        seen.append(panel.board().chip.brightness)
    assert seen == [5, 0, 0]
    panel.clock.jump(-panel.clock.wall())
    panel.pass_seconds(1.1)
    assert panel.board().chip.brightness == 2  # nobody knows the time


def test_a_relay_that_is_made_or_removed_is_shown_so(panel: SteppedPanel) -> None:
    panel.add("7", "on")
    panel.pass_seconds(0.1)
    assert panel.digits()[6] == TOP
    (panel.settings / "7/NAME").unlink()
    (panel.settings / "7").rmdir()
    panel.pass_seconds(0.1)
    assert panel.digits()[6] == DARK
    assert panel.status.startswith("relays 1, 2, 3, 4 on")


def test_a_relay_of_which_nothing_is_told_has_the_middle_bar_and_no_key(panel: SteppedPanel) -> None:
    for path in panel.run.glob("3.*"):
        path.unlink()
    panel.pass_seconds(0.1)
    assert panel.digits()[2] == MIDDLE
    panel.press(3)
    panel.pass_seconds(3)
    assert panel.said("3") == "auto"


def test_keys_may_have_other_relays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"12": "auto", "1": "auto"}, KEYS="12")
    panel.press(1)
    panel.pass_seconds(2.1)
    assert (panel.said("12"), panel.said("1")) == ("on", "auto")


@pytest.mark.parametrize("wire", ["dio", "clk", "stb"])
def test_a_wire_that_comes_off_is_said_once_and_once_when_it_is_back(
    panel: SteppedPanel, capsys: pytest.CaptureFixture[str], wire: str
) -> None:
    panel.board().handle(["cut", wire])
    panel.pass_seconds(60)
    assert panel.status.endswith("; board 1 at DIO 19, CLK 13, STB 26: the board does not answer")
    panel.tell("3", "on")
    panel.board().handle(["mend", wire])
    panel.pass_seconds(0.6)
    assert panel.digits()[2] == TOP
    panel.pass_seconds(2.5)
    assert panel.status == "relays 1, 2, 3, 4 on a board"
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["board 1 at DIO 19, CLK 13, STB 26: the board does not answer", "board 1: well again"]


def test_a_loose_contact_is_said_once(panel: SteppedPanel, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        panel.board().handle(["cut", "dio"])
        panel.pass_seconds(1)
        panel.board().handle(["mend", "dio"])
        panel.pass_seconds(1)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_what_disturbs_a_wire_for_a_moment_steps_nothing_and_says_nothing(panel: SteppedPanel, capsys: pytest.CaptureFixture[str]) -> None:
    panel.board().handle(["cut", "dio"])
    panel.pass_seconds(0.1)
    panel.board().handle(["mend", "dio"])
    panel.pass_seconds(3)
    assert capsys.readouterr().out == ""
    assert {panel.said(str(number)) for number in range(1, 5)} == {"auto"}


def test_pins_that_go_are_said_and_tried_again_and_what_was_chosen_is_dropped(
    panel: SteppedPanel, capsys: pytest.CaptureFixture[str]
) -> None:
    panel.press(3)
    panel.house.pin(13).function = "input"  # somebody has taken it
    panel.pass_seconds(30)
    assert panel.status.startswith("pin factory Panel: ")
    panel.pass_seconds(33)
    assert panel.status == "relays 1, 2, 3, 4 on a board"
    assert panel.digits()[:3] == [TOP, BOTTOM, DARK]
    panel.pass_seconds(3)
    assert panel.said("3") == "auto"
    assert capsys.readouterr().out.splitlines()[1:] == ["pins: well again"]


def test_a_key_that_is_held_while_a_wire_comes_back_steps_nothing(panel: SteppedPanel) -> None:
    panel.board().handle(["cut", "dio"])
    panel.pass_seconds(2)
    panel.board().chip.down = {3}
    panel.board().handle(["mend", "dio"])
    panel.pass_seconds(5)
    assert panel.said("3") == "auto"


def test_of_two_boards_one_goes_on_without_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {"1": "auto", "9": "auto"}, STBS="26 6")
    panel.board(1).handle(["cut", "stb"])
    panel.pass_seconds(2)
    panel.press(1, board=2)
    panel.pass_seconds(2.1)
    assert panel.said("9") == "on"
    assert "board 1 at DIO 19, CLK 13, STB 26: the board does not answer" in panel.status


def test_a_board_that_lost_its_power_for_a_moment_shows_all_again(panel: SteppedPanel) -> None:
    panel.board().handle(["power", "off"])
    panel.board().handle(["power", "on"])
    panel.pass_seconds(5.5)
    assert panel.digits()[:2] == [TOP, BOTTOM]


def test_who_stops_it_leaves_no_board_that_shows_what_is_not_true_any_more(panel: SteppedPanel) -> None:
    panel.stop()
    assert panel.board().chip.shown.endswith("dark")


def test_what_was_chosen_when_it_is_stopped_is_dropped_and_said(panel: SteppedPanel, capsys: pytest.CaptureFixture[str]) -> None:
    panel.press(3)
    panel.pass_seconds(1)
    panel.stop()
    assert panel.said("3") == "auto"
    assert capsys.readouterr().out.splitlines() == ["relay 3: what its key has chosen is dropped: this service ends"]


def test_without_a_service_relays_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = SteppedPanel(tmp_path, monkeypatch, {})
    (panel.run / "status").unlink()
    panel.pass_seconds(1.1)
    assert panel.status.startswith("no relay yet on a board; there is no service relays here")


def test_a_mode_that_could_not_be_written_is_said_and_no_trouble_that_lasts(panel: SteppedPanel) -> None:
    (panel.lib / "3.mode").unlink()
    panel.press(3)
    panel.pass_seconds(4)
    assert (panel.run.parent / "panel/error").read_text() == "relay 3 is not told on: No such file or directory\n"
    assert panel.status == "relays 1, 2, 3, 4 on a board"
    assert panel.digits()[2] == DARK


def test_a_mode_that_cannot_be_written_is_said(panel: SteppedPanel, capsys: pytest.CaptureFixture[str]) -> None:
    panel.press(3)
    (panel.lib / "3.mode").unlink()
    (panel.lib / "1.mode").unlink()
    panel.press(1)
    panel.pass_seconds(4)
    assert "relay 3 has another mode meanwhile" in capsys.readouterr().out
    assert panel.digits()[0] == TOP
