"""What ups.status says: every row of the table, every combination of its words, and every event on its edge."""

import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.ups.plan.standing import Limits, Standing, after_sleep, look, slept
from pimains.ups.plan.status import Line, words_of

NOTHING_USED = Limits()
WORDS = [
    *["OL", "OB", "LB", "FSD", "RB", "CAL", "BYPASS", "OFF", "OVER", "TRIM", "BOOST", "CHRG", "DISCHRG", "HB", "ALARM", "ECO", "WAIT"],
    *["TEST", "TIP", "SD", "BY", "DEPLETED", "ACFAIL", "OVERHEAT", "COMMFAULT", "HE", "SELFTEST"],
]
COMBINATIONS = [" ".join(words) for count in (1, 2, 3) for words in itertools.combinations(WORDS, count)]


def after(*statuses: str | None, limits: Limits = NOTHING_USED, seconds: float = 1.0) -> tuple[Standing, list[tuple[str, ...]]]:
    """How a UPS stands that was looked at once a second, and what was told at each look."""
    standing, told = Standing(), []
    for index, status in enumerate(statuses):
        standing, events = look(standing, None if status is None else {"ups.status": status}, 1000.0 + index * seconds, limits)
        told.append(events)
    return standing, told


def events(*statuses: str | None, limits: Limits = NOTHING_USED, seconds: float = 1.0) -> list[tuple[str, ...]]:
    return after(*statuses, limits=limits, seconds=seconds)[1]


def orders(status: str) -> Iterator[str]:
    """The same words in any order, in any case, and some of them twice."""
    for words in itertools.permutations(status.split()):
        yield " ".join(words)
        yield " ".join(words).lower()
        yield " ".join([*words, words[0]])


@pytest.mark.parametrize(
    ("statuses", "line", "critical"),
    [
        ("OL, OL CHRG, OL HB, TRIM OL, BOOST", Line.ON_LINE, False),
        ("OL LB, OL LB RB, OL CHRG LB", Line.ON_LINE, False),
        ("OL OB, OL OB LB, OL DISCHRG OB", Line.ON_LINE, False),
        ("OL OFF, OL DISCHRG, OL ECO, OL OVER, OL ALARM", Line.ON_LINE, False),
        ("OFF", Line.OFF, False),
        ("OB OFF, OB OFF OB", Line.ON_BATTERY, False),
        ("ALARM, RB, CHRG, TEST", Line.UNKNOWN, False),
        ("LB", Line.UNKNOWN, False),
        ("OB, OB DISCHRG, ALARM OB", Line.ON_BATTERY, False),
        ("OB LB, OB LB RB, ALARM OB DISCHRG LB, OB OFF LB", Line.ON_BATTERY, True),
        ("OB CAL, OB LB CAL, OL CAL", Line.CALIBRATING, False),
        ("OB BYPASS, OL BYPASS, BYPASS BOOST, OB LB BYPASS", Line.BYPASS, False),
        ("FSD OL", Line.ON_LINE, False),
        ("FSD OB, FSD OB LB, FSD OB DISCHRG", Line.ON_BATTERY, True),
    ],
)
def test_each_row_of_the_table_is_judged_as_it_says_at_first_sight(statuses: str, line: Line, critical: bool) -> None:
    for status in statuses.split(", "):
        for said in orders(status):
            standing, _ = after(said)
            assert (said, standing.line, standing.is_critical) == (said, line, critical)


@pytest.mark.parametrize("before", [None, "OL", "OB", "OL FSD", "OB CAL"])
def test_every_combination_of_up_to_three_words_is_critical_only_on_battery_and_low_or_by_an_fsd_that_began(before: str | None) -> None:
    statuses = [] if before is None else [before]
    was_without_fsd = before is not None and "FSD" not in before
    assert len(COMBINATIONS) == 27 + 351 + 2925
    for combination in COMBINATIONS:
        words = set(combination.split())
        low = {"OB", "LB"} <= words and not words & {"OL", "CAL", "BYPASS"}
        forced = "FSD" in words and (was_without_fsd or ("OB" in words and "OL" not in words))
        is_waiting = "WAIT" in words and not words & {"OL", "OB"}
        standing, _ = after(*statuses, combination)
        assert (combination, standing.is_critical) == (combination, not is_waiting and (low or forced))


def test_without_ob_and_without_fsd_nothing_is_ever_critical() -> None:
    """Not even with the thresholds at their highest."""
    everything = Limits(charge_low=100, runtime_low=86399)
    critical = 0
    for combination in COMBINATIONS:
        if not {"OB", "FSD"} & set(combination.split()):
            variables = {"ups.status": combination, "battery.charge": "1", "battery.runtime": "1"}
            standing, _ = look(after("OL")[0], variables, 2000.0, everything)
            critical += standing.is_critical
    assert critical == 0


@given(st.lists(st.text(max_size=40) | st.sampled_from(WORDS).map(lambda word: f" {word} "), max_size=30).map("".join))
def test_whatever_else_a_driver_says_is_shown_and_never_acted_on(status: str) -> None:
    standing, _ = after("OL", status)
    words = words_of(status)
    is_low = {"OB", "LB"} <= words and not words & {"OL", "CAL", "BYPASS"}
    is_waiting = "WAIT" in words and not words & {"OL", "OB"}
    assert standing.is_critical == (not is_waiting and ("FSD" in words or is_low))
    assert all(len(word) <= 32 for word in standing.unknown_words)
    assert len(standing.unknown_words) <= 16


def test_known_words_are_found_in_a_flood_of_others() -> None:
    standing, _ = after(" ".join([*(f"X{number}" for number in range(100_000)), "OB", "LB"]))
    assert standing.is_critical
    assert len(standing.words) == 18


def test_what_has_just_connected_changes_nothing() -> None:
    assert events("OB LB", "WAIT", "FSD WAIT", "OB LB") == [("ONBATT", "LOWBATT"), (), (), ()]
    assert after("OB LB", "WAIT")[0].is_critical
    assert after("WAIT")[0] == Standing()
    assert events("WAIT", "OL") == [(), ()]
    assert after("OL", None, "WAIT")[0].lost_at == 1001.0  # the clock of lost data goes on
    assert not after("FSD OL", "WAIT", "FSD OL")[0].is_critical  # it was not gone meanwhile


@pytest.mark.parametrize("nothing", [None, "", " \t "])
def test_no_data_keeps_how_it_stood_and_starts_the_clock_of_lost_data(nothing: str | None) -> None:
    standing, told = after("OB", nothing, nothing)
    assert (standing.line, standing.lost_at, standing.fresh_at) == (Line.ON_BATTERY, 1001.0, 1000.0)
    assert told == [("ONBATT",), ("COMMBAD",), ()]
    assert not after("OL", nothing)[0].is_critical
    assert after("OB LB", nothing)[0].is_critical


def test_an_fsd_that_stands_since_before_this_machine_came_up_is_told_once_and_believed_once_it_was_gone() -> None:
    assert events("FSD OL", "OL FSD", "OL", "FSD OL", "FSD OL") == [("FSD_STANDING",), (), (), ("FSD",), ()]
    assert [after(*["FSD OL"] * count)[0].is_critical for count in (1, 2, 9)] == [False] * 3
    assert after("FSD OL", "OL", "FSD OL")[0].is_critical
    assert after("OL", "FSD")[0].is_critical
    assert not after("FSD")[0].is_critical


def test_an_fsd_beside_a_power_cut_is_believed_at_first_sight_and_as_long_as_it_stands() -> None:
    assert events("FSD OB", "FSD OL") == [("ONBATT", "FSD"), ("ONLINE",)]
    assert after("FSD OB", "FSD OL")[0].is_critical
    assert events("FSD OL", "FSD OB") == [("FSD_STANDING",), ("ONBATT", "FSD")]
    assert not after("FSD OB", "OL")[0].is_critical


def test_what_was_seen_of_an_fsd_outlives_the_service() -> None:
    standing, told = look(Standing(was_without_fsd=True), {"ups.status": "FSD OL"}, 5.0, NOTHING_USED)
    assert standing.is_critical
    assert told == ("FSD",)
    assert after("OL")[0].was_without_fsd
    assert not after("FSD OL")[0].was_without_fsd


@pytest.mark.parametrize(
    ("before", "status", "event"),
    [
        ("OL", "OB", "ONBATT"),
        ("OB", "OL", "ONLINE"),
        ("OB", "OB LB", "LOWBATT"),
        ("OL", "FSD OL", "FSD"),
        ("OL", None, "COMMBAD"),
        (None, "OL", "COMMOK"),
        ("OL", "OL RB", "REPLBATT"),
        *[(was, now, f"{no}{word}") for word in ("CAL", "BYPASS", "ECO", "ALARM", "OVER", "TRIM", "BOOST") for was, now, no in
          (("OL", f"OL {word}", ""), (f"OL {word}", "OL", "NOT"))],
        ("OL", "OL SELFTEST", "OTHER"),
        ("OL SELFTEST", "OL", "NOTOTHER"),
    ],
)  # fmt: skip
def test_each_event_is_told_on_its_edge_once(before: str | None, status: str | None, event: str) -> None:
    first, *told = events(before, status, status, status)
    assert told == [(event,), (), ()]
    assert event not in first


def test_nothing_well_is_told_at_first_sight_and_what_is_not_well_once() -> None:
    assert events("OL", "OL") == [(), ()]
    assert events("OL ECO CHRG HB", "OL ECO") == [(), ()]
    assert events(None, None, "OL") == [("COMMBAD",), (), ("COMMOK",)]
    assert events("OB LB RB CAL", "OB LB RB CAL") == [("CAL", "REPLBATT"), ()]
    assert events("OB LB ALARM TEST", "OB ALARM LB TEST") == [("ONBATT", "LOWBATT", "ALARM", "OTHER"), ()]


def test_low_is_not_told_on_line() -> None:
    assert events("OL LB RB", "OL", "OL LB RB") == [("REPLBATT",), (), ()]
    assert events("OL LB", "OB LB", "OL LB") == [(), ("ONBATT", "LOWBATT"), ("ONLINE",)]


def test_a_battery_to_replace_is_told_again_after_twelve_hours_however_often_the_word_flashes() -> None:
    """Scenario 5: a flash of LB and RB on mains, several times a day."""
    hours = [*["OL LB RB", "OL"] * 12, "OL RB"]  # each of half an hour
    told = events(*hours, seconds=1800)
    assert [index for index, each in enumerate(told) if each] == [0, 24]
    assert {event for each in told for event in each} == {"REPLBATT"}
    assert [bool(each) for each in events("OL RB", "OL RB", seconds=43199)] == [True, False]


def test_off_is_told_when_it_has_lasted_and_on_battery_it_stays_on_battery() -> None:
    """Scenario 4: OB and OFF together, for ten minutes."""
    standing, told = after("OL", *["OB OFF OB"] * 600)
    assert [index for index, each in enumerate(told) if "OFF" in each] == [31]
    assert sum(map(len, told)) == 2
    assert (standing.line, standing.is_critical, standing.is_off) == (Line.ON_BATTERY, False, True)
    assert events(*["OL OFF"] * 29, "OL") == [()] * 30
    assert events("OFF", "OFF", "OFF", "OL", limits=Limits(off_seconds=2)) == [(), (), ("OFF",), ("NOTOFF",)]


def test_lost_contact_is_told_again_every_five_minutes() -> None:
    told = events("OL", *[None] * 1000)
    assert {index: each for index, each in enumerate(told) if each} == {
        1: ("COMMBAD",), 301: ("NOCOMM",), 601: ("NOCOMM",), 901: ("NOCOMM",)
    }  # fmt: skip


def test_a_word_that_nobody_knows_is_told_once_and_another_one_again() -> None:
    assert events("OL HE", "OL", "OL HE", "OL HE SD", "OL SD", "OL") == [("OTHER",), ("NOTOTHER",), (), ("OTHER",), (), ("NOTOTHER",)]
    flood = events(*[f"OL X{number}" for number in range(1000)])
    assert sum("OTHER" in each for each in flood) == 64


def test_on_line_again_is_told_after_a_bypass_too() -> None:
    assert events("OB", "OB BYPASS", "OL") == [("ONBATT",), ("BYPASS",), ("ONLINE", "NOTBYPASS")]


def numbers(*pairs: Sequence[str], status: str = "OB", limits: Limits = NOTHING_USED, seconds: float = 1.0) -> Standing:
    """After looks at these charges and runtimes, on battery but for the first."""
    standing, _ = after("OL")
    for index, (charge, runtime) in enumerate(pairs):
        variables = {"ups.status": "OL" if index == 0 else status, "battery.charge": charge, "battery.runtime": runtime}
        standing, _ = look(standing, variables, 2000.0 + index * seconds, limits)
    return standing


@pytest.mark.parametrize(
    ("charge", "believed"),
    [("0", None), ("1", 1), ("100", 100), ("97.5", 97.5), ("101", None), ("-1", None), ("", None), ("1e2", None), ("n/a", None)],
)
def test_a_charge_counts_from_0_to_100(charge: str, believed: float | None) -> None:
    assert numbers((charge, "")).numbers.charge == believed


@pytest.mark.parametrize(
    ("runtime", "believed"),
    [
        ("1", 1),
        ("86399", 86399),
        ("86400", None),
        ("0", None),
        ("12.5", None),
        ("-5", None),
        ("1 h", None),
        ("4294967295", None),
        ("٣", None),
    ],
)
def test_a_runtime_counts_as_plain_digits_below_a_day(runtime: str, believed: float | None) -> None:
    assert numbers(("100", ""), ("100", runtime)).numbers.runtime == believed


def test_a_runtime_of_0_counts_only_if_it_was_above_that_in_this_outage() -> None:
    low = Limits(runtime_low=300)
    assert not numbers(("100", "900"), ("100", "0"), ("99", "0"), limits=low).is_critical
    assert numbers(("100", "0"), ("100", "600"), ("99", "0"), limits=low).is_critical


def test_what_is_0_while_on_line_is_no_threshold_and_neither_is_it_on_battery() -> None:
    limits = Limits(charge_low=50, runtime_low=300)
    assert not numbers(("0", "0"), ("0", "0"), ("0", "0"), limits=limits).is_critical
    assert numbers(("0", "0"), ("60", "0"), ("49", "0"), limits=limits).is_critical


def test_thresholds_act_on_battery_only_and_with_lb_ignored_they_alone_do() -> None:
    limits = Limits(ignore_lb=True, charge_low=30, runtime_low=300)
    assert not numbers(("20", "100"), ("20", "100"), status="OL", limits=limits).is_critical
    assert not numbers(("31", "301"), ("31", "301"), status="OB LB", limits=limits).is_critical
    assert numbers(("31", "301"), ("30", "301"), limits=limits).why_low == "its charge is 30 %, CHARGE_LOW_PERCENT is 30 %"
    assert numbers(("31", "301"), ("31", "300"), limits=limits).why_low == "its battery lasts for 300 s more, RUNTIME_LOW_SECONDS is 300 s"


def test_a_charge_that_falls_at_once_acts_when_it_was_seen_again_two_seconds_later_and_lb_acts_at_once() -> None:
    limits = Limits(charge_low=30, runtime_low=300)
    fallen = [("100", "900"), ("99", "900"), ("20", "30")]
    assert not numbers(*fallen, limits=limits).is_critical
    assert not numbers(*fallen, ("20", "30"), limits=limits).is_critical
    assert numbers(*fallen, ("20", "30"), ("20", "30"), limits=limits).is_critical
    assert not numbers(*fallen, ("98", "900"), ("20", "30"), ("97", "900"), limits=limits).is_critical
    assert numbers(*fallen, limits=limits, status="OB LB").is_critical
    assert numbers(*fallen).numbers.charge == 99
    assert numbers(("31", "900"), ("1", "900"), limits=limits).is_critical  # 30 points are no such fall


def test_what_was_read_before_a_sleep_decides_nothing() -> None:
    assert slept(10.0, 10.0, 11.0, 71.0)
    assert not slept(10.0, 500.0, 11.0, 501.5)
    standing, _ = after("OB LB")
    assert standing.is_critical
    woken, told = after_sleep(standing, 9000.0)
    assert told == ("SUSPEND_STARTING", "SUSPEND_FINISHED")
    assert not woken.is_critical
    assert not look(woken, None, 9001.0, NOTHING_USED)[0].is_critical
    assert look(woken, {"ups.status": "OL"}, 9001.0, NOTHING_USED)[1] == ("ONLINE",)
    assert look(woken, {"ups.status": "OB LB"}, 9001.0, NOTHING_USED)[0].is_critical


def test_an_fsd_that_was_seen_before_a_sleep_is_seen_again_before_it_counts() -> None:
    standing, _ = after("OL", "FSD OL")
    assert standing.is_critical
    woken, _ = after_sleep(standing, 9000.0)
    assert not woken.is_critical
