"""A music server and the machine in the kitchen that plays from it, as their people set them up.

The server's drive is mounted when it is touched, as in pistop's example; autofs mounts the share with sshfs; `player` stands for mpd:
a unit that keeps a song of the share open, and writes into the ledger when it starts and stops, and what it sees then.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit import CACHE
from tests.update.repository import Repository
from tests.whole.booted import CannotBoot, Machine, machines
from tests.whole.debian_root import debian_root

SERVER, CLIENT = {"music": "10.92.0.1"}, {"kitchen": "10.92.0.2"}
DRIVE, SHARE = "/MDrive", "/var/lib/mpd/MDrive"
LAYERS = (CACHE / "root-trixie-machine/upper", CACHE / "root-trixie")
_HOSTS = "127.0.0.1 localhost\n10.92.0.1 music music.lan\n10.92.0.2 kitchen kitchen.lan"
# what systemd makes of "/dev/drive /MDrive ext4 noatime,noauto,x-systemd.automount" in fstab, whose devices it ignores in nspawn
MOUNT = "[Mount]\nWhat=/dev/drive\nWhere=/MDrive\nType=ext4\nOptions=noatime"
AUTOMOUNT = "[Unit]\nBefore=local-fs.target\n[Automount]\nWhere=/MDrive\n[Install]\nWantedBy=local-fs.target"
AUTO_MASTER = "/var/lib/mpd /etc/autofs.mounts --timeout=60 --negative-timeout=2"
AUTO_MAP = "MDrive -fstype=fuse.sshfs,allow_other,IdentityFile=/etc/pimains/share-key,ConnectTimeout=5 :pi@music.lan\\:/MDrive"
_PLAYER = f"""#!/usr/bin/python3
import os, signal, subprocess
from pimains.core.ledger import Ledger
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
song = open("{SHARE}/Music/song")
Ledger().record("player", "started", song.read().strip())
subprocess.run(["systemd-notify", "--ready"])
signal.sigwait([signal.SIGTERM])
Ledger().record("player", "stopped", "the song is there" if os.path.exists("{SHARE}/Music/song") else "the song is gone")
"""
_PLAYER_UNIT = "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/usr/local/bin/player"
_NOTE = """#!/usr/bin/python3
import sys
from pimains.core.ledger import Ledger
Ledger().record(*sys.argv[1:])
"""
_NOTED = "[Service]\nExecStartPost=/usr/local/bin/note {0} started systemd\nExecStopPost=/usr/local/bin/note {0} stopped systemd"


def new_layer(aside: Path) -> Path:
    """Debian 13 with our package and all the rest that either machine needs, and a repository with newer ones."""
    for layer in LAYERS:
        if not layer.is_dir():
            raise CannotBoot(f"{layer} is not there: tests/run makes it")
    with debian_root("trixie", aside, on=LAYERS[0], keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        repository = Repository(root)
        repository.add("alpha", "1")
        root.run("apt-get update && apt-get install -y alpha")
        (deb,) = root.run("ls /srv/dist/pimains_*.deb").split()
        repository.add("alpha", "2")
        repository.add_newer(deb, "9.0")
        root.run("adduser --quiet --disabled-password --gecos '' pi")
        root.run("ssh-keygen -q -t ed25519 -N '' -f /etc/pimains/share-key && ssh-keygen -A")
        root.run("install -d -m 700 -o pi -g pi /home/pi/.ssh && install -o pi /etc/pimains/share-key.pub /home/pi/.ssh/authorized_keys")
        root.run("sed 's/^/music.lan /' /etc/ssh/ssh_host_ed25519_key.pub >/etc/ssh/ssh_known_hosts")
        root.run("systemctl -q enable systemd-networkd && systemctl -q mask systemd-networkd-wait-online.service")
    return aside / "upper"


@contextmanager
def two_machines(aside: Path, layer: Path) -> Iterator[tuple[Machine, Machine]]:
    """The server and the client, off; what a user does before the first create_service is done."""
    with machines(aside, (layer, *LAYERS), {**SERVER, **CLIENT}) as (music, kitchen):
        for machine in (music, kitchen):
            machine.write("etc/hosts", _HOSTS)
        music.write("etc/systemd/system/MDrive.mount", MOUNT)
        music.write("etc/systemd/system/MDrive.automount", AUTOMOUNT)
        subprocess.run(["systemctl", "-q", f"--root={music.top}", "enable", "MDrive.automount"], check=True)
        _put_song_on(music)
        kitchen.write("etc/auto.master.d/mpd.autofs", AUTO_MASTER)
        kitchen.write("etc/autofs.mounts", AUTO_MAP)
        kitchen.write("usr/local/bin/player", _PLAYER, 0o755)
        kitchen.write("usr/local/bin/note", _NOTE, 0o755)
        kitchen.write("etc/systemd/system/player.service", _PLAYER_UNIT)
        kitchen.write("etc/systemd/system/autofs.service.d/note.conf", _NOTED.format("autofs"))
        yield music, kitchen


def _put_song_on(machine: Machine) -> None:
    """Onto its drive, which nothing has mounted yet."""
    song = machine.directory / "song"
    song.write_text("one song\n")
    words = f"mkdir Music\nwrite {song} Music/song\n"
    subprocess.run(["debugfs", "-w", "-f", "-", machine.directory / "drive"], input=words, text=True, capture_output=True, check=True)


def set_up(music: Machine, kitchen: Machine, power_off: str) -> None:
    """What a user types on either, once both are on."""
    said = music.run(
        f"""set -e
        create_service --service_name=halt --add-service
        create_service --service_name=fserver --mdrive={DRIVE} --add-service"""
    )
    (echo,) = [line for line in said.splitlines() if line.strip().startswith("echo ")]
    secret = echo.split()[1]
    kitchen.run("create_service --service_name=halt --add-service && systemctl disable --now autofs")
    kitchen.run(
        "create_service --service_name=fclient --host=music.lan --secret=@- --add-service"
        f" --marker=Music --units='autofs player' --power_off={power_off}",
        stdin=secret,
    )


def is_up(kitchen: Machine) -> bool:
    """Mounted, and its units run."""
    return "is mounted; started: player" in kitchen.status("fclient") and kitchen.has_mounted(SHARE) == "fuse.sshfs"


def plays(kitchen: Machine) -> bool:
    """Whether its unit runs."""
    return kitchen.run("systemctl is-active player", check=False).strip() in ("active", "deactivating")
