"""A driver whose UPS takes commands, which dummy-ups does not: it speaks with a real upsd over its socket (NUT's docs/sock-protocol.txt).

with Commanded(upsd, "eaton") as ups:
    ups.say(status="OB LB")
    until(lambda: ups.commands == ["shutdown.return"])
"""

import contextlib
import socket
import threading
from typing import Self

from tests.kit import until
from tests.ups.upsd import VARIABLES, Upsd


class Commanded:
    """In the place of the dummy-ups of that name."""

    def __init__(self, upsd: Upsd, name: str) -> None:
        upsd.kill_driver(name)
        self.commands: list[str] = []
        self._upsd, self._name = upsd, name
        self._variables = dict(VARIABLES)
        self._talks: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(upsd.state / f"dummy-ups-{name}"))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        self._upsd.until_known(self._name)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._talks):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def be(self, status: str) -> None:
        """From now on, for an upsd that is not there yet."""
        self._variables["ups.status"] = status

    def say(self, status: str, **numbers: str) -> None:
        """From now on; returns when upsd knows it."""
        said = {"ups.status": status, **{f"battery.{name}": value for name, value in numbers.items()}}
        self._variables.update(said)
        for talk in self._talks:
            talk.sendall("".join(f'SETINFO {name} "{value}"\n' for name, value in said.items()).encode())
        with self._upsd.talk() as ask:
            until(lambda: f'{status}"' in ask(f"GET VAR {self._name} ups.status"), 30, status)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                talk = self._listening.accept()[0]
                self._talks.append(talk)
                threading.Thread(target=self._talk, args=(talk,), daemon=True).start()

    def _talk(self, talk: socket.socket) -> None:
        with contextlib.suppress(OSError), talk.makefile() as lines:
            for line in lines:
                word, *more = line.split()
                if word == "DUMPALL":
                    known = "".join(f'SETINFO {name} "{value}"\n' for name, value in self._variables.items())
                    talk.sendall(f"{known}ADDCMD shutdown.return\nDATAOK\nDUMPDONE\n".encode())
                elif word == "PING":
                    talk.sendall(b"PONG\n")
                elif word == "INSTCMD":
                    self.commands.append(more[0])
