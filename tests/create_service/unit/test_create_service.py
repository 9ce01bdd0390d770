"""create_service as its users type it: on a service that has a setting of each kind."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pimains.core import templates
from pimains.core.errors import Misused
from pimains.create_service import making
from tests.core.lamp import KEY, Checkout
from tests.kit import TOP


def test_a_service_is_a_directory_of_links_and_variables(checkout: Checkout) -> None:
    assert checkout.add("--host=lamp.lan").code == 0
    lamp, template = checkout.servicedir / "lamp", checkout.top / "services/lamp"
    assert (lamp / "run").readlink() == template / "run"
    assert (lamp / "log/run").readlink() == template / "log/run"
    assert (lamp / "variables/HOST").read_text() == "lamp.lan\nThe lamp: a name or an IP address.\n"
    assert (lamp / "variables/PORT").read_text() == (template / "variables/PORT").read_text()
    assert checkout.value("PYTHONPATH") == str(checkout.top / "lib")
    assert checkout.value("PIMAINS_ROOT") == str(checkout.root)
    assert (checkout.root / "var/log/pimains/lamp").is_dir()
    assert [path.name for path in checkout.servicedir.iterdir()] == ["lamp"]


@pytest.mark.parametrize(
    "words",
    [["--lcd_host=hall"], ["--lcd-host", "hall"], ["--LCDHOST=hall"], ["--Lcd-Host=hall"], ["--lcdhost", "hall"]],
    ids=" ".join,
)
def test_case_hyphens_and_underscores_do_not_matter(checkout: Checkout, words: list[str]) -> None:
    assert checkout.add("--host=lamp.lan", *words).code == 0
    assert checkout.value("LCD_HOST") == "hall"


def test_pistops_own_command_line_works(checkout: Checkout) -> None:
    words = ["--servicedir", str(checkout.servicedir), "--service_name=lamp", "--host=192.168.1.101", "--port=5555", "--lcdhost=hall"]
    assert checkout.create_service(*words, "--user=pimains", f"--root={checkout.root}", "--add-service", as_is=True).code == 0
    assert (checkout.value("HOST"), checkout.value("PORT"), checkout.value("LCD_HOST")) == ("192.168.1.101", "5555", "hall")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--port=x"], "--port: 'x' is no port (1-65535)"),
        (["--port=70000"], "--port: '70000' is no port (1-65535)"),
        (["--on_lost=panic"], "--on_lost: 'panic' is no choice (ignore or shutdown)"),
        ([], "lamp needs --host=... (a name such as plug.local, or an IP address)"),
        (["--host=h", "--on_lost=shutdown"], "--lcd_host: is empty; ON_LOST=shutdown needs a display to say so"),
        (
            ["--hots=h"],
            "--hots: lamp has no such setting; did you mean --host?"
            " (there are: --encryption_key, --host, --lcd_host, --on_lost, --port, --stubborn)",
        ),
        (
            ["--mdrive=/MDrive"],
            "--mdrive: lamp has no such setting (there are: --encryption_key, --host, --lcd_host, --on_lost, --port, --stubborn)",
        ),
        (["--host"], "--host needs a value: --host=VALUE"),
        (["--down=1", "--host=h"], "--down takes no value"),
        (["host=h"], "'host=h' is no option: they all begin with --, as in --service_name=plug"),
        (["--host=h\nx"], "--host: 'h\\nx' has characters that do not belong in a host (a name such as plug.local, or an IP address)"),
        (
            ["--host=h", "--encryption_key=hunter2"],
            "--encryption_key: the secret is no key (32 bytes in base64, 44 characters ending in =, or empty)",
        ),
        (["--host=h", "--encryption_key=@/nowhere"], "--encryption_key: cannot read /nowhere: No such file or directory"),
        (
            ["--host=h", "--user=pi"],
            "--user: 'pi' cannot be chosen: services run as pimains, or as root where their job needs it (pimains)",
        ),
        (["--host=h", "--list"], "--add-service and --list: one at a time"),
        (["--host=h", "--json"], "--json means nothing with --add-service"),
        (
            ["--host=h", "--instance=../x"],
            "an instance cannot be called '../x': up to 40 of a-z 0-9 _ . -, first a letter or digit, none of removed supervise ledger",
        ),
    ],
)
def test_what_cannot_be_gets_one_line_and_nothing_is_written(checkout: Checkout, words: list[str], line: str) -> None:
    answer = checkout.add(*words)
    assert answer == (2, "", f"create_service: {line}\n")
    assert checkout.files() == {}
    assert not checkout.root.exists()


@pytest.mark.parametrize("option", ["--instance=", "--servicedir=", "--service_name=", "--root=", "--restore=", "--user=", "--instance= "])
def test_an_option_that_is_empty_is_refused_by_its_name_and_nothing_changes(checkout: Checkout, option: str) -> None:
    checkout.add("--host=lamp.lan")
    before = checkout.files()
    said = checkout.create_service("--service_name=lamp", f"--root={checkout.root}", "--host=other.lan", option, "--add-service")
    assert said.code == 2
    assert said.err.startswith(f"create_service: {option.partition('=')[0]} is empty: give it a value, or leave it out (")
    assert checkout.files() == before


@pytest.mark.parametrize("service", ["halt", "notify"])
def test_a_service_that_a_machine_has_one_of_is_made_under_its_own_name_only(checkout: Checkout, service: str) -> None:
    said = checkout.create_service(f"--service_name={service}", f"--instance={service}2", f"--root={checkout.root}", "--add-service")
    assert (said.code, said.err) == (
        2,
        f"create_service: --instance: '{service}2' cannot be a {service}: a machine has one, called {service} (leave --instance out)\n",
    )
    assert checkout.files() == {}


@pytest.mark.parametrize("command", ["/sbin/shutdwon -P now", "no-such-program", "/etc/passwd"])
def test_a_halt_command_whose_program_is_not_there_is_refused(checkout: Checkout, command: str) -> None:
    said = checkout.create_service("--service_name=halt", f"--halt_command={command}", f"--root={checkout.root}", "--add-service")
    program = command.split()[0]
    assert (said.code, said.err) == (
        2,
        f"create_service: --halt_command: there is no program '{program}' (one that is there, such as /sbin/shutdown -P now)\n",
    )
    assert checkout.files() == {}


def test_a_halt_command_may_be_one_of_the_system_that_is_in_nobodys_path(checkout: Checkout, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for program in ("multilog", "sh", "dirname", "readlink"):
        (path / program).symlink_to(str(shutil.which(program)))
    words = ["--service_name=halt", "--halt_command=ldconfig", f"--root={checkout.root}", "--add-service"]
    assert checkout.create_service(*words, path=str(path)).code == 0


def test_a_secret_is_read_from_a_plain_file_of_bounded_length_and_from_nothing_else(checkout: Checkout, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "long").write_text(KEY + "\n" + "x" * 65536)
    for source, why in (
        ("/dev/zero", "it is no plain file"),
        (tmp_path / "fifo", "it is no plain file"),
        (tmp_path, "it is no plain file"),
        (tmp_path / "long", "a file with more than 64 kB holds no setting"),
        (tmp_path / "nothing", "No such file or directory"),
    ):
        said = checkout.add("--host=h", f"--encryption_key=@{source}")
        assert (said.code, said.err) == (2, f"create_service: --encryption_key: cannot read {source}: {why}\n")
    said = checkout.create_service(
        "--service_name=lamp", f"--root={checkout.root}", "--host=h", "--encryption_key=@-", "--add-service", stdin="x" * 200_000
    )
    assert said.err == "create_service: --encryption_key: cannot read -: a line with more than 64 kB holds no setting\n"
    (tmp_path / "long").write_text((KEY + "\n").ljust(65536, "x"))
    assert checkout.add("--host=h", f"--encryption_key=@{tmp_path}/long").code == 0


def test_an_unknown_service_gets_those_there_are(checkout: Checkout) -> None:
    answer = checkout.create_service("--service_name=lmap", "--add-service")
    assert answer.code == 2
    assert "lmap: there is no such service; did you mean lamp? (there are: " in answer.err


def test_running_it_again_changes_only_what_is_given(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan", "--port=99")
    (checkout.servicedir / "lamp/variables/ON_LOST").write_text("IGNORE\nmy own words about it\n")
    (checkout.servicedir / "lamp/variables/MINE").write_text("kept\n")
    before = checkout.files()
    answer = checkout.create_service("--instance=lamp", "--host=lamp2.lan", "--port=99", "--add-service")
    assert answer.out == f"changed {checkout.servicedir}/lamp/variables/HOST\nsvc -t {checkout.servicedir}/lamp applies it\n"
    after = checkout.files()
    assert {name for name in after if after[name] != before.get(name)} == {"lamp/variables/HOST"}
    assert after["lamp/variables/HOST"] == "lamp2.lan\nThe lamp: a name or an IP address.\n"


def test_a_wrong_change_leaves_the_instance_as_it_was(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan")
    before = checkout.files()
    assert checkout.create_service("--instance=lamp", "--port=1", "--on_lost=shutdown", "--add-service").code == 2
    assert checkout.create_service("--instance=lamp", "--port=1", "--host=", "--add-service").code == 2
    assert checkout.files() == before


def test_another_service_of_the_same_name_is_refused(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan")
    answer = checkout.create_service("--service_name=halt", "--instance=lamp", "--add-service")
    assert (answer.code, answer.err) == (2, "create_service: --instance: lamp is there already and is a lamp (any other name)\n")


def test_a_second_instance_has_settings_of_its_own(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan")
    checkout.add("--instance=lamp2", "--host=lamp2.lan", "--down")
    assert (checkout.value("HOST"), checkout.value("HOST", "lamp2")) == ("lamp.lan", "lamp2.lan")
    assert not (checkout.servicedir / "lamp/down").exists()
    assert (checkout.servicedir / "lamp2/down").exists()


def test_a_secret_comes_from_a_file_or_from_standard_input_and_is_for_root_only(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\nnot this\n")
    assert checkout.add("--host=h", f"--encryption_key=@{tmp_path}/key").code == 0
    assert checkout.value("ENCRYPTION_KEY") == KEY
    assert (checkout.servicedir / "lamp/variables/ENCRYPTION_KEY").stat().st_mode & 0o777 == 0o600
    assert (checkout.servicedir / "lamp/variables/HOST").stat().st_mode & 0o777 == 0o644
    other = KEY.replace("Q", "R", 1)
    answer = checkout.create_service("--instance=lamp", "--encryption_key=@-", "--add-service", stdin=f"{other}\n")
    assert (answer.code, checkout.value("ENCRYPTION_KEY")) == (0, other)
    for shown in (checkout.create_service("--show=lamp"), checkout.create_service("--show=lamp", "--json")):
        assert other not in shown.out
    assert "* ENCRYPTION_KEY: set (secret)" in checkout.create_service("--show=lamp").out


def test_show_tells_value_default_and_meaning_and_marks_what_was_edited(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan", "--port=99")
    out = checkout.create_service("--show=lamp").out
    assert "* PORT: 99 (default: 6053)\n      TCP port, 1-65535.\n  ENCRYPTION_KEY: not set\n" in out
    settings = {each["name"]: each for each in json.loads(checkout.create_service("--show=lamp", "--json").out)["settings"]}
    assert settings["PORT"] == {
        "name": "PORT",
        "value": "99",
        "is_set": True,
        "default": "6053",
        "edited": True,
        "secret": False,
        "allowed": "1-65535",
        "meaning": "TCP port, 1-65535.",
    }
    assert settings["ENCRYPTION_KEY"]["value"] is None


def test_show_tells_of_a_service_that_has_no_instance(checkout: Checkout) -> None:
    assert checkout.create_service("--show=lamp").out.startswith("lamp: lights the hall\n  HOST: empty\n")
    assert "did you mean lamp?" in checkout.create_service("--show=lam").err


def test_list_tells_services_and_instances(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan")
    (checkout.root / "run/pimains/lamp").mkdir(parents=True)
    (checkout.root / "run/pimains/lamp/status").write_text("lit by lamp.lan\n")
    (checkout.servicedir / "sshd").mkdir()
    (checkout.servicedir / "sshd/run").write_text("#!/bin/sh\n")
    out = checkout.create_service("--list").out
    assert "lamp lights the hall" in " ".join(out.split())
    assert out.endswith(f"instances in {checkout.servicedir}:\n  lamp  lamp  not supervised  lit by lamp.lan\n")
    listed = json.loads(checkout.create_service("--list", "--json").out)
    assert listed["services"]["lamp"] == "lights the hall"
    assert [(row["instance"], row["service"], row["state"], row["status"]) for row in listed["instances"]] == [
        ("lamp", "lamp", "unsupervised", "lit by lamp.lan")
    ]


def test_help_is_made_from_the_templates(checkout: Checkout) -> None:
    assert "lamp lights the hall" in " ".join(checkout.create_service("--help").out.split())
    out = checkout.create_service("--service_name=lamp", "--help").out
    assert out.startswith("Lights the pimains-halt(8) for whoever comes in.\n\n  create_service --service_name=lamp ")
    assert "  create_service --service_name=lamp --host=... --add-service\n" in out
    assert "  --host=... (needed; allowed: a name such as plug.local, or an IP address)\n      The lamp: a name or an IP address.\n" in out
    assert "--encryption_key=@FILE reads it" in out
    assert "  --port=... (default: 6053; allowed: 1-65535)\n" in out
    assert "pimains help lamp tells all about it" in out


@pytest.mark.parametrize("service", list(templates.all_of_them()))
def test_help_on_a_service_opens_with_the_first_paragraph_of_its_readme(service: str) -> None:
    words = [TOP / "create_service", f"--service_name={service}", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n\n")[0].split()
    _, paragraph = (TOP / "services" / service / "README.md").read_text().split("\n\n")[:2]
    shown = re.sub(r"\[[^]]+\]\(\.\./(\w+)/README\.md\)", r"pimains-\1(8)", paragraph)
    assert told == shown.split()
    assert len(told) >= 20


def test_an_instance_has_no_readme_and_does_not_miss_one(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan")
    assert sorted(path.name for path in (checkout.servicedir / "lamp").iterdir()) == ["log", "run", "variables"]
    assert checkout.create_service("--refresh").out == ""
    assert sorted(path.name for path in (checkout.servicedir / "lamp").iterdir()) == ["log", "run", "variables"]


def test_removing_keeps_a_copy_that_brings_it_back(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan", f"--encryption_key={KEY}", "--port=99")
    (checkout.root / "run/pimains/lamp").mkdir(parents=True)
    answer = checkout.create_service("--service_name=lamp", "--del-service")
    assert answer.code == 0
    assert checkout.files() == {}
    assert not (checkout.root / "run/pimains/lamp").exists()
    copy = checkout.root / "var/lib/pimains/removed/lamp-1"
    assert (copy.stat().st_mode & 0o777, (copy / "ENCRYPTION_KEY").stat().st_mode & 0o777) == (0o700, 0o600)
    again = answer.out.splitlines()[-1].split()[1:]
    assert checkout.create_service(*again, as_is=True).code == 0
    assert (checkout.value("HOST"), checkout.value("PORT"), checkout.value("ENCRYPTION_KEY")) == ("lamp.lan", "99", KEY)
    assert (checkout.servicedir / "lamp/variables/ENCRYPTION_KEY").stat().st_mode & 0o777 == 0o600


def test_the_last_five_copies_are_kept(checkout: Checkout) -> None:
    for port in range(1, 8):
        checkout.add("--host=lamp.lan", f"--port={port}")
        checkout.create_service("--service_name=lamp", "--del-service")
    kept = checkout.root / "var/lib/pimains/removed"
    assert sorted(path.name for path in kept.iterdir()) == [f"lamp-{number}" for number in range(3, 8)]


def test_somebody_elses_service_is_never_touched(checkout: Checkout) -> None:
    sshd = checkout.servicedir / "lamp"
    (sshd / "variables").mkdir(parents=True)
    (sshd / "run").write_text("#!/bin/sh\n")
    before = checkout.files()
    refused = checkout.create_service("--service_name=lamp", "--del-service")
    assert (refused.code, refused.err) == (1, f"create_service: {sshd} was not made by create_service and is left alone\n")
    assert checkout.add("--host=h").code == 1
    (sshd / "run").unlink()
    (checkout.top / "elsewhere/services/lamp").mkdir(parents=True)
    (checkout.top / "elsewhere/services/lamp/run").write_text("#!/bin/sh\nexec mine\n")
    (sshd / "run").symlink_to(checkout.top / "elsewhere/services/lamp/run")
    assert checkout.create_service("--service_name=lamp", "--del-service").code == 1
    (sshd / "run").unlink()
    (sshd / "run").write_text("#!/bin/sh\n")
    assert checkout.files() == before


def test_refresh_brings_new_settings_and_links_and_keeps_the_rest(checkout: Checkout) -> None:
    checkout.add("--host=lamp.lan", "--port=99")
    lamp, template = checkout.servicedir / "lamp", checkout.top / "services/lamp"
    (lamp / "variables/STUBBORN").unlink()
    (lamp / "variables/ENCRYPTION_KEY").unlink()
    (lamp / "log/run").unlink()
    (lamp / "variables/MINE").write_text("kept\n")
    answer = checkout.create_service("--refresh")
    assert answer.out.splitlines() == [
        f"lamp: {lamp}/log/run links to {template}/log/run now",
        f"lamp: new setting {lamp}/variables/ENCRYPTION_KEY, default empty",
        f"lamp: new setting {lamp}/variables/STUBBORN, default 0",
    ]
    assert (checkout.value("STUBBORN"), checkout.value("PORT"), checkout.value("MINE")) == ("0", "99", "kept")
    assert (lamp / "variables/ENCRYPTION_KEY").stat().st_mode & 0o777 == 0o600
    assert (lamp / "log/run").readlink() == template / "log/run"
    assert checkout.create_service("--refresh") == (0, "", "")


def test_refresh_leaves_the_instances_of_another_checkout_alone(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add("--host=lamp.lan")
    shutil.copytree(checkout.top, tmp_path / "other")
    (checkout.servicedir / "lamp/variables/PORT").unlink()
    before = checkout.files()
    subprocess.run([tmp_path / "other/create_service", f"--servicedir={checkout.servicedir}", "--refresh"], check=True)
    assert checkout.files() == before


def test_a_full_disk_leaves_nothing_behind(checkout: Checkout) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    words = [
        str(checkout.top / "create_service"),
        f"--servicedir={checkout.servicedir}",
        "--service_name=lamp",
        "--host=h",
        "--add-service",
    ]
    fill = f'mount -t tmpfs -o size=16k none {checkout.servicedir} && "$@"; ls -A {checkout.servicedir}'
    done = subprocess.run(["unshare", "-m", "sh", "-c", fill, "sh", *words], capture_output=True, text=True, check=False)
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_two_at_once_wait_for_each_other(checkout: Checkout) -> None:
    words = [checkout.top / "create_service", f"--servicedir={checkout.servicedir}", "--service_name=lamp", "--host=h", "--add-service"]
    with making.locked(checkout.servicedir):
        second = subprocess.Popen([*words, f"--root={checkout.root}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        assert second.stderr.readline() == f"waiting for another create_service in {checkout.servicedir}\n"
        assert checkout.files() == {}
    assert second.wait() == 0
    assert second.stderr.read() == ""
    assert checkout.value("HOST") == "h"


@pytest.mark.parametrize("word", ["request", "accepted"])
def test_a_halt_that_is_shutting_down_is_not_removed(checkout: Checkout, word: str) -> None:
    words = ["--service_name=halt", f"--root={checkout.root}"]
    assert checkout.create_service(*words, "--halt_command=/bin/true", "--add-service").code == 0
    (checkout.root / "run/pimains/halt").mkdir(parents=True)
    (checkout.root / f"run/pimains/halt/{word}").write_text("night\n")
    before = checkout.files()
    answer = checkout.create_service("--service_name=halt", "--del-service")
    assert (answer.code, answer.err.count("pimains halt --cancel")) == (1, 1)
    assert checkout.files() == before


def test_one_broken_instance_does_not_keep_the_others_from_being_refreshed(checkout: Checkout) -> None:
    checkout.add("--host=h", "--instance=a")
    checkout.add("--host=h", "--instance=b")
    shutil.rmtree(checkout.servicedir / "a/log")
    (checkout.servicedir / "a/log").write_text("no directory")
    (checkout.servicedir / "b/variables/PORT").unlink()
    answer = checkout.create_service("--refresh")
    assert (answer.code, answer.err) == (1, f"create_service: a: {checkout.servicedir}/a/log: File exists\n")
    assert checkout.value("PORT", "b") == "6053"


def test_without_a_service_directory_it_says_what_to_install(checkout: Checkout) -> None:
    checkout.servicedir.rmdir()
    answer = checkout.add("--host=h")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert f"there is no directory {checkout.servicedir}: apt install daemontools-run" in answer.err
    assert checkout.create_service("--refresh").code == 0


def test_without_daemontools_it_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    for name in ("sh", "dirname", "readlink", "env"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    answer = checkout.create_service("--service_name=lamp", "--host=h", "--add-service", path=str(tmp_path))
    assert (answer.code, answer.err) == (1, "create_service: daemontools is not installed: apt install daemontools daemontools-run\n")
    assert checkout.files() == {}


def test_what_was_left_of_an_interrupted_making_is_in_nobodys_way(checkout: Checkout) -> None:
    (checkout.servicedir / ".lamp+new/variables").mkdir(parents=True)
    (checkout.servicedir / ".lamp+new/variables/HOST").write_text("half")
    assert checkout.add("--host=lamp.lan").code == 0
    assert [path.name for path in checkout.servicedir.iterdir()] == ["lamp"]


@pytest.mark.parametrize("name", ["", "Lamp", ".lamp", "supervise", "removed", "a/b", "-x", "a" * 41, "ä", "a b"])
def test_names_that_svscan_a_shell_or_a_log_would_stumble_over_are_refused(name: str) -> None:
    with pytest.raises(Misused, match="an instance cannot be called"):
        making.check_name(name)
