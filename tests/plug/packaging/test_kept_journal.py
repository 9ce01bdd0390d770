"""Halt times from systemd's journal: a Debian 13 that keeps one is booted and powered off several times, systemd as process 1."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit import CACHE, TOP
from tests.whole.debian_root import MACHINE

STOPPING_SECONDS = 1.5

# each boot: what the plug service does with a plug that has no meter, as user nobody; then a poweroff, which a slow unit delays
LEARN = """
import asyncio, time, types
from pathlib import Path
from pimains.core.instance import Instance
from pimains.plug.halt_times import HaltTimes

async def main() -> None:
    me = Instance("plug", Path("/srv/plug"))
    me.lib.mkdir(parents=True, exist_ok=True)
    me.run.mkdir(parents=True, exist_ok=True)
    times = HaltTimes(me, 240, print)
    me.with_ledger(times.remember)
    await times.learn(types.SimpleNamespace(last_halt=None, value=lambda entity: None))
    print("durations", *me.ledger.durations("plug: halt"))
    times.begins()
    print("begins", time.monotonic(), flush=True)

asyncio.run(main())
"""
WORD = "import asyncio, sys; from pimains.plug.systemd_journal import *; print(asyncio.run(end_of_boot(sys.argv[1])))"
DENIED = WORD.replace("sys.argv[1]", "open('/srv/earlier').read().strip()")
NO_BOOT = "01234567-89ab-cdef-0123-456789abcdef"
BOOTS = rf"""{MACHINE}
overlay "$1" "$2"
mkdir -p root/var/log/journal root/srv/lib root/srv/house
cp -r "$3/pimains" root/srv/lib
mkdir -p root/usr/share/pimains
cp -r "$3/../services" root/usr/share/pimains
printf '%s' "$4" >root/srv/learn.py
printf '%s' "$5" >root/srv/word.py
chown nobody root/srv/house
echo none >root/srv/earlier
cat >root/etc/systemd/system/slow.service <<END
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sleep $6
[Install]
WantedBy=multi-user.target
END
cat >root/etc/systemd/system/learn.service <<END
[Unit]
After=multi-user.target slow.service
[Service]
Type=oneshot
User=nobody
SupplementaryGroups=systemd-journal
Environment=PYTHONPATH=/srv/lib PIMAINS_ROOT=/srv/house PYTHONDONTWRITEBYTECODE=1
StandardOutput=append:/srv/said
ExecStartPre=+/usr/bin/setpriv --reuid=nobody --regid=nogroup --clear-groups /usr/bin/python3 /srv/word.py
ExecStart=/usr/bin/python3 /srv/learn.py
ExecStartPost=+/bin/cp /proc/sys/kernel/random/boot_id /srv/earlier
ExecStartPost=+/usr/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
END
systemctl --root=root -q enable slow.service learn.service
for boot in 1 2 3; do
    boot 60
    echo "boot $boot"
    cat root/srv/said && rm root/srv/said
    echo "off $(cut -d' ' -f1 /proc/uptime)"
done
"""


def test_what_each_halt_took_is_learned_in_the_next_boot(tmp_path: Path) -> None:
    words = ["unshare", "--mount", "/bin/sh", "-c", BOOTS, "boots", tmp_path, CACHE / "root-trixie", TOP / "lib", LEARN, DENIED]
    done = subprocess.run(
        [*words, str(STOPPING_SECONDS)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    boots = [boot.splitlines() for boot in done.stdout.split("boot ")[1:]]
    assert len(boots) == 3, done.stdout
    began = [float(line.split()[1]) for boot in boots for line in boot if line.startswith("begins ")]
    off = [float(line.split()[1]) for boot in boots for line in boot if line.startswith("off ")]
    learned = [[float(word) for word in line.split()[1:]] for boot in boots for line in boot if line.startswith("durations")]
    assert [len(each) for each in learned] == [0, 1, 2], done.stdout
    for took, begin, end in zip(learned[-1], began, off, strict=False):
        assert STOPPING_SECONDS <= took <= end - begin + 0.1  # the journal ends a little before the machine; told holds tenths
        assert end - begin - took < 20  # what the journal does not see: the last file systems, and the next process to be told
    # who is not in group systemd-journal learns nothing
    assert [boot[1] for boot in boots] == ["None"] * 3, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("journal", ["true", "mkdir -p /var/log/journal/$(cat /etc/machine-id)"], ids=["none", "empty"])
def test_without_an_entry_of_an_earlier_boot_nothing_is_learned_and_nothing_fails(journal: str) -> None:
    hide = f'mount -t tmpfs none /var/log && mount -t tmpfs none /run && {journal} && exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hide, "/usr/bin/python3", "-c", WORD, NO_BOOT],
        env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_without_systemd_nothing_is_learned_and_nothing_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", WORD, NO_BOOT],
        env={"PYTHONPATH": str(TOP / "lib"), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("None\n", "")
