"""The service update in a booted Debian 13: systemd as process 1, which restarts daemontools in the middle of the upgrade."""

import subprocess
from pathlib import Path

import pytest

from tests.kit import CACHE
from tests.update.repository import Repository
from tests.whole.debian_root import MACHINE, debian_root

# a machine that boots, upgrades, and is powered off as soon as that was told
BOOT = rf"""{MACHINE}
overlay "$1" "$2"
cat >root/srv/watch <<'END'
#!/bin/sh
# it looks five minutes after boot, and this machine has the clock of another one: asked for while it looks, it would look once more
mkdir -p /run/pimains/update
[ "$(cut -d. -f1 /proc/uptime)" -ge 240 ] || touch /run/pimains/update/now
for _ in $(seq 400); do
    grep -q "^upgraded" /run/pimains/update/status && break
    sleep 0.2
done
dpkg-query -W -f '${{Package}} ${{Version}} ${{db:Status-Abbrev}}\n' pimains daemontools-run alpha >/var/versions
cat /run/pimains/update/status >/var/status
pimains why update >/var/why
systemctl poweroff
END
chmod +x root/srv/watch
cat >root/etc/systemd/system/watch.service <<'END'
[Unit]
After=multi-user.target
[Service]
ExecStart=/srv/watch
[Install]
WantedBy=multi-user.target
END
systemctl --root=root -q enable watch.service
boot 110
cat root/var/versions root/var/status root/var/why
cat root/var/log/pimains/update/current >"$3"
ls root/var/lib/pimains/notify/queue >>"$3"
"""


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian 13 with pimains and its service update, and a repository with newer ones of pimains and daemontools-run."""
    aside = tmp_path_factory.mktemp("update-systemd")
    with debian_root("trixie", aside, keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        repository = Repository(root)
        repository.add("alpha", "1")
        root.run("apt-get update && apt-get install -y alpha")
        (deb,) = root.run("ls /srv/dist/pimains_*.deb").split()
        repository.add_newer(deb, "9.0")
        repository.add_newer_of_installed("daemontools-run", "9:1")
        # after daemontools-run, which it depends on: what restarting ends cannot come as far as this
        repository.add("alpha", "2", depends="daemontools-run (>= 9:1)")
        root.run("create_service --service_name=update --upgrade='pimains daemontools-run alpha' --interval=7200 --add-service")
        root.run("install -d -m 2775 -g pimains /var/lib/pimains/notify/queue")
    return aside / "upper"


def test_it_survives_the_restart_of_daemontools_by_its_own_upgrade(layer: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "machine").mkdir()
    words = ["unshare", "--mount", "/bin/sh", "-c", BOOT, "boot", tmp_path / "machine", f"{layer}:{CACHE}/root-trixie", log]
    said = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
    assert said[:3] == ["alpha 2 ii ", "daemontools-run 9:1 ii ", "pimains 9.0 ii "]
    assert said[3].startswith("upgraded daemontools-run 1:0.76")
    assert "pimains 0.2.0 to 9.0" in said[3]
    assert "alpha 1 to 2" in said[3]
    assert [line for line in said[4:] if ": update: upgraded daemontools-run" in line]
    assert log.read_text().count("upgrading ") == log.read_text().count("upgraded ") == 1
