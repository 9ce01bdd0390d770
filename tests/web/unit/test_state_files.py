"""The state files of a machine in a table, read and watched as they really lie there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pimains.core import state
from pimains.core.clock import SystemClock
from pimains.core.ledger import Ledger
from pimains.web.state_files import StateFiles
from tests.kit import TOP, until


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for directory in ("run/relays/orders", "run/ups", "lib/relays"):
        (tmp_path / directory).mkdir(parents=True)
    return tmp_path / "run"


@pytest.fixture
def files(run: Path) -> Iterator[StateFiles]:
    files = StateFiles(run, run.parent / "lib", SystemClock())
    yield files
    files.unwatch()


def told(files: StateFiles) -> dict[str, Any] | None:
    files.look()
    news = files.table.news(0, 0)
    return news and {name: each["v"] for name, each in news["values"].items()}


def everything(files: StateFiles) -> dict[str, Any]:
    return {name: each["v"] for name, each in files.table.everything(0, 0)["values"].items()}


def test_values_are_the_files_that_everybody_may_read_and_people_s_modes(run: Path, files: StateFiles) -> None:
    state.write(run / "relays/3.state", "on")
    state.write(run.parent / "lib/relays/3.mode", "auto", mode=0o664)
    state.write(run.parent / "lib/relays/counts", "not for the page")
    state.write(run / "ups/ccu_session", "secret", mode=0o600)
    state.write(run / "ups/hosts", "nas: ready\ncellar: away")
    (run / "ups/.status.123").write_text("aside")
    (run / "ups/link").symlink_to("/etc/passwd")
    (run / "ups/zeros").write_bytes(b"\0\xff\n")
    os.mkfifo(run / "ups/fifo")
    (run / "file").write_text("of no instance")
    files.read_all()
    assert everything(files) == {"relays/3.state": "on", "relays/3.said": "auto", "ups/hosts": "nas: ready cellar: away", "ups/zeros": "�"}


def test_each_change_is_noticed_once(run: Path, files: StateFiles) -> None:
    state.write(run / "ups/status", "on mains")
    assert files.watch() is not None
    assert everything(files) == {"ups/status": "on mains"}
    files.table.news(0, 0)
    assert told(files) is None
    state.write(run / "ups/status", "on battery")
    state.write(run / "ups/charge", "90")
    (run.parent / "lib/relays/4.mode").write_text("on for 5 min\n")
    assert told(files) == {"ups/status": "on battery", "ups/charge": "90", "relays/4.said": "on for 5 min"}
    assert told(files) is None
    state.remove(run / "ups/charge")
    (run / "ups/status").chmod(0o600)
    assert told(files) == {"ups/charge": None, "ups/status": None}
    (run / "ups/status").chmod(0o644)
    assert told(files) == {"ups/status": "on battery"}


def test_what_a_person_wants_is_told_apart_from_what_was_taken_up(run: Path, files: StateFiles) -> None:
    state.write(run / "relays/3.mode", "auto")
    state.write(run.parent / "lib/relays/3.mode", "on for 5min", mode=0o664)
    assert files.watch() is not None
    assert everything(files) == {"relays/3.mode": "auto", "relays/3.said": "on for 5min"}
    files.table.news(0, 0)
    state.write(run / "relays/3.mode", "on for 5min")
    assert told(files) == {"relays/3.mode": "on for 5min"}


def test_each_entry_of_either_ledger_is_noticed(run: Path, files: StateFiles) -> None:
    lib = run.parent / "lib"
    (lib / "ledger").mkdir()
    assert files.watch() is not None
    assert everything(files) == {}
    files.table.news(0, 0)
    before: set[str] = set()
    for path in (lib / "ledger.sqlite", lib / "ledger/ledger.sqlite", lib / "ledger.sqlite"):
        Ledger(path).record("plug", "power on", "a test")
        news = told(files)
        assert news is not None, path
        assert news.keys() == {"ledger/written"}
        assert news["ledger/written"] not in before
        before.add(news["ledger/written"])
    assert Ledger(lib / "ledger.sqlite").entries()
    assert told(files) is None, "who reads is no news"


def test_instances_come_and_go_and_another_one_takes_a_place(run: Path, files: StateFiles) -> None:
    files.watch()
    (run / "plug").mkdir()
    state.write(run / "plug/power", "230.5")
    assert told(files) == {"plug/power": "230.5"}
    state.write(run / "plug/power", "231.5")
    assert told(files) == {"plug/power": "231.5"}
    (run / "plug").rename(run.parent / "plug")
    (run / "plug").mkdir()
    state.write(run / "plug/delay", "5 min")
    assert told(files) == {"plug/power": None, "plug/delay": "5 min"}
    state.write(run.parent / "plug/power", "17")
    state.write(run / "plug/power", "232.5")
    assert told(files) == {"plug/power": "232.5"}
    state.remove(run / "plug/power")
    state.remove(run / "plug/delay")
    (run / "plug").rmdir()
    assert told(files) == {"plug/power": None, "plug/delay": None}


def test_what_the_kernel_dropped_is_read_anew_also_that_something_is_gone(run: Path, files: StateFiles) -> None:
    state.write(run / "ups/charge", "90")
    files.watch()
    files.table.news(0, 0)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    first, second = run / "ups/a", run / "ups/b"
    for each in (first, second):
        each.touch()
    for number in range(most + 10):  # two alike in a row would be one
        os.utime((first, second)[number % 2])
    state.remove(run / "ups/charge")
    state.write(run / "relays/3.state", "on")
    (run / "plug").mkdir()
    state.write(run / "plug/power", "5")
    assert told(files) == {"ups/a": "", "ups/b": "", "ups/charge": None, "relays/3.state": "on", "plug/power": "5"}


def test_where_nothing_can_be_watched_all_is_looked_at(run: Path, files: StateFiles) -> None:
    run.rename(run.parent / "later")
    assert files.watch() is None
    assert files.why_blind == f"{run} cannot be watched (No such file or directory): changes are looked for now and then instead"
    (run.parent / "later").rename(run)
    assert not files.sees_all_changes
    state.write(run / "ups/status", "on battery")
    assert told(files) == {"ups/status": "on battery"}
    state.remove(run / "ups/status")
    assert told(files) == {"ups/status": None}


_LIMITED = """
import sys
from pathlib import Path
from pimains.core.clock import SystemClock
from pimains.web.state_files import StateFiles
limit, run = Path("/proc/sys/user", sys.argv[1]), Path(sys.argv[2])
limit.write_text(sys.argv[3])
files = StateFiles(run, run.parent / "lib", SystemClock())
files.watch()
print(files.why_blind)
(run / "ups/status").write_text("on battery")
files.look()
assert [*files.table.values("ups/status", 0)] == ["ups/status"]
limit.write_text("1000")
files.watch()
print(files.sees_all_changes, files.why_blind)
"""


@pytest.mark.parametrize(
    ("limit", "most", "words"),
    [
        ("max_inotify_instances", "0", "cannot be watched (inotify_init1); raise fs.inotify.max_user_instances (sysctl)"),
        ("max_inotify_watches", "1", "cannot be watched (No space left on device); raise fs.inotify.max_user_watches (sysctl)"),
    ],
)
def test_a_limit_of_the_kernel_is_named_and_nothing_is_missed(run: Path, limit: str, most: str, words: str) -> None:
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", _LIMITED, limit, str(run), most]
    told = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True)
    first, second = told.stdout.splitlines()
    assert words in first
    assert second == "True "


def test_a_service_is_alive_as_long_as_its_process(run: Path, files: StateFiles) -> None:
    state.write(run / "ups/status", "on mains")
    files.watch()
    code = "import sys; from pathlib import Path; from pimains.core import alive; alive.hold(Path(sys.argv[1])); print(flush=True); input()"
    words = [sys.executable, "-c", code, str(run / "ups")]
    with subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as service:
        assert service.stdout is not None
        service.stdout.readline()
        files.table.news(0, 0)
        assert told(files) == {"ups/alive": "1"}, "its start is noticed at once"
        files.look_who_is_alive()
        assert told(files) is None
        assert files.table.values("ups/status", 0)["ups/status"].is_alive
        service.kill()
    until(lambda: not Path(f"/proc/{service.pid}").exists())
    files.look_who_is_alive()
    assert told(files) == {"ups/alive": None}
    assert not files.table.values("ups/status", 0)["ups/status"].is_alive


def test_ages_are_counted_from_the_files_and_from_what_was_seen(run: Path, files: StateFiles) -> None:
    state.write(run / "ups/status", "on mains")
    os.utime(run / "ups/status", (0, 0))
    state.write(run / "ups/charge", "90")
    files.watch()
    now = SystemClock().monotonic()
    assert files.table.values("ups/status", now)["ups/status"].age is None, "older than this boot: the clock was set"
    age = files.table.values("ups/charge", now)["ups/charge"].age
    assert age is not None and age < 60
    (run / "ups/status").touch()
    files.look()
    age = files.table.values("ups/status", SystemClock().monotonic())["ups/status"].age
    assert age is not None and age < 60
