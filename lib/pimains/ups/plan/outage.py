"""One outage: its phases, what may happen in each, and what is done about it. A cell of the table is where it goes and the acts, in order.

    decided = decide(outage, Event.LOW, Moment(now, Role.PRIMARY, "its battery is low", ("eaton",)))
    # first decided.outage is written, where a crash leaves it; then each of decided.acts is done

A forced shutdown (FSD) is the point of no return, also when the mains are back: who was told to shut down is restarted by the cut alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pimains.shared.plan.outage import BEGUN, Outage, Phase, Role

_P = Phase


class Event(StrEnum):
    """What may happen. OL is two looks at it, LOW one that needs no second look any more."""

    OB = "on battery"
    OL = "on line"
    LOW = "low"
    EASED = "not low any more, and not on line either"
    FSD = "forced shutdown seen"
    CLIENTS_GONE = "the last client has logged out"
    BUDGET_OVER = "clients were waited for long enough"
    REFUSED = "upsd refuses FSD"
    DELAY_OVER = "FINALDELAY is over"
    REQUEST_GONE = "halt has no request of ours any more"
    STEP_40 = "halt's step 40 asks"
    STEP_85 = "halt's step 85 asks"
    CALLED_OFF = "halt's step 85 is called off"
    RESTARTED = "this service was started again"
    BOOTED = "this machine was"
    CANCELLED = "a person cancels"
    SHED = "a host was ordered down"
    RECHARGED = "the mains have been back for long enough"
    HOSTS_BACK = "no host is waited for any more"


class Act(StrEnum):
    """What is done when the outage was written."""

    FORCE = "FSD on each UPS that is named and ours, again each second until it is answered"
    ASK = "ask halt"
    ASK_UNLESS_ASKED = "ask halt if it has no request of ours"
    CANCEL = "take back our request"
    RETURN = "INSTCMD shutdown.return"
    LOG_IN = "log in"
    LOG_OUT = "log out"
    FLAG = "answer step 85: these are to be cut"
    NO_FLAG = "answer step 85: none is to be cut"
    GO_ON = "answer: go on"
    GO_ON_LATER = "answer when halt was asked, or would be"
    NOTHING_TO_DO = "answer: nothing to do"
    REFUSE = "answer: too late"
    TELL_HOSTSYNC = "tell that the clients are waited for"
    TELL_WILL_BE_CUT = "tell once that the power is back and will be cut nevertheless"
    TELL_STANDS = "tell that upsd keeps the FSD until it is restarted, which this machine that stays up does not do by itself"
    TELL_ALONE = "tell that the primary is given up"
    TELL_MISSING = "tell who did not log out"
    TELL_REFUSED = "tell which line of upsd.users is missing"


class Moment(NamedTuple):
    """When something happens, and to what: for an outage that opens its `id`, `boot` and `wall`, for a shutdown `why` and which UPSes."""

    now: float
    role: Role
    why: str = ""
    upses: tuple[str, ...] = ()
    id: str = ""
    boot: str = ""
    wall: float = 0.0


class Wait(NamedTuple):
    """How long is waited: for the `clients` that are still logged in (None: not known) `budget` seconds from the FSD, see plan.clients.

    `for_hosts`: other machines are going down, and the battery lets them.
    """

    clients: tuple[str, ...] | None
    budget: float
    final_delay: float
    hostsync_max: float
    for_hosts: bool = False


class Decided(NamedTuple):
    """The outage from now on, None where there is none any more, and what is to be done once that is written."""

    outage: Outage | None
    acts: tuple[Act, ...] = ()


class Go(NamedTuple):
    """A cell: the phase that follows, None for the same, and the acts."""

    phase: Phase | None = None
    acts: tuple[Act, ...] = ()
    role: Role | None = None


def _go(phase: Phase | None, *acts: Act, role: Role | None = None) -> Go:
    return Go(phase, acts, role)


_STAY = Go()
_FORCE = _go(_P.FORCED, Act.FORCE, Act.TELL_HOSTSYNC)
_SEEN = _go(_P.FORCED)
_LOW = {Role.PRIMARY: _FORCE, Role.APART: _FORCE}  # a secondary waits for its primary: see _waits
_FSD = {Role.PRIMARY: _FORCE, Role.SECONDARY: _SEEN}
_FORCE_AND_ANSWER = _go(_P.FORCED, Act.FORCE, Act.TELL_HOSTSYNC, Act.GO_ON_LATER)
_HALTED = {
    Role.PRIMARY: _FORCE_AND_ANSWER,  # secondaries must not be left alone
    Role.APART: _FORCE_AND_ANSWER,
    Role.SECONDARY: _go(None, Act.NOTHING_TO_DO),
}
_ASK = _go(_P.ASKED, Act.ASK)
_RETURN = _go(_P.RETURNING, Act.RETURN)
_CUT = _go(_P.CUTTING, Act.LOG_OUT, Act.FLAG)
_LEAVE = _go(_P.CUTTING, Act.LOG_OUT, Act.NO_FLAG)
_LAST = {Role.PRIMARY: _CUT, Role.SECONDARY: _LEAVE, Role.ALONE: _LEAVE, Role.APART: _go(None, Act.LOG_OUT, Act.NO_FLAG)}
_LEAVES_UPS_ON = _go(None, Act.LOG_OUT, Act.NO_FLAG)
_STILL_FORCED = _go(_P.FORCED, Act.LOG_IN)  # the FSD stands; halt tries HALT_COMMAND again, or is asked once more
_ON_AGAIN = {Role.PRIMARY: _STILL_FORCED, Role.SECONDARY: _STILL_FORCED, Role.ALONE: _go(_P.ASKED, Act.LOG_IN)}
_BACK_TO_WORK = _go(None, Act.LOG_IN)
_WILL_BE_CUT = {
    Role.PRIMARY: _go(None, Act.TELL_WILL_BE_CUT),
    Role.SECONDARY: _go(None, Act.TELL_WILL_BE_CUT),
    Role.ALONE: _go(_P.RETURNING),
    Role.APART: _go(None, Act.TELL_WILL_BE_CUT),
}
_STOPS = {**_WILL_BE_CUT, Role.ALONE: _go(_P.RETURNING, Act.CANCEL)}
_ALONE = {Role.SECONDARY: _go(_P.DELAYED, Act.TELL_ALONE, role=Role.ALONE)}
_SPOKEN = {Role.ALONE: _go(None, role=Role.SECONDARY)}
_ASK_AGAIN = {
    Role.PRIMARY: _go(_P.FORCED, Act.FORCE),
    Role.SECONDARY: _go(_P.FORCED),
    Role.ALONE: _go(_P.ON_BATTERY),  # while it is low, it waits for its primary once more
}
_Cells = Go | Mapping[Role, Go]
TABLE: Mapping[Event, Mapping[Phase, _Cells]] = {
    Event.OB: {
        _P.WELL: _go(_P.ON_BATTERY),
        _P.RETURNING: _go(_P.SHEDDING),
        _P.WAKING: _go(_P.SHEDDING),
    },
    Event.OL: {
        _P.ON_BATTERY: _go(_P.WELL),
        _P.SHEDDING: _go(_P.RETURNING),
        _P.FORCED: _WILL_BE_CUT,
        _P.DELAYED: _WILL_BE_CUT,
        _P.ASKED: _STOPS,
        _P.CUTTING: _STOPS,
        _P.RETURNING: _STAY,
    },
    Event.LOW: dict.fromkeys((_P.WELL, _P.ON_BATTERY, _P.SHEDDING, _P.RETURNING, _P.WAKING), _LOW),
    Event.EASED: {},
    Event.FSD: {
        **dict.fromkeys((_P.WELL, _P.ON_BATTERY, _P.SHEDDING, _P.RETURNING, _P.WAKING), _FSD),
        # its primary has spoken after all: from here there is no return
        **dict.fromkeys((_P.DELAYED, _P.ASKED, _P.CUTTING), _SPOKEN),
    },
    Event.CLIENTS_GONE: {_P.FORCED: _go(_P.DELAYED)},
    Event.BUDGET_OVER: {
        _P.FORCED: _go(_P.DELAYED, Act.TELL_MISSING),
        **dict.fromkeys((_P.ON_BATTERY, _P.SHEDDING, _P.RETURNING, _P.WAKING), _ALONE),
    },
    Event.REFUSED: {_P.FORCED: _go(_P.DELAYED, Act.TELL_REFUSED)},
    Event.DELAY_OVER: {_P.DELAYED: {**dict.fromkeys((Role.PRIMARY, Role.SECONDARY, Role.ALONE), _ASK), Role.APART: _RETURN}},
    Event.REQUEST_GONE: {_P.ASKED: _ASK_AGAIN, _P.CUTTING: _ASK_AGAIN},
    Event.STEP_40: {
        _P.WELL: _go(None, Act.NOTHING_TO_DO),
        _P.ON_BATTERY: _HALTED,
        _P.SHEDDING: _HALTED,
        _P.FORCED: _go(None, Act.GO_ON_LATER),
        _P.DELAYED: _go(None, Act.GO_ON_LATER),
        _P.ASKED: _go(None, Act.GO_ON),
        _P.CUTTING: _go(None, Act.GO_ON),
        _P.RETURNING: _go(None, Act.NOTHING_TO_DO),
        _P.WAKING: _go(None, Act.NOTHING_TO_DO),
    },
    Event.STEP_85: {**dict.fromkeys(Phase, _LEAVES_UPS_ON), **dict.fromkeys(BEGUN, _LAST)},
    Event.CALLED_OFF: {**dict.fromkeys(Phase, _BACK_TO_WORK), **dict.fromkeys((_P.ASKED, _P.CUTTING), _ON_AGAIN)},
    Event.RESTARTED: {
        _P.FORCED: {Role.PRIMARY: _go(None, Act.LOG_IN, Act.FORCE), Role.APART: _go(None, Act.FORCE), Role.SECONDARY: _BACK_TO_WORK},
        _P.DELAYED: {Role.PRIMARY: _go(None, Act.LOG_IN, Act.FORCE), Role.SECONDARY: _BACK_TO_WORK, Role.ALONE: _BACK_TO_WORK},
        _P.ASKED: _go(None, Act.LOG_IN, Act.ASK_UNLESS_ASKED),
    },
    # the cut has happened, or the last act has restarted this machine; the next looks tell whether the mains are back
    Event.BOOTED: dict.fromkeys(BEGUN, _go(_P.RETURNING)),
    Event.CANCELLED: {
        _P.WELL: _go(None, Act.NOTHING_TO_DO),
        _P.ON_BATTERY: _go(None, Act.NOTHING_TO_DO),
        _P.SHEDDING: _go(_P.RETURNING),
        **dict.fromkeys(BEGUN, _go(None, Act.REFUSE)),
        _P.RETURNING: _go(_P.WELL),
        _P.WAKING: _go(_P.WELL),
    },
    Event.SHED: {_P.ON_BATTERY: _go(_P.SHEDDING)},
    Event.RECHARGED: {_P.RETURNING: _go(_P.WAKING)},
    Event.HOSTS_BACK: {_P.WAKING: _go(_P.WELL)},
}


def decide(before: Outage | None, event: Event, moment: Moment) -> Decided:
    """What follows from `event` in this phase; a shutdown that has begun keeps the role that it began in."""
    if before and event is Event.BOOTED:
        before = before._replace(boot=moment.boot, began=moment.now, since=moment.now, low_at=None, apart={})
    is_begun = before is not None and before.is_begun
    role = before.role if before and is_begun else moment.role
    if before and is_begun and role is Role.PRIMARY and event in (Event.LOW, Event.FSD):
        return _joined(before, moment)
    if role is Role.SECONDARY and not is_begun:
        if event is Event.LOW:
            return Decided(_waits(before or _opened(moment), moment))
        if event is Event.BUDGET_OVER and (before is None or before.low_at is None):
            return Decided(before)
    if before and event is Event.EASED and not is_begun:
        return Decided(before._replace(low_at=None, why="", upses=()))
    if before and event is Event.OL and before.phase is _P.RETURNING and not before.hosts:
        return Decided(None, (Act.TELL_STANDS,) if role is Role.APART and before.upses else ())
    if before and event in (Event.OB, Event.OL) and before.phase is _P.RETURNING and before.is_called_off:
        return Decided(before._replace(is_called_off=event is Event.OB))  # until the mains were back
    if before and event is Event.SHED and before.phase is _P.ON_BATTERY and before.hosts:
        return Decided(before._replace(phase=_P.SHEDDING, since=moment.now))  # a secondary waits for its primary no longer than before
    cells = TABLE[event].get(before.phase if before else _P.WELL, _STAY)
    cell = cells if isinstance(cells, Go) else cells.get(role, _STAY)
    if before is None and cell.phase is None:
        return Decided(None, cell.acts)
    return _gone(before or _opened(moment), event, cell, role, moment)


def timer(outage: Outage, now: float, wait: "Wait") -> Event | None:
    """What the time brings now, for the machine or for a UPS that is apart."""
    if outage.phase is _P.FORCED:
        if outage.role is Role.SECONDARY or wait.clients == ():
            return Event.CLIENTS_GONE
        return Event.BUDGET_OVER if now - outage.since >= wait.budget else None
    if outage.phase is _P.DELAYED:
        return Event.DELAY_OVER if now - outage.since >= wait.final_delay and not wait.for_hosts else None
    if not outage.is_begun and outage.low_at is not None and now - outage.low_at >= wait.hostsync_max:
        return Event.BUDGET_OVER
    return None


def decide_apart(before: Outage, ups: str, event: Event, moment: Moment) -> Decided:
    """The same for one UPS that goes its own way while this machine stays up."""
    own, acts = decide(before.apart.get(ups), event, moment._replace(role=Role.APART, upses=(ups,)))
    others = {name: each for name, each in before.apart.items() if name != ups}
    return Decided(before._replace(apart={**others, ups: own} if own else others), acts)


def _joined(before: Outage, moment: Moment) -> Decided:
    """Another UPS has become critical meanwhile."""
    more = tuple(name for name in moment.upses if name not in before.upses)
    apart = {name: each for name, each in before.apart.items() if name not in more}
    return Decided(before._replace(upses=before.upses + more, apart=apart), (Act.FORCE,)) if more else Decided(before)


def _gone(before: Outage, event: Event, cell: Go, role: Role, moment: Moment) -> Decided:
    after, acts = before, cell.acts
    if event is Event.CANCELLED and cell.phase is _P.RETURNING:
        after = after._replace(is_called_off=True)
    if cell.role:
        after = after._replace(role=cell.role)
    if Act.TELL_WILL_BE_CUT in acts:
        if before.told_of_cut:
            return Decided(before)
        after = after._replace(told_of_cut=True)
    following = _without_hosts(cell.phase, before)
    if following is _P.WELL:
        return Decided(None, acts)
    if following and following is not before.phase:
        after = after._replace(phase=following, since=moment.now)
        if following in BEGUN and not before.is_begun:
            why = before.why if before.low_at is not None and not moment.why else moment.why
            upses = moment.upses or before.upses
            apart = {name: each for name, each in before.apart.items() if name not in upses}
            after = after._replace(role=cell.role or role, why=why, upses=upses, apart=apart)
        elif following not in BEGUN:
            after = after._replace(why="", low_at=None, told_of_cut=False)
    return Decided(after, acts)


def _without_hosts(phase: Phase | None, outage: Outage) -> Phase | None:
    """Where nobody was ordered down, nobody is to be woken."""
    if outage.hosts or phase is not _P.SHEDDING:
        return phase
    return _P.ON_BATTERY


def _waits(before: Outage, moment: Moment) -> Outage:
    if before.low_at is not None:
        return before
    phase = before.phase
    if phase not in (_P.ON_BATTERY, _P.SHEDDING):
        phase = _P.SHEDDING if before.hosts else _P.ON_BATTERY
    since = before.since if before.phase is phase else moment.now
    return before._replace(phase=phase, since=since, low_at=moment.now, why=moment.why, upses=moment.upses)


def _opened(moment: Moment) -> Outage:
    return Outage(id=moment.id, boot=moment.boot, began_wall=moment.wall, began=moment.now, since=moment.now)
