"""The service fserver: services/fserver/README.md says what it is for, this how it goes about it.

As root it waits until the drive is mounted, starts what plays from it and opens the port; then it becomes user pimains.

    /run/pimains/fserver/clients   a line for each client: name, address, since when, its last words
    /run/pimains/fserver/orders/   where halt's step 20-shares has all clients leave (shared/orders)
"""

import os
from collections.abc import Generator
from socket import socket
from typing import TYPE_CHECKING

from pimains.core.ledger_beside import LedgerNote
from pimains.core.plan.budget import budget
from pimains.core.privileges import become
from pimains.core.service import Instance, Nap, Naps, Readable, Stop, run, seconds, within
from pimains.core.supervisor import Supervisor
from pimains.core.troubles import Troubles
from pimains.fserver.clients import Client, Clients, Event
from pimains.fserver.drives.coming import Drive
from pimains.fserver.settings import FserverSettings
from pimains.shared import fserver_clients, halt_request
from pimains.shared.backup.child import BackupChild
from pimains.shared.fileserver.beats import Secret
from pimains.shared.fileserver.last_error import LastError
from pimains.shared.fileserver.tcp_lines import error_text, listen
from pimains.shared.fserver_clients import PresentClient
from pimains.shared.orders.leave import Leave, LeaveOrders
from pimains.shared.screens.status import HostStatus

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

_LOOK_SECONDS = 2.0
_CANCEL_LOOK_SECONDS = 2.0
_LIST_SECONDS = 600.0
_SUBJECT = "clients"


def fserver(me: Instance, settings: FserverSettings) -> Naps:
    """Be there for the clients; before going, see them off."""
    supervisor = Supervisor(me.directory)
    yield from Drive(me, settings.MDRIVE, settings.MPD_UNIT, settings.HOOKS).come()
    backup = BackupChild(me, wanted=bool(settings.BACKUP))
    backup.begin("the file server has started")  # as root still: user pimains may not read everything
    listener = yield from open_port(me, settings)
    if os.geteuid() == 0:
        become("pimains")
    server = Server(me, settings, listener, backup)
    server.screens.on()
    try:
        try:
            yield from server.serve()
        except Stop:
            if (yield from supervisor.starts_again()):
                print("restarting: the clients stay as they are if that takes no more than four seconds")
            else:
                yield from server.see_off("the file server stops", settings.LEAVE_SECONDS_MAX)
                yield from backup.stop()
    finally:
        server.close()


def open_port(me: Instance, settings: FserverSettings) -> Generator[Nap, tuple[Readable, ...], socket]:
    """Listen, as soon as the address is there: at boot it may come late."""
    error_told = LastError(me, adopts=not settings.exposed())
    troubles = Troubles(error_told.complain)
    while True:
        try:
            listener = listen(settings.HOST, settings.PORT, backlog=64)
            error_told.is_over()
            return listener
        except OSError as error:
            line = f"cannot listen on {settings.HOST}:{settings.PORT} ({error_text(error)}): see variables/HOST and variables/PORT"
            troubles.look("port", line)
            me.status(line, well=False)
        yield seconds(_LOOK_SECONDS)


class Server:
    """The clients, and what is to be told to them and about them."""

    def __init__(self, me: Instance, settings: FserverSettings, listener: socket, backup: BackupChild) -> None:
        self.me = me
        self.settings = settings
        self.backup = backup
        if settings.COMPAT:
            print("COMPAT=pistop: clients that prove nothing are let in too; empty variables/COMPAT as soon as the last one has moved")
        secret = Secret(settings.SECRET) if settings.SECRET else None
        self.clients = Clients(listener, secret, settings.MAX_CLIENTS, me.clock, compat=bool(settings.COMPAT))
        self.orders = LeaveOrders(me.run)
        self.screens = HostStatus(settings)
        self.error = LastError(me)  # clients that did not leave in time
        self._next_list = 0.0

    def serve(self) -> Naps:
        """Serve until the machine is to halt; once that was cancelled, return to begin anew, because drive and backup were stopped."""
        while True:
            self.attend()
            if leaves := self.orders.leaves():
                self.screens.off("PowerOff")
                everybody_left = yield from self.see_off(leaves[-1].reason, leaves[-1].seconds)
                yield from self.backup.stop()  # the next steps of the halt unmount the drive
                self.reply([*leaves, *self.orders.leaves()], everybody_left)
                yield from self.until_cancelled()
                return
            yield within(min(self.clients.wait_seconds(), self.next_list_seconds()), self.clients, self.orders, *self.backup.files)

    def attend(self) -> None:
        """Deal with everything the clients did."""
        changed = self.backup.step()
        for event in self.clients.step():
            self.tell_of(event)
            changed = True
        if changed or self.next_list_seconds() == 0:
            self.show()

    def tell_of(self, event: Event) -> None:
        """One line in the log for each coming and going."""
        name, address = event.client.name, event.client.address
        if event.word == "joined":
            print(f"{name} ({address}) is here")
        elif event.word == "left":
            print(f"{name} has left: {event.text}")
        elif event.word == "gone":
            print(f"{name} ({address}) is gone: {event.text}")

    def see_off(self, reason: str, seconds_max: float) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Tell every client to leave and wait until all have, within the measured budget; returns whether they have."""
        self.clients.admit_nobody()
        self.backup.ask_to_stop()
        leaving = self.clients.present
        if not leaving:
            return True
        began = self.me.clock.monotonic()
        longest = min(seconds_max, self.settings.LEAVE_SECONDS_MAX)
        limit = float((yield from self.note_leaving(reason, leaving, longest).written()) or longest)
        for client in leaving:
            client.tell("leave", reason)
        everybody_said_so = True
        while (staying := self.clients.present) and (left := began + limit - self.me.clock.monotonic()) > 0:
            self.me.status("waiting until they have left: " + ", ".join(_with_words(client) for client in staying))
            yield within(min(left, self.clients.wait_seconds()), self.clients)
            for event in self.clients.step():
                self.tell_of(event)
                everybody_said_so = everybody_said_so and (event.word != "gone" or event.client.is_pistop)
            self.list_clients()
        took = self.me.clock.monotonic() - began
        if staying:
            # what outlasted its budget took at least that long: the next ones get more
            yield from LedgerNote(self.me, lambda ledger: ledger.took(_SUBJECT, took)).written()
            self.error.complain(f"not left within {limit:.0f} s: " + ", ".join(_with_words(client) for client in staying))
        else:
            print(f"everybody has left, in {took:.1f} s")
            self.error.is_over()
            if everybody_said_so:
                yield from LedgerNote(self.me, lambda ledger: ledger.took(_SUBJECT, took)).written()
        return not staying

    def note_leaving(self, reason: str, leaving: list[Client], longest: float) -> LedgerNote:
        """Begin to note the order in the ledger; the answer is how many seconds the clients get, by what they took before."""

        def note(ledger: "Ledger") -> str:
            from pimains.core.ledger import Reading  # in the child: it takes SQLite's memory with it

            limit = budget(ledger.durations(_SUBJECT), longest)
            inputs = {"clients": Reading(", ".join(client.name for client in leaving)), "seconds": Reading(f"{limit:.0f}")}
            ledger.record(_SUBJECT, "told to leave", reason, inputs)
            return str(limit)

        return LedgerNote(self.me, note)

    def reply(self, leaves: list[Leave], everybody_left: bool) -> None:
        """Tell halt's step how it went."""
        staying = ", ".join(_with_words(client) for client in self.clients.present)
        for leave in leaves:
            self.orders.answer(leave.id, "all clients have left" if everybody_left else f"not left: {staying}", ok=everybody_left)

    def until_cancelled(self) -> Naps:
        """The machine is going to halt: nobody comes in, unless that was cancelled."""
        self.me.status("closed: this machine is about to halt")
        while halt_request.pending():
            yield within(min(_CANCEL_LOOK_SECONDS, self.clients.wait_seconds()), self.clients, self.orders)
            for event in self.clients.step():
                self.tell_of(event)
            self.reply(self.orders.leaves(), not self.clients.present)
        print("there is no halt any more: beginning anew")

    def next_list_seconds(self) -> float:
        """Until the list of clients is written anew, in case the wall clock was set."""
        return max(0.0, self._next_list - self.me.clock.monotonic())

    def show(self) -> None:
        """The status line, and the list of clients."""
        self._next_list = self.me.clock.monotonic() + _LIST_SECONDS
        present = self.clients.present
        count = f"{len(present)} client{'' if len(present) == 1 else 's'}"
        line = f"{count}: {', '.join(client.name for client in present)}" if present else "no clients"
        self.me.status(line + self.backup.words, well=self.backup.is_well)
        self.list_clients()

    def list_clients(self) -> None:
        """The list of clients, if it is another one by now."""
        booted = self.me.clock.wall() - self.me.clock.monotonic()
        here = [PresentClient(client.name, client.address, booted + client.since, client.words) for client in self.clients.present]
        fserver_clients.leave(self.me.run, here)

    def close(self) -> None:
        """Let go of everything."""
        self.clients.close()
        self.backup.close()
        self.orders.close()
        fserver_clients.forget(self.me.run)


def _with_words(client: Client) -> str:
    return f"{client.name} ({client.words or 'no word yet'})"


if __name__ == "__main__":
    run(fserver, FserverSettings, user=None, owner="pimains")
