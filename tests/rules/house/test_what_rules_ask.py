"""Files that people put there, hosts that answer, and the sun, as a rule sees them."""

from tests.kit import House, until
from tests.rules.rules import Rules


def test_a_file_a_host_and_the_sun(house: House) -> None:
    rules = Rules(house, {}, {}, {}, HOSTS="127.0.0.1 no-such-host.invalid", LATITUDE="52.5", LONGITUDE="13.4", INTERVAL="1")
    rules.write(1, "return (ON if present('party') else OFF), 'a file'")
    rules.write(2, "return (ON if answers('127.0.0.1') else OFF), f'a host {now.sunrise < now.sunset}'")
    rules.write(3, "return (ON if answers('no-such-host.invalid') else OFF), 'nobody'")
    rules.until_says(1, "off a file")
    (rules.instance.lib / "files/party").touch()
    rules.until_says(1, "on a file")
    (rules.instance.lib / "files/party").unlink()
    rules.until_says(1, "off a file")
    rules.until_says(2, "on a host True")
    rules.until_says(3, "lost answers('no-such-host.invalid') is not known: nothing has come of asking it yet")
    rules.write(3, "return (ON if answers('pc') else OFF), 'nobody'")
    rules.until_says(3, "lost answers('pc') is not known: it is none of HOSTS")
    assert (rules.instance.lib / "files").stat().st_mode & 0o7777 == 0o2775


def test_a_wrong_setting_is_one_line(house: House) -> None:
    rules = Rules(house, {}, LATITUDE="52.5")
    assert "variables/LONGITUDE: is empty, while LATITUDE is not: a place has both" in rules.instance.status
    rules.instance.set("LONGITUDE", "13.4")
    until(lambda: "no rule in" in rules.instance.status, what=rules.instance.story)
    rules.instance.set("HOSTS", "-x")
    rules.instance.svc("-t")
    rules.until_status("variables/HOSTS: '-x' is no list of hosts (such as: pc.lan 192.168.1.7, at most 20, or empty)")
