"""Whatever happens, in whatever order: a plug never cuts the power of a machine whose halt service is ready, or was stopped.

The halt service is the real one, with its files and its steps as programs; the plug service's decisions are its own plan. The plug,
supervise and all time are simulated.
"""

import os
import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.naps import Naps, Stop
from pimains.halt.service import halt
from pimains.halt.settings import HaltSettings
from pimains.plug.plan import standing_halt
from pimains.shared import halt_request, plug_cuts

COUNTDOWN = 240.0
STEP = """#!/bin/sh
# knows of PIMAINS_CALLED_OFF and PIMAINS_REHEARSAL
word=halt
[ ! "$PIMAINS_REHEARSAL" ] || word=rehearse
[ ! "$PIMAINS_CALLED_OFF" ] || word=stay
mkfifo {root}/answer.$$
echo $word $$ >{root}/ask
read -r answer <{root}/answer.$$
exit $answer
"""


class PlugWorld:
    """A plug and its service: the wire may be cut, either may be restarted."""

    def __init__(self, root: Path, me: Instance, clock: FakeClock) -> None:
        self.me, self.clock = me, clock
        self.is_reachable = self.is_served = True
        self.cut_at: float | None = None
        self.was_cut = False
        self.is_to_stay = False
        self.root = root
        os.mkfifo(root / "ask")
        self.ask = os.open(root / "ask", os.O_RDWR | os.O_NONBLOCK)
        self.opened = [self.ask]

    @property
    def can_be_told(self) -> bool:
        return self.is_reachable and self.is_served

    @property
    def was_told(self) -> bool:
        return (self.me.lib / "told").exists()

    def answer_orders(self) -> None:
        """As pimains.plug.cut does."""
        for line in os.read(self.ask, 4096).decode().splitlines() if select.select([self.ask], [], [], 0)[0] else []:
            word, process = line.split()
            if self.is_served and word in ("stay", "halt"):
                self.is_to_stay = word == "stay"
            if self.can_be_told and word != "rehearse":
                self.begin() if word == "halt" else self.end()
            self.opened.append(os.open(self.root / f"answer.{process}", os.O_RDWR | os.O_NONBLOCK))  # until it has read
            os.write(self.opened[-1], b"0\n" if self.can_be_told else b"1\n")

    def begin(self) -> None:
        self.me.keep("told", "now")
        self.cut_at = self.clock.monotonic() + COUNTDOWN
        plug_cuts.leave_cut(self.me, self.cut_at)

    def end(self) -> None:
        self.cut_at, self.is_to_stay = None, False
        self.me.keep("told", None)
        plug_cuts.no_cut(self.me)

    def settle(self) -> None:
        if self.can_be_told:
            due = standing_halt.due(
                was_told=self.was_told,
                is_to_stay=self.is_to_stay,
                is_going_down=halt_request.is_going_down(),
                is_counting_down=self.cut_at is not None,
                is_powered=not self.was_cut,
            )
            {"": lambda: None, "tell again": self.begin}.get(due, self.end)()

    def close(self) -> None:
        for each in self.opened:
            os.close(each)


class World:
    """A machine whose HALT_COMMAND never takes it down."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for directory in ("run/pimains/halt", "run/pimains/plug", "var/lib/pimains/halt", "var/lib/pimains/plug", "etc/pimains/halt.d"):
            (root / directory).mkdir(parents=True)
        for directory in ("bin", "etc/service/halt/supervise"):
            (root / directory).mkdir(parents=True)
        (root / "bin/systemctl").write_text("#!/bin/sh\n[ $1 = is-system-running ] && echo running\n")
        (root / "bin/systemctl").chmod(0o755)
        for name, script in (("50-drives", "#!/bin/sh\n# PIMAINS_CALLED_OFF\n"), ("80-plug", STEP.format(root=root))):
            (root / "etc/pimains/halt.d" / name).write_text(script)
            (root / "etc/pimains/halt.d" / name).chmod(0o755)
        for name in ("05-update", "20-shares", "30-meter", "60-usb"):
            (root / "etc/pimains/halt.d" / name).symlink_to("/dev/null")
        self.clock = FakeClock()
        self.me = Instance("halt", root / "etc/service/halt", self.clock)
        self.plug = PlugWorld(root, Instance("plug", root / "etc/service/plug", self.clock), self.clock)
        self.command = root / "halt-command"
        self.works(True)
        self.service: Naps | None = None
        self.wanted = root / "etc/service/halt/supervise/status"
        self.want(True)
        self.start()

    def works(self, well: bool) -> None:
        self.command.write_text(f"#!/bin/sh\nexit {0 if well else 1}\n")
        self.command.chmod(0o755)

    def start(self) -> None:
        """As supervise does, where it is wanted."""
        self.service = None
        if not self.is_wanted:
            return
        words = {"HALT_COMMAND": str(self.command), "HALT_GRACE_SECONDS": "0", "STEP_SECONDS_MAX": "20", "UPGRADE_SECONDS_MAX": "20"}
        self.service = halt(self.me, HaltSettings(words))
        self.nap = next(self.service)

    @property
    def is_wanted(self) -> bool:
        """By supervise: svc -u or svc -d."""
        return self.wanted.read_bytes()[-1:] == b"u"

    def want(self, is_up: bool) -> None:
        self.wanted.write_bytes(bytes(17) + (b"u" if is_up else b"d"))

    def kill(self) -> None:
        """At the place where it is; what it was about to write is lost. Who has said svc -d does not also do that."""
        if self.service and self.is_wanted:
            self.service.close()
            self.start()

    def told_to_stop(self) -> None:
        if self.service is None:
            return
        try:
            self.nap = self.service.throw(Stop())
        except (Stop, StopIteration):
            self.start()

    def down(self) -> None:
        self.want(False)
        self.told_to_stop()

    def up(self) -> None:
        self.want(True)
        if self.service is None:
            self.start()

    def stays_up(self) -> bool:
        """Nobody is at work on a shutdown."""
        if self.service is None:
            return True
        status = self.root / "run/pimains/halt/status"
        return status.exists() and status.read_text().startswith("ready")

    def live(self, seconds: float) -> None:
        """Until all that happens at once has happened, then so many seconds."""
        end = self.clock.monotonic() + seconds
        while True:
            self.step_until_it_waits_for_time()
            left = end - self.clock.monotonic()
            if left <= 0:
                return
            self.clock.advance(min(left, max(0.01, self.nap.seconds if self.service else left), 5.0))
            self.plug.settle()
            if self.plug.cut_at is not None and self.clock.monotonic() >= self.plug.cut_at:
                self.plug.was_cut, self.plug.cut_at = True, None
                assert not self.stays_up(), "the power was cut while halt was ready, or did not run"
                assert not self.plug.can_be_told, "the power was cut though the plug could be told"
            self.step()

    def step_until_it_waits_for_time(self) -> None:
        while self.step(children=True):
            pass

    def step(self, *, children: bool = False) -> bool:
        """Whether something was there to be done."""
        if self.service is None:
            self.plug.settle()
            return False
        has_child = len(self.nap.files) > 1
        ready = self.wait(0.0)
        deadline = time.monotonic() + 5
        while has_child and not ready and time.monotonic() < deadline:
            self.plug.answer_orders()
            ready = self.wait(0.001)
        self.plug.settle()
        if children and not ready:
            return False
        try:
            self.nap = self.service.send(ready)
        except StopIteration:
            self.start()
        return True

    def wait(self, seconds: float) -> tuple[object, ...]:
        return tuple(select.select(self.nap.files, [], [], seconds)[0]) if self.nap.files else ()

    def close(self) -> None:
        if self.service:
            self.service.close()
        self.plug.close()


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PIMAINS_ROOT", directory)
        environment.setenv("PATH", f"{directory}/bin", prepend=os.pathsep)
        it = World(Path(directory))
        try:
            yield it
        finally:
            it.close()


def happen(it: World, event: str) -> None:
    accepted = it.root / "run/pimains/halt/accepted"
    match event:
        case "request":
            halt_request.ask("a test", "anna")
        case "rehearsal":
            halt_request.ask("a test", "anna", is_rehearsal=True)
        case "cancel":
            halt_request.cancel("ben")
        case "remove":
            accepted.unlink(missing_ok=True)
        case "kill":
            it.kill()
        case "kill, remove":
            accepted.unlink(missing_ok=True)  # it has not looked yet
            it.kill()
        case "stop":
            it.told_to_stop()
        case "down":
            it.down()
        case "up":
            it.up()
        case "upgrade":
            it.told_to_stop()
            it.plug.is_to_stay = False  # its memory
        case "plug reboots":
            it.plug.cut_at = None
        case "plug service restarts":
            it.plug.is_to_stay = False
        case "plug service down" | "plug service up":
            it.plug.is_served, it.plug.is_to_stay = event == "plug service up", False
        case "lost" | "back":
            it.plug.is_reachable = event == "back"
        case "command fails" | "command works":
            it.works(event == "command works")


EVENTS = [
    *("request", "rehearsal", "cancel", "remove", "kill", "kill, remove", "stop", "upgrade", "plug reboots", "plug service restarts"),
    *("lost", "back", "command fails", "command works", "down", "up", "plug service down", "plug service up"),
]
ALMOST_AN_HOUR = 3600.0 - 120.0
PAUSES = st.sampled_from([*[0.0, 0.0, 1.0, 12.0, 60.0, 185.0, 300.0] * 3, ALMOST_AN_HOUR])


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(EVENTS), PAUSES), min_size=1, max_size=8))
@example([("request", 0.0), ("remove", 300.0)])
@example([("request", 300.0), ("remove", 0.0), ("lost", 300.0)])
@example([("request", 1.0), ("lost", 0.0), ("remove", 60.0), ("kill", 12.0), ("back", 300.0)])
@example([("request", 1.0), ("kill, remove", 300.0)])
@example([("rehearsal", 300.0), ("request", 1.0), ("remove", 300.0)])
@example([("rehearsal", 0.0), ("request", 1.0), ("kill", 1.0), ("remove", 300.0)])
@example([("command fails", 0.0), ("request", 1.0), ("lost", 60.0), ("cancel", 12.0), ("stop", 1.0), ("back", 300.0)])
@example([("request", 300.0), ("down", 300.0)])
@example([("request", 1.0), ("lost", 0.0), ("down", 60.0), ("back", 300.0)])
@example(
    [
        *(("request", 1.0), ("lost", 182.0), ("cancel", 12.0), ("plug reboots", ALMOST_AN_HOUR)),
        *(("plug service restarts", 0.0), ("back", 0.0), ("lost", 300.0)),
    ]
)
def test_no_plug_cuts_while_halt_is_ready(events: list[tuple[str, float]]) -> None:
    with world() as it:
        it.live(0.0)
        for event, pause in events:
            happen(it, event)
            it.live(pause)
        it.live(COUNTDOWN + 1)


def test_halt_is_not_ready_however_long_a_plug_that_may_still_cut_cannot_be_told() -> None:
    with world() as it:
        it.live(0.0)
        for event, pause in (("request", 1.0), ("lost", 0.0), ("remove", ALMOST_AN_HOUR)):
            happen(it, event)
            it.live(pause)
        plug_cuts.leave_cut(it.plug.me, it.clock.monotonic() + 300.0)  # it was told once more, by whomever
        it.live(290.0)
        assert not it.stays_up()
        it.live(75.0)
        assert it.stays_up()
