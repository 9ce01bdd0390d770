"""What a rule is given: each by its name, the same whenever the same is given."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pimains.rules.plan.given import KEEP, OFF, ON, Answer, Given, Nonsense, NotKnown, Now, RelayView, Sun, answered
from pimains.shared.relays.plan.board import Board
from pimains.shared.relays.plan.guards import Now as BoardNow
from pimains.shared.relays.plan.modes import Mode
from pimains.shared.relays.plan.relay import Limits, Relay, Wish
from pimains.shared.relays.plan.runs import Run, Runs

HOUR = 3600.0
NOON = datetime(2026, 6, 24, 12, 30, tzinfo=UTC).timestamp()  # a Wednesday
TIME = 1_000_000.0
BERLIN = ZoneInfo("Europe/Berlin")


def given(*runs: Run, wall: float | None = NOON, now: Now | None = None) -> Given:
    """Relay 3, which has run like that, at noon."""
    made = Given(600.0, now or Now(UTC))
    relay = Relay("3", Limits(name="boiler", watts=2000, priority=7, min_on=300), Runs(TIME - 50_000, list(runs)))
    if runs and runs[-1].end is not None:
        relay.runs.opened_at = runs[-1].end
    made.relays.put(RelayView(relay, made.moment, made.data))
    made.at(TIME, wall)
    return made


def boiler(*runs: Run, wall: float | None = NOON) -> RelayView:
    return given(*runs, wall=wall).relays[3]


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        ((ON, "sun"), Answer(ON, "sun")),
        ((OFF, "no sun"), Answer(OFF, "no sun")),
        (KEEP, Answer(KEEP, "")),
        ((KEEP, "why not"), Answer(KEEP, "why not")),
        ((ON, "two\nlines"), Answer(ON, "two lines")),
        ((ON, "x" * 300), Answer(ON, "x" * 199 + "…")),
    ],
)
def test_an_answer_is_a_word_and_why(returned: object, answer: Answer) -> None:
    assert answered(returned) == answer


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "it returned nothing (None), and not"),
        (True, "it returned True, and not"),
        (ON, "it returned 'on', and not (ON, why)"),
        ((ON, ""), "it returned ON without a reason"),
        ((ON, 5), "it returned ON without a reason"),
        ((ON, " \ud800\n"), "it returned ON without a reason"),
        ((1, "why"), "it returned 1, which is not ON, OFF or KEEP"),
        ((ON, "a", "b"), "it returned ('on', 'a', 'b'), and not"),
        ([], "it returned a list, and not"),
        ("x" * 10_000, "it returned 'xxx"),
    ],
)
def test_anything_else_is_nonsense_and_said_in_one_line(returned: object, what: str) -> None:
    with pytest.raises(Nonsense) as nonsense:
        answered(returned)
    assert str(nonsense.value).startswith(what)
    assert len(str(nonsense.value)) < 130


def test_a_value_has_its_age_and_is_a_number_or_words() -> None:
    data = given().data
    data.put("bmv/SOC", 89.5, TIME - 20)
    data.put("mppt/CS.words", "float", TIME)
    assert data["bmv/SOC"] == 89.5
    assert data["bmv/SOC"] + 1 == 90.5
    assert data["bmv/SOC"].age == 20
    assert data["mppt/CS.words"] == "float"
    assert data["mppt/CS.words"].age == 0
    assert data.asked == {"bmv/SOC", "mppt/CS.words"}


def test_a_value_that_is_not_there_or_too_old_is_not_known_unless_the_rule_asks_get() -> None:
    data = given().data
    data.put("bmv/SOC", 89.5, TIME - 601)
    data.put("bmv/V", None, TIME)
    for name, why in (("bmv/SOC", "its last value is 10 min old"), ("bmv/V", "nobody tells it"), ("x/y", "there is no such value")):
        with pytest.raises(NotKnown) as unknown:
            data[name]
        assert str(unknown.value) == f"{name} is not known: {why}"
        assert data.get(name) is None
        assert data.get(name, 7) == 7
        assert name not in data
    assert data.asked == {"bmv/SOC", "bmv/V", "x/y"}


def test_the_same_value_said_again_is_fresh() -> None:
    data = given().data
    data.put("bmv/SOC", 89.5, TIME - 700)
    data.put("bmv/SOC", 89.5, TIME - 5)
    assert data["bmv/SOC"].age == 5


def test_ppvt_is_what_all_chargers_give_and_conso_what_of_it_the_batteries_do_not_take() -> None:
    data = given().data
    data.put("roof/PPV", 300.0, TIME - 3)
    data.put("barn/PPV", 200.0, TIME - 1)
    data.put("bmv/P", -100.0, TIME - 9)
    assert data["PPVT"] == 500
    assert data["PPVT"].age == 3
    assert data["CONSO"] == 600
    assert data["CONSO"].age == 9


def test_a_sum_is_not_known_when_one_part_is_not_known() -> None:
    data = given().data
    for name in ("PPVT", "CONSO"):
        with pytest.raises(NotKnown, match="no instance tells PPV"):
            data[name]
    data.put("roof/PPV", 300.0, TIME)
    with pytest.raises(NotKnown, match="CONSO is not known: no instance tells P"):
        data["CONSO"]
    data.put("barn/PPV", 200.0, TIME - 700)
    with pytest.raises(NotKnown, match="PPVT is not known: barn/PPV: its last value is 11 min old"):
        data["PPVT"]
    data.put("barn/PPV", None, TIME)
    assert "PPVT" not in data
    data.forget("barn/PPV")
    assert data["PPVT"] == 300
    data.put("barn/PPV", "---", TIME)
    assert data.get("PPVT", 0.0) == 0.0


def test_a_charger_counts_as_floating_for_so_long_after_it_has_left_float() -> None:
    made = given()
    relay, data = made.relays[3], made.data
    with pytest.raises(NotKnown, match="no charger tells it"):
        relay.floating()
    data.put("mppt/CS", 5.0, TIME - 300)
    assert relay.floating()
    assert relay.floating(within=0)
    data.put("mppt/CS", 3.0, TIME - 50)
    assert not relay.floating(within=0)
    assert not relay.floating(within=50)
    assert relay.floating(within=51)
    assert relay.absorbing_or_floating()
    made.at(TIME + 10, NOON)
    assert not relay.floating()


def test_absorption_is_no_float_and_each_lasts_by_itself() -> None:
    made = given()
    relay, data = made.relays[3], made.data
    data.put("mppt/CS", 5.0, TIME - 100)
    data.put("mppt/CS", 4.0, TIME - 50)
    data.put("mppt/CS", 3.0, TIME - 10)
    assert relay.floating(within=51)
    assert not relay.floating(within=50)
    assert relay.absorbing_or_floating(within=11)
    assert not relay.absorbing_or_floating(within=10)


def test_one_charger_of_two_is_enough_and_a_silent_one_makes_lost() -> None:
    made = given()
    made.data.put("roof/CS", 3.0, TIME)
    made.data.put("barn/CS", 5.0, TIME)
    assert made.relays[3].floating()
    made.data.put("barn/CS", None, TIME)
    with pytest.raises(NotKnown, match="barn/CS"):
        made.relays[3].floating()
    assert made.data.asked == {"*/CS"}


def test_a_relay_tells_what_it_is_and_since_when() -> None:
    relay = boiler(Run(TIME - 3000, TIME - 2000), Run(TIME - 100))
    assert (relay.number, relay.name, relay.watts, relay.priority, relay.min_on) == (3, "boiler", 2000, 7, 300)
    assert (relay.on, relay.on_for, relay.off_for) == (True, 100, None)
    assert (relay.last_on, relay.last_off) == (100, 2000)
    assert relay.mode == "auto"
    relay = boiler(Run(TIME - 3000, TIME - 2000))
    assert (relay.on, relay.on_for, relay.off_for) == (False, None, 2000)
    assert (relay.last_on, relay.last_off) == (3000, 2000)


def test_of_a_relay_that_never_was_on_there_is_none_of_it() -> None:
    relay = boiler()
    assert (relay.on, relay.on_for, relay.last_on, relay.last_off, relay.last_on_by_rule) == (False, None, None, None, None)
    assert relay.off_for == 50_000
    assert not relay.on_today()
    assert not relay.switched_off_today()
    assert relay.seconds_on_today() == 0


@pytest.mark.parametrize(
    ("begin", "end", "day", "came_on", "went_off", "seconds"),
    [
        (13 * HOUR, 12 * HOUR, "calendar", False, True, 0.5 * HOUR),  # from 23:30 to 0:30
        (13 * HOUR, 12 * HOUR, "24h", True, True, HOUR),
        (13 * HOUR, 11.5 * HOUR, "12h", False, True, 0.5 * HOUR),
        (3 * HOUR, 2 * HOUR, "calendar", True, True, HOUR),
        (3 * HOUR, None, "calendar", True, False, 3 * HOUR),
        (20 * HOUR, 19 * HOUR, "calendar", False, False, 0),
        (20 * HOUR, 19 * HOUR, "12h", False, False, 0),
        (20 * HOUR, 19 * HOUR, "24h", True, True, HOUR),
    ],
)
def test_a_day_is_the_calendars_or_the_last_hours(
    begin: float, end: float | None, day: str, came_on: bool, went_off: bool, seconds: float
) -> None:
    relay = boiler(Run(TIME - begin, None if end is None else TIME - end))
    assert (relay.on_today(day), relay.switched_off_today(day), relay.seconds_on_today(day)) == (came_on, went_off, seconds)


def test_without_a_clock_there_is_no_calendar_day_and_hours_go_on() -> None:
    relay = boiler(Run(TIME - 3000, TIME - 2000), wall=None)
    with pytest.raises(NotKnown, match="the clock was not set yet"):
        relay.on_today()
    assert relay.on_today("12h")
    with pytest.raises(ValueError, match="is none of"):
        relay.on_today("week")


def test_who_switched_it_on_is_told_apart() -> None:
    board = Board(stagger=0)
    relay = board.relays["3"] = Relay("3", Limits(), Runs(TIME - 50_000))
    made = Given(600)
    view = RelayView(relay, made.moment, made.data)
    relay.mode = Mode("on")
    for switch in board.decide(BoardNow(TIME, NOON)).switches:
        board.switched(switch, TIME)
    made.at(TIME + 10, NOON)
    assert (view.on, view.mode, view.last_on, view.last_on_by_rule) == (True, "on", 10, None)
    relay.mode = Mode("off")
    for switch in board.decide(BoardNow(TIME + 20, NOON)).switches:
        board.switched(switch, TIME + 20)
    relay.mode = Mode("auto")
    relay.ask(Wish(True, "sun", TIME + 30), TIME + 30)
    for switch in board.decide(BoardNow(TIME + 30, NOON)).switches:
        board.switched(switch, TIME + 30)
    made.at(TIME + 40, NOON)
    assert view.last_on_by_rule == 10
    again = Relay("3", Limits(), Runs(0))
    again.recall(relay.kept())
    assert again.closed_by_rule_at == TIME + 30


def test_what_began_yesterday_is_no_start_of_today() -> None:
    relay = boiler(Run(TIME - 14 * HOUR, TIME - 12 * HOUR), Run(TIME - 5 * HOUR, TIME - 4 * HOUR), Run(TIME - HOUR))
    assert (relay.starts_today(), relay.starts_today("12h"), relay.starts_today("24h")) == (2, 2, 3)


def test_a_relay_that_there_is_not_is_not_known() -> None:
    relays = given().relays
    assert 3 in relays
    assert [each.number for each in relays] == [3]
    assert relays.get(4) is None
    with pytest.raises(NotKnown, match=r"relays\[4\] is not known: there is no such relay"):
        relays[4]


def test_now_is_what_the_clock_shows() -> None:
    now = given().moment.now
    assert now is not None
    assert (now.hour, now.minute, now.weekday, now.day, now.month, now.year, now.yearday) == (12, 30, 3, 24, 6, 2026, 175)
    assert now.minutes == 750


def test_now_is_none_while_the_clock_was_not_set() -> None:
    assert given(wall=None).moment.now is None


@pytest.mark.parametrize(
    ("moment", "shows", "old"),
    [
        (datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN), 3 * 60 + 30, 2.5 * HOUR),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), 2 * 60 + 30, 3.5 * HOUR),
        (datetime(2026, 10, 25, 23, 59, tzinfo=BERLIN), 23 * 60 + 59, 25 * HOUR - 60),
    ],
)
def test_a_day_when_clocks_are_set_is_shorter_or_longer_than_its_clock_shows(moment: datetime, shows: float, old: float) -> None:
    now = Now(BERLIN)
    now.at(moment.timestamp())
    assert (now.minutes, now.seconds_since_midnight, now.day) == (shows, old, moment.day)


@pytest.mark.parametrize(
    ("sun", "minutes", "is_day"),
    [
        (Sun(300, 1200, True), 750, True),
        (Sun(800, 1200, False), 750, False),
        (Sun(None, None, True), 750, True),
        (Sun(None, None, False), 750, False),
        (Sun(10, None, True), 750, True),
        (Sun(None, 20, False), 750, False),
        (Sun(90, 20, True), 750, True),
    ],
)
def test_it_is_day_between_sunrise_and_sunset_and_on_polar_days(sun: Sun, minutes: float, is_day: bool) -> None:
    days = []

    def sun_of(begin: float, end: float) -> Sun:
        days.append((begin, end))
        return sun

    now = Now(UTC, sun_of)
    now.at(NOON)
    assert now.minutes == minutes
    assert (now.sunrise, now.sunset, now.is_day) == (sun.sunrise, sun.sunset, is_day)
    now.at(NOON + HOUR)
    assert now.sunrise == sun.sunrise
    assert days == [(NOON - 12.5 * HOUR, NOON + 11.5 * HOUR)]


def test_sunrise_is_not_known_where_nobody_has_said_where_the_house_is() -> None:
    now = given().moment.now
    with pytest.raises(NotKnown, match="the sun is not known: LATITUDE and LONGITUDE are not set"):
        _ = now and now.sunrise


def test_a_timer_runs_and_is_over_and_no_other_relay_sees_it() -> None:
    made = given()
    other = RelayView(Relay("4", Limits(), Runs(0)), made.moment, made.data)
    timer = made.relays[3].timer("rest")
    assert (timer.running, timer.over, timer.seconds) == (False, False, None)
    timer.start(100)
    assert made.relays[3].timers.has_changed
    made.at(TIME + 99, NOON)
    assert (timer.running, timer.over, timer.seconds) == (True, False, 99)
    assert other.timer("rest").seconds is None
    made.at(TIME + 100, NOON)
    assert (timer.running, timer.over) == (False, True)
    timer.stop()
    assert (timer.running, timer.over) == (False, False)


def test_how_long_a_condition_has_held_begins_anew_when_it_does_not() -> None:
    made = given()
    relay = made.relays[3]
    assert relay.held("sun", True) == 0
    made.at(TIME + 60, NOON)
    assert relay.held("sun", True) == 60
    assert relay.held("sun", False) == 0
    made.at(TIME + 90, NOON)
    assert relay.held("sun", True) == 0


def test_a_rule_sees_the_names_of_its_module() -> None:
    made = given()
    made.hosts = {"pc": True, "tv": None}
    made.files = frozenset({"party"})
    names = made.names()
    source = """
def rule(relay, data, relays, now):
    timer("t").start(5)
    if answers("pc") and present("party") and held("x", True) == 0:
        return ON, f"relay {relay.number}, {data['bmv/SOC']:g} %"
"""
    exec(compile(source, "3.py", "exec"), names)
    made.data.put("bmv/SOC", 80.0, TIME)
    rule = names["rule"]
    assert callable(rule)
    assert made.ask(rule, 3) == Answer(ON, "relay 3, 80 %")
    for text, why in (
        ("answers('tv')", "nothing has come of asking it yet"),
        ("answers('nas')", "it is none of HOSTS"),
    ):
        with pytest.raises(NotKnown, match=why):
            eval(text, names)
    made.files = None
    with pytest.raises(NotKnown, match="RULES_FILES is not there"):
        eval("present('party')", names)


def test_a_timer_is_asked_for_within_the_rule() -> None:
    with pytest.raises(NotKnown, match="within the function rule"):
        exec("timer('x')", given().names())


@pytest.mark.parametrize(("month", "day", "sunrise"), [(3, 28, 353.0), (3, 29, 413.0), (10, 24, 353.0), (10, 25, 293.0)])
def test_the_sun_rises_by_the_clock_also_on_the_days_when_clocks_are_set(month: int, day: int, sunrise: float) -> None:
    """353 minutes of every such day have passed then."""
    now = Now(BERLIN, lambda _begin, _end: Sun(353.0, 1020.0, True))
    before, after = (datetime(2026, month, day, int(at // 60), int(at % 60), tzinfo=BERLIN) for at in (sunrise - 1, sunrise + 1))
    now.at(before.timestamp())
    assert (now.sunrise, now.is_day) == (sunrise, False)
    now.at(after.timestamp())
    assert now.is_day
