"""pimains-usb-off.service in a booted Debian 13: systemd as process 1, a real power-off; only uhubctl is a recorder."""

import subprocess
from pathlib import Path

from tests.kit import CACHE, TOP
from tests.whole.debian_root import MACHINE

UNIT = TOP / "debian/pimains.pimains-usb-off.service"
DEFAULT = TOP / "debian/default/pimains-usb-off"
# a disk that is mounted, and somebody who powers the machine off as soon as it is up
BOOT = rf"""{MACHINE}
overlay "$1" "$2"
cp "$3" root/etc/systemd/system/pimains-usb-off.service
sed 's/^LOCATION=.*/LOCATION=1-1.2/' "$4" >root/etc/default/pimains-usb-off
mkdir root/srv/disk
cat >root/etc/systemd/system/srv-disk.mount <<END
[Mount]
What=tmpfs
Where=/srv/disk
Type=tmpfs
[Install]
WantedBy=multi-user.target
END
cat >root/etc/systemd/system/off.service <<END
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh -c 'grep -c /srv/disk /proc/mounts >/var/mounted-before; systemctl poweroff'
[Install]
WantedBy=multi-user.target
END
printf '#!/bin/sh\necho "$* with $(grep -c /srv/disk /proc/mounts) disks mounted" >>/var/uhubctl-said\n' >root/usr/sbin/uhubctl
chmod +x root/usr/sbin/uhubctl
systemctl --root=root -q enable srv-disk.mount off.service $5
boot 90
cat root/var/mounted-before root/var/uhubctl-said
"""


def power_off(aside: Path, *enabled: str) -> list[str]:
    """What was mounted before, and what uhubctl was told."""
    words = ["unshare", "--mount", "/bin/sh", "-c", BOOT, "boot", aside, CACHE / "root-trixie", UNIT, DEFAULT, *enabled]
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()


def test_the_usb_power_goes_off_at_power_off_when_the_disks_are_unmounted(tmp_path: Path) -> None:
    assert power_off(tmp_path, "pimains-usb-off.service") == ["1", "-a 0 -l 1-1.2 with 0 disks mounted"]


def test_the_usb_power_stays_on_where_nobody_enabled_it(tmp_path: Path) -> None:
    assert power_off(tmp_path) == ["1"]
