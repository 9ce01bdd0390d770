"""What an upsmon.conf means in settings of the ups service, and what of it has no counterpart."""

from collections.abc import Sequence
from typing import NamedTuple

from pimains.ups.plan.nut_conf import Line

_ROLES = {"primary": "primary", "master": "primary", "secondary": "secondary", "slave": "secondary"}
_ALIKE = {"MINSUPPLIES": "MINSUPPLIES", "HOSTSYNC": "HOSTSYNC_SECONDS_MAX", "FINALDELAY": "FINALDELAY_SECONDS"}
_NONE = {
    "POLLFREQ": "POLL_SECONDS is 1 s, which costs next to nothing",
    "POLLFREQALERT": "POLL_SECONDS is 1 s, which costs next to nothing",
    "DEADTIME": "without data the end of the battery is reckoned; LOST_SECONDS_MAX where nothing is known of it",
    "NOCOMMWARNTIME": "people are told every 300 s",
    "RBWARNTIME": "people are told every 12 h",
    "POWERDOWNFLAG": "pimains leaves its own below /run, where none outlives a boot",
    "NOTIFYCMD": "people are told by the service notify",
    "NOTIFYFLAG": "EVENTS of the service notify says which events people hear of",
    "SHUTDOWNCMD": "HALT_COMMAND of the service halt",
    "SHUTDOWNEXIT": "the service stays until it is stopped by the shutdown",
    "RUN_AS_USER": "the service is user pimains",
    "CERTPATH": "CA is a file (PEM) with the certificates to trust, no database",
    "CERTIDENT": "this machine shows no certificate of its own",
    "CERTHOST": "a certificate has to be that of the host in UPS",
    "CERTVERIFY": "certificates are always verified",
    "OFFDURATION": "a UPS that is off is told of after OFF_SECONDS and shuts nothing down",
    "OBLBDURATION": "a low battery acts at once",
    "OVERDURATION": "an overload is told and shuts nothing down",
    "ALARMCRITICAL": "an alarm is told and shuts nothing down",
    "POLLFAIL_LOG_THROTTLE_MAX": "what is away is said once",
    "DEBUG_MIN": "the log is bounded by itself",
}


class Imported(NamedTuple):
    """`settings` by name, and lines for a person about the rest, each with its line number in the file."""

    settings: dict[str, str]
    notes: list[str]
    lines: dict[str, int]  # of each setting: which line means it, the last one


def settings_of(lines: Sequence[Line]) -> Imported:
    """What `lines` of an upsmon.conf mean; without a MONITOR there is no UPS in it."""
    settings: dict[str, str] = {}
    where: dict[str, int] = {}
    notes, upses, powers = [], [], []
    for line in lines:
        if line.is_broken:
            notes.append(f"line {line.number}: a quotation mark has no end: upsmon leaves it out, and so does this")
        elif line.name == "MONITOR":
            if why := _why_no_monitor(line):
                notes.append(f"line {line.number}: MONITOR {why}")
                continue
            ups, power, user, password, role = line.words[1:6]
            if ups in upses:
                notes.append(f"line {line.number}: {ups} is there already, in an earlier line")
                continue
            if settings.get("USERNAME", user) != user or settings.get("PASSWORD", password) != password:
                notes.append(
                    f"line {line.number}: {ups} has another user: an instance of its own with POWER 0, or make the same user there"
                )
                continue
            settings |= {"USERNAME": user, "PASSWORD": password}
            where |= dict.fromkeys(("UPS", "POWER", "USERNAME", "PASSWORD", "ROLE"), line.number)
            if settings.get("ROLE") != "primary":
                settings["ROLE"] = _ROLES[role.lower()]
            upses.append(ups)
            powers.append(power)
        elif line.name in _ALIKE and not line.value:
            notes.append(f"line {line.number}: {line.name} has no value")
        elif line.name in _ALIKE:
            settings[_ALIKE[line.name]] = line.value
            where[_ALIKE[line.name]] = line.number
        elif line.name == "FORCESSL":
            settings["TLS"] = "require" if line.value == "1" else "off"
            where["TLS"] = line.number
        elif line.name == "NOTIFYMSG" and len(line.words) > 1:
            notes.append(
                f"line {line.number}: NOTIFYMSG {line.words[1]}: your words go into /etc/pimains/ups/{line.words[1]}, $ups instead of %s"
            )
        else:
            notes.append(f"line {line.number}: {line.name}: {_NONE.get(line.name, 'not known')}")
    if upses:
        settings["UPS"] = " ".join(upses)
        settings["POWER"] = powers[0] if len(set(powers)) == 1 else " ".join(powers)
    return Imported(settings, notes, where)


def _why_no_monitor(line: Line) -> str:
    """What is wrong with it, "" for nothing; the words may be a password's and are not repeated."""
    if len(line.words) < 6:
        return f"has {len(line.words) - 1} words; it needs a UPS, its power value, a user, a password and a role"
    if line.words[5].lower() not in _ROLES:
        return "has no role in the fifth place, which is primary or secondary (a password with = or # has to stand in quotation marks)"
    return ""
