"""What in NUT's files and in the settings of the ups service does not go together: each is a finding with its file and line.

Times are seconds. Defaults are NUT's: ups.conf(5), upsd.conf(5), upsmon.conf(5), nut.conf(5), usbhid-ups(8).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pimains.ups.plan import nut_conf
from pimains.ups.plan.nut_conf import Line

FILES = ("nut.conf", "ups.conf", "upsd.conf", "upsd.users", "upsmon.conf")
KILL_FLAG = "/etc/killpower"  # POWERDOWNFLAG where upsmon.conf has none
_SECRET_FILES = ("upsd.users", "upsmon.conf")
_MAX_AGE = 15.0
_OFF_DELAY, _ON_DELAY = 20.0, 30.0  # of usbhid-ups
_EVERYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104  # looked for, not listened on
_PASSWORD_WORDS = 3  # password, = and itself
_STARTS_UPSD = ("standalone", "netserver")


class File(NamedTuple):
    """As it was found; `lines` is None where it is not there or may not be read."""

    path: str
    lines: Sequence[Line] | None
    is_open_to_all: bool = False


class Fed(NamedTuple):
    """A UPS of the settings whose upsd is here; `commands` whether this machine is its primary, `runtime` as it reports now."""

    name: str
    commands: bool
    runtime: float | None


class Facts(NamedTuple):
    """What is known of this machine; `budget` is how long a primary may wait for the others and itself, `user` who logs in."""

    files: Mapping[str, File]
    here: Sequence[Fed]
    user: str
    password: str | None  # None: not readable
    budget: float
    open_secrets: Sequence[str]  # files of the settings that others may read
    upsmon_starts: bool
    has_firewall: bool
    kill_flag_is_there: bool
    without_shutdown: Sequence[str]  # drivers that cannot have a UPS cut the power


class Finding(NamedTuple):
    """`line` is 0 where there is none to blame."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


def findings(facts: Facts) -> list[Finding]:
    """All there are, file by file."""
    found = [*_broken(facts), *_secrets(facts), *_upsmon(facts)]
    if facts.here:
        found += [*_mode(facts), *_drivers(facts), *_upsd(facts), *_users(facts)]
    return sorted(found, key=lambda each: each[:2])


def _lines(facts: Facts, name: str) -> Sequence[Line]:
    return facts.files[name].lines or ()


def _at(facts: Facts, name: str, line: Line | None, what: str) -> Finding:
    return Finding(facts.files[name].path, line.number if line else 0, what)


def _broken(facts: Facts) -> Iterator[Finding]:
    for name in FILES:
        for line in _lines(facts, name):
            if line.is_broken:
                yield _at(facts, name, line, "a quotation mark has no end here, so NUT leaves this line out")


def _secrets(facts: Facts) -> Iterator[Finding]:
    for path in facts.open_secrets:
        yield Finding(path, 0, "holds a secret that others may read: chmod 600")
    for name in _SECRET_FILES:
        if facts.files[name].is_open_to_all:
            yield _at(facts, name, None, "holds passwords that everybody may read: chmod 640")


def _upsmon(facts: Facts) -> Iterator[Finding]:
    monitors = [line for line in _lines(facts, "upsmon.conf") if line.name == "MONITOR"]
    if facts.upsmon_starts and monitors and _mode_of(facts)[1] != "none":
        what = "upsmon still starts here; its login has a primary wait for this machine's other half: systemctl disable --now nut-monitor"
        yield _at(facts, "upsmon.conf", monitors[0], what)
    flag = nut_conf.last(_lines(facts, "upsmon.conf"), "POWERDOWNFLAG")
    if facts.kill_flag_is_there:
        path = flag.value if flag else KILL_FLAG
        yield _at(facts, "upsmon.conf", flag, f"{path} was left behind: with it NUT's own hook cuts the UPS at each shutdown; remove it")


def _mode(facts: Facts) -> Iterator[Finding]:
    if facts.files["nut.conf"].lines is None:
        return
    mode, is_now = _mode_of(facts)
    if is_now not in _STARTS_UPSD:
        yield _at(
            facts, "nut.conf", mode, f"MODE={is_now} starts no upsd, and {facts.here[0].name} is to be here: MODE=standalone or netserver"
        )


def _mode_of(facts: Facts) -> tuple[Line | None, str]:
    line = nut_conf.last(_lines(facts, "nut.conf"), "MODE")
    return line, line.value.lower() if line else "none"


def _drivers(facts: Facts) -> Iterator[Finding]:
    lines = _lines(facts, "ups.conf")
    there = {line.section: line for line in nut_conf.sections(lines)}
    for ups in facts.here:
        if lines and ups.name not in there:
            yield _at(facts, "ups.conf", None, f"has no [{ups.name}], which UPS names")
            continue
        driver = nut_conf.last(lines, "driver", ups.name)
        off, on = nut_conf.last(lines, "offdelay", ups.name), nut_conf.last(lines, "ondelay", ups.name)
        is_usbhid = driver is not None and driver.value == "usbhid-ups"
        off_seconds = _OFF_DELAY if off is None and is_usbhid else nut_conf.number(off)
        on_seconds = _ON_DELAY if on is None and is_usbhid else nut_conf.number(on)
        if off_seconds is not None and on_seconds is not None and on_seconds <= off_seconds:
            what = f"ondelay {on_seconds:g} s is not longer than offdelay {off_seconds:g} s: some UPSes then never switch on again"
            yield _at(facts, "ups.conf", on or off, what)
        for name in ("pollfreq", "pollinterval"):
            line = nut_conf.last(lines, name, ups.name) or nut_conf.last(lines, name)
            if (seconds := nut_conf.number(line)) is not None and seconds > facts.budget:
                yield _at(facts, "ups.conf", line, f"{name} {seconds:g} s is longer than a shutdown may take ({facts.budget:g} s)")
        if ups.commands and driver is not None and driver.value in facts.without_shutdown:
            what = f"the driver {driver.value} cannot have the UPS cut the power: what was shut down stays off when the mains come back"
            yield _at(facts, "ups.conf", driver, what)
        if ups.runtime is not None and ups.commands and facts.budget > ups.runtime:
            what = f"lasts for {ups.runtime:g} s now, and a shutdown may take {facts.budget:g} s (HOSTSYNC_SECONDS_MAX, FINALDELAY_SECONDS)"
            yield _at(facts, "ups.conf", there.get(ups.name), f"the battery of {ups.name} {what}")


def _upsd(facts: Facts) -> Iterator[Finding]:
    lines = _lines(facts, "upsd.conf")
    max_age = nut_conf.last(lines, "MAXAGE")
    seconds = nut_conf.number(max_age)
    if (_MAX_AGE if seconds is None else seconds) > facts.budget:
        yield _at(facts, "upsd.conf", max_age, f"MAXAGE {seconds or _MAX_AGE:g} s is longer than a shutdown may take ({facts.budget:g} s)")
    without_password = [each for each in nut_conf.sections(_lines(facts, "upsd.users")) if _password(facts, each.section) is None]
    for line in lines:
        if line.name == "LISTEN" and line.words[1:2] and line.words[1] in _EVERYWHERE and (not facts.has_firewall or without_password):
            what = f"and [{without_password[0].section}] has no password" if without_password else "and no firewall is set up here"
            yield _at(facts, "upsd.conf", line, f"everybody who reaches this machine may ask, {what}")


def _users(facts: Facts) -> Iterator[Finding]:
    users = _lines(facts, "upsd.users")
    if not facts.user or facts.files["upsd.users"].lines is None:
        return
    section = next((line for line in nut_conf.sections(users) if line.section == facts.user), None)
    if section is None:
        yield _at(facts, "upsd.users", None, f"has no [{facts.user}], who USERNAME is")
        return
    password = _password(facts, facts.user)
    if facts.password is not None and (password is None or password.value != facts.password):
        yield _at(facts, "upsd.users", password or section, f"the password of [{facts.user}] is not that of the setting PASSWORD")
    if password and len(password.words) > _PASSWORD_WORDS:
        yield _at(
            facts, "upsd.users", password, f"the password of [{facts.user}] has blanks: NUT takes its first word; put it in quotation marks"
        )
    upsmon = nut_conf.last(users, "upsmon", facts.user)
    is_primary = upsmon is not None and upsmon.value in ("primary", "master")
    if any(ups.commands for ups in facts.here) and not is_primary:
        yield _at(facts, "upsd.users", upsmon or section, f"[{facts.user}] needs: upsmon primary")
    elif upsmon is None:
        yield _at(facts, "upsd.users", section, f"[{facts.user}] needs: upsmon secondary")


def _password(facts: Facts, user: str) -> Line | None:
    line = nut_conf.last(_lines(facts, "upsd.users"), "password", user)
    return line if line and line.value else None
