"""ESPHome's native API: connect, find entities by name, hear their states, command them and wait for the proof.

Through aioesphomeapi 25.1 or later (https://esphome.io/components/api). The API acknowledges no command: the proof is
the state it causes. Two kinds of trouble leave this module: Away (later it may work) and Refused (a setting has to be
edited, and it says which).
"""

import asyncio
import contextlib
import errno
import logging
import math
import socket
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import aioesphomeapi
import aioesphomeapi.core

from pimains.core.errors import Away, PimainsError
from pimains.core.plan.text import short_line
from pimains.plug.bounded import be_bounded

CONNECT_SECONDS = 15.0
CONFIRM_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Refused(PimainsError):
    """The device will not have us as we are set: `setting` has to be edited."""

    def __init__(self, setting: str, what: str) -> None:
        super().__init__(what)
        self.setting = setting


class AlikeNames(PimainsError):
    """Several entities have the name that is looked for."""

    def __init__(self, name: str, entities: list["Entity"]) -> None:
        names = list(dict.fromkeys(entity.full_name for entity in entities))
        which = f"give one of {', '.join(names[:4])}" if len(names) > 1 else "a newer python3-aioesphomeapi may tell them apart"
        super().__init__(f"the plug has {len(entities)} of the name {name!r}: {which}")


class Address(NamedTuple):
    """Where a device is and what it wants to hear before it talks."""

    host: str
    port: int = 6053
    key: str | None = None
    password: str | None = None


class Entity(NamedTuple):
    """Something a device has: a switch, a number, a sensor."""

    kind: str
    key: int
    name: str
    device_id: int = 0  # of the part that it belongs to, 0 is the whole: a strip has one for each outlet
    device: str = ""

    @property
    def full_name(self) -> str:
        """As the settings may call it where others have the same name."""
        return f"{self.device}: {self.name}" if self.device else self.name


Value = float | bool | None  # None: the device does not know


class _Expected(NamedTuple):
    entity: Entity
    value: float | bool
    proof: asyncio.Future[None]


class Device:
    """A device that is connected. Made by `connect`; Away is raised from its verbs when the connection is lost."""

    def __init__(self, client: Any, name: str, friendly_name: str, entities: list[Entity]) -> None:
        self.name = name
        self.friendly_name = friendly_name
        self.entities = entities
        self.values: dict[Entity, Value] = {}
        self._client = client
        self._heard: asyncio.Queue[tuple[Entity, Value] | None] = asyncio.Queue()
        self._expected: list[_Expected] = []
        self._lost = ""
        self._by_key = {(entity.kind, entity.key, entity.device_id): entity for entity in entities}
        client.subscribe_states(self._hear)

    def find(self, kind: str, name: str, beside: Entity | None = None) -> Entity | None:
        """The entity called `name`, see `best_match`; of those with the same name the one of the outlet that `beside` belongs to.

        Raises AlikeNames where that leaves several.
        """
        return best_match(name, [entity for entity in self.entities if entity.kind == kind], beside)

    async def heard(self) -> tuple[Entity, Value]:
        """The next state the device tells, in its order; raises Away when there will be none."""
        told = await self._heard.get()
        if told is None:
            raise Away(self._lost)
        return told

    async def set(self, entity: Entity, value: float | bool, within_seconds: float = CONFIRM_SECONDS) -> None:
        """Command `value` and return when the device says that it has it; Away if it does not within that time.

        A switch tells only changes, so one that has the state already needs no further proof.
        """
        with self._expect(entity, value) as proof:
            self.command(entity, value)
            await _in_time(proof, entity, value, within_seconds)

    def command(self, entity: Entity, value: float | bool) -> None:
        """Command `value` without asking for a proof; raises Away."""
        if self._lost:
            raise Away(self._lost)
        command = self._client.switch_command if isinstance(value, bool) else self._client.number_command
        place = {"device_id": entity.device_id} if entity.device_id else {}
        try:
            command(entity.key, value, **place)
        except aioesphomeapi.APIConnectionError as error:
            raise Away(in_words(error)) from None

    async def confirmed(self, entity: Entity, value: float | bool, within_seconds: float = CONFIRM_SECONDS) -> None:
        """Return when the device says that it has this value; Away if it does not within that time."""
        with self._expect(entity, value) as proof:
            await _in_time(proof, entity, value, within_seconds)

    async def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        await _drop(self._client)

    def lost(self, why: str = "the connection is lost") -> None:
        """The connection is gone, or nobody believes in it any more: everybody who waits is told."""
        self._lost = self._lost or why
        self._heard.put_nowait(None)
        for expected in self._expected:
            if not expected.proof.done():
                expected.proof.set_exception(Away(self._lost))

    @contextlib.contextmanager
    def _expect(self, entity: Entity, value: float | bool) -> Iterator[asyncio.Future[None]]:
        if self._lost:
            raise Away(self._lost)
        expected = _Expected(entity, value, asyncio.get_running_loop().create_future())
        if isinstance(value, bool) and self.values.get(entity) is value:
            expected.proof.set_result(None)
        self._expected.append(expected)
        try:
            yield expected.proof
        finally:
            self._expected.remove(expected)
            if expected.proof.done() and not expected.proof.cancelled():
                expected.proof.exception()

    def _hear(self, state: Any) -> None:
        kind = type(state).__name__.removesuffix("State").lower()
        entity = self._by_key.get((kind, state.key, getattr(state, "device_id", 0)))
        if entity is None:
            return
        value = _value(state)
        self.values[entity] = value
        self._heard.put_nowait((entity, value))
        for expected in self._expected:
            if expected.entity == entity and not expected.proof.done() and value is not None and math.isclose(value, expected.value):
                expected.proof.set_result(None)


async def _in_time(proof: asyncio.Future[None], entity: Entity, value: float | bool, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await proof
    except TimeoutError:
        shown = {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value:g}"
        raise Away(f"{entity.name} {shown} was not confirmed within {seconds:g} s") from None


async def connect(address: Address) -> Device:
    """Connect, log in where there is a password, and ask for the entities.

    Raises Away or Refused (ENCRYPTION_KEY, PASSWORD).
    """
    be_bounded(asyncio.get_running_loop())
    try:
        return await _connect(address, login=address.password is not None)
    except TimeoutError:
        if address.password is not None:
            # firmware since 2026.1 knows no password and leaves the login without an answer
            with contextlib.suppress(TimeoutError, Away):
                await (await _connect(address, login=False)).close()
                raise Refused("PASSWORD", "this firmware knows no password (none does since 2026.1): empty this file") from None
        raise Away(f"no answer within {CONNECT_SECONDS:g} s") from None


async def _connect(address: Address, *, login: bool) -> Device:
    device: Device | None = None

    async def stopped(_expected: bool) -> None:
        if device is not None:
            device.lost()

    client = aioesphomeapi.APIClient(
        address.host, address.port, address.password if login else None, noise_psk=address.key, client_info="pimains"
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS) as limit:
            await client.connect(on_stop=stopped, login=login)
            info = await client.device_info()
            listed, _ = await client.list_entities_services()
        parts = {part.device_id: short_line(part.name) for part in getattr(info, "devices", ())}
        entities = [_entity(each, parts) for each in listed]
        device = Device(client, short_line(info.name), short_line(info.friendly_name), entities)
    except (aioesphomeapi.APIConnectionError, OSError, ValueError, UnicodeError) as error:
        await _drop(client)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # the library makes an error of its own out of being cancelled
            raise asyncio.CancelledError from None
        if limit.expired() or isinstance(error, TimeoutError | aioesphomeapi.core.TimeoutAPIError):
            raise TimeoutError from None
        raise _explained(error, address) from None
    except BaseException:
        await _drop(client)
        raise
    return device


async def _drop(client: Any) -> None:
    with contextlib.suppress(aioesphomeapi.APIConnectionError, OSError):
        await client.disconnect(force=True)


def best_match(name: str, entities: Iterable[Entity], beside: Entity | None = None) -> Entity | None:
    """The entity called `name` in any case, or the one that differs only by a device's name before it.

    "Delay Switch" finds "Sonoff S26 Delay Switch" and the other way round, but not "Sonoff S26 Real Delay Switch" when
    there is a better one. "Outlet 2: Delay Switch" is that of this outlet. What is looked for `beside` another is never
    another outlet's. Raises AlikeNames.
    """
    known = list(entities)
    exact = [entity for entity in known if entity.device and entity.full_name.casefold() == name.casefold()]
    if exact:
        pools = [exact]
    elif beside is None:
        pools = [known]
    else:
        pools = [[entity for entity in known if entity.device_id == place] for place in dict.fromkeys((beside.device_id, 0))]
    for pool in pools:
        found = pool if exact else _best_named(name, pool)
        if len(found) > 1:
            raise AlikeNames(name, found)
        if found:
            return found[0]
    return None


def _best_named(name: str, entities: list[Entity]) -> list[Entity]:
    wanted = name.casefold()
    names = {entity.name.casefold() for entity in entities}
    longer = sorted((known for known in names if known.endswith(f" {wanted}")), key=len)
    shorter = sorted((known for known in names if wanted.endswith(f" {known}")), key=len, reverse=True)
    best = next((known for known in (wanted, *longer, *shorter) if known in names), None)
    return [entity for entity in entities if entity.name.casefold() == best]


def be_quiet_below(level: str) -> None:
    """Let the library log from `level` on: it would say everything twice. Errors are ours to say, in our words."""
    wanted = {"debug": logging.DEBUG, "info": logging.CRITICAL, "warning": logging.CRITICAL, "error": logging.CRITICAL}[level]
    logging.basicConfig(format="%(message)s", level=wanted)


def _entity(told: Any, parts: dict[int, str]) -> Entity:
    device_id = getattr(told, "device_id", 0)  # libraries before sub-devices have none
    kind = type(told).__name__.removesuffix("Info").lower()
    return Entity(kind, told.key, short_line(told.name), device_id, parts.get(device_id, ""))


def _value(state: Any) -> Value:
    value = getattr(state, "state", None)
    if getattr(state, "missing_state", False) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


_BY_ERROR_NUMBER = {
    errno.ECONNREFUSED: "nothing listens there: check HOST and PORT, and that its yaml has api:",
    errno.EHOSTUNREACH: "no way to it: check its Wi-Fi and HOST",
    errno.ENETUNREACH: "no way to it: check this machine's network and HOST",
    errno.ETIMEDOUT: "it does not answer: check its Wi-Fi and HOST",
    errno.ECONNRESET: "it broke the connection: it restarts, or is no ESPHome plug",
    errno.EPIPE: "it broke the connection: it restarts, or is no ESPHome plug",
}
_BY_NAME = {  # of a class of the library, the special ones first; some are not there in old versions
    "ResolveAPIError": "no address found for it: write its IP address into HOST",
    "SocketClosedAPIError": "it closed the connection: it restarts, or serves too many already",
    "SocketAPIError": "it cannot be connected: check its Wi-Fi, HOST and PORT",
    "TimeoutAPIError": "it does not answer: check its Wi-Fi and HOST",
    "PingFailedAPIError": "it does not answer any more: check its Wi-Fi",
    "ReadFailedAPIError": "the connection broke: check its Wi-Fi",
    "HandshakeAPIError": "it does not greet as a plug with a key does: check HOST and ENCRYPTION_KEY",
    "ProtocolAPIError": "what it says is not ESPHome's API: check HOST and PORT",
    "BadNameAPIError": "another device answers there: check HOST",
    "BadMACAddressAPIError": "another device answers there: check HOST",
    "ConnectionNotEstablishedAPIError": "the connection is gone",
    "APIConnectionCancelledError": "the connection was given up",
}


def in_words(error: BaseException) -> str:
    """What is wrong and what to do about it, in a line; the library's own text goes into the log at LOG_LEVEL=debug."""
    _log.debug("%s: %s", type(error).__name__, short_line(str(error)))
    chain = list(_causes(error))
    if ours := next((cause for cause in chain if isinstance(cause, Away)), None):
        return str(ours)
    if number := next((cause.errno for cause in chain if isinstance(cause, OSError) and cause.errno in _BY_ERROR_NUMBER), None):
        return _BY_ERROR_NUMBER[number]
    said = str(error)
    if said.startswith("Incompatible API version"):
        return "its firmware speaks another API: update the plug and python3-aioesphomeapi"
    if said.startswith("Error resolving") or any(isinstance(cause, socket.gaierror | UnicodeError) for cause in chain):
        return _BY_NAME["ResolveAPIError"]
    names = [kind.__name__ for cause in chain for kind in type(cause).__mro__]
    return next((_BY_NAME[name] for name in names if name in _BY_NAME), "it cannot be reached; LOG_LEVEL=debug says more")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _explained(error: Exception, address: Address) -> PimainsError:
    """What a person has to do about it."""
    said = short_line(str(error))
    if isinstance(error, aioesphomeapi.InvalidEncryptionKeyAPIError):
        return Refused("ENCRYPTION_KEY", "this is not the key of that plug")
    if isinstance(error, aioesphomeapi.RequiresEncryptionAPIError):
        return Refused("ENCRYPTION_KEY", "the plug wants a key: the one in its yaml, below api: encryption: key:")
    if address.key is not None and _is_plaintext(error, said):
        return Refused("ENCRYPTION_KEY", "the plug does not encrypt: empty this file, or give the plug a key")
    if isinstance(error, aioesphomeapi.InvalidAuthAPIError):
        return Refused("PASSWORD", "this is not the password of that plug")
    return Away(in_words(error))


def _is_plaintext(error: Exception, said: str) -> bool:
    return (
        type(error).__name__ == "EncryptionPlaintextAPIError"  # since 31.0
        or "Marker byte invalid: 0" in said
        or "connection dropped immediately after encrypted hello" in said
    )
