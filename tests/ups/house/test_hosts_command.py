"""pimains ups host: add, remove, list and check, at a real sshd."""

import json
import os
import shutil
import subprocess

import pytest

from pimains.cli.main import main
from tests.kit import House, TestInstance
from tests.ups.neighbour import MAC, THERE, Neighbour

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def ups(house: House) -> TestInstance:
    ups = house.add("ups", svscan=False, UPS="eaton@localhost", POWER="0")
    ups.run.mkdir(parents=True)
    shutil.chown(ups.run, "pimains")
    return ups


def fingerprint(nas: Neighbour) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", nas.top / "host_key.pub"], capture_output=True, text=True, check=True).stdout
    return said.split()[1]


def add(nas: Neighbour, house: House, *more: str, name: str = "nas") -> subprocess.CompletedProcess[str]:
    words = (f"--ssh=root@{THERE}", f"--command={nas.recorder}", f"--accept={fingerprint(nas)}")
    return nas.pimains(house, "ups", "host", "add", name, *words, *more)


def line_of(said: str) -> str:
    return next(line for line in said.splitlines() if line.startswith("restrict,"))


def test_a_host_is_added_authorized_checked_and_told(nas: Neighbour, house: House, ups: TestInstance) -> None:
    added = add(nas, house, "--proof=22")
    assert (added.returncode, added.stderr) == (0, "")
    directory = ups.directory / "hosts/nas"
    assert added.stdout.splitlines()[:3] == [
        f"made {directory}; svc -t {ups.directory} applies it",
        f"its Ethernet address is {MAC}, as this machine sees it: magic packets go there",
        f"This line belongs into ~root/.ssh/authorized_keys on {THERE}:",
    ]
    assert added.stdout.splitlines()[-1] == "Then: sudo pimains ups host check nas"
    key = directory / "key"
    assert (key.stat().st_mode & 0o777, key.owner()) == (0o600, "pimains")
    assert (directory / "MAC").read_text().startswith(f"{MAC}\nThe host's Ethernet address")

    nas.authorize(line_of(added.stdout))
    checked = nas.pimains(house, "ups", "host", "check")
    assert (checked.returncode, checked.stdout) == (0, f"nas: root@{THERE} takes our key and tells its boot id; port 22 answers\n")
    assert nas.recorded() == []

    nas.directory = directory
    assert nas.told("order_down").answer == nas.boot_id
    assert nas.recorded() == ["off"]


def test_without_a_person_who_agrees_nothing_is_written(nas: Neighbour, house: House, ups: TestInstance) -> None:
    said = nas.pimains(house, "ups", "host", "add", "nas", f"--ssh=root@{THERE}")
    print_ = fingerprint(nas)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == (
        f"pimains: root@{THERE}: its host key is {print_} (ED25519): nothing was written;"
        f" if `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says the same there, add --accept={print_}\n"
    )
    wrong = nas.pimains(house, "ups", "host", "add", "nas", f"--ssh=root@{THERE}", "--accept=SHA256:x")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        f"pimains: root@{THERE}: shows {print_} (ED25519), not SHA256:x: nothing was written\n",
    )
    refused = nas.pimains(house, "ups", "host", "add", "nas", f"--ssh=root@{THERE}", at_terminal="no")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, "Are they the same? (yes or no) pimains: nothing was written")
    assert not (ups.directory / "hosts").exists()


def test_a_person_at_a_terminal_is_asked(nas: Neighbour, house: House, ups: TestInstance) -> None:
    said = nas.pimains(house, "ups", "host", "add", "nas", f"--ssh=root@{THERE}", f"--command={nas.recorder}", at_terminal="yes")
    assert said.returncode == 0
    assert said.stderr.startswith(f"root@{THERE}: its host key is {fingerprint(nas)} (ED25519). On {THERE} itself this shows it: ")
    nas.authorize(line_of(said.stdout))
    assert nas.pimains(house, "ups", "host", "check", "nas").returncode == 0


def test_a_host_key_that_changed_is_pinned_anew_only_when_somebody_agrees(nas: Neighbour, house: House, ups: TestInstance) -> None:
    before = fingerprint(nas)
    nas.authorize(line_of(add(nas, house).stdout))
    nas.stop()
    nas.new_host_key()
    nas.start()
    checked = nas.pimains(house, "ups", "host", "check")
    assert (checked.returncode, "its host key is not the pinned one" in checked.stdout) == (1, True)
    said = nas.pimains(house, "ups", "host", "add", "nas")
    assert (said.returncode, f"another one than the pinned {before} (ED25519): nothing was written" in said.stderr) == (1, True)
    again = nas.pimains(house, "ups", "host", "add", "nas", f"--accept={fingerprint(nas)}")
    assert again.stdout.splitlines()[0] == f"changed {ups.directory}/hosts/nas: known_hosts; svc -t {ups.directory} applies it"
    assert nas.pimains(house, "ups", "host", "check").returncode == 0


def test_add_changes_what_is_given_and_no_more(nas: Neighbour, house: House, ups: TestInstance) -> None:
    add(nas, house, "--wake=yes")
    key = (ups.directory / "hosts/nas/key").read_text()
    assert nas.pimains(house, "ups", "host", "add", "nas").stdout.splitlines()[0] == "nas has these settings already"
    nas.stop()  # what is pinned already needs no host that answers
    said = nas.pimains(house, "ups", "host", "add", "nas", "--shed-at=charge 40, after 5m")
    assert said.stdout.splitlines()[0] == f"changed {ups.directory}/hosts/nas: SHED_AT; svc -t {ups.directory} applies it"
    assert (ups.directory / "hosts/nas/WAKE").read_text().startswith("yes\n")
    assert (ups.directory / "hosts/nas/key").read_text() == key


def test_a_user_who_is_not_root_is_told_what_sudo_needs(nas: Neighbour, house: House, ups: TestInstance) -> None:
    words = ("ups", "host", "add", "pc", f"--ssh=anna@{THERE}", f"--accept={fingerprint(nas)}")
    plain = nas.pimains(house, *words).stdout
    with_sudo = nas.pimains(house, *words, "--command=sudo -n poweroff").stdout
    assert "Where anna may not do poweroff: pimains ups host add pc --command='sudo -n poweroff' tells what it needs then." in plain
    assert "anna ALL=(root) NOPASSWD: /usr/sbin/poweroff" in with_sudo.splitlines()
    assert "'sudo -n poweroff') exec sudo -n poweroff ;;" in line_of(with_sudo)


def test_add_says_the_same_to_programs(nas: Neighbour, house: House, ups: TestInstance) -> None:
    found = json.loads(add(nas, house, "--json").stdout)
    assert (found["host"], found["MAC"], found["host_key"]) == ("nas", MAC, fingerprint(nas))
    nas.authorize(found["authorized_keys"])
    checked = json.loads(nas.pimains(house, "ups", "host", "check", "--json").stdout)
    assert [(each["host"], len(each["well"]), each["faults"]) for each in checked] == [("nas", 2, [])]


def test_list_shows_each_with_its_last_proof(nas: Neighbour, house: House, ups: TestInstance) -> None:
    assert "ups has no hosts" in nas.pimains(house, "ups", "host", "list").stdout
    nas.authorize(line_of(add(nas, house, "--shed-at=charge 40").stdout))
    nas.pimains(house, "ups", "host", "add", "tv", "--client=tv.lan", "--after=nas")
    nas.pimains(house, "ups", "host", "check", "nas")
    (ups.directory / "hosts/pc").mkdir()
    said = nas.pimains(house, "ups", "host", "list")
    lines = said.stdout.splitlines()
    assert said.returncode == 1
    assert lines[0].split() == ["HOST", "GOES", "BY", "AFTER", "SHED", "AT", "WAKE", "MAC", "LAST", "PROOF"]
    assert lines[1].startswith(f"nas   root@{THERE}     -      charge 40  if-up  {MAC}  up, ")
    assert lines[2].split() == ["tv", "NUT", "client", "tv.lan", "nas", "-", "if-up", "-", "-"]
    assert lines[3].startswith(f"{ups.directory}/hosts/pc/SSH: is empty, and so are CLIENT and PLUG")
    found = json.loads(nas.pimains(house, "ups", "host", "list", "--json").stdout)
    assert [(each["host"], (each["last_proof"] or {}).get("look")) for each in found["hosts"]] == [("nas", "up"), ("tv", None)]
    assert list(found["wrong"]) == ["pc"]


def test_check_names_what_is_missing_at_each_and_goes_on(nas: Neighbour, house: House, ups: TestInstance) -> None:
    nas.authorize(line_of(add(nas, house, "--proof=9").stdout))
    nas.pimains(house, "ups", "host", "add", "tv", "--client=10.92.0.9")
    said = nas.pimains(house, "ups", "host", "check")
    assert said.returncode == 1
    assert said.stdout.splitlines() == [
        f"nas: root@{THERE} takes our key and tells its boot id",
        "nas: port 9: its port is closed",
        "tv: ping: does not answer",
        "tv: WAKE is if-up, and MAC is empty: nothing wakes it when power is back (--mac=..., or --wake=no)",
    ]
    assert nas.recorded() == []


def test_check_sees_what_the_service_would_see(nas: Neighbour, house: House, ups: TestInstance) -> None:
    nas.authorize(line_of(add(nas, house).stdout))
    os.chown(ups.directory / "hosts/nas/key", 0, 0)
    said = nas.pimains(house, "ups", "host", "check", "nas")
    assert said.returncode == 1
    assert f"nas: {ups.directory}/hosts/nas/key: the key may not be read by the service's user" in said.stdout


def test_a_host_is_removed_with_its_keys_unless_another_waits_for_it(nas: Neighbour, house: House, ups: TestInstance) -> None:
    add(nas, house)
    nas.pimains(house, "ups", "host", "add", "tv", "--client=tv.lan", "--after=nas")
    kept = nas.pimains(house, "ups", "host", "remove", "nas")
    assert (kept.returncode, kept.stderr) == (
        1,
        "pimains: tv comes up after nas: give it another AFTER first (pimains ups host add tv --after=...)\n",
    )
    nas.pimains(house, "ups", "host", "remove", "tv")
    removed = nas.pimains(house, "ups", "host", "remove", "nas")
    assert removed.stdout.splitlines()[1].startswith(f"The line with this key may go from authorized_keys at root@{THERE}: ssh-ed25519 ")
    assert list((ups.directory / "hosts").iterdir()) == []
    gone = nas.pimains(house, "ups", "host", "remove", "nas")
    assert (gone.returncode, gone.stderr) == (1, "pimains: ups has no host nas (there are: none)\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["host"], "pimains ups host needs one of add, remove, list, check, as in: pimains ups host add nas --ssh=root@nas.lan"),
        (["host", "add"], "which host? pimains ups host add NAME"),
        (["host", "add", "NAS", "--client=x"], "a host cannot be called 'NAS': up to 40 of a-z 0-9 _ . -, first a letter or digit"),
        (["host", "add", "nas"], "--ssh: is empty, and so are CLIENT and PLUG; one of SSH, CLIENT, PLUG says how the host goes down"),
        (["host", "add", "nas", "--client=x", "--after=pc"], "--after: there is no host pc (there is: no other host)"),
        (["host", "add", "nas", "--client=x", "--shed-at=soon"], "--shed-at: 'soon' is no time to go (such as: charge 40"),
        (["host", "add", "nas", "--plug=tv"], "--plug: there is no plug service tv in "),
        (["host", "check", "nas"], "ups has no host nas (there are: none)"),
        (["host", "list", "--wake=no"], "settings mean nothing with host list"),
        (["show", "--wake=no"], "settings of a host mean nothing with show: pimains ups host add NAME ..."),
    ],
)
def test_what_means_nothing_is_one_line(
    house: House, ups: TestInstance, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["ups", *words, f"--servicedir={house.scan}"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[0].startswith(f"pimains: {said}")) == (1, True), lines
    assert not (ups.directory / "hosts").exists()
