"""The last act as a program, in a mount namespace where /run, /etc/nut and the programs that it starts are the test's."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own needs root")
HOOK = TOP / "debian/system-shutdown/pimains-ups"
MAGIC = "pimains: cut by the last act of this shutdown"
# words: DIRECTORY COMMAND...; sleep(1) and what would end this machine are recorders
STAGE = """
set -e
for name in upsdrvctl systemctl sleep; do
    mount --bind "$1/recorder" "$(command -v "$name")"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev
mknod /dev/null c 1 3
[ ! -d "$1/flags" ] || cp -a "$1/flags" /run/pimains-halt
mount --bind "$1/nut" /etc/nut
shift
exec "$@"
"""
# how the process is that has started the hook, while the hook sleeps; a signal is obeyed a moment after it was sent
STATE = """if [ "${0##*/}" = sleep ]; then
    read -r _ _ _ parent _ </proc/$PPID/stat
    for _ in $(seq 100); do
        state=$(sed -n 's/^State:.//p' /proc/$parent/status)
        [ "$state" != "T (stopped)" ] || break
    done
    echo "$state" >DIRECTORY/state
fi
"""


class Stage:
    """What the hook finds, and what it has done."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "nut").mkdir()
        self.mode("standalone")
        recorder = f'#!/bin/sh\necho "${{0##*/}} $*" >>{directory}/done\n{STATE}case "$*" in *broken*) exit 1 ;; esac\n'
        (directory / "recorder").write_text(recorder.replace("DIRECTORY", str(directory)))
        (directory / "recorder").chmod(0o755)

    def mode(self, mode: str) -> None:
        (self.directory / "nut/nut.conf").write_text(f"# of Debian\nMODE={mode}\n")

    def flag(self, *lines: str) -> Path:
        flags = self.directory / "flags"
        flags.mkdir(mode=0o700, exist_ok=True)
        (flags / "cut").write_text("".join(f"{line}\n" for line in lines))
        return flags / "cut"

    def act(self, argument: str, parent: str = "") -> list[str]:
        """What is done, in words; `parent` is what the process is called that starts the hook."""
        done = self.directory / "done"
        done.unlink(missing_ok=True)
        starts = self.directory / (parent or "parent")
        starts.write_text('#!/bin/sh\n"$@"\n')
        starts.chmod(0o755)
        subprocess.run(
            ["unshare", "-m", "sh", "-c", STAGE, "stage", self.directory, starts, HOOK, argument],
            check=True,
            timeout=60,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        return done.read_text().splitlines() if done.exists() else []


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


CUT = ["upsdrvctl shutdown eaton", "upsdrvctl shutdown cellar", "sleep 180", "systemctl reboot --force --force"]


@pytest.mark.parametrize("argument", ["poweroff", "halt"])
def test_the_upses_are_told_to_cut_and_when_nobody_cuts_the_machine_starts_again(stage: Stage, argument: str) -> None:
    stage.flag(MAGIC, "180", "eaton cellar")
    assert stage.act(argument) == CUT


@pytest.mark.parametrize("argument", ["reboot", "kexec", ""])
def test_nothing_is_cut_at_a_reboot(stage: Stage, argument: str) -> None:
    stage.flag(MAGIC, "180", "eaton")
    assert stage.act(argument) == []


def test_nothing_is_cut_without_a_flag_or_by_another_ones(stage: Stage) -> None:
    """Scenario 8: NUT's own flag is none of ours."""
    assert stage.act("poweroff") == []
    (stage.directory / "nut/killpower").write_text("upsmon-shutdown-file\n")
    assert stage.act("poweroff") == []
    stage.flag("upsmon-shutdown-file")
    assert stage.act("poweroff") == []
    stage.flag("")
    assert stage.act("poweroff") == []


def test_a_flag_that_root_did_not_write_is_none(stage: Stage) -> None:
    os.chown(stage.flag(MAGIC, "180", "eaton"), 65534, 65534)
    assert stage.act("poweroff") == []
    flag = stage.flag(MAGIC, "180", "eaton")
    os.chown(flag, 0, 0)
    os.chown(flag.parent, 65534, 65534)
    assert stage.act("poweroff") == []
    os.chown(flag.parent, 0, 0)
    assert stage.act("poweroff") != []
    flag.rename(stage.directory / "elsewhere")
    flag.symlink_to(stage.directory / "elsewhere")
    assert stage.act("poweroff") == []


@pytest.mark.parametrize("mode", ["none", "netclient", ""])
def test_nothing_is_cut_where_nut_is_not_to_run(stage: Stage, mode: str) -> None:
    stage.flag(MAGIC, "180", "eaton")
    stage.mode(mode)
    assert stage.act("poweroff") == []
    stage.mode("netserver")
    assert stage.act("poweroff") != []


def test_a_ups_that_could_not_be_told_is_waited_for_longer(stage: Stage) -> None:
    stage.flag(MAGIC, "180", "broken eaton")
    assert stage.act("poweroff")[1:] == ["upsdrvctl shutdown eaton", "sleep 900", "systemctl reboot --force --force"]


def test_seconds_that_are_none_are_five_minutes(stage: Stage) -> None:
    for seconds in ("", "soon", "100000", "-5"):
        stage.flag(MAGIC, seconds, "eaton")
        assert stage.act("poweroff")[1:] == ["sleep 300", "systemctl reboot --force --force"]


@pytest.mark.parametrize("parent", ["(sd-executor)", "(sd-exec-strv)"], ids=["bookworm", "trixie"])
def test_who_counts_the_90_seconds_of_systemd_is_stopped_meanwhile(stage: Stage, parent: str) -> None:
    """With systemd itself, and nobody who cuts: tests/whole/packaging/test_ups_machine.py."""
    stage.flag(MAGIC, "180", "eaton")
    assert stage.act("poweroff", parent)[-1] == "systemctl reboot --force --force"
    assert (stage.directory / "state").read_text() == "T (stopped)\n"


def test_nobody_else_is_stopped_who_starts_it(stage: Stage) -> None:
    stage.flag(MAGIC, "180", "eaton")
    assert stage.act("poweroff") != []
    assert (stage.directory / "state").read_text() == "S (sleeping)\n"
