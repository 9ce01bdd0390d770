"""The table of an outage, cell by cell, and what holds in any order of events: one forced shutdown, one request, no way back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan import clients
from pimains.ups.plan.outage import TABLE, Act, Decided, Event, Moment, Wait, decide, decide_apart, timer

LETTERS = dict(zip("NOHFDACRW", Phase, strict=True))
FORCED = "FDAC"
ACTS = {
    "force": (Act.FORCE, Act.TELL_HOSTSYNC),
    "fsd": (Act.FORCE,),
    "ask": (Act.ASK,),
    "ask?": (Act.ASK_UNLESS_ASKED,),
    "cancel": (Act.CANCEL,),
    "return": (Act.RETURN,),
    "in": (Act.LOG_IN,),
    "out": (Act.LOG_OUT,),
    "flag": (Act.FLAG,),
    "noflag": (Act.NO_FLAG,),
    "go": (Act.GO_ON,),
    "later": (Act.GO_ON_LATER,),
    "nothing": (Act.NOTHING_TO_DO,),
    "refuse": (Act.REFUSE,),
    "cut!": (Act.TELL_WILL_BE_CUT,),
    "alone!": (Act.TELL_ALONE,),
    "missing!": (Act.TELL_MISSING,),
    "refused!": (Act.TELL_REFUSED,),
}
# a column for each phase: the phase that follows, then the acts; a point where nothing happens. There are hosts that were ordered down
TABLES = {
    Role.PRIMARY: """
        event        N            O             H             F          D          A          C          R            W
        OB           O            .             .             .          .          .          .          H            H
        OL           .            N             R             F,cut!     D,cut!     A,cut!     C,cut!     .            .
        LOW          F,force      F,force       F,force       .          .          .          .          F,force      F,force
        EASED        .            .             .             .          .          .          .          .            .
        FSD          F,force      F,force       F,force       .          .          .          .          F,force      F,force
        CLIENTS_GONE .            .             .             D          .          .          .          .            .
        BUDGET_OVER  .            .             .             D,missing! .          .          .          .            .
        REFUSED      .            .             .             D,refused! .          .          .          .            .
        DELAY_OVER   .            .             .             .          A,ask      .          .          .            .
        REQUEST_GONE .            .             .             .          .          F,fsd      F,fsd      .            .
        STEP_40      N,nothing    F,force,later F,force,later F,later    D,later    A,go       C,go       R,nothing    W,nothing
        STEP_85      N,out,noflag O,out,noflag  H,out,noflag  C,out,flag C,out,flag C,out,flag C,out,flag R,out,noflag W,out,noflag
        CALLED_OFF   N,in         O,in          H,in          F,in       D,in       F,in       F,in       R,in         W,in
        RESTARTED    .            .             .             F,in,fsd   D,in,fsd   A,in,ask?  .          .            .
        BOOTED       .            .             .             R          R          R          R          .            .
        CANCELLED    N,nothing    O,nothing     R             F,refuse   D,refuse   A,refuse   C,refuse   N            N
        SHED         .            H             .             .          .          .          .          .            .
        RECHARGED    .            .             .             .          .          .          .          W            .
        HOSTS_BACK   .            .             .             .          .          .          .          .            N
    """,
    Role.SECONDARY: """
        event        N            O            H            F            D            A            C            R            W
        OB           O            .            .            .            .            .            .            H            H
        OL           .            N            R            F,cut!       D,cut!       A,cut!       C,cut!       .            .
        LOW          O            .            .            .            .            .            .            H            H
        EASED        .            .            .            .            .            .            .            .            .
        FSD          F            F            F            .            .            .            .            F            F
        CLIENTS_GONE .            .            .            D            .            .            .            .            .
        BUDGET_OVER  .            .            .            D,missing!   .            .            .            .            .
        REFUSED      .            .            .            D,refused!   .            .            .            .            .
        DELAY_OVER   .            .            .            .            A,ask        .            .            .            .
        REQUEST_GONE .            .            .            .            .            F            F            .            .
        STEP_40      N,nothing    O,nothing    H,nothing    F,later      D,later      A,go         C,go         R,nothing    W,nothing
        STEP_85      N,out,noflag O,out,noflag H,out,noflag C,out,noflag C,out,noflag C,out,noflag C,out,noflag R,out,noflag W,out,noflag
        CALLED_OFF   N,in         O,in         H,in         F,in         D,in         F,in         F,in         R,in         W,in
        RESTARTED    .            .            .            F,in         D,in         A,in,ask?    .            .            .
        BOOTED       .            .            .            R            R            R            R            .            .
        CANCELLED    N,nothing    O,nothing    R            F,refuse     D,refuse     A,refuse     C,refuse     N            N
        SHED         .            H            .            .            .            .            .            .            .
        RECHARGED    .            .            .            .            .            .            .            W            .
        HOSTS_BACK   .            .            .            .            .            .            .            .            N
    """,
    # a secondary that goes by its own limits; it has no role of that kind before it has begun, and no clients
    Role.ALONE: """
        event        D            A            C
        OB           .            .            .
        OL           R            R,cancel     R,cancel
        LOW          .            .            .
        EASED        .            .            .
        FSD          D            A            C
        BUDGET_OVER  .            .            .
        DELAY_OVER   A,ask        .            .
        REQUEST_GONE .            O            O
        STEP_40      D,later      A,go         C,go
        STEP_85      C,out,noflag C,out,noflag C,out,noflag
        CALLED_OFF   D,in         A,in         A,in
        RESTARTED    D,in         A,in,ask?    .
        BOOTED       R            R            R
        CANCELLED    D,refuse     A,refuse     C,refuse
    """,
    # this machine stays up: it asks nobody for a halt, and is not in phase A or C by this UPS
    Role.APART: """
        event        N            O             H             F            D            R            W
        OB           O            .             .             .            .            H            H
        OL           .            N             R             F,cut!       D,cut!       .            .
        LOW          F,force      F,force       F,force       .            .            F,force      F,force
        EASED        .            .             .             .            .            .            .
        FSD          .            .             .             .            .            .            .
        CLIENTS_GONE .            .             .             D            .            .            .
        BUDGET_OVER  .            .             .             D,missing!   .            .            .
        REFUSED      .            .             .             D,refused!   .            .            .
        DELAY_OVER   .            .             .             .            R,return     .            .
        STEP_40      N,nothing    F,force,later F,force,later F,later      D,later      R,nothing    W,nothing
        STEP_85      N,out,noflag O,out,noflag  H,out,noflag  F,out,noflag D,out,noflag R,out,noflag W,out,noflag
        CALLED_OFF   N,in         O,in          H,in          F,in         D,in         R,in         W,in
        RESTARTED    .            .             .             F,fsd        .            .            .
        BOOTED       .            .             .             R            R            .            .
        CANCELLED    N,nothing    O,nothing     R             F,refuse     D,refuse     N            N
        SHED         .            H             .             .            .            .            .
        RECHARGED    .            .             .             .            .            W            .
        HOSTS_BACK   .            .             .             .            .            .            N
    """,
}


def cells() -> list[tuple[Role, Event, str, str]]:
    found = []
    for role, text in TABLES.items():
        head, *rows = text.split("\n")[1:-1]
        phases = head.split()[1:]
        for row in rows:
            event, *after = row.split()
            assert len(after) == len(phases)
            found += [(role, Event[event], phase, cell) for phase, cell in zip(phases, after, strict=True)]
    return found


NOW = 100.0


def outage(phase: Phase, role: Role = Role.PRIMARY, *, low: bool = False, hosts: bool = True) -> Outage | None:
    if phase is Phase.WELL:
        return None
    began = Outage("1", "boot", 0.0, 10.0, phase, 10.0, role, upses=("eaton",), hosts={"nas": {}} if hosts else {})
    return began._replace(low_at=20.0 if low else None)


def moment(role: Role, now: float = NOW) -> Moment:
    return Moment(now, role, "low", ("eaton",), "1", "boot", 0.0)


@pytest.mark.parametrize(("role", "event", "letter", "cell"), cells())
def test_a_cell_of_the_table(role: Role, event: Event, letter: str, cell: str) -> None:
    before = outage(LETTERS[letter], role)
    after, acts = decide(before, event, moment(Role.SECONDARY if role is Role.ALONE else role))
    follows, *names = (letter if cell == "." else cell).split(",")
    assert (after.phase if after else Phase.WELL) is LETTERS[follows]
    assert acts == tuple(act for name in names for act in ACTS[name])
    assert not after or after.since == (NOW if follows != letter or event is Event.BOOTED else 10.0)


def test_the_table_has_a_row_for_each_event_and_each_is_tested() -> None:
    assert set(TABLE) == set(Event) == {event for _, event, _, _ in cells()}


def test_a_secondary_waits_for_its_primary_and_then_goes_alone() -> None:
    opened = decide(None, Event.OB, moment(Role.SECONDARY, 50)).outage
    waiting = decide(opened, Event.LOW, moment(Role.SECONDARY, 60)).outage
    assert waiting
    assert (waiting.phase, waiting.low_at, waiting.since) == (Phase.ON_BATTERY, 60, 50)
    wait = Wait(None, 0, 5, 120)
    assert timer(waiting, 179, wait) is None
    assert decide(waiting, Event.LOW, moment(Role.SECONDARY, 170)).outage == waiting
    assert timer(waiting, 180, wait) is Event.BUDGET_OVER
    alone, acts = decide(waiting, Event.BUDGET_OVER, Moment(180, Role.SECONDARY))
    assert alone
    assert (alone.phase, alone.role, alone.why, acts) == (Phase.DELAYED, Role.ALONE, "low", (Act.TELL_ALONE,))
    assert not alone.is_final
    assert timer(alone, 185, wait) is Event.DELAY_OVER


def test_a_secondary_that_is_not_low_any_more_waits_no_longer() -> None:
    eased = decide(outage(Phase.ON_BATTERY, low=True), Event.EASED, moment(Role.SECONDARY)).outage
    assert eased
    assert eased.low_at is None
    assert decide(eased, Event.BUDGET_OVER, moment(Role.SECONDARY)) == Decided(eased)
    assert timer(eased, 1000, Wait(None, 0, 5, 120)) is None


def test_a_secondary_alone_whose_primary_speaks_after_all_does_not_come_back() -> None:
    alone = outage(Phase.ASKED, Role.ALONE)
    forced = decide(alone, Event.FSD, moment(Role.SECONDARY)).outage
    assert forced
    assert (forced.role, forced.phase, forced.is_final) == (Role.SECONDARY, Phase.ASKED, True)
    assert decide(forced, Event.OL, moment(Role.SECONDARY)).acts == (Act.TELL_WILL_BE_CUT,)


def test_where_nobody_was_ordered_down_nobody_is_waited_for_when_the_mains_are_back() -> None:
    assert decide(outage(Phase.RETURNING, hosts=False), Event.OL, moment(Role.PRIMARY)) == Decided(None)
    again = decide(outage(Phase.RETURNING, hosts=False), Event.OB, moment(Role.PRIMARY)).outage
    assert again
    assert (again.phase, again.id) == (Phase.ON_BATTERY, "1")


def test_that_the_power_is_back_and_will_be_cut_is_told_once() -> None:
    first = decide(outage(Phase.FORCED), Event.OL, moment(Role.PRIMARY))
    assert first.acts == (Act.TELL_WILL_BE_CUT,)
    assert decide(first.outage, Event.OL, moment(Role.PRIMARY)) == Decided(first.outage)


def test_another_ups_that_becomes_critical_meanwhile_is_forced_too_and_once() -> None:
    both = Moment(NOW, Role.PRIMARY, "low", ("eaton", "cellar"))
    joined = decide(outage(Phase.ASKED), Event.LOW, both)
    assert joined.outage
    assert (joined.outage.upses, joined.outage.phase, joined.acts) == (("eaton", "cellar"), Phase.ASKED, (Act.FORCE,))
    assert decide(joined.outage, Event.LOW, both) == Decided(joined.outage)


def test_a_ups_apart_goes_its_own_way_and_joins_when_the_machine_is_in_danger() -> None:
    opened = outage(Phase.ON_BATTERY, hosts=False)
    assert opened
    forced, acts = decide_apart(opened, "eaton", Event.LOW, moment(Role.APART))
    assert forced
    assert (forced.phase, forced.apart["eaton"].phase, acts) == (Phase.ON_BATTERY, Phase.FORCED, (Act.FORCE, Act.TELL_HOSTSYNC))
    delayed, _ = decide_apart(forced, "eaton", Event.CLIENTS_GONE, moment(Role.APART))
    assert delayed
    returning, acts = decide_apart(delayed, "eaton", Event.DELAY_OVER, moment(Role.APART))
    assert acts == (Act.RETURN,)
    assert returning
    back, acts = decide_apart(returning, "eaton", Event.OL, moment(Role.APART))
    assert acts == (Act.TELL_STANDS,)
    assert back
    assert back.apart == {}
    both = decide(returning, Event.LOW, Moment(NOW, Role.PRIMARY, "low", ("eaton", "cellar"))).outage
    assert both
    assert (both.phase, both.upses, both.apart) == (Phase.FORCED, ("eaton", "cellar"), {})


def test_clients_are_waited_for_as_long_as_each_address_took_before() -> None:
    listed = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]
    left = clients.others(listed, "10.0.0.1", 1)
    assert left == ("10.0.0.2", "10.0.0.3", "10.0.0.1")
    took = {"10.0.0.2": [60.0] * 100, "10.0.0.3": [4.0] * 100}
    assert clients.wait_seconds(["10.0.0.3"], took, 120) == pytest.approx(10.1, abs=1)
    assert clients.wait_seconds(["10.0.0.2", "10.0.0.3"], took, 120) == pytest.approx(90.3, abs=1)
    assert clients.wait_seconds(left, took, 120) == 120
    assert clients.wait_seconds([], took, 120) == 0
    assert clients.gone(listed, ["10.0.0.1", "10.0.0.2"]) == ["10.0.0.1", "10.0.0.3"]


def test_the_primary_waits_no_longer_than_the_budget_and_no_time_for_nobody() -> None:
    forced = outage(Phase.FORCED)
    assert forced
    assert timer(forced, 99, Wait(("10.0.0.2",), 90, 5, 120)) is None
    assert timer(forced, 100, Wait(("10.0.0.2",), 90, 5, 120)) is Event.BUDGET_OVER
    assert timer(forced, 11, Wait((), 0, 5, 120)) is Event.CLIENTS_GONE
    assert timer(forced, 11, Wait(None, 90, 5, 120)) is None
    delayed = outage(Phase.DELAYED)
    assert delayed
    assert timer(delayed, 14.9, Wait((), 0, 5, 120)) is None
    assert timer(delayed, 15, Wait((), 0, 5, 120)) is Event.DELAY_OVER


ORDER = [Phase.WELL, Phase.ON_BATTERY, Phase.FORCED, Phase.DELAYED, Phase.ASKED, Phase.CUTTING]
GOES_BACK = {Event.BOOTED, Event.CALLED_OFF, Event.REQUEST_GONE}
ROLES = st.sampled_from([Role.PRIMARY, Role.SECONDARY, Role.APART])


@given(role=ROLES, events=st.lists(st.sampled_from(Event), max_size=40))
def test_in_any_order_of_events_there_is_one_forced_shutdown_one_request_and_no_return(role: Role, events: list[Event]) -> None:
    now: Outage | None = None
    trace: list[tuple[Event, Outage | None, tuple[Act, ...]]] = []
    for second, event in enumerate(events):
        now, acts = decide(now, event, moment(role, float(second)))
        trace.append((event, now, acts))
    asked, was_in_danger = 0, False
    for (_, before, _), (event, after, acts) in pairwise([(Event.OB, None, ()), *trace]):
        was_in_danger |= event in (Event.LOW, Event.FSD, Event.STEP_40)
        if before and before.is_final and event not in GOES_BACK:
            assert after
            assert after.is_final or role is Role.APART
            assert ORDER.index(after.phase) >= ORDER.index(before.phase) if after.phase in ORDER else role is Role.APART
            assert Act.CANCEL not in acts
        asked = 0 if not after or not after.is_begun or event in GOES_BACK else asked + (Act.ASK in acts)
        assert asked <= 1
        assert was_in_danger or not {Act.ASK, Act.ASK_UNLESS_ASKED, Act.FORCE, Act.FLAG, Act.RETURN} & {*acts}
        assert role is Role.PRIMARY or Act.FLAG not in acts
        assert role is not Role.APART or Act.ASK not in acts


def test_who_calls_off_the_shedding_has_nobody_else_ordered_down_until_the_mains_were_back() -> None:
    called_off = decide(outage(Phase.SHEDDING), Event.CANCELLED, moment(Role.PRIMARY)).outage
    assert called_off
    assert called_off.phase is Phase.RETURNING
    assert decide(called_off, Event.OB, moment(Role.PRIMARY)) == Decided(called_off)
    assert decide(called_off, Event.LOW, moment(Role.PRIMARY)).acts == (Act.FORCE, Act.TELL_HOSTSYNC)
    back = decide(called_off, Event.OL, moment(Role.PRIMARY)).outage
    assert back == called_off._replace(is_called_off=False)
    again = decide(back, Event.OB, moment(Role.PRIMARY)).outage
    assert again
    assert again.phase is Phase.SHEDDING


def test_a_secondary_that_sheds_waits_for_its_primary_no_longer_for_it() -> None:
    waiting = outage(Phase.ON_BATTERY, low=True)
    shed = decide(waiting, Event.SHED, moment(Role.SECONDARY)).outage
    assert waiting
    assert shed == waiting._replace(phase=Phase.SHEDDING, since=NOW)
