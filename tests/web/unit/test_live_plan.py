"""What is told of the values, and what a listener gets who does not keep up."""

from pimains.web.plan.live import LONGEST, VALUES_MAX, WAITING_BYTES_MAX, Table, Value, Waiting, is_name, line, written_at


def test_what_changed_is_told_once_with_its_age_and_what_is_gone_as_null() -> None:
    table = Table()
    table.put("relays/3.state", "on", 100.0)
    table.put("ups/status", "on battery", None)
    assert table.news(100.24, 5.0) == {
        "at": 5.0,
        "values": {"relays/3.state": {"v": "on", "age": 0.2}, "ups/status": {"v": "on battery", "age": None}},
    }
    assert table.news(101.0, 6.0) is None
    table.put("relays/3.state", "on", 100.0)
    assert table.news(101.0, 6.0) is None, "nobody wrote it"
    table.put("relays/3.state", "on", 101.0)
    assert table.news(101.0, 6.0) == {"at": 6.0, "values": {"relays/3.state": {"v": "on", "age": 0.0}}}, "the same, and younger"
    table.drop("ups/status")
    table.drop("nobody/knows")
    assert table.news(102.0, 7.0) == {"at": 7.0, "values": {"ups/status": {"v": None}}}
    assert table.everything(102.0, 7.0) == {"at": 7.0, "all": True, "values": {"relays/3.state": {"v": "on", "age": 1.0}}}


def test_a_value_knows_whether_the_service_that_left_it_is_up() -> None:
    table = Table()
    table.put("meter/power", "230", 90.0)
    table.put("meter2/power", "20", None)
    table.put("meter/alive", "1", 10.0)
    assert table.values("meter/p", 100.0) == {"meter/power": Value("230", 10.0, True)}
    assert table.values("meter2/", 100.0) == {"meter2/power": Value("20", None, False)}


def test_more_values_than_a_house_can_have_are_left_out() -> None:
    table = Table()
    for number in range(VALUES_MAX + 10):
        table.put(f"rules/{number}", "x", None)
    assert len(table.names()) == VALUES_MAX
    table.put("rules/0", "y", None)
    assert table.values("rules/0", 0.0)["rules/0"].text == "y"


def test_who_does_not_keep_up_gets_everything_in_place_of_what_he_lost_and_never_more() -> None:
    waiting = Waiting()
    assert waiting
    waiting.put(b"before he was told anything")
    assert waiting.take() is None
    assert not waiting
    waiting.put(b"a")
    waiting.put(b"b")
    assert waiting.take() == b"ab"
    for _ in range(WAITING_BYTES_MAX // 100):
        waiting.put(b"x" * 100)
    waiting.put(b"one too many".ljust(100))
    assert waiting
    assert waiting.take() is None
    waiting.put(b"x" * 2 * WAITING_BYTES_MAX)
    assert waiting.take() == b"x" * 2 * WAITING_BYTES_MAX, "one alone, however long, is no sign that he is slow"
    waiting.put(b"c")
    assert waiting.take() == b"c"


def test_files_that_are_no_values_are_told_by_their_names() -> None:
    assert is_name("3.state") and is_name("Größe_1") and is_name("known.eaton@nas")
    assert not any(is_name(name) for name in ("", ".hidden", "alive", "a\nb", "\udcff", "x" * 101))


def test_a_value_is_one_line_of_no_more_than_300_characters() -> None:
    assert line("two\nlines\x1b[2J \u2028here") == "two lines [2J here"
    assert len(line("ä" * 1000)) == LONGEST
    assert line("ä" * 1000).endswith("ä…")


def test_the_age_of_a_file_is_counted_from_its_time_unless_the_clock_was_set_since() -> None:
    assert written_at(now=1000.0, wall=50_000.0, mtime=49_990.0, noticed_after=None) == 990.0
    assert written_at(now=1000.0, wall=50_000.0, mtime=50_500.0, noticed_after=None) is None, "set back since: it may be from ever"
    assert written_at(now=1000.0, wall=50_000.0, mtime=50_001.0, noticed_after=None) == 1000.0, "the clock is slewed"
    assert written_at(now=1000.0, wall=90_000.0, mtime=49_990.0, noticed_after=None) is None, "older than the boot: set since"
    assert written_at(now=1000.0, wall=90_000.0, mtime=49_990.0, noticed_after=999.5) == 999.5, "it changed under our eyes"
    assert written_at(now=1000.0, wall=50_000.0, mtime=49_999.5, noticed_after=995.0) == 999.5
