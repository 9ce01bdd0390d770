#!/usr/bin/env python3
"""A machine with a meter, collector, plug, halt and notify at work, whose power is pulled at any moment: what is lost, and what is not.

    tests/whole/bench/pulled_plug.py [PULLS [SEED]]

Needs root, qemu-system-x86, nbdkit and nbdkit-plugin-python: the machine is one of qemu's (with our processors where there is KVM), and
its disk keeps only what the machine itself has flushed (tests/whole/losing_disk.py). It is pulled PULLS times (60): qemu is killed with
-9, a fifth of the times while the machine boots, and the same disk boots again. What the machine has done for good is noted outside of
it, at the moment of its word for it: readings by who carries them to the collector, mails by the mail server, all else by the load
(tests/whole/pulled_inside.py). After each pull a copy of the disk is looked at, and whether all of that is there.
"""

import collections
import contextlib
import json
import random
import shutil
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.house import postman  # noqa: E402  # only findable now
from pimains.meter.pulse_count import PulseCount  # noqa: E402  # only findable now
from pimains.shared.plan import delivery  # noqa: E402  # only findable now
from pimains.shared.plan.delivery import Reading  # noqa: E402  # only findable now
from tests.kit import CACHE, TOP, free_port, until  # noqa: E402  # only findable now
from tests.notify.mail_server import MailServer  # noqa: E402  # only findable now
from tests.plug.plugs import HousePlug  # noqa: E402  # only findable now
from tests.whole import emulated  # noqa: E402  # only findable now
from tests.whole.debian_root import debian_root  # noqa: E402  # only findable now

TOKEN = "a-token-of-this-machine"
COMMIT_SECONDS = 10.0  # the meter's, as it comes
_LATE_SECONDS = 5.0  # of a machine that is emulated
_UP_SECONDS = 300.0
_BOOTS_SECONDS = (0.5, 8) if emulated.has_kvm() else (3, 25)  # from power on
_US = "10.0.2.2"  # as the machine sees us
INIT = """#!/bin/sh
# process 1 of this machine
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset HOME
mount -t tmpfs tmpfs /tmp
mkfifo -m 666 /run/pins
modprobe virtio_net
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
exec svscan /etc/service
"""
RUN_LOAD = "#!/bin/sh\nexec 2>&1\nexec {become}/usr/bin/python3 -P /srv/pulled_inside.py {host} {port} >/dev/console\n"


class NotUp(Exception):
    """The machine did not come up by itself."""


class Told(NamedTuple):
    """What was noted outside."""

    acknowledged: dict[tuple[str, int], float]  # boot and sequence: count
    sent: dict[tuple[str, int], Reading]
    recorded: list[tuple[str, str]]
    posted: list[str]


class Pull(NamedTuple):
    """One, and what it came to; `up` is None where it came before all was up."""

    up: float | None
    lived: float
    unflushed: int
    written: int
    pulses_lost: int
    readings_lost: int
    told_twice: int


class Line(postman.Postman):
    """Carries the meter's readings to the collector, and notes what that has acknowledged."""

    def __init__(self, port: int, told: Told) -> None:
        super().__init__("127.0.0.1", port, random.Random(1))
        self._noted = told

    def bring(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        readings = delivery.read(body).readings
        self._noted.sent.update({(each.boot, each.sequence): each for each in readings})
        answer = super().bring(path, body, headers)
        if answer and answer[0] == 200:
            accepted = delivery.read_answer(answer[1]).accepted
            stored = [each for each in readings if each.sequence <= accepted.get(each.boot, 0)]
            self._noted.acknowledged.update({(each.boot, each.sequence): each.pulses for each in stored})
        return answer


class Ear(socketserver.StreamRequestHandler):
    """Hears what the load tells."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            for line in self.rfile:
                if line.endswith(b"\n"):  # what was cut off was not told
                    self.server.heard.append(json.loads(line))  # type: ignore[attr-defined]


class Pulled:
    """The machine, and all that is outside of it."""

    def __init__(self, top: Path, seed: int) -> None:
        self.told = Told({}, {}, [], [])
        self.pulls: list[Pull] = []
        self.faults: list[str] = []
        self._top = top
        self._luck = random.Random(seed)
        self._collector_port = free_port()
        self._line = Line(self._collector_port, self.told)
        self._carrier = ThreadingHTTPServer(("127.0.0.1", 0), postman.handler(self._line))
        self._ear = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Ear)
        self._heard: list[Any] = []
        self._ear.heard = self._heard  # type: ignore[attr-defined]
        for server in (self._carrier, self._ear):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self._mail = MailServer()
        self._mails_at_pull: list[int] = []
        self._plug = HousePlug("--port", "0")
        self._layers = [top / "layer/upper", CACHE / "root-bookworm-kernel/upper", CACHE / "root-bookworm"]
        self._since_pull = 0  # what was heard before belongs to an earlier life
        self.image = top / "image"

    def make(self) -> None:
        """The machine's disk."""
        (self._top / "layer").mkdir()
        hang_on = f"--host={_US} --port={self._plug.port}"
        mail = f"--mail_to=anna@example.org --mail_from=pi@example.org --mail_host={_US} --mail_port={self._mail.port} --mail_security=none"
        often = "--throttle_seconds=0 --messages_per_hour_max=1000"
        collector = f"http://{_US}:{self._carrier.server_address[1]}"
        lines = (
            "--service_name=halt --halt_command='/usr/bin/touch /srv/halted' --halt_grace_seconds=120",
            f"--service_name=notify {mail} {often}",
            f"--service_name=plug {hang_on}",
            "--service_name=collector --commit_seconds=1",
            f"--service_name=meter --source=house --interval=1 --bounce_ms=0 --collector={collector} --token={TOKEN}",
        )
        with debian_root("bookworm", self._top / "layer", on=self._layers[1], keep=True) as root:
            root.install("/srv/dist/*.deb")
            (root.top / "etc/pimains/tokens").mkdir(parents=True, exist_ok=True)
            (root.top / "etc/pimains/tokens/house").write_text(f"{TOKEN}\n")
            root.run("chown pimains /etc/pimains/tokens/house && chmod 600 /etc/pimains/tokens/house")
            for words in lines:
                root.run(f"create_service {words} --add-service")
            for name, value in (("GPIOZERO_PIN_FACTORY", "pimains-house"), ("PIMAINS_HOUSE_PINS", "/run/pins")):
                (root.top / "etc/service/meter/variables" / name).write_text(f"{value}\n")
            for name, become in (("load", ""), ("load-pimains", "setuidgid pimains ")):
                run = root.top / "etc/service" / name / "run"
                run.parent.mkdir()
                run.write_text(RUN_LOAD.format(become=become, host=_US, port=self._ear.server_address[1]))
                run.chmod(0o755)
            (root.top / "srv/init").write_text(INIT)
            (root.top / "srv/init").chmod(0o755)
            shutil.copy(TOP / "tests/whole/pulled_inside.py", root.top / "srv")
            (root.top / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
            (root.top / "etc/hostname").write_text("fusebox\n")
        emulated.image(self._top, self._layers)

    def pull(self, *, first_up: bool) -> None:
        """Switch on, wait for some moment, pull, and look at what is left."""
        number = len(self.pulls) + 1
        self._line.bad = 0.0
        with self._switched_on(number) as report:
            began = time.monotonic()
            up = None
            if first_up or self._luck.random() < 0.8:
                with contextlib.suppress(AssertionError):
                    until(lambda: self._of_this_life("up", "failed"), _UP_SECONDS)
                    up = time.monotonic() - began
                if not self._of_this_life("up"):
                    self._note_heard()
                    self._fault(f"not all is up {time.monotonic() - began:.0f} s after power on:\n{self._console(number)}")
                    raise NotUp
                if self._luck.random() < 0.25:
                    self._line.bad = 1.0  # nothing gets through to the collector
                time.sleep(self._luck.uniform(0.5, 20))
            else:
                time.sleep(self._luck.uniform(*_BOOTS_SECONDS))
            lived = time.monotonic() - began
        self._mails_at_pull.append(len(self._mail.mails))
        self._note_heard()
        lost = json.loads(report.read_text())
        with tempfile.TemporaryDirectory(dir=self._top) as aside:
            left = self._left(Path(aside))
            self._look_at_ledger(left)
            self._look_at_messages(left)
            self._look_at_plug(left)
            self._look_for_broken(left)
            pulses, readings = self._look_at_readings(left)
        self.pulls.append(Pull(up, lived, lost["unflushed"], lost["written"], pulses, readings, self._look_at_mails()))

    @contextlib.contextmanager
    def _switched_on(self, number: int) -> Iterator[Path]:
        """The machine, until its power is pulled; where the disk reports of that."""
        socket, report = self._top / f"disk-{number}", self._top / f"report-{number}"
        pulled = self._top / f"pulled-{number}"
        disk = [f"image={self.image}", f"seed={self._luck.randrange(1 << 30)}", f"pulled={pulled}", f"report={report}"]
        words = emulated.machine(self._layers, "init=/srv/init net.ifnames=0 quiet")
        words += ["-drive", f"file=nbd:unix:{socket},format=raw,if=virtio,cache=writeback"]
        words += ["-netdev", f"user,id=lan,hostfwd=tcp:127.0.0.1:{self._collector_port}-:8461", "-device", "virtio-net-pci,netdev=lan"]
        words += ["-serial", f"file:{self._top}/console-{number}"]
        plugin = [str(TOP / "tests/whole/losing_disk.py"), *disk]
        disk_says = self._top / f"disk-{number}.log"  # also that it takes nothing any more: a flush is cut off more often than not
        with (
            disk_says.open("w") as log,
            subprocess.Popen(["nbdkit", "-f", "--exit-with-parent", "-U", str(socket), "python", *plugin], stderr=log) as server,
        ):
            until(socket.exists, what="nbdkit to listen")
            with subprocess.Popen(words, stdin=subprocess.DEVNULL) as machine:
                try:
                    yield report
                finally:
                    pulled.touch()
                    machine.kill()
            until(report.exists, what="the disk to lose what was not flushed")
            server.kill()  # told to end it might wait for a machine that is gone

    def _console(self, number: int) -> str:
        path = self._top / f"console-{number}"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def _of_this_life(self, *words: str) -> bool:
        return any(what in words for what, _ in self._heard[self._since_pull :])

    def _note_heard(self) -> None:
        new = self._heard[self._since_pull :]
        self._since_pull += len(new)
        self.told.recorded.extend((user, cause) for what, value in new if what == "recorded" for user, cause in [value])
        self.told.posted.extend(value for what, value in new if what == "posted")
        for what, value in new:
            if what == "failed" or (what == "up" and value):
                self._fault(f"{what}: {value}")

    def _fault(self, line: str) -> None:
        line = f"pull {len(self.pulls) + 1}: {line}"
        self.faults.append(line)
        print(line, flush=True)

    def _left(self, aside: Path) -> Path:
        """What /var/lib/pimains holds, from a copy of the disk whose file system was recovered as at the next boot."""
        copy = aside / "image"
        subprocess.run(["cp", "--sparse=always", self.image, copy], check=True)
        checked = subprocess.run(["e2fsck", "-fp", copy], capture_output=True, text=True, check=False)
        if checked.returncode not in (0, 1):
            self._fault(f"ext4: {checked.stdout}{checked.stderr}")
        for path in ("/var/lib/pimains", "/srv"):
            subprocess.run(["debugfs", "-R", f"rdump {path} {aside}", copy], check=True, capture_output=True)
        if (aside / "srv/halted").exists():
            self._fault("HALT_COMMAND was started")
        (aside / "pimains").mkdir(exist_ok=True)
        return aside / "pimains"

    def _look_at_ledger(self, left: Path) -> None:
        told = collections.Counter(self.told.recorded)
        for user, path in (("root", left / "ledger.sqlite"), ("pimains", left / "ledger/ledger.sqlite")):
            there: collections.Counter[tuple[str, str]] = collections.Counter()
            if path.exists():
                rows = self._rows(path, f"select cause from entries where subject = 'load of {user}'")
                there.update((user, cause) for (cause,) in rows)
            ours = {row for row in told if row[0] == user}
            if missing := sorted(ours - there.keys()):
                self._fault(f"{len(missing)} of {len(ours)} rows of the ledger of {user} are not there, such as {missing[-1][1]}")
            if twice := [row for row, times in there.items() if times > 1]:
                self._fault(f"in the ledger of {user} twice: {twice}")

    def _look_at_messages(self, left: Path) -> None:
        """Each that was posted waits, or was delivered."""
        names = {path.name for each in ("queue", "outbox") for path in (left / "notify" / each).glob("[!.]*") if path.stat().st_size}
        if missing := sorted(set(self.told.posted) - names - set(self._delivered())):
            self._fault(f"{len(missing)} of {len(self.told.posted)} messages are lost, such as {missing[-1]}")

    def _delivered(self) -> list[str]:
        """Their ids, as the mail server took them."""
        return [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in self._mail.mails]

    def _look_at_mails(self) -> int:
        """How many were told twice: at most the last before a pull, whose delivery may not have been noted yet."""
        last: dict[str, int] = {}
        allowed = 0
        for place, name in enumerate(self._delivered()):
            if name in last and last[name] + 1 in self._mails_at_pull:
                allowed += 1
            elif name in last:
                self._fault(f"{name} was told as mail {last[name]} and again as {place}; pulls after {self._mails_at_pull}")
            last[name] = place
        return allowed - sum(pull.told_twice for pull in self.pulls)

    def _look_at_plug(self, left: Path) -> None:
        before = len(self._plug.said)
        self._plug.tell("status")
        until(lambda: any("Dead Man" in line for line in self._plug.said[before:]), what="the plug to say how it is")
        (said,) = (line for line in self._plug.said[before:] if "Dead Man" in line)
        seconds = float(said.partition("Dead Man ")[2].partition(",")[0])
        path = left / "plug/armed"
        noted = path.read_text().strip() if path.exists() else ""
        if seconds and noted != f"{seconds:.0f}":
            self._fault(f"the plug cuts after {seconds:.0f} s of silence, and the machine has noted {noted!r}")

    def _look_for_broken(self, left: Path) -> None:
        for path in left.rglob("*"):
            if ".corrupt" in path.name:
                self._fault(f"{path.relative_to(left)} was set aside as broken")

    def _look_at_readings(self, left: Path) -> tuple[int, int]:
        """How many pulses and readings are lost."""
        rows = "select name, sequence, pulses from readings join boots on boots.id = readings.boot where source = 'house'"
        there = {(boot, sequence): pulses for boot, sequence, pulses in self._rows(left / "collector/journal.sqlite", rows)}
        if missing := [key for key, pulses in self.told.acknowledged.items() if there.get(key) != pulses]:
            of = len(self.told.acknowledged)
            self._fault(f"{len(missing)} of {of} acknowledged readings are not at the collector, such as {missing[-1]}")
        kept = {(boot, sequence) for boot, sequence, _ in self._rows(left / "meter/journal.sqlite", rows)}
        lost = sum(key not in there and key not in kept for key in self.told.sent) - sum(pull.readings_lost for pull in self.pulls)
        if not self.told.sent:
            return 0, lost
        saved = self._saved(left)
        last = list(self.told.sent.values())[-1]
        old = [each for each in self.told.sent.values() if each.boot == last.boot]
        old = [each for each in old if each.uptime < last.uptime - COMMIT_SECONDS - _LATE_SECONDS]
        if old and old[-1].pulses > saved:
            before = last.uptime - old[-1].uptime
            self._fault(f"the count is {saved}; {before:.0f} s before the last reading it was {old[-1].pulses} already")
        return max(0, int(last.pulses) - saved) if self._of_last_life(last) else 0, lost

    def _of_last_life(self, reading: Reading) -> bool:
        boots = [value for what, value in self._heard if what == "begun"]
        return bool(boots) and boots[-1] == reading.boot

    def _saved(self, left: Path) -> int:
        path = left / "meter/count"
        if not path.exists():
            return 0
        count = PulseCount(left / "live", path, "another boot")
        try:
            return count.pulses
        finally:
            count.close()

    def _rows(self, path: Path, question: str) -> list[tuple[Any, ...]]:
        """The answer, from a database that is whole."""
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as connection:
            try:
                (said,) = connection.execute("pragma integrity_check").fetchone()
                if said != "ok":
                    self._fault(f"{path.name} of {path.parent.name}: {said}")
                return connection.execute(question).fetchall()
            except sqlite3.Error as error:
                self._fault(f"{path.name} of {path.parent.name}: {error}")
                return []

    def close(self) -> None:
        """End what is outside."""
        self._mail.close()
        self._plug.close()


def report(pulled: Pulled) -> None:
    """A line for each pull, and one for all."""
    print("                              sectors                  lost          mails")
    print("pull  up after  pulled after  unflushed  of them kept  pulses  readings  told twice")
    for number, pull in enumerate(pulled.pulls, 1):
        up = "-" if pull.up is None else f"{pull.up:.0f} s"
        sectors = f"{pull.unflushed:9}  {pull.written:12}"
        print(f"{number:4} {up:>9} {pull.lived:11.0f} s  {sectors}  {pull.pulses_lost:6}  {pull.readings_lost:8}  {pull.told_twice:10}")
    told = pulled.told
    print(f"{len(told.acknowledged)} readings acknowledged, {len(told.recorded)} rows of the ledgers, {len(told.posted)} messages posted")


def main(pulls: int, seed: int) -> int:
    """Exit code 1 if something was lost."""
    emulated.check("pulled_plug.py")
    if not shutil.which("nbdkit"):
        sys.exit("pulled_plug.py: the disk is one of nbdkit's (apt install nbdkit nbdkit-plugin-python)")
    emulated.prepare("packages; roots; package_layer kernel bookworm linux-image-cloud-amd64 iproute2 e2fsprogs initramfs-tools")
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        pulled = Pulled(Path(top), seed)
        try:
            pulled.make()
            for _ in range(pulls):
                pulled.pull(first_up=not pulled.pulls)
            pulled.pull(first_up=True)  # the last boot, after the last pull that counts
        except NotUp:
            pass
        finally:
            pulled.close()
        report(pulled)
        print("\n".join(pulled.faults) or "nothing that was told for good is lost")
        return bool(pulled.faults)


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*[*words, *(60, 1)[len(words) :]]))
