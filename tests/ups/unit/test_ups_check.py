"""What `pimains ups check` finds in NUT's files, and what an upsmon.conf means in settings."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.ups.plan.checking import FILES, Facts, Fed, File, findings
from pimains.ups.plan.importing import settings_of
from pimains.ups.plan.nut_conf import last, number, read

GOOD = {
    "nut.conf": "# as Debian has it\nMODE=netserver\n",
    "ups.conf": "maxretry = 3\n[eaton]\n  driver = usbhid-ups\n  port = auto\n  offdelay = 30\n  ondelay = 60\n",
    "upsd.conf": "MAXAGE 15\nLISTEN 127.0.0.1 3493\n",
    "upsd.users": '[anna]\n  password = "open \\"sesame\\" \\#1"\n  upsmon primary\n',
    "upsmon.conf": "MINSUPPLIES 1\n",
}
EATON = Fed("eaton", commands=True, runtime=1800)


def found(texts: Mapping[str, str] = {}, **more: object) -> list[str]:  # read only
    """Findings with these files instead of the good ones; other facts as given."""
    given = {name: File(f"/etc/nut/{name}", read({**GOOD, **texts}[name])) for name in FILES}
    facts = Facts(
        files=given,
        here=(EATON,),
        user="anna",
        password='open "sesame" #1',
        budget=125,
        open_secrets=(),
        upsmon_starts=False,
        has_firewall=False,
        kill_flag_is_there=False,
        without_shutdown=("dummy-ups",),
    )
    return [str(each) for each in findings(facts._replace(**more))]  # type: ignore[arg-type]


def test_a_good_configuration_has_nothing_to_be_found() -> None:
    assert found() == []
    assert found(here=()) == []


@pytest.mark.parametrize(
    ("texts", "facts", "finding"),
    [
        (
            {"ups.conf": "[eaton]\ndriver = usbhid-ups\nondelay = 30\noffdelay=30\n"},
            {},
            "ups.conf:3: ondelay 30 s is not longer than offdelay 30 s",
        ),
        ({"ups.conf": "[eaton]\ndriver = usbhid-ups\nondelay = 15\n"}, {}, "ups.conf:3: ondelay 15 s is not longer than offdelay 20 s"),
        (
            {"ups.conf": "[eaton]\ndriver = usbhid-ups\npollfreq = 300\n"},
            {},
            "ups.conf:3: pollfreq 300 s is longer than a shutdown may take (125 s)",
        ),
        ({"ups.conf": "pollinterval = 300\n[eaton]\ndriver = nutdrv_qx\n"}, {}, "ups.conf:1: pollinterval 300 s is longer"),
        ({"ups.conf": "[eton]\ndriver = usbhid-ups\n"}, {}, "ups.conf: has no [eaton], which UPS names"),
        ({"ups.conf": "[eaton]\ndriver = dummy-ups\n"}, {}, "ups.conf:2: the driver dummy-ups cannot have the UPS cut the power"),
        ({}, {"here": (EATON._replace(runtime=90),)}, "ups.conf:2: the battery of eaton lasts for 90 s now, and a shutdown may take 125 s"),
        ({"upsd.conf": "\nMAXAGE 200\n"}, {}, "upsd.conf:2: MAXAGE 200 s is longer than a shutdown may take (125 s)"),
        ({"upsd.conf": "LISTEN 0.0.0.0\n"}, {}, "upsd.conf:1: everybody who reaches this machine may ask, and no firewall is set up here"),
        (
            {"upsd.conf": "LISTEN 0.0.0.0\n", "upsd.users": GOOD["upsd.users"] + "[bert]\nactions = SET\n"},
            {"has_firewall": True},
            "upsd.conf:1: everybody who reaches this machine may ask, and [bert] has no password",
        ),
        ({"upsd.users": "[bert]\npassword = x\n"}, {}, "upsd.users: has no [anna], who USERNAME is"),
        (
            {"upsd.users": "[anna]\npassword = x\nupsmon primary\n"},
            {},
            "upsd.users:2: the password of [anna] is not that of the setting PASSWORD",
        ),
        (
            {"upsd.users": "[anna]\npassword = open sesame\nupsmon primary\n"},
            {"password": "open sesame"},
            "upsd.users:2: the password of [anna] has blanks: NUT takes its first word; put it in quotation marks",
        ),
        ({"upsd.users": GOOD["upsd.users"].replace("primary", "secondary")}, {}, "upsd.users:3: [anna] needs: upsmon primary"),
        ({"upsd.users": "[anna]\npassword = x\n"}, {"password": None}, "upsd.users:1: [anna] needs: upsmon primary"),
        ({"nut.conf": "\nMODE=none\n"}, {}, "nut.conf:2: MODE=none starts no upsd"),
        ({"nut.conf": ""}, {}, "nut.conf: MODE=none starts no upsd"),
        (
            {"upsmon.conf": "\nMONITOR eaton@localhost 1 anna x primary\n"},
            {"upsmon_starts": True},
            "upsmon.conf:2: upsmon still starts here",
        ),
        (
            {"upsmon.conf": "POWERDOWNFLAG /etc/killpower\n"},
            {"kill_flag_is_there": True},
            "upsmon.conf:1: /etc/killpower was left behind",
        ),
        (
            {"ups.conf": GOOD["ups.conf"] + '  desc = "in the hall\n'},
            {},
            "ups.conf:7: a quotation mark has no end here, so NUT leaves this line out",
        ),
        ({}, {"kill_flag_is_there": True}, "upsmon.conf: /etc/killpower was left behind"),
    ],
)
def test_each_fault_is_found_with_its_file_and_line(texts: dict[str, str], facts: dict[str, object], finding: str) -> None:
    (line,) = found(texts, **facts)
    assert line.startswith(f"/etc/nut/{finding}")


def test_secrets_that_others_may_read_are_found() -> None:
    files = {name: File(f"/etc/nut/{name}", read(GOOD[name]), is_open_to_all=True) for name in FILES}
    assert found(files=files, open_secrets=("/etc/service/ups/variables/PASSWORD",)) == [
        "/etc/nut/upsd.users: holds passwords that everybody may read: chmod 640",
        "/etc/nut/upsmon.conf: holds passwords that everybody may read: chmod 640",
        "/etc/service/ups/variables/PASSWORD: holds a secret that others may read: chmod 600",
    ]


def test_what_may_not_be_read_is_not_blamed() -> None:
    assert found(files={name: File(f"/etc/nut/{name}", None) for name in FILES}) == []


def test_a_secondary_needs_to_log_in_and_no_more() -> None:
    secondary = GOOD["upsd.users"].replace("primary", "slave")
    assert found({"upsd.users": secondary}, here=(EATON._replace(commands=False),)) == []


@given(st.text())
def test_whatever_stands_in_a_file_is_read(text: str) -> None:
    for line in read(text):
        assert line.words
        number(last(read(text), line.name, line.section))


UPSMON = """# of RaspberryMatic
MONITOR eaton@localhost 1 monuser "se\\"cret #1" master
MONITOR cellar@nas.lan:3493 0 monuser "se\\"cret #1" slave
MONITOR shed@shed.lan 1 other secret slave
MINSUPPLIES 1
HOSTSYNC 30
FINALDELAY 0
FORCESSL 1
NOTIFYCMD /sbin/upssched
NOTIFYMSG ONBATT "UPS %s: no power"
DEADTIME 25
WHATEVER 1
"""


def test_an_upsmon_conf_becomes_settings_and_what_has_no_counterpart_is_named() -> None:
    imported = settings_of(read(UPSMON))
    assert imported.settings == {
        "UPS": "eaton@localhost cellar@nas.lan:3493",
        "POWER": "1 0",
        "USERNAME": "monuser",
        "PASSWORD": 'se"cret #1',
        "ROLE": "primary",
        "MINSUPPLIES": "1",
        "HOSTSYNC_SECONDS_MAX": "30",
        "FINALDELAY_SECONDS": "0",
        "TLS": "require",
    }
    assert [note.split(": ")[:2] for note in imported.notes] == [
        ["line 4", "shed@shed.lan has another user"],
        ["line 9", "NOTIFYCMD"],
        ["line 10", "NOTIFYMSG ONBATT"],
        ["line 11", "DEADTIME"],
        ["line 12", "WHATEVER"],
    ]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("MONITOR ups@nas 1 anna secret", "MONITOR has 4 words; it needs a UPS, its power value, a user, a password and a role"),
        ("MONITOR", "MONITOR has 0 words"),
        ("MONITOR ups@nas 1 anna se=cret slave", "MONITOR has no role in the fifth place"),
        ("MONITOR ups@nas 1 anna se#cret slave", "MONITOR has 4 words"),
        ('MONITOR ups@nas 1 anna "secret slave', "a quotation mark has no end"),
        ("MONITOR eaton@localhost 1 anna x slave", "eaton@localhost is there already"),
        ("HOSTSYNC", "HOSTSYNC has no value"),
        ("include /etc/nut/more.conf", "include: not known"),
        ("monitor ups@nas 1 anna secret slave", "monitor: not known"),  # upsmon does not know it either
    ],
)
def test_a_line_that_cannot_be_imported_is_named_and_says_no_secret(line: str, note: str) -> None:
    imported = settings_of(read(f"# first\r\nMONITOR eaton@localhost 1 anna x primary # mine\r\n{line}\r\n"))
    assert imported.settings == {"UPS": "eaton@localhost", "POWER": "1", "USERNAME": "anna", "PASSWORD": "x", "ROLE": "primary"}
    (said,) = imported.notes
    assert said.startswith(f"line 3: {note}")
    assert "cret" not in said


def test_lines_are_counted_as_editors_do() -> None:
    assert [line.number for line in read("\ufeffMODE=none\n# \x0c \u2028 \x85\r\n\nMAXAGE 15")] == [1, 4]
    assert read("\ufeffMODE=none\r\n")[0].value == "none"
