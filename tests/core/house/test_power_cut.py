"""What has to survive a power cut, right after it was said to be done: on an ext4 disk, of which only that counts which is on it by then.

tests/whole/bench/pulled_plug.py pulls the plug of a whole machine; this tries one line at a time.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
# words: DIRECTORY PROGRAM; the disk as it is when the program has just ended, and before anything else is written to it
CUT = """set -e
mount -o loop "$1/disk" "$1/mounted"
PIMAINS_ROOT="$1/mounted" /usr/bin/python3 -Pc "$2"
cp "$1/disk" "$1/left"
"""
BEGIN = """
import os
from pathlib import Path
from pimains.core import notify_queue, state
from pimains.core.instance import Instance
from pimains.notify.outbox import Message, Outbox
from pimains.notify.plan import Moment
from pimains.shared import plug_cuts

def message(name):
    return Message(name, "lost", "the plug is lost", "since now", Moment("boot", 1.0, 2.0), Moment("boot", 1.0, 2.0))

notify_queue.queue().mkdir(parents=True)
plug = Instance("plug", Path("/etc/service/plug"))
plug.lib.mkdir(parents=True)
os.sync()
"""


def left_after(tmp_path: Path, program: str) -> Path:
    """What /var/lib/pimains holds after the power was cut right behind `program`."""
    (tmp_path / "mounted").mkdir()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", tmp_path / "disk", "16M"], check=True)
    python = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    subprocess.run(["unshare", "--mount", "sh", "-c", CUT, "cut", tmp_path, BEGIN + program], env=python, check=True)
    checked = subprocess.run(["e2fsck", "-fp", tmp_path / "left"], capture_output=True, text=True, check=False)
    assert checked.returncode in (0, 1), checked.stdout
    subprocess.run(["debugfs", "-R", f"rdump /var/lib/pimains {tmp_path}", tmp_path / "left"], check=True, capture_output=True)
    return tmp_path / "pimains"


def test_a_message_is_kept_once_it_is_posted(tmp_path: Path) -> None:
    left = left_after(tmp_path, "notify_queue.post('the plug is lost', 'since now', 'lost')")
    (message,) = (left / "notify/queue").iterdir()
    assert message.read_text() == "lost\nthe plug is lost\nsince now\n"


def test_a_message_on_its_way_is_kept_before_it_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    left = left_after(tmp_path, "Outbox(notify_queue.directory() / 'outbox').keep('one', message('one'))")
    assert "the plug is lost" in (left / "notify/outbox/one").read_text()


def test_a_message_that_was_only_written_aside_is_none_and_is_taken_away(tmp_path: Path) -> None:
    program = """
box = Outbox(notify_queue.directory() / 'outbox')
box.keep('one', message('one'))
(box.directory / 'one').rename(box.directory / '.one.172')
assert not Outbox(box.directory).messages
os.sync()
"""
    assert list((left_after(tmp_path, program) / "notify/outbox").iterdir()) == []


def test_a_message_that_was_delivered_does_not_come_back(tmp_path: Path) -> None:
    program = "box = Outbox(notify_queue.directory() / 'outbox'); box.keep('one', message('one')); box.drop('one')"
    assert list((left_after(tmp_path, program) / "notify/outbox").iterdir()) == []


def test_a_dead_man_switch_that_is_armed_is_not_forgotten(tmp_path: Path) -> None:
    assert (left_after(tmp_path, "assert plug_cuts.arm(plug, 1800)") / "plug/armed").read_text() == "1800\n"


def test_a_dead_man_switch_that_is_off_does_not_come_back(tmp_path: Path) -> None:
    left = left_after(tmp_path, "plug_cuts.arm(plug, 1800); plug_cuts.disarm(plug)")
    assert list((left / "plug").iterdir()) == []
