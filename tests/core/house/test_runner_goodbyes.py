"""The runner as a process of its own: crashes, signals, goodbyes, coroutines, files edited while they are read."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import TOP, until

HEAD = """
import asyncio, os, sys
from pathlib import Path
from pimains.core.errors import WrongSetting
from pimains.core.service import Stop, run, seconds
from pimains.core.settings import Settings, integer

class ExampleSettings(Settings):
    PIN = integer(0, 27, "GPIO number")
"""

READY = """
def main(me, settings):
    me.status("ready")
    while True:
        yield seconds(60)
"""


class Service:
    """A service of three lines, run as supervise would run it: in its directory, with its variables read by envdir."""

    def __init__(self, root: Path, main: str, **variables: str) -> None:
        self.root = root
        self.directory = root / "example"
        (self.directory / "variables").mkdir(parents=True)
        for name, value in {"PIMAINS_ROOT": str(root), "PYTHONPATH": str(TOP / "lib"), "PIN": "24", **variables}.items():
            (self.directory / "variables" / name).write_text(value + "\n")
        (self.directory / "main.py").write_text(f"{HEAD}\n{main}\nrun(main, ExampleSettings, user=None)\n")
        self.process: subprocess.Popen[str]

    def start(self) -> "Service":
        self.process = subprocess.Popen(
            ["envdir", "variables", "/usr/bin/python3", "-Pu", "main.py"],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def read(self, name: str) -> str:
        file = self.root / "run/pimains/example" / name
        return file.read_text().strip() if file.exists() else ""

    def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Its exit code and all it said."""
        said = self.process.communicate(timeout=60)[0]
        return self.process.returncode, said

    def wait_until(self, status: str) -> None:
        until(lambda: self.read("status") == status or self.process.poll() is not None, what=status)
        assert self.read("status") == status, self.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_with_0_and_says_so(tmp_path: Path, number: signal.Signals) -> None:
    service = Service(tmp_path, READY).start()
    service.wait_until("ready")
    service.tell(number)
    assert service.end() == (0, "")
    assert service.read("status") == "stopped"


def test_a_crash_leaves_a_traceback_last_words_and_111(tmp_path: Path) -> None:
    service = Service(
        tmp_path, 'def main(me, settings):\n    me.status("ready")\n    yield seconds(0)\n    raise ValueError("no pulse")'
    ).start()
    code, said = service.end()
    assert code == 111
    assert said.startswith("Traceback")
    assert said.count("no pulse") == 2, "the line of code and the error"
    assert service.read("status") == "failed, trying again: it met what nobody has foreseen; its log has the traceback"
    assert service.read("unwell") == service.read("status")
    assert service.read("error") == "it met what nobody has foreseen; its log has the traceback"


def test_the_last_error_is_still_known_after_the_next_start(tmp_path: Path) -> None:
    service = Service(tmp_path, 'def main(me, settings):\n    raise ValueError("no pulse")\n    yield seconds(0)').start()
    service.end()
    (service.directory / "main.py").write_text(f"{HEAD}\n{READY}\nrun(main, ExampleSettings, user=None)\n")
    service.start().wait_until("ready")
    assert service.read("error") == "it met what nobody has foreseen; its log has the traceback"
    assert service.read("unwell") == ""
    service.tell()
    service.end()


def test_a_goodbye_that_takes_time_is_waited_for(tmp_path: Path) -> None:
    service = Service(
        tmp_path,
        """
def main(me, settings):
    me.status("ready")
    try:
        yield seconds(60)
    except Stop:
        me.status("saving")
        while not Path("go").exists():
            yield seconds(0.05)
        print("saved")
""",
    ).start()
    service.wait_until("ready")
    service.tell()
    service.wait_until("saving")
    service.tell()
    (service.directory / "go").touch()
    assert service.end() == (0, "saved\n")


COROUTINE = """
async def main(me, settings):
    try:
        me.status("ready")
        await asyncio.sleep(60)
    finally:
        me.status("saving")
        while not Path("go").exists():
            await asyncio.sleep(0.05)
        print("saved")
"""


def test_a_coroutine_is_cancelled_and_its_goodbye_waited_for(tmp_path: Path) -> None:
    service = Service(tmp_path, COROUTINE).start()
    service.wait_until("ready")
    service.tell()
    service.wait_until("saving")
    service.tell()
    (service.directory / "go").touch()
    assert service.end() == (0, "saved\n")
    assert service.read("status") == "stopped"


def test_a_coroutine_that_crashes_leaves_last_words_and_111(tmp_path: Path) -> None:
    service = Service(tmp_path, 'async def main(me, settings):\n    raise OSError("no plug")').start()
    assert service.end()[0] == 111
    assert service.read("error") == "it met what nobody has foreseen; its log has the traceback"


def test_a_coroutine_that_was_cancelled_by_itself_is_a_crash(tmp_path: Path) -> None:
    service = Service(tmp_path, "async def main(me, settings):\n    asyncio.current_task().cancel()\n    await asyncio.sleep(60)").start()
    code, said = service.end()
    assert code == 111
    assert said.rstrip().endswith("RuntimeError: cancelled, though nobody told it to stop")
    assert service.read("error") == "it met what nobody has foreseen; its log has the traceback"


def test_a_crash_by_what_the_system_refuses_says_that(tmp_path: Path) -> None:
    service = Service(tmp_path, 'def main(me, settings):\n    raise OSError(28, "x" * 300)\n    yield seconds(0)').start()
    assert service.end()[0] == 111
    assert service.read("status") == "failed, trying again: No space left on device; its log has the traceback"


def test_a_setting_that_a_service_finds_wrong_later_is_waited_for_too(tmp_path: Path) -> None:
    service = Service(tmp_path, 'def main(me, settings):\n    yield seconds(0)\n    raise settings.wrong("PIN", "no such pin")').start()
    line = f"{service.directory}/variables/PIN: no such pin"
    service.wait_until(line)
    assert service.read("unwell") == line
    (service.directory / "variables/PIN").write_text("4\n")
    assert service.end() == (0, line + "\n")


def test_an_edit_between_reading_and_watching_is_not_missed(tmp_path: Path) -> None:
    service = Service(
        tmp_path, 'def main(me, settings):\n    Path("variables/PIN").write_text("4\\n")\n    raise settings.wrong("PIN", "no such pin")'
    ).start()
    assert service.end()[0] == 0


def test_variables_that_are_replaced_as_a_whole_are_noticed(tmp_path: Path) -> None:
    service = Service(tmp_path, READY, PIN="x").start()
    until(lambda: "is no GPIO number" in service.read("status"))
    (service.directory / "variables").rename(service.directory / "before")
    assert service.end()[0] == 0


def test_variables_that_go_before_they_are_watched_are_noticed_too(tmp_path: Path) -> None:
    gone = 'def main(me, settings):\n    Path("variables").rename("before")\n    raise settings.wrong("PIN", "no such pin")'
    code, said = Service(tmp_path, gone).start().end()
    assert code == 0, said


@pytest.mark.parametrize("value", [" x ", "x\t", "", "\nx", "x\r", "x\x00y", "\xff", "x" * 10000], ids=lambda value: repr(value)[:9])
def test_a_wrong_setting_however_odd_is_waited_for_and_not_taken_for_an_edit(tmp_path: Path, value: str) -> None:
    service = Service(tmp_path, READY, PIN=value).start()
    until(lambda: "GPIO number" in service.read("unwell"))
    with pytest.raises(subprocess.TimeoutExpired):
        service.process.wait(0.3)
    service.tell()
    assert service.end()[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_is_given_up_with_all_groups_of_the_user(tmp_path: Path) -> None:
    main = 'def main(me, settings):\n    me.status(f"{os.getuid()} {sorted(os.getgroups())} {os.environ["HOME"]}")\n    yield seconds(60)'
    service = Service(tmp_path, main.replace('["HOME"]', "['HOME']"))
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o755)
    code = (service.directory / "main.py").read_text().replace("user=None", 'user="games"')
    (service.directory / "main.py").write_text(code)
    lib = tmp_path / "lib"
    shutil.copytree(TOP / "lib", lib, ignore=shutil.ignore_patterns("*.pyc.*"))  # other tests' Pythons may be compiling
    (service.directory / "variables/PYTHONPATH").write_text(f"{lib}\n")
    service.start()
    expected = subprocess.run(["id", "-G", "games"], capture_output=True, text=True, check=True).stdout.split()
    until(lambda: service.read("status").startswith("5 "))
    assert f"{sorted(map(int, expected))} /usr/games" in service.read("status")
    service.tell()
    assert service.end()[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked to become somebody else")
def test_a_missing_user_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    service = Service(tmp_path, READY)
    code = (service.directory / "main.py").read_text().replace("user=None", 'user="nobody-there"')
    (service.directory / "main.py").write_text(code)
    service.start()
    until(lambda: service.read("status") != "" or service.process.poll() is not None)
    service.tell()
    code, said = service.end()
    assert "this machine has no user 'nobody-there'" in said


NEEDED = """
from pimains.core.service import refuse_to_stop

def main(me, settings):
    busy = Path("busy")
    refuse_to_stop(me, lambda: "somebody is on the stairs" if busy.exists() else "")
    me.status("light")
    naps = 0
    try:
        while True:
            yield seconds(0.1)
            naps += 1
            me.leave("naps", str(naps))
    finally:
        print("goodbye")
"""
REFUSED = "told to stop, which it does when this is over: somebody is on the stairs (svc -k stops it now)"


@pytest.fixture
def needed(tmp_path: Path) -> Iterator[Service]:
    """A service that may not be stopped, and systemd in the words of the file `state`."""
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f"#!/bin/sh\ncat {tmp_path}/state\n")
    systemctl.chmod(0o755)
    (tmp_path / "state").write_text("running\n")
    service = Service(tmp_path, NEEDED, PATH=f"{systemctl.parent}:{os.environ['PATH']}")
    (service.directory / "busy").touch()
    service.start()
    until(lambda: service.read("status") == "light")
    yield service
    service.process.kill()
    service.process.communicate()


def test_a_service_that_is_needed_says_so_when_told_to_stop_and_stops_when_that_is_over(needed: Service) -> None:
    needed.tell()
    needed.tell(signal.SIGCONT)
    until(lambda: needed.read("status") == f"light; {REFUSED}")
    needed.tell()  # supervise wants it down: it would not start it again
    until(lambda: REFUSED in needed.process.stdout.readline())  # type: ignore[union-attr]
    until(lambda: REFUSED in needed.process.stdout.readline())  # type: ignore[union-attr]
    assert needed.process.poll() is None
    (needed.directory / "busy").unlink()
    assert needed.process.wait(60) == 0
    assert needed.read("status") == "stopped"
    assert needed.process.stdout.read() == "goodbye\n"  # type: ignore[union-attr]


def test_a_service_that_is_needed_is_restarted_all_the_same(needed: Service) -> None:
    needed.tell(signal.SIGCONT)  # it was stopped before, and has gone on
    naps = int(needed.read("naps") or 0)
    until(lambda: int(needed.read("naps") or 0) > naps + 1)
    needed.tell()
    assert needed.process.wait(60) == 0


def test_a_service_that_is_needed_holds_up_no_machine_that_goes_down(needed: Service) -> None:
    needed.tell()
    needed.tell(signal.SIGCONT)
    until(lambda: REFUSED in needed.read("status"))
    (needed.root / "state").write_text("stopping\n")
    needed.tell()
    needed.tell(signal.SIGCONT)
    assert needed.process.wait(60) == 0
    assert needed.read("status") == "stopped"
