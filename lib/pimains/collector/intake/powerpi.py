"""What POWERPI's power.py sends: GET get.php?val=<unix time>;<watts> every five seconds, with a name and a password (RFC 7617).

Its server knew when it came, and so does this one: a sender whose clock is wrong is believed its watts and not its time.
Sent once, whatever the answer is: nothing comes again.
"""

from base64 import b64decode
from collections.abc import Callable

from aiohttp import web

from pimains.collector.intake.local_readings import OwnReadings, Source
from pimains.collector.intake.logins import Logins
from pimains.collector.plan import watts
from pimains.collector.plan.watts import WattSeconds
from pimains.core.clock import Clock
from pimains.core.troubles import Troubles
from pimains.shared import http_server as http
from pimains.shared.plan.attempts import Attempts

PATH = "/get.php"
_FIRST = "powerpi/"


class OldPis:
    """Takes their watts; each name in `logins` is a source of its own, powerpi/NAME, which no token can be made for."""

    def __init__(self, logins: Logins, own: OwnReadings, clock: Clock, say: Callable[[str], None]) -> None:
        self._logins = logins
        self._own = own
        self._clock = clock
        self._say = say
        self._attempts = Attempts()
        self._counts: dict[str, tuple[Source, WattSeconds]] = {}
        self._troubles = Troubles(say)

    def add_to(self, app: web.Application) -> None:
        """Its path."""
        app.router.add_get(PATH, self.take)

    async def take(self, request: web.Request) -> web.Response:
        """GET /get.php."""
        name = self._admit(request)
        try:
            said = watts.read(request.query.get("val", ""))
            source, count = await self._count(name)
            reading = count.told(said, self._clock.wall(), self._clock.monotonic())
        except ValueError as wrong:
            self._once(name, f"refused: {wrong}")
            raise http.refusal(400, str(wrong)) from None
        off = said.time - self._clock.wall()
        self._once(
            name, f"its clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}; this machine's counts" if count.is_clock_wrong else ""
        )
        if reading is not None:
            self._own.add(source, reading)
        return web.Response(text="OK\n")

    def _admit(self, request: web.Request) -> str:
        place, now = request.remote or "", self._clock.monotonic()
        wait = self._attempts.wait_seconds(place, now)
        if wait:
            raise http.refusal(429, f"too many wrong passwords; try again in {wait:.0f} s", Retry_After=f"{wait + 1:.0f}")
        name = self._logins.name_of(_login(request))
        if name is None:
            self._attempts.failed(place, now)
            self._troubles.look("", f"COMPAT: {place} does not know a name and password of POWERPI_LOGINS")
            raise http.refusal(401, "this needs a name and a password", WWW_Authenticate='Basic realm="pimains", charset="UTF-8"')
        self._attempts.succeeded(place)
        return name

    async def _count(self, name: str) -> tuple[Source, WattSeconds]:
        if name not in self._counts:
            source = Source(_FIRST + name, "powerpi", "kWh", watts.PULSES_PER_KWH)
            standing, count = await self._own.standing(source)
            self._counts.setdefault(name, (source, WattSeconds(standing, count)))
            self._say(f"{source.name}: first watts since the start")
        return self._counts[name]

    def _once(self, name: str, line: str) -> None:
        """Until it is another kind of line."""
        kind = line.partition(":")[0].partition(" is ")[0]
        self._troubles.look(name, line and f"{_FIRST}{name}: {line}", kind)


def _login(request: web.Request) -> str:
    kind, _, words = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(words, validate=True).decode("utf-8")
    except ValueError:
        return ""
