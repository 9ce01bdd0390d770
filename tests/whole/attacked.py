"""A house with every service that is or was root, attacked while its services are restarted and its administrator works."""

import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

from tests.fclient.one_client import OneHouse
from tests.kit import TOP, TestInstance, free_port, until

ATTACKERS = ({"user": "pimains", "group": "pimains"}, {"user": "games", "group": "pimains"}, {"user": "nobody", "group": "nogroup"})
_PROGRAM = TOP / "tests/whole/attacker.py"


class AttackedHouse:
    """`house` with its services, and a place outside where nothing may change."""

    def __init__(self, house: OneHouse) -> None:
        self.house = house
        self.outside = house.root / "outside"
        (self.outside / "directory").mkdir(parents=True)
        for path, mode in ((self.outside / "file", 0o644), (self.outside / "directory/file", 0o600)):
            path.write_text("root's\n")
            path.chmod(mode)
        # where everybody may read it: the checkout may lie where only root goes
        self.program = house.root / "attacker.py"
        self.program.write_bytes(_PROGRAM.read_bytes())
        self.program.chmod(0o644)
        (house.root / "rsyncd.conf").write_text("use chroot = no\n")
        self.services = {
            name: house.add(name, svscan=False, **settings)
            for name, settings in {
                "halt": {"HALT_COMMAND": house.recorder},
                "notify": {"MAIL_TO": ""},
                "update": {"UPGRADE": "pimains"},
                "rsync": {"CONFIG": str(house.root / "rsyncd.conf"), "LOCALIP": "127.0.0.1", "PORT": str(free_port())},
            }.items()
        }
        self.services["fserver"] = house.add_fserver(svscan=False)
        self.services["fclient"] = house.add_fclient(svscan=False, UNITS="autofs")
        house.start()
        until(lambda: (self.services["rsync"].directory / "supervise/ok").exists(), what="supervise")
        self.services["rsync"].svc("-u")  # it is made down
        for service in self.services.values():
            until(lambda service=service: service.status, what=service.name)  # type: ignore[misc]
        until(lambda: self.services["halt"].status == "ready")
        until(house.is_mounted, what="the share")

    def attack(self, seconds: float, seed: int = 1) -> list[str]:
        """What each attacker said; meanwhile services are restarted, killed, and root uses its programs."""
        attackers = [
            subprocess.Popen(
                ["/usr/bin/python3", "-IS", self.program, self.house.root, self.outside, str(seconds), str(seed + number)],
                stdout=subprocess.PIPE,
                text=True,
                extra_groups=[],
                **each,  # type: ignore[call-overload]
            )
            for number, each in enumerate(ATTACKERS)
        ]
        chance = random.Random(seed)  # no cryptography
        try:
            while any(attacker.poll() is None for attacker in attackers):
                self._disturb(chance.choice(list(self.services.values())), chance)
        finally:
            for attacker in attackers:
                attacker.kill()
        return [attacker.communicate()[0] for attacker in attackers]

    def _disturb(self, service: TestInstance, chance: random.Random) -> None:
        what = chance.randrange(5)
        if what == 0:
            service.svc("-t")
        elif what == 1 and (pid := service.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        elif what == 2:
            self.run("notify", "a test")
        elif what == 3:
            self.run("why")
        time.sleep(chance.random() * 0.3)

    def run(self, *words: str) -> None:
        """`pimains ...`, by root."""
        environment = {**os.environ, "PIMAINS_ROOT": str(self.house.root), "PYTHONPATH": str(TOP / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
        program = [sys.executable, "-P", "-m", "pimains.cli", *words]
        subprocess.run(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)

    def outside_is(self) -> list[str]:
        """All that is outside of the services' directories: kind, owner, mode, content."""
        root = self.house.root
        places = [self.outside, root / "etc", root / "bin", root / "rsyncd.conf"]
        paths = [path for place in places for path in (place, *place.rglob("*")) if "supervise" not in path.parts]
        return sorted(_described(path, root) for path in paths)

    def tops_are(self) -> list[str]:
        """The two directories that all the rest lies in."""
        return [_described(self.house.root / top, self.house.root) for top in ("run/pimains", "var/lib/pimains")]

    def mounts(self) -> set[str]:
        """Where something is mounted in the house."""
        lines = Path(f"/proc/{self.house.pid}/mountinfo").read_text().splitlines()
        return {line.split()[4] for line in lines}


def _described(path: Path, root: Path) -> str:
    status = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(status.st_mode) else str(path.readlink()) if path.is_symlink() else ""
    return f"{path.relative_to(root)}: {status.st_mode:o} {status.st_uid}:{status.st_gid} {content!r}"
