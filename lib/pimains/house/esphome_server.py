"""The device's end of ESPHome's native API, for simulated devices: plaintext and encrypted.

Messages are aioesphomeapi's own; frames as in https://esphome.io/components/api and Noise_NNpsk0_25519_ChaChaPoly_SHA256
(Noise Protocol Framework, revision 34).
"""

import asyncio
import base64
import importlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from aioesphomeapi import api_pb2
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

_NUMBERS = {kind: number for number, kind in MESSAGE_TYPE_TO_PROTO.items()}
_LOGIN_REQUEST, _LOGIN_RESPONSE = 3, 4  # by number: their names changed in 42.0


class House(Protocol):
    """What a simulated device does; it is told who asks, and answers with messages."""

    def info(self) -> Any:
        """A DeviceInfoResponse."""

    def entities(self) -> Iterable[Any]:
        """ListEntities...Response messages."""

    def connected(self) -> None:
        """Somebody connected, and did not subscribe yet."""

    def states(self) -> Iterable[Any]:
        """...StateResponse messages of all entities."""

    def commanded(self, command: Any) -> None:
        """A ...CommandRequest."""


class Server:
    """Serves one device to any number of clients."""

    def __init__(self, device: House, key: str | None = None, password: str | None = None) -> None:
        self.device = device
        self.key = base64.b64decode(key) if key else None
        self.password = password
        self.is_mute = False  # hears everything, answers nothing
        self.greeting: bytes | None = None  # said instead of the protocol to whoever connects
        self._clients: set[_Client] = set()
        self._subscribed: set[_Client] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        listening = await asyncio.start_server(self._serve, host, port)
        return int(listening.sockets[0].getsockname()[1])

    def publish(self, message: Any) -> None:
        """Tell a state to everybody who subscribed."""
        for client in self._subscribed:
            self._send(client, message)

    def hang_up(self) -> None:
        """Break every connection."""
        for client in self._clients:
            client.writer.close()

    def say(self, data: bytes) -> None:
        """Say something else than the protocol to everybody who is connected."""
        for client in self._clients:
            client.writer.write(data)

    def _send(self, client: "_Client", message: Any) -> None:
        if not self.is_mute:
            client.send(_NUMBERS[type(message)], message.SerializeToString())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = self.device.info()
        client = _Encrypted(reader, writer, self.key, info) if self.key else _Plain(reader, writer)
        self._clients.add(client)
        try:
            if self.greeting is not None:
                writer.write(self.greeting)
            else:
                await client.start()
            while True:
                number, data = await client.receive()
                kind = MESSAGE_TYPE_TO_PROTO.get(number)
                if kind is not None and not self._answer(client, number, kind.FromString(data)):
                    await writer.drain()
                    return
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._clients.discard(client)
            self._subscribed.discard(client)
            writer.close()

    def _answer(self, client: "_Client", number: int, message: Any) -> bool:
        """Answer; returns whether to go on."""
        answers: dict[str, Callable[[], Iterable[Any]]] = {
            "HelloRequest": self._hello,
            "PingRequest": lambda: [api_pb2.PingResponse()],
            "DeviceInfoRequest": lambda: [self.device.info()],
            "ListEntitiesRequest": lambda: [*self.device.entities(), api_pb2.ListEntitiesDoneResponse()],
            "SubscribeStatesRequest": self.device.states,
            "DisconnectRequest": lambda: [api_pb2.DisconnectResponse()],
        }
        name = type(message).__name__
        if number == _LOGIN_REQUEST:
            if self.password is not None:
                self._send(client, MESSAGE_TYPE_TO_PROTO[_LOGIN_RESPONSE](invalid_password=message.password != self.password))
        elif name.endswith("CommandRequest"):
            self.device.commanded(message)
        else:
            for answer in answers.get(name, list)():
                self._send(client, answer)
        if name == "SubscribeStatesRequest":
            self._subscribed.add(client)
        return name != "DisconnectRequest"

    def _hello(self) -> Iterable[Any]:
        self.device.connected()
        name = self.device.info().name
        return [api_pb2.HelloResponse(api_version_major=1, api_version_minor=10, server_info="pimains house", name=name)]


class _Client(Protocol):
    writer: asyncio.StreamWriter

    async def start(self) -> None: ...
    async def receive(self) -> tuple[int, bytes]: ...
    def send(self, number: int, data: bytes) -> None: ...


def varint(number: int) -> bytes:
    """`number` as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


class _Plain:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def start(self) -> None:
        pass

    async def receive(self) -> tuple[int, bytes]:
        if await self.reader.readexactly(1) != b"\0":
            # as the firmware does to somebody who wants to encrypt
            self.writer.write(b"\0Bad indicator byte")
            raise ConnectionError
        length, number = await self._varint(), await self._varint()
        return number, await self.reader.readexactly(length)

    def send(self, number: int, data: bytes) -> None:
        self.writer.write(b"\0" + varint(len(data)) + varint(number) + data)

    async def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number


class _Encrypted:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: bytes, info: Any) -> None:
        self.reader, self.writer = reader, writer
        self._key = key
        self._info = info

    async def start(self) -> None:
        hello = await self._frame()
        self._write(b"\x01" + self._info.name.encode() + b"\0" + self._info.mac_address.replace(":", "").encode() + b"\0")
        self._noise = _noise()
        self._noise.set_as_responder()
        self._noise.set_psks(self._key)
        self._noise.set_prologue(b"NoiseAPIInit" + len(hello).to_bytes(2, "big") + hello)
        self._noise.start_handshake()
        shake = await self._frame()
        try:
            self._noise.read_message(shake[1:])
        except Exception:
            self._write(b"\x01Handshake MAC failure")
            await self.writer.drain()
            raise ConnectionError from None
        self._write(b"\0" + bytes(self._noise.write_message()))

    async def receive(self) -> tuple[int, bytes]:
        data = bytes(self._noise.decrypt(await self._frame()))
        return int.from_bytes(data[:2], "big"), data[4 : 4 + int.from_bytes(data[2:4], "big")]

    def send(self, number: int, data: bytes) -> None:
        self._write(bytes(self._noise.encrypt(number.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data)))

    async def _frame(self) -> bytes:
        head = await self.reader.readexactly(3)
        if head[0] != 1:
            self._write(b"\x01Bad indicator byte")
            raise ConnectionError
        return await self.reader.readexactly(int.from_bytes(head[1:], "big"))

    def _write(self, data: bytes) -> None:
        self.writer.write(b"\x01" + len(data).to_bytes(2, "big") + data)


def _noise() -> Any:
    try:
        module = importlib.import_module("noise.connection")
    except ImportError:
        module = importlib.import_module("noiseprotocol.connection")  # Debian's name for it since trixie
    return module.NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
