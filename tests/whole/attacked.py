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
_STEPS = sorted(TOP.glob("services/*/halt.d/*"))
_THROTTLE_SECONDS = 900
_SECONDS_MAX = 60.0  # for a program of root that was begun under attack, whatever it finds


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
                "notify": {"MAIL_TO": "", "THROTTLE_SECONDS": str(_THROTTLE_SECONDS)},
                "update": {"UPGRADE": "pimains"},
                "rsync": {"CONFIG": str(house.root / "rsyncd.conf"), "LOCALIP": "127.0.0.1", "PORT": str(free_port())},
            }.items()
        }
        house.open()
        self.drive = house.root / "drive"
        self.drive.mkdir()
        self.run(*self.inside("mount", "-t", "tmpfs", "drive", str(self.drive)))
        self.run(*self.inside("mkdir", str(self.drive / "backup")))
        self.under_way: list[subprocess.Popen[bytes]] = []
        self.services["fserver"] = house.add_fserver(svscan=False, BACKUP=str(self.outside), DEST=str(self.drive))
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
            for program in self.under_way:
                program.wait(_SECONDS_MAX)
        finally:
            for each in (*attackers, *self.under_way):
                each.kill()
        self.create_service("--service_name=notify", f"--throttle_seconds={_THROTTLE_SECONDS}", "--add-service")
        return [attacker.communicate()[0] for attacker in attackers]

    def _disturb(self, service: TestInstance, chance: random.Random) -> None:
        what = chance.randrange(9)
        if what == 0:
            service.svc("-t")
        elif what == 1 and (pid := service.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        elif what == 2:
            self.pimains("notify", "a test")
        elif what == 3:
            self.pimains("why")
        elif what == 4:
            self.begin("/usr/bin/python3", "-Pm", "pimains.cli", "backup", "now", f"--servicedir={self.house.scan}")
        elif what == 5:
            self.begin(str(chance.choice(_STEPS)), **chance.choice(({}, {"PIMAINS_CALLED_OFF": "a test"})))
        elif what == 6:
            self.create_service("--refresh")
        elif what == 7:
            self.create_service("--service_name=notify", f"--throttle_seconds={chance.randrange(100)}", "--add-service", "--apply")
        time.sleep(chance.random() * 0.3)

    def pimains(self, *words: str) -> None:
        """`pimains ...`, by root."""
        self.run(sys.executable, "-P", "-m", "pimains.cli", *words)

    def create_service(self, *words: str) -> None:
        """`create_service ...`, by root."""
        self.run(str(TOP / "create_service"), *words, f"--servicedir={self.house.scan}")

    def run(self, *words: str) -> None:
        """A program of root, to its end."""
        silent = subprocess.DEVNULL
        subprocess.run(words, env=self.environment(), stdout=silent, stderr=silent, timeout=_SECONDS_MAX, check=False)

    def begin(self, *words: str, **more: str) -> None:
        """A program of root where the share and the drive are mounted, as halt starts its steps; it goes on beside the rest."""
        silent = subprocess.DEVNULL
        self.under_way.append(subprocess.Popen(self.inside(*words), env=self.environment(**more), stdout=silent, stderr=silent))

    def inside(self, *words: str) -> list[str]:
        """`words` in the mounts of the house."""
        return ["nsenter", f"--mount=/proc/{self.house.pid}/ns/mnt", *words]

    def environment(self, **more: str) -> dict[str, str]:
        """Of root's programs, with what halt tells its steps."""
        house = {"PIMAINS_ROOT": str(self.house.root), "PIMAINS_SERVICEDIR": str(self.house.scan), "PATH": self.house.path}
        code = {"PYTHONPATH": str(TOP / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**os.environ, **house, **code, "PIMAINS_BUDGET_SECONDS": "3", "PIMAINS_REASON": "a test", **more}

    def backups(self) -> list[Path]:
        """What was backed up of the file outside."""
        return list(Path(f"/proc/{self.house.pid}/root{self.drive}/backup").rglob("outside/file"))

    def outside_is(self) -> list[str]:
        """All that is outside of the services' directories: kind, owner, mode, content."""
        root = self.house.root
        places = [self.outside, root / "etc", root / "bin", root / "rsyncd.conf"]
        paths = [path for place in places for path in (place, *place.rglob("*")) if "supervise" not in path.parts]
        return sorted(described(path, root) for path in paths)

    def tops_are(self) -> list[str]:
        """The two directories that all the rest lies in."""
        return [described(self.house.root / top, self.house.root) for top in ("run/pimains", "var/lib/pimains")]

    def mounts(self) -> set[str]:
        """Where something is mounted in the house."""
        lines = Path(f"/proc/{self.house.pid}/mountinfo").read_text().splitlines()
        return {line.split()[4] for line in lines}


def described(path: Path, root: Path) -> str:
    status = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(status.st_mode) else str(path.readlink()) if path.is_symlink() else ""
    return f"{path.relative_to(root)}: {status.st_mode:o} {status.st_uid}:{status.st_gid} {content!r}"
