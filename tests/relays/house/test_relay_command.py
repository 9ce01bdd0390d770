"""`pimains relay`: the table, what people say, relays that are made and removed, and why."""

import json
import subprocess

import pytest

from tests.kit import TOP, House
from tests.relays.relays import Relays


def pimains(relays: Relays, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(relays.house.root)}
    told = ["/usr/bin/python3", "-m", "pimains.cli", *words]
    told += [f"--servicedir={relays.house.scan}"] if words[0] == "relay" else []
    return subprocess.run(told, env=environment, capture_output=True, text=True, check=False)


def says(relays: Relays, *words: str) -> list[str]:
    done = pimains(relays, "relay", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_relay_is_made_switched_told_and_removed(house: House) -> None:
    relays = Relays(house)
    assert says(relays) == ["no relay yet: pimains relay add 1 --pin=17 --name=boiler"]
    assert says(relays, "add", "3", "--pin=17", "--name=boiler", "--active_low", "--watts=2000") == [
        f"relay 3 is made; its settings are files in {relays.directory}/3, and are taken up when they change",
        "GPIO 17 is pulled down from power-on until this service runs: its contact may close then.",
        "This line in /boot/firmware/config.txt opens it a few seconds after power-on: gpio=17=op,dh",
    ]
    relays.until(3, "state", "off")
    relays.set(3, "MIN_OFF", "0")
    assert says(relays, "3", "on", "for", "2h") == ["relay 3 (boiler) is on: a person wants it on for 2 h"]
    (row,) = json.loads("\n".join(says(relays, "--json")))
    assert {name: row[name] for name in ("number", "name", "state", "mode", "watts", "switches")} == {
        "number": 3,
        "name": "boiler",
        "state": "on",
        "mode": "on for 2h",
        "watts": 2000,
        "switches": 1,
    }
    heads, line = says(relays)
    assert heads.split() == ["name", "is", "mode", "W", "switched", "may", "change", "because"]
    assert line.startswith("3  boiler  on  on for 2h  2000  1")
    assert says(relays, "3")[1] == line
    why = pimains(relays, "why", "relay.3").stdout
    assert ": relay.3: on, because a person wants it on for 2 h. Based on: mode on for 2h." in why
    assert says(relays, "remove", "3") == ["relay 3 is removed: it goes off, and its pin is let go; how often it has switched stays known"]
    house.until(lambda: relays.levels(17) == ["high", "low", "high", "input"])


def test_a_relay_that_two_add_at_once_is_made_by_one_of_them(house: House) -> None:
    relays = Relays(house)
    environment = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    words = ["/usr/bin/python3", "-m", "pimains.cli", "relay", "add", "5", "--pin=17", f"--servicedir={house.scan}"]
    adding = [subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [each.communicate() for each in adding]
    assert sorted(each.returncode for each in adding) == [0, 1, 1, 1]
    there = f"pimains: {relays.directory}/5 is there already; its settings are files there\n"
    assert sorted(wrong for _, wrong in said) == ["", there, there, there]
    assert [path.name for path in relays.directory.iterdir()] == ["5"]
    relays.until(5, "state", "off")


def test_of_two_who_say_something_at_once_the_one_that_was_not_heard_is_told(house: House) -> None:
    relays = Relays(house, {})
    environment = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    words = ["/usr/bin/python3", "-m", "pimains.cli", "relay", f"--servicedir={house.scan}", "1"]
    saying = [subprocess.Popen([*words, mode], env=environment, stdout=subprocess.PIPE, text=True) for mode in ("on", "off") * 2]
    said = {each.communicate()[0].strip() for each in saying}
    mode = (relays.instance.lib / "1.mode").read_text().strip()
    assert f"relay 1 is {mode}: a person wants it {mode}" in said
    other = {"on": "off", "off": "on"}[mode]
    assert said <= {  # and it has no name, which is not what the file of its name says of names
        f"relay 1 is {mode}: a person wants it {mode}",
        f"relay 1 is {other}: a person wants it {other}",  # that was first
        f"relay 1: somebody else has said {mode} meanwhile",
        f"relay 1: somebody else has said {other} meanwhile",
    }


def test_on_a_read_only_disk_nothing_is_made_or_removed_and_it_is_one_line(house: House) -> None:
    relays = Relays(house, {})
    if subprocess.run(["mount", "--bind", relays.directory, relays.directory], check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount")
    house.closing.callback(subprocess.run, ["umount", "-l", relays.directory], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", relays.directory], check=True)
    for words in (("add", "5", "--pin=17"), ("remove", "1")):
        done = pimains(relays, "relay", *words)
        assert (done.returncode, done.stderr) == (1, f"pimains: {relays.directory}: Read-only file system\n")
    assert relays.of(1, "state") == "off"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["9", "on"], "there is no relay 9; there are: 1 (pimains relay add 9 --pin=17)"),
        (["1", "onn"], "'onn' is no mode (off, auto or on; for 2h or until 18:00 after it; or PvMonit's 0 1 2 3)"),
        (["x"], "'x' is no relay's number (1-999), nor list, add or remove"),
        (["add", "2"], "a relay needs its pin: pimains relay add 2 --pin=17"),
        (["add", "2", "--pin=2"], "--pin: 2 is the pin of relay 1 already"),
        (
            ["add", "2", "--pin=77"],
            "/2/PIN: '77' is no pin (a GPIO number 0-27, or LABEL:LINE of a GPIO chip, as gpiodetect tells its label)",
        ),
        (["add", "1", "--pin=7"], "/1 is there already; its settings are files there"),
        (["add", "1x", "--pin=7"], "pimains relay add wants the relay's number, 1-999"),
        (["1", "--pin=7"], "--pin, --name, --watts and --active_low are for add: pimains relay add 3 --pin=17 --name=boiler"),
    ],
)
def test_what_cannot_be_done_is_one_line(house: House, words: list[str], said: str) -> None:
    relays = Relays(house, {})
    done = pimains(relays, "relay", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [line for line in done.stderr.splitlines() if said in line]
    assert said in done.stderr
    assert sorted(path.name for path in relays.directory.iterdir()) == ["1"]
